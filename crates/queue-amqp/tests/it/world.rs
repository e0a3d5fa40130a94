//! A broker that is shared, and on it a queue of one's own.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract_tests::queue::proxy::Proxy;
use contract_tests::queue::{HELD, HOLD_FOR, QueueWorld};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use ports::queue::{QueueDoor, QueueOptions};
use queue_amqp::AmqpQueue;
use uuid::Uuid;

use crate::broker::{Broker, broker};

pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) broker: &'static Broker,
    pub(crate) proxy: Proxy,
    pub(crate) owner: Channel,
    /// Ends with it.
    connection: Connection,
}

pub(crate) async fn queue() -> Queue {
    let broker = broker().await;
    let connection = Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
    let owner = connection.create_channel().await.unwrap();
    owner.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let name = format!("queue-{}", Uuid::new_v4().simple());
    let options = QueueDeclareOptions::durable();
    owner.queue_declare(name.as_str().into(), options, FieldTable::default()).await.unwrap();
    let proxy = Proxy::to(([127, 0, 0, 1], broker.port).into()).await;
    Queue { name, broker, proxy, owner, connection }
}

impl Queue {
    pub(crate) fn options(&self) -> QueueOptions {
        QueueOptions {
            url: format!("amqp://guest@{}/%2f", self.proxy.address()),
            password: Some("guest".to_owned()),
            ca: None,
            name: self.name.clone(),
            group: String::new(),
            field: String::new(),
            held: NonZeroU16::new(HELD).unwrap(),
            hold_for: HOLD_FOR,
            timeout: Duration::from_secs(5),
        }
    }

    pub(crate) async fn publish(&self, body: &[u8], properties: BasicProperties) {
        let (exchange, key) = ("".into(), self.name.as_str().into());
        let published =
            self.owner.basic_publish(exchange, key, BasicPublishOptions::default(), body, properties);
        assert!(published.await.unwrap().await.unwrap().is_ack());
    }
}

impl Drop for Queue {
    /// Blocks, for there is no other way to do it here.
    fn drop(&mut self) {
        let deleted = self.owner.queue_delete(self.name.as_str().into(), QueueDeleteOptions::default());
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(deleted)).unwrap();
        let closed = self.connection.close(200, "done".into());
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(closed)).unwrap();
    }
}

#[async_trait]
impl QueueWorld for Queue {
    async fn open(&self) -> Arc<dyn QueueDoor> {
        Arc::new(AmqpQueue::new(&self.options()).unwrap())
    }

    async fn send(&self, body: &[u8], note: &str) {
        let mut headers = FieldTable::default();
        headers.insert("Note".into(), AMQPValue::LongString(note.into()));
        self.publish(body, BasicProperties::default().with_headers(headers)).await;
    }

    fn proxy(&self) -> &Proxy {
        &self.proxy
    }
}
