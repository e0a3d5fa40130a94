//! HTTP/1.1 as cheap as it gets: requests are bytes made beforehand, answers are read to their end and no further
//! than their status. What the generator takes of the machine is missing to what is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// Our heads have a few hundred bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// One connection, kept open; one request at a time.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    /// The last answer, whole.
    input: Vec<u8>,
    body_at: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = connect(address).await?;
        Ok(Self { address, stream, input: Vec::with_capacity(LARGEST_HEAD), body_at: 0 })
    }

    /// Connects anew, after an error.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn reopen(&mut self) -> anyhow::Result<()> {
        self.stream = connect(self.address).await?;
        Ok(())
    }

    /// Sends a request as it stands, and reads the answer; gives its status.
    ///
    /// # Errors
    /// The connection broke, or the answer does not say how long it is.
    pub async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.input.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(end) = find(&self.input, END_OF_HEAD) {
                break end;
            }
            ensure!(self.input.len() < LARGEST_HEAD, "an answer without an end of its head");
        };
        let (status, length) = understand(&self.input[..head])?;
        self.body_at = head + END_OF_HEAD.len();
        while self.input.len() < self.body_at + length {
            self.read_more().await?;
        }
        Ok(status)
    }

    /// The body of the last answer.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.input[self.body_at..]
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.input).await?;
        ensure!(read > 0, "the connection was closed before the answer was whole");
        Ok(())
    }
}

/// A GET with a key, as it goes over the wire.
#[must_use]
pub fn get(key: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n").into_bytes()
}

/// A POST of events with a key, as it goes over the wire.
#[must_use]
pub fn post_events(key: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The status, and the length of the body.
fn understand(head: &[u8]) -> anyhow::Result<(u16, usize)> {
    let head = std::str::from_utf8(head).context("a head that is no text")?;
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).context("an answer without a status")?;
    let status: u16 = status.parse().context("a status that is no number")?;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, value.trim().parse().context("a length that is no number")?));
        }
    }
    match status {
        204 | 304 => Ok((status, 0)),
        _ => bail!("an answer with status {status} that does not say how long it is"),
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_the_status_and_the_length() {
        let head = b"HTTP/1.1 202 Accepted\r\ncontent-length: 81\r\ncontent-type: application/json";
        assert_eq!(understand(head).unwrap(), (202, 81));
        assert_eq!(understand(b"HTTP/1.1 304 Not Modified\r\netag: x").unwrap(), (304, 0));
        assert!(understand(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked").is_err());
    }

    #[test]
    fn the_length_of_a_post_is_counted_in_bytes() {
        let request = post_events("k", "{\"а\":1}".as_bytes());
        assert!(find(&request, b"Content-Length: 8\r\n\r\n{").is_some());
    }
}
