//! Answers already given, in the partition their key falls into.

use async_trait::async_trait;
use domain::event::Digest;
use domain::timestamp::Timestamp;
use futures_util::future::try_join_all;
use ports::bus::BusError;
use ports::idempotency::{Begun, IdempotencyKey, IdempotencyStore, StoredAnswer};
use redis::{Cmd, Value};

use crate::bus::{RedisBus, Shared};
use crate::failure::Failure;
use crate::keys::PartitionKeys;
use crate::reply::{bytes, count};

/// Keys forgotten at a time, so that what others do does not wait for it.
const FORGOTTEN_AT_ONCE: u64 = 500;

const DIGEST_BYTES: usize = 32;

#[async_trait]
impl IdempotencyStore for RedisBus {
    async fn begin(&self, key: &IdempotencyKey, body: Digest, now: Timestamp) -> Result<Begun, BusError> {
        Ok(begin(&self.shared, key, body, now).await?)
    }

    async fn finish(&self, key: &IdempotencyKey, answer: StoredAnswer) -> Result<StoredAnswer, BusError> {
        Ok(finish(&self.shared, key, answer).await?)
    }

    async fn forget_before(&self, instant: Timestamp) -> Result<u64, BusError> {
        let partitions = self.shared.keys.partitions.iter();
        let forgotten = try_join_all(partitions.map(|keys| forget(&self.shared, keys, instant))).await?;
        Ok(forgotten.into_iter().sum())
    }
}

async fn begin(
    shared: &Shared,
    key: &IdempotencyKey,
    body: Digest,
    now: Timestamp,
) -> Result<Begun, Failure> {
    let keys = partition(shared, key)?;
    let fill = |command: &mut Cmd| {
        command.arg(name(key)).arg(body.as_bytes().as_slice()).arg(now.unix_micros());
    };
    let kept = [&*keys.idempotency, &*keys.idempotency_begun];
    let kept = match shared.server.run(&shared.scripts.begin, &kept, fill).await? {
        Value::Nil => return Ok(Begun::New),
        kept => bytes(kept, "an idempotency key")?,
    };
    match kept.split_at_checked(DIGEST_BYTES) {
        None => Err(Failure::Corrupt("an idempotency key")),
        Some((first_body, _)) if first_body != body.as_bytes() => Ok(Begun::Conflict),
        Some((_, [])) => Ok(Begun::InProgress),
        Some((_, answer)) => Ok(Begun::Done(read(answer)?)),
    }
}

async fn finish(
    shared: &Shared,
    key: &IdempotencyKey,
    answer: StoredAnswer,
) -> Result<StoredAnswer, Failure> {
    let keys = partition(shared, key)?;
    let fill = |command: &mut Cmd| {
        command.arg(name(key)).arg(write(&answer)).arg(DIGEST_BYTES);
    };
    let kept = shared.server.run(&shared.scripts.finish, &[&keys.idempotency], fill).await?;
    read(&bytes(kept, "a kept answer")?)
}

async fn forget(shared: &Shared, keys: &PartitionKeys, instant: Timestamp) -> Result<u64, Failure> {
    let mut forgotten = 0;
    loop {
        let fill = |command: &mut Cmd| {
            command.arg(instant.unix_micros()).arg(FORGOTTEN_AT_ONCE);
        };
        let kept = [&*keys.idempotency, &*keys.idempotency_begun];
        let some = count(shared.server.run(&shared.scripts.forget, &kept, fill).await?, "a count")?;
        forgotten += some;
        if some < FORGOTTEN_AT_ONCE {
            return Ok(forgotten);
        }
    }
}

/// The key's digest is as good as random, so its first bytes are.
fn partition<'a>(shared: &'a Shared, key: &IdempotencyKey) -> Result<&'a PartitionKeys, Failure> {
    let first = key.key.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let partitions = u64::try_from(shared.keys.partitions.len()).unwrap_or(u64::MAX).max(1);
    let index = usize::try_from(first % partitions).unwrap_or_default();
    shared.keys.partitions.get(index).ok_or(Failure::Corrupt("a partition"))
}

/// A digest has a fixed length, so no two pairs share a name.
fn name(key: &IdempotencyKey) -> Vec<u8> {
    [key.key.as_bytes().as_slice(), key.source.as_str().as_bytes()].concat()
}

fn write(answer: &StoredAnswer) -> Vec<u8> {
    [answer.status.to_be_bytes().as_slice(), &answer.body].concat()
}

fn read(kept: &[u8]) -> Result<StoredAnswer, Failure> {
    let (status, body) = kept.split_first_chunk().ok_or(Failure::Corrupt("a kept answer"))?;
    Ok(StoredAnswer { status: u16::from_be_bytes(*status), body: body.to_vec() })
}
