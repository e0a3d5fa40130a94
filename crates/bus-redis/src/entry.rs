//! A message as an entry of a stream.

use std::num::NonZeroU32;

use bytes::Bytes;
use domain::id::TenantId;
use ports::bus::{Group, Message, Origin, Partition, Topic};
use redis::{Cmd, Value};

use crate::failure::Failure;
use crate::reply::{array, bytes, text};

const UNREADABLE: Failure = Failure::Corrupt("an entry of a stream");

/// Adds a message to a command as scripts that append expect it.
pub(crate) fn write(command: &mut Cmd, message: &Message) {
    command.arg(message.tenant.as_str()).arg(&message.payload[..]).arg(message.receipts.get());
    match &message.origin {
        None => command.arg(""),
        Some(Origin { topic, group, attempts, reason }) => {
            command.arg(format!("{} {} {attempts} {reason}", topic.as_str(), group.as_str()))
        }
    };
}

/// Reads an entry's fields.
pub(crate) fn read(fields: Value, partition: Partition) -> Result<Message, Failure> {
    // Of one receipt unless it says otherwise.
    let (mut tenant, mut payload, mut receipts, mut origin) = (None, None, NonZeroU32::MIN, None);
    let mut values = array(fields, "the fields of an entry")?.into_iter();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        match name {
            Value::BulkString(name) if name == b"tenant" => {
                tenant = TenantId::parse(&text(value, "a tenant")?).ok();
            }
            Value::BulkString(name) if name == b"payload" => {
                payload = Some(Bytes::from(bytes(value, "a payload")?));
            }
            Value::BulkString(name) if name == b"receipts" => {
                receipts = text(value, "a number of receipts")?.parse().map_err(|_no_number| UNREADABLE)?;
            }
            Value::BulkString(name) if name == b"origin" => {
                origin = Some(read_origin(&text(value, "an origin")?).ok_or(UNREADABLE)?);
            }
            _ => return Err(UNREADABLE),
        }
    }
    let (tenant, payload) = (tenant.ok_or(UNREADABLE)?, payload.ok_or(UNREADABLE)?);
    Ok(Message { tenant, partition, payload, receipts, origin })
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
