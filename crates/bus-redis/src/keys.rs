//! The keys in Redis.
//!
//! Those of one partition share a hash tag, the part in braces, so that a cluster keeps them in one slot and a script
//! may touch them all.

use std::num::NonZeroU16;

use ports::bus::{Group, Topic};

use crate::options::OpenError;

/// The number by which scripts know a topic.
pub(crate) const fn number(topic: Topic) -> usize {
    match topic {
        Topic::Raw => 1,
        Topic::Replay => 2,
        Topic::Events => 3,
        Topic::Quarantine => 4,
        Topic::Dead => 5,
        Topic::Apart => 6,
    }
}

/// The keys of one partition.
pub(crate) struct PartitionKeys {
    index: u16,
    /// The streams of the topics by their numbers, then their books of what was accepted: what scripts that append
    /// are given.
    streams_and_accepted: Vec<String>,
    settled: Vec<String>,
    pub(crate) idempotency: String,
    pub(crate) idempotency_begun: String,
    pub(crate) probe: String,
}

impl PartitionKeys {
    fn new(prefix: &str, index: u16) -> Self {
        let start = format!("{prefix}:{{p{index}}}");
        let streams = Topic::ALL.iter().map(|topic| format!("{start}:{}", topic.as_str()));
        let accepted = Topic::ALL.iter().map(|topic| format!("{start}:{}:accepted", topic.as_str()));
        let settled = Topic::ALL.iter().flat_map(|topic| {
            let of_topic = format!("{start}:{}", topic.as_str());
            Group::ALL.map(|group| format!("{of_topic}:{}:settled", group.as_str()))
        });
        Self {
            index,
            streams_and_accepted: streams.chain(accepted).collect(),
            settled: settled.collect(),
            idempotency: format!("{start}:keys"),
            idempotency_begun: format!("{start}:keys:begun"),
            probe: format!("{start}:probe"),
        }
    }

    pub(crate) fn index(&self) -> u16 {
        self.index
    }

    pub(crate) fn stream(&self, topic: Topic) -> &str {
        self.streams_and_accepted.get(number(topic) - 1).map_or("", String::as_str)
    }

    pub(crate) fn accepted(&self, topic: Topic) -> &str {
        self.streams_and_accepted.get(Topic::ALL.len() + number(topic) - 1).map_or("", String::as_str)
    }

    pub(crate) fn settled(&self, topic: Topic, group: Group) -> &str {
        let of_topic = (number(topic) - 1) * Group::ALL.len();
        let of_group = Group::ALL.iter().position(|known| *known == group).unwrap_or_default();
        self.settled.get(of_topic + of_group).map_or("", String::as_str)
    }

    /// What a script that appends is given.
    pub(crate) fn to_append(&self) -> Vec<&str> {
        self.streams_and_accepted.iter().map(String::as_str).collect()
    }

    /// What a script that settles is given.
    pub(crate) fn to_settle(&self, topic: Topic, group: Group) -> Vec<&str> {
        let mut keys = self.to_append();
        keys.push(self.settled(topic, group));
        keys
    }
}

/// All keys.
pub(crate) struct Keys {
    pub(crate) partitions: Vec<PartitionKeys>,
    /// What the names of the wake channels begin with, and those names by the numbers of the topics: there it is called
    /// out which partition was just published to.
    wake: String,
    wakes: Vec<String>,
    /// How many partitions were ever used.
    pub(crate) count: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str, partitions: NonZeroU16) -> Result<Self, OpenError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(fits) {
            return Err(OpenError::KeyPrefix);
        }
        Ok(Self {
            partitions: (0..partitions.get()).map(|index| PartitionKeys::new(prefix, index)).collect(),
            wake: format!("{prefix}:wake"),
            wakes: Topic::ALL.iter().map(|topic| format!("{prefix}:wake:{}", number(*topic))).collect(),
            count: format!("{prefix}:partitions"),
        })
    }

    pub(crate) fn wake(&self) -> &str {
        &self.wake
    }

    pub(crate) fn wake_of(&self, topic: Topic) -> &str {
        self.wakes.get(number(topic) - 1).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use redis::cluster_routing::{Route, SlotAddr};

    use super::*;

    fn keys() -> Keys {
        Keys::new("letopis", NonZeroU16::new(16).unwrap()).unwrap()
    }

    #[test]
    fn all_keys_of_a_partition_are_in_one_slot_and_those_of_many_are_not() {
        let slot = |key: &str| Route::with_key(key, SlotAddr::Master);
        let mut slots = Vec::new();
        for partition in &keys().partitions {
            let mut all: Vec<&str> = partition.to_append();
            all.extend(partition.settled.iter().map(String::as_str));
            all.extend([&*partition.idempotency, &partition.idempotency_begun, &partition.probe]);
            let first = slot(all[0]);
            assert!(all.iter().all(|key| slot(key) == first), "{all:?}");
            slots.push(first);
        }
        slots.dedup();
        assert_eq!(slots.len(), 16);
    }

    #[test]
    fn keys_are_told_apart_and_named_for_what_they_hold() {
        let keys = keys();
        let third = &keys.partitions[3];
        assert_eq!(third.stream(Topic::Raw), "letopis:{p3}:raw");
        assert_eq!(third.stream(Topic::Dead), "letopis:{p3}:dead");
        assert_eq!(third.accepted(Topic::Events), "letopis:{p3}:events:accepted");
        let settled = third.settled(Topic::Events, Group::Analytics);
        assert_eq!(settled, "letopis:{p3}:events:analytics:settled");
        assert_eq!((keys.wake(), keys.wake_of(Topic::Events)), ("letopis:wake", "letopis:wake:3"));
    }

    #[test]
    fn topics_are_numbered_from_1_in_their_order() {
        let numbers: Vec<_> = Topic::ALL.into_iter().map(number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_prefix_that_would_move_the_hash_tag_is_refused() {
        for prefix in ["", "a{b", "a}b", "a b", "ä"] {
            assert!(Keys::new(prefix, NonZeroU16::MIN).is_err(), "{prefix}");
        }
    }
}
