//! The bot behind a source: a real little HTTP server that answers as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A running bot. It ends when it is dropped.
pub struct Bot {
    address: SocketAddr,
    held: Arc<Mutex<Held>>,
    _serving: JoinSet<()>,
}

struct Held {
    answer: (u16, String),
    takes: Duration,
    heard: Vec<String>,
}

impl Bot {
    /// A bot that answers with this, after so long.
    ///
    /// # Errors
    /// No port is free.
    pub async fn saying(answer: &Value, takes: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let held = Held { answer: (200, answer.to_string()), takes, heard: Vec::new() };
        let held = Arc::new(Mutex::new(held));
        let (mut serving, shared) = (JoinSet::new(), held.clone());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, shared.clone()));
            }
        });
        Ok(Self { address, held, _serving: serving })
    }

    /// Its address, with things in it that nobody is to see.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook/7001:AAF-t0ken?key=s3cret", self.address)
    }

    /// Answers otherwise from now on.
    pub fn now_says(&self, status: u16, answer: &Value) {
        self.held().answer = (status, answer.to_string());
    }

    /// The bodies that were posted to it so far.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.held().heard.clone()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one request; says nothing to one that breaks off.
async fn serve(mut stream: TcpStream, held: Arc<Mutex<Held>>) {
    let Some(body) = body_of_request(&mut stream).await else { return };
    let ((status, answer), takes) = {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        held.heard.push(body);
        (held.answer.clone(), held.takes)
    };
    tokio::time::sleep(takes).await;
    let head = format!("HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let answer = format!("{head}Content-Length: {}\r\n\r\n{answer}", answer.len());
    // Whoever asked may have been killed meanwhile.
    let _gone = stream.write_all(answer.as_bytes()).await;
}

async fn body_of_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let headers = head.lines().filter_map(|line| line.split_once(':'));
            let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length: usize = lengths.next()?.1.trim().parse().ok()?;
            if body.len() >= length {
                return Some(body.to_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await.ok()? {
            0 => return None,
            count => bytes.extend_from_slice(chunk.get(..count)?),
        }
    }
}
