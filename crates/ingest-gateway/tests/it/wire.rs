//! A real server and a client that writes bytes: what only shows on a socket.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::salon::{Salon, event};

/// Serves a salon on a free port.
async fn serve(salon: &Salon) -> (SocketAddr, ServerHandle, JoinSet<std::io::Result<()>>) {
    salon.keyring.refresh().await;
    let routes = salon.routes();
    let server = HttpServer::new(move || App::new().configure(|cfg| routes(cfg)))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let mut tasks = JoinSet::new();
    tasks.spawn(server);
    (address, handle, tasks)
}

fn head(salon: &Salon, length: &str) -> String {
    let key = &salon.ingest;
    format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
    )
}

/// Everything the server says until it has said a whole answer.
async fn answer(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while !heard.ends_with(b"}") {
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer));
        let count = read.await.expect("an answer within ten seconds").unwrap();
        assert!(count > 0, "the server hung up after {:?}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn fifty_megabytes_are_refused_whether_announced_or_not() {
    let salon = Salon::open();
    let (address, handle, mut tasks) = serve(&salon).await;

    let mut announced = TcpStream::connect(address).await.unwrap();
    announced.write_all(head(&salon, "content-length: 52428800").as_bytes()).await.unwrap();
    assert!(answer(&mut announced).await.starts_with("HTTP/1.1 413"));

    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let head = head(&salon, "transfer-encoding: chunked");
    let mut writing = JoinSet::new();
    writing.spawn(async move {
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        writer.write_all(head.as_bytes()).await?;
        for _ in 0..800 {
            writer.write_all(&chunk).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let mut heard = vec![0; 12];
    reader.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, b"HTTP/1.1 413");
    writing.abort_all();

    let mut after = TcpStream::connect(address).await.unwrap();
    let body = event("s-1").to_string();
    let request = format!("{}{body}", self::head(&salon, &format!("content-length: {}", body.len())));
    after.write_all(request.as_bytes()).await.unwrap();
    assert!(answer(&mut after).await.starts_with("HTTP/1.1 202"), "the server is well");
    handle.stop(true).await;
    tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_publishes_nothing() {
    let salon = Salon::open();
    let (address, handle, mut tasks) = serve(&salon).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(&salon, "content-length: 1000").as_bytes()).await.unwrap();
    stream.write_all(event("s-1").to_string().as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400"), "{rest}");
    handle.stop(true).await;
    tasks.join_next().await.unwrap().unwrap().unwrap();
    assert!(salon.messages().is_empty());
}
