//! The connection under AMQP: TCP, or TLS over it.
//!
//! TLS is ours, by the rustls that everything here uses: the client's own would bring a reader of PKCS #12 and thirty
//! crates of old ciphers with it. The client takes any stream of its runtime, so this is tokio with streams of our own.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use async_compat::Compat;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes one way and the other.
pub(crate) trait Pipe: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Pipe for T {}

type Wire = Compat<Box<dyn Pipe>>;

/// Connects and greets.
pub(crate) async fn connect(
    uri: AMQPUri,
    tls: Option<TlsConnector>,
    properties: ConnectionProperties,
) -> lapin::Result<Connection> {
    let pipe = async move |uri: AMQPUri, _runtime| {
        let stream = dial(&uri, tls.as_ref()).await?;
        Ok(AsyncTcpStream::Plain(Compat::new(stream)))
    };
    let tokio = Tokio::current();
    let runtime = Runtime::new(RuntimeParts::new(tokio.clone(), Streams(tokio)));
    Connection::connector(uri, runtime, pipe, properties).await
}

async fn dial(uri: &AMQPUri, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Pipe>> {
    let (host, port) = (uri.authority.host.as_str(), uri.authority.port);
    let tcp = TcpStream::connect((host, port)).await?;
    tcp.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Box::new(tcp)) };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(tls.connect(name, tcp).await?))
}

/// What tokio does, with streams that may be encrypted.
#[derive(Clone, Debug)]
struct Streams(Tokio);

impl Reactor for Streams {
    type TcpStream = Wire;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    #[expect(clippy::manual_async_fn, reason = "an async fn would borrow from `self`, and may not")]
    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        async move {
            let stream: Box<dyn Pipe> = Box::new(TcpStream::connect(address).await?);
            Ok(Compat::new(stream))
        }
    }
}
