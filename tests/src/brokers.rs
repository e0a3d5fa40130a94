//! Brokers as customers have them: a RabbitMQ and a Redis, and a bot that sends to a queue of one.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use redis::aio::MultiplexedConnection;
use tokio::process::Command;
use uuid::Uuid;

use crate::engines::Engines;

pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/engines");

/// What a customer has.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Broker {
    /// RabbitMQ, with a durable queue.
    Rabbit,
    /// A Redis of the customer's own, with a stream.
    Redis,
}

/// A queue of a customer.
#[derive(Clone, Debug)]
pub struct Queue {
    /// What it is on.
    pub broker: Broker,
    /// Where that is.
    pub url: String,
    /// Its name.
    pub name: String,
}

/// A bot's connection to it.
pub enum Bot {
    /// With confirmations.
    Rabbit(Channel, Box<Connection>),
    /// Where an answer is a confirmation.
    Redis(Box<MultiplexedConnection>),
}

impl Broker {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rabbit, Self::Redis];

    /// Its name for `scripts/engines`, and of its folder.
    #[must_use]
    pub const fn engine(self) -> &'static str {
        match self {
            Self::Rabbit => "rabbitmq",
            Self::Redis => "redis",
        }
    }

    /// The one that all tests share. RabbitMQ is started by who needs it first.
    pub async fn shared(self) -> anyhow::Result<String> {
        match self {
            Self::Redis => Ok(Engines::shared()?.redis),
            Self::Rabbit => self.start(&Engines::shared_folder()?).await,
        }
    }

    /// Starts it in a folder, unless it runs there; gives its address, which stays the same.
    pub async fn start(self, folder: &Path) -> anyhow::Result<String> {
        let mut command = Command::new(SCRIPT);
        command.args(["start", self.engine()]).arg(folder).stdin(Stdio::null());
        let output = command.output().await.with_context(|| format!("cannot run {SCRIPT}"))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

impl Queue {
    /// A new one on a broker at this address, made as its owner would.
    pub async fn new(broker: Broker, url: String) -> anyhow::Result<Self> {
        let queue = Self { broker, url, name: format!("bot-{}", Uuid::now_v7().simple()) };
        // A stream is made by the first entry.
        if let Bot::Rabbit(channel, _) = queue.connect().await? {
            let (durable, arguments) = (QueueDeclareOptions::durable(), FieldTable::default());
            channel.queue_declare(queue.name.as_str().into(), durable, arguments).await?;
        }
        Ok(queue)
    }

    /// A bot's connection, with which the broker confirms what it has.
    pub async fn connect(&self) -> anyhow::Result<Bot> {
        Ok(match self.broker {
            Broker::Rabbit => {
                let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
                let channel = connection.create_channel().await?;
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                Bot::Rabbit(channel, Box::new(connection))
            }
            Broker::Redis => {
                let client = redis::Client::open(self.url.as_str())?;
                Bot::Redis(Box::new(client.get_multiplexed_async_connection().await?))
            }
        })
    }

    /// Sends one letter, with what stands beside it, on a connection of its own.
    pub async fn send(&self, body: &[u8], headers: &[(&str, &str)]) -> anyhow::Result<()> {
        self.connect().await?.send(self, &[body.to_vec()], headers).await
    }
}

impl Bot {
    /// Sends letters at once, and waits until the broker has all of them.
    pub async fn send(
        &mut self,
        queue: &Queue,
        bodies: &[Vec<u8>],
        headers: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        match self {
            Self::Rabbit(channel, _) => {
                let mut table = FieldTable::default();
                for (name, value) in headers {
                    table.insert((*name).into(), AMQPValue::LongString((*value).into()));
                }
                // Persistent.
                let properties = BasicProperties::default().with_delivery_mode(2).with_headers(table);
                let mut confirmations = Vec::with_capacity(bodies.len());
                for body in bodies {
                    let (exchange, key) = ("".into(), queue.name.as_str().into());
                    let options = BasicPublishOptions::default();
                    confirmations
                        .push(channel.basic_publish(exchange, key, options, body, properties.clone()).await?);
                }
                for confirmation in confirmations {
                    ensure!(confirmation.await?.is_ack(), "the broker does not take a letter");
                }
            }
            Self::Redis(connection) => {
                let mut pipeline = redis::pipe();
                for body in bodies {
                    let add = pipeline.cmd("XADD").arg(&queue.name).arg("*").arg("body").arg(body);
                    for (name, value) in headers {
                        add.arg(*name).arg(*value);
                    }
                    add.ignore();
                }
                pipeline.query_async::<()>(&mut **connection).await?;
            }
        }
        Ok(())
    }
}
