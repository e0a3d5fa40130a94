//! The RabbitMQ of the test command, started by the first test that needs it.

use std::path::PathBuf;
use std::process::Command;

use tokio::sync::OnceCell;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/engines");

/// Where it is.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    /// Who signed its certificate.
    pub(crate) ca: Vec<u8>,
}

static BROKER: OnceCell<Broker> = OnceCell::const_new();

pub(crate) async fn broker() -> &'static Broker {
    BROKER.get_or_init(|| async { tokio::task::spawn_blocking(start).await.unwrap() }).await
}

#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn start() -> Broker {
    let folder: PathBuf = std::env::var("LETOPIS_TEST_ENGINES")
        .expect("LETOPIS_TEST_ENGINES: run scripts/test, or eval \"$(scripts/engines up)\"")
        .into();
    let started = Command::new(SCRIPT).args(["start", "rabbitmq"]).arg(&folder).output().unwrap();
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let file = |name: &str| std::fs::read(folder.join("rabbitmq").join(name)).unwrap();
    let port = |name: &str| String::from_utf8(file(name)).unwrap().trim().parse().unwrap();
    Broker {
        url: String::from_utf8(started.stdout).unwrap().trim().to_owned(),
        port: port("port"),
        tls_port: port("tls-port"),
        ca: file("ca.pem"),
    }
}
