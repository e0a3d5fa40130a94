//! A message as an entry of a stream.

use bytes::Bytes;
use domain::id::TenantId;
use ports::bus::{Group, Message, Origin, Partition, Topic};
use redis::{Cmd, Value};

use crate::failure::Failure;
use crate::reply::{array, bytes, text};

const UNREADABLE: Failure = Failure::Corrupt("an entry of a stream");

/// Adds a message to a command as scripts that append expect it.
pub(crate) fn write(command: &mut Cmd, message: &Message) {
    command.arg(message.tenant.as_str()).arg(&message.payload[..]);
    match &message.origin {
        None => command.arg(""),
        Some(Origin { topic, group, attempts, reason }) => {
            command.arg(format!("{} {} {attempts} {reason}", topic.as_str(), group.as_str()))
        }
    };
}

/// Reads an entry's fields.
pub(crate) fn read(fields: Value, partition: Partition) -> Result<Message, Failure> {
    let (mut tenant, mut payload, mut origin) = (None, None, None);
    let mut values = array(fields, "the fields of an entry")?.into_iter();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        match name {
            Value::BulkString(name) if name == b"tenant" => {
                tenant = TenantId::parse(&text(value, "a tenant")?).ok();
            }
            Value::BulkString(name) if name == b"payload" => {
                payload = Some(Bytes::from(bytes(value, "a payload")?));
            }
            Value::BulkString(name) if name == b"origin" => {
                origin = Some(read_origin(&text(value, "an origin")?).ok_or(UNREADABLE)?);
            }
            _ => return Err(UNREADABLE),
        }
    }
    Ok(Message { tenant: tenant.ok_or(UNREADABLE)?, partition, payload: payload.ok_or(UNREADABLE)?, origin })
}

fn read_origin(text: &str) -> Option<Origin> {
    let mut words = text.splitn(4, ' ');
    Some(Origin {
        topic: Topic::parse(words.next()?)?,
        group: Group::parse(words.next()?)?,
        attempts: words.next()?.parse().ok()?,
        reason: words.next()?.to_owned(),
    })
}
