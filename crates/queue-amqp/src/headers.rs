//! What stands beside a body: properties and headers of AMQP by the names HTTP has for them.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};
use ports::queue::ReplyTo;

/// The headers, by lower-case names. Values that are no text and no number say nothing here.
pub(crate) fn of(properties: &BasicProperties) -> Vec<(String, Bytes)> {
    let named = |name: &str, value: &Option<ShortString>| {
        let value = value.as_ref()?;
        Some((name.to_owned(), Bytes::copy_from_slice(value.as_str().as_bytes())))
    };
    let mut headers: Vec<_> = [
        named("content-type", properties.content_type()),
        named("content-encoding", properties.content_encoding()),
    ]
    .into_iter()
    .flatten()
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let table = properties.headers().iter().flat_map(|table| table.inner());
    headers
        .extend(table.filter_map(|(name, value)| Some((name.as_str().to_ascii_lowercase(), text(value)?))));
    headers
}

fn text(value: &AMQPValue) -> Option<Bytes> {
    Some(match value {
        AMQPValue::LongString(text) => Bytes::copy_from_slice(text.as_bytes()),
        AMQPValue::ShortString(text) => Bytes::copy_from_slice(text.as_str().as_bytes()),
        AMQPValue::ByteArray(bytes) => Bytes::copy_from_slice(bytes.as_slice()),
        AMQPValue::LongLongInt(number) => number.to_string().into(),
        AMQPValue::LongInt(number) => number.to_string().into(),
        AMQPValue::LongUInt(number) => number.to_string().into(),
        AMQPValue::Timestamp(seconds) => seconds.to_string().into(),
        _ => return None,
    })
}

/// Where the sender waits for an answer.
pub(crate) fn reply_to(properties: &BasicProperties) -> Option<ReplyTo> {
    let queue = properties.reply_to().as_ref()?.as_str();
    let correlation = properties.correlation_id().as_ref().map(|word| word.as_str().to_owned());
    (!queue.is_empty()).then(|| ReplyTo { queue: queue.to_owned(), correlation })
}
