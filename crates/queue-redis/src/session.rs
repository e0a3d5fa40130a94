//! The two connections, and what is said over them.

use std::time::Duration;

use ports::queue::{Letter, QueueError};
use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{Cmd, RedisError, Value, cmd, from_redis_value};
use tokio::time::timeout;

use crate::entry;
use crate::target::{CONSUMERS, Target};

/// A consumer of ours that holds nothing and was not heard of for so long has gone.
const GONE_AFTER: Duration = Duration::from_secs(60 * 60);
/// Entries looked at to find those nobody holds any more, beyond those that are wanted.
const LOOK_AT_LEAST: usize = 100;

/// Takes away consumers of ours that are gone. One that holds something must stay: with it would go what it holds.
const TIDY: &str = "
local gone = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
  local is_ours = string.sub(about.name, 1, #ARGV[2]) == ARGV[2]
  if is_ours and about.pending == 0 and about.idle > tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    gone = gone + 1
  end
end
return gone";

pub(crate) struct Session {
    prompt: MultiplexedConnection,
    patient: MultiplexedConnection,
}

impl Session {
    /// Connects, and makes the group where there is none.
    pub(crate) async fn begin(target: &Target) -> Result<Self, QueueError> {
        let connect = |config| async move {
            target.client.get_multiplexed_async_connection_with_config(&config).await.map_err(unavailable)
        };
        let (prompt, patient) = (connect(target.prompt()).await?, connect(target.patient()).await?);
        let session = Self { prompt, patient };
        let mut make = cmd("XGROUP");
        make.arg("CREATE").arg(&target.stream).arg(&target.group).arg("0").arg("MKSTREAM");
        match session.ask(&make).await {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(unavailable(error)),
            _made_or_there => {}
        }
        session.tidy(target).await;
        Ok(session)
    }

    /// New letters; waits for the first.
    pub(crate) async fn read(
        &self,
        target: &Target,
        most: usize,
        wait: Duration,
    ) -> Result<Vec<Letter>, QueueError> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(&target.group).arg(&target.consumer).arg("COUNT").arg(most);
        // Nothing to wait for would be for ever.
        read.arg("BLOCK").arg(wait.as_millis().max(1).to_string());
        read.arg("STREAMS").arg(&target.stream).arg(">");
        let mut connection = self.patient.clone();
        let answer = timeout(wait + target.timeout, connection.req_packed_command(&read)).await;
        let answer = answer.map_err(|elapsed| QueueError(elapsed.into()))?;
        match answer.and_then(Value::extract_error).map_err(unavailable)? {
            Value::Nil => Ok(Vec::new()),
            streams => {
                let streams: Vec<(Vec<u8>, Value)> = from_redis_value(streams).map_err(unread)?;
                let entries =
                    streams.into_iter().next().map_or(Value::Array(Vec::new()), |(_, entries)| entries);
                entry::letters(entries, &target.field).map_err(unavailable)
            }
        }
    }

    /// Letters another consumer has had for too long without a word.
    pub(crate) async fn take_over(&self, target: &Target, most: usize) -> Result<Vec<Letter>, QueueError> {
        let mut from = "0-0".to_owned();
        let mut letters = Vec::new();
        // Each round looks at ten times as many entries as it may take, and says where the next has to go on.
        for _round in 0..LOOK_AT_LEAST {
            let mut claim = cmd("XAUTOCLAIM");
            claim.arg(&target.stream).arg(&target.group).arg(&target.consumer).arg(millis(target.hold_for));
            claim.arg(&from).arg("COUNT").arg(most - letters.len());
            let answer: (String, Value, Vec<String>) =
                from_redis_value(self.ask(&claim).await.map_err(unavailable)?).map_err(unread)?;
            let (next, entries, trimmed) = answer;
            if !trimmed.is_empty() {
                let entries = trimmed.len();
                tracing::warn!(entries, "entries were trimmed off the stream before they were acknowledged");
            }
            letters.extend(entry::letters(entries, &target.field).map_err(unavailable)?);
            if next == "0-0" || letters.len() >= most {
                break;
            }
            from = next;
        }
        Ok(letters)
    }

    pub(crate) async fn acknowledge(&self, target: &Target, ids: &[String]) -> Result<(), QueueError> {
        let mut acknowledge = cmd("XACK");
        acknowledge.arg(&target.stream).arg(&target.group).arg(ids);
        self.ask(&acknowledge).await.map(drop).map_err(unavailable)
    }

    /// Says of letters of ours that they were heard of so long ago.
    pub(crate) async fn claim(
        &self,
        target: &Target,
        ids: &[String],
        idle: Duration,
    ) -> Result<(), QueueError> {
        let mut claim = cmd("XCLAIM");
        claim.arg(&target.stream).arg(&target.group).arg(&target.consumer).arg(0).arg(ids);
        claim.arg("IDLE").arg(millis(idle)).arg("JUSTID");
        self.ask(&claim).await.map(drop).map_err(unavailable)
    }

    /// Takes our consumer out of the group, unless it still has something there that never reached us.
    pub(crate) async fn leave(&self, target: &Target) -> Result<(), QueueError> {
        let mut pending = cmd("XPENDING");
        pending.arg(&target.stream).arg(&target.group).arg("-").arg("+").arg(1).arg(&target.consumer);
        let pending: Vec<Value> =
            from_redis_value(self.ask(&pending).await.map_err(unavailable)?).map_err(unread)?;
        if !pending.is_empty() {
            return Ok(());
        }
        let mut leave = cmd("XGROUP");
        leave.arg("DELCONSUMER").arg(&target.stream).arg(&target.group).arg(&target.consumer);
        self.ask(&leave).await.map(drop).map_err(unavailable)
    }

    /// A courtesy: the user of a customer's Redis may not be allowed scripts.
    async fn tidy(&self, target: &Target) {
        let mut tidy = cmd("EVAL");
        tidy.arg(TIDY).arg(1).arg(&target.stream).arg(&target.group).arg(CONSUMERS).arg(millis(GONE_AFTER));
        if let Err(error) = self.ask(&tidy).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "consumers that are gone stay");
        }
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        self.prompt.clone().req_packed_command(command).await.and_then(Value::extract_error)
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

fn unavailable(error: RedisError) -> QueueError {
    QueueError(error.into())
}

fn unread(error: impl Into<RedisError>) -> QueueError {
    unavailable(error.into())
}
