//! A little bot: takes what is posted to it over real HTTP and answers as it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a bot does with what it gets.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Answers with these bytes, head and body.
    Says(Vec<u8>),
    /// Answers with a head and then more and more.
    GoesOn,
    /// Never answers.
    Thinks,
    /// Hangs up.
    HangsUp,
}

impl Manner {
    pub(crate) fn says(status: &str, content_type: &str, body: &str) -> Self {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n");
        Self::Says(
            format!("{head}Location: http://127.0.0.1:1/\r\nSet-Cookie: a=b\r\n\r\n{body}").into_bytes(),
        )
    }

    pub(crate) fn says_json(body: &serde_json::Value) -> Self {
        Self::says("200 OK", "application/json", &body.to_string())
    }
}

/// A running bot; ends when dropped.
pub(crate) struct Bot {
    pub(crate) url: String,
    manner: Arc<Mutex<Manner>>,
    heard: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Bot {
    pub(crate) async fn that(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://bot:pa55@{}/hook/7001:AAF?k=1", listener.local_addr().unwrap());
        let (manner, heard) = (Arc::new(Mutex::new(manner)), Arc::<Mutex<Vec<String>>>::default());
        let (manners, hears) = (manner.clone(), heard.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, manners.clone(), hears.clone()));
            }
        });
        Self { url, manner, heard, _serving: serving }
    }

    pub(crate) fn now(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Every request so far, head and body, as it came.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, manner: Arc<Mutex<Manner>>, heard: Arc<Mutex<Vec<String>>>) {
    let Some(request) = request(&mut stream).await else { return };
    heard.lock().unwrap().push(request);
    let manner = manner.lock().unwrap().clone();
    match manner {
        Manner::Says(answer) => {
            // Whoever asked may have gone; that is for the test to find out.
            let _gone = stream.write_all(&answer).await;
            let _gone = stream.shutdown().await;
        }
        Manner::GoesOn => {
            let head =
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n";
            let _gone = stream.write_all(head).await;
            let _gone = stream.write_all(&vec![b' '; 3_000_000]).await;
            let _gone = stream.shutdown().await;
        }
        Manner::Thinks => tokio::time::sleep(Duration::from_secs(3600)).await,
        Manner::HangsUp => {}
    }
}

/// Reads a request to its end; `None` for a connection on which none came.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or_default() {
                return Some(text);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await.ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}
