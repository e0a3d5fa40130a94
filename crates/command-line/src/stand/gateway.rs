//! A gateway that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Instead of an answer: the connection is closed.
pub(crate) const HANG_UP: &str = "";

type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

/// Takes every request; the first ones it answers as it was told.
pub(crate) struct FakeGateway {
    pub(crate) url: String,
    bodies: Bodies,
    /// Stops listening when dropped.
    _listening: JoinSet<()>,
}

impl FakeGateway {
    /// Starts one that gives these answers first, status and reason each, and `200 OK` from then on.
    pub(crate) async fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let bodies = Bodies::default();
        let read = bodies.clone();
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, answers.clone(), read.clone()));
            }
        });
        Self { url, bodies, _listening: listening }
    }

    /// The address of one that is gone.
    pub(crate) async fn gone() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    /// The bodies of the requests it read, whatever it answered.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, answers: Arc<Mutex<VecDeque<&'static str>>>, bodies: Bodies) {
    let mut stream = BufReader::new(stream);
    while let Some(body) = read_request(&mut stream).await {
        bodies.lock().unwrap().push(body);
        let answer = answers.lock().unwrap().pop_front().unwrap_or("200 OK");
        if answer == HANG_UP {
            return;
        }
        let head = format!("HTTP/1.1 {answer}\r\nretry-after: 0\r\ncontent-length: 2\r\n\r\n{{}}");
        if stream.get_mut().write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads one request to its end and gives back its body; nothing where the connection was closed.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}
