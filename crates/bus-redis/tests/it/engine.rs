//! A Redis of a test's own, to be set up oddly, filled up, stopped and killed.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bus_redis::{RedisBus, RedisOptions};
use tempfile::TempDir;

/// Longer than anything takes that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Engine {
    dir: TempDir,
    pub(crate) port: u16,
    settings: Vec<String>,
    /// Where its settings are, if they must be in a file; else they are given to it one by one.
    file: Option<PathBuf>,
    process: Option<Child>,
}

impl Engine {
    /// With a place and a port, and not started.
    pub(crate) fn prepared(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings.iter().map(|word| (*word).to_owned()).collect();
        Self { dir, port: free_port(), settings, file: None, process: None }
    }

    pub(crate) async fn started(settings: &[&str]) -> Self {
        let mut engine = Self::prepared(settings);
        engine.start().await;
        engine
    }

    /// Has it read, and write, its settings in a file, as sentinels must.
    pub(crate) fn configured_by(&mut self, file: &Path) {
        self.file = Some(file.to_owned());
    }

    /// Starts it, or starts it again with what it has on the disk.
    pub(crate) async fn start(&mut self) {
        self.spawn();
        eventually("redis to answer", async || self.tell(&["PING"]).ok()).await;
    }

    fn spawn(&mut self) {
        let port = self.port.to_string();
        let dir = self.dir.path().to_str().unwrap();
        let mut command = Command::new("redis-server");
        command.args(&self.file).args(["--port", &port, "--bind", "127.0.0.1", "--dir", dir]);
        if self.file.is_none() {
            command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        }
        let started = command.args(&self.settings).stdout(Stdio::null()).spawn();
        self.process = Some(match started {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("redis-server is not installed: run scripts/test, or apt-get install redis-server")
            }
            started => started.unwrap(),
        });
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Sends a command as an operator would.
    pub(crate) fn tell(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(self.address())?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query(&mut connection)
    }

    pub(crate) fn options(&self) -> RedisOptions {
        RedisOptions { nodes: vec![self.address()], ..RedisOptions::default() }
    }

    pub(crate) fn open_bus(&self) -> RedisBus {
        open(&self.options())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// With two partitions.
pub(crate) fn open(options: &RedisOptions) -> RedisBus {
    RedisBus::new(options, NonZeroU16::new(2).unwrap()).unwrap()
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_elapsed) => panic!("waited in vain for {what}"),
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
