//! What stands between a door and its broker, to break connections and to let none through.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes connections on to a broker. Dropped, it breaks them all.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _listening: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    is_closed: AtomicBool,
    connections: Mutex<JoinSet<()>>,
}

impl Proxy {
    /// To a broker at this address.
    pub async fn to(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let mut listening = JoinSet::new();
        listening.spawn(pass_on(listener, broker, shared.clone()));
        Self { address, shared, _listening: listening }
    }

    /// Where doors connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection there is; new ones are let through.
    pub fn cut(&self) {
        self.shared.connections.lock().unwrap().abort_all();
    }

    /// Breaks every connection and lets none through, until [`Self::open`].
    pub fn close(&self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.shared.is_closed.store(false, Ordering::SeqCst);
    }
}

async fn pass_on(listener: TcpListener, broker: SocketAddr, shared: Arc<Shared>) {
    while let Ok((mut door, _)) = listener.accept().await {
        let mut connections = shared.connections.lock().unwrap();
        // Under the lock, so that none slips in while the proxy closes.
        if shared.is_closed.load(Ordering::SeqCst) {
            continue;
        }
        connections.spawn(async move {
            let Ok(mut broker) = TcpStream::connect(broker).await else { return };
            // However it ends, both ends are dropped.
            drop(copy_bidirectional(&mut door, &mut broker).await);
        });
    }
}
