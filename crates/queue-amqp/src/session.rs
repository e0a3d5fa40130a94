//! One connection, from its beginning to its end.

use std::sync::{Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, Consumer};
use ports::queue::{Answer, Letter, LetterTag, QueueError, ReplyTo};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::tags::{InHand, numbers, tag};
use crate::target::Target;
use crate::{headers, wire};

/// What the broker is told when we leave.
const OK: u16 = 200;

pub(crate) struct Session {
    number: u64,
    connection: Connection,
    channel: Channel,
    letters: Mutex<Consumer>,
    in_hand: Lock<InHand>,
    /// Made when the first answer is wanted.
    answers: Mutex<Option<Channel>>,
}

impl Session {
    pub(crate) async fn begin(number: u64, target: &Target) -> Result<Self, QueueError> {
        let begun = async {
            let properties = Target::properties();
            let connection = wire::connect(target.uri.clone(), target.tls.clone(), properties).await?;
            let channel = connection.create_channel().await?;
            channel.basic_qos(target.held, BasicQosOptions::default()).await?;
            let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
            let letters = channel.basic_consume(target.queue.clone(), "".into(), options, arguments).await?;
            Ok((connection, channel, letters))
        };
        let (connection, channel, letters) = begun.await.map_err(unavailable)?;
        let (letters, in_hand, answers) = (Mutex::new(letters), Lock::default(), Mutex::default());
        Ok(Self { number, connection, channel, letters, in_hand, answers })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Waits for the first letter and takes what has come beside it.
    pub(crate) async fn receive(&self, wait: Duration) -> Result<Vec<Letter>, QueueError> {
        let mut letters = self.letters.lock().await;
        let mut next = timeout(wait, letters.next()).await.ok();
        let mut received = Vec::new();
        while let Some(come) = next {
            match come {
                Some(Ok(delivery)) => received.push(self.letter(delivery)),
                // What came before it went wrong is the broker's again.
                Some(Err(error)) => return Err(unavailable(error)),
                None => return Err(QueueError("the broker sends no more: is the queue gone?".into())),
            }
            next = letters.next().now_or_never();
        }
        Ok(received)
    }

    fn letter(&self, delivery: Delivery) -> Letter {
        let Delivery { delivery_tag, properties, data, .. } = delivery;
        self.in_hand().take(delivery_tag);
        Letter {
            tag: tag(self.number, delivery_tag),
            headers: headers::of(&properties),
            body: Some(Bytes::from(data)),
            reply_to: headers::reply_to(&properties),
        }
    }

    pub(crate) async fn acknowledge(&self, tags: &[LetterTag]) -> Result<(), QueueError> {
        let done = self.in_hand().strike(&numbers(self.number, tags));
        if let Some(last) = done.up_to {
            let all_before = BasicAckOptions { multiple: true };
            self.channel.basic_ack(last, all_before).await.map_err(unavailable)?;
        }
        for number in done.besides {
            self.channel.basic_ack(number, BasicAckOptions::default()).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// A place that is not there, or where we may not write, is nobody waiting; only a connection that breaks is an
    /// error.
    pub(crate) async fn answer(&self, to: &ReplyTo, answer: Answer) -> Result<bool, QueueError> {
        let mut answers = self.answers.lock().await;
        let channel = match answers.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => {
                let channel = self.connection.create_channel().await.map_err(unavailable)?;
                channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(unavailable)?;
                channel
            }
        };
        match publish(&channel, to, answer).await {
            Ok(confirmation) => {
                *answers = Some(channel);
                Ok(confirmation.is_ack() && confirmation.take_message().is_none())
            }
            Err(error) if self.connection.status().connected() => {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(error, "the broker does not let an answer through");
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Says farewell; what is in hand is the broker's again.
    pub(crate) async fn end(&self) {
        if let Err(error) = self.connection.close(OK, "the door closes".into()).await {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(error, "left the broker without a farewell");
        }
    }

    fn in_hand(&self) -> MutexGuard<'_, InHand> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(channel: &Channel, to: &ReplyTo, answer: Answer) -> lapin::Result<Confirmation> {
    let mut properties = BasicProperties::default().with_content_type(answer.media_type.into());
    let mut status = FieldTable::default();
    status.insert("status".into(), lapin::types::AMQPValue::LongInt(i32::from(answer.status)));
    properties = properties.with_headers(status);
    if let Some(correlation) = &to.correlation {
        properties = properties.with_correlation_id(correlation.as_str().into());
    }
    let known_to_somebody = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let exchange = "".into();
    let place = to.queue.as_str().into();
    channel.basic_publish(exchange, place, known_to_somebody, &answer.body, properties).await?.await
}

fn unavailable(error: lapin::Error) -> QueueError {
    QueueError(error.into())
}
