//! A delivery that tells of many things: one that cannot be read does not take the others along.
//!
//! What cannot be read becomes an event of its own, an `unknown_update` that says where and why and holds the thing itself:
//! once the others are stored, nothing else is kept of the delivery. A delivery of which nothing could be read is refused as
//! a whole, and waits in quarantine as it came.

use domain::channel::Channel;
use domain::observation::Observation;
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::json::Spot;
use crate::seen::{self, kept};
use crate::{Unparsed, json};

/// Messengers put up to 1,000 things into a body. With more that cannot be read, it is not what its channel sends, and
/// would become far more than it was.
const MOST_UNREADABLE: usize = 1_000;

/// What is read of a delivery so far.
pub(crate) struct Batch<'v> {
    root: Spot<'v>,
    received_at: Timestamp,
    observations: Vec<Observation>,
    unreadable: usize,
    /// What was wrong with the first that could not be read.
    first: Option<Unparsed>,
}

impl<'v> Batch<'v> {
    /// Nothing yet of the body that `root` is.
    pub(crate) const fn new(root: Spot<'v>, received_at: Timestamp) -> Self {
        Self { root, received_at, observations: Vec::new(), unreadable: 0, first: None }
    }

    /// Takes what one thing means, or that it cannot be read. `kind` says which of the channel's lists it stands in. `read`
    /// must complain about the spot it is given and what is in it, which it sees as a body of its own: the way to each of
    /// many would be looked for in the whole.
    pub(crate) fn add(
        &mut self,
        channel: Channel,
        kind: &str,
        item: Spot<'v>,
        read: impl FnOnce(Spot<'v>) -> Result<Observation, Unparsed>,
    ) {
        match read(item.alone()) {
            Ok(observation) => self.push(observation),
            Err(unparsed) => self.refuse(channel, kind, item, unparsed),
        }
    }

    /// Takes what is there to say without reading further.
    pub(crate) fn push(&mut self, observation: Observation) {
        self.observations.push(observation);
    }

    /// What the array under `key` holds; nothing when there is none. Where something else stands there, `holder` cannot be
    /// read.
    pub(crate) fn items(
        &mut self,
        channel: Channel,
        holder: Spot<'v>,
        key: &str,
    ) -> impl Iterator<Item = Spot<'v>> + use<'v> {
        let items = holder.alone().items(key);
        let items = items.map_err(|unparsed| self.refuse(channel, key, holder, unparsed)).ok();
        items.into_iter().flatten()
    }

    /// [The same](Self::items) of a list that no limit of its channel's bounds: what it holds beyond the first `most` is one
    /// thing that cannot be read, whatever it would have become.
    pub(crate) fn first_items(
        &mut self,
        channel: Channel,
        holder: Spot<'v>,
        key: &str,
        most: usize,
    ) -> impl Iterator<Item = Spot<'v>> + use<'v> {
        let inside = holder.alone();
        if let Some(list) = inside.get(key)
            && let Some((_, beyond @ [_, ..])) =
                list.value().as_array().and_then(|all| all.split_at_checked(most))
        {
            let expected = format!("must hold at most {most}, and holds {} more", beyond.len());
            self.keep(channel, key, holder, &Value::from(beyond), list.invalid(&expected));
        }
        self.items(channel, holder, key).take(most)
    }

    /// Notes that `item` cannot be read. The complaint's pointer begins at it.
    pub(crate) fn refuse(&mut self, channel: Channel, kind: &str, item: Spot<'v>, unparsed: Unparsed) {
        self.keep(channel, kind, item, item.value(), unparsed);
    }

    /// Keeps `what`, which is at `spot` or in it.
    fn keep(&mut self, channel: Channel, kind: &str, spot: Spot<'v>, what: &Value, unparsed: Unparsed) {
        self.unreadable += 1;
        if self.unreadable <= MOST_UNREADABLE {
            self.observations.push(unreadable(self.received_at, channel, kind, what, &unparsed));
        }
        let way = || self.root.way_to(&spot).unwrap_or_default();
        self.first.get_or_insert_with(|| Unparsed {
            pointer: unparsed.pointer.map(|inside| format!("{}{inside}", way())),
            ..unparsed
        });
    }

    /// How much was taken so far, read or not.
    pub(crate) const fn len(&self) -> usize {
        self.observations.len()
    }

    /// What the delivery means. A delivery without anything in it lacks what should stand under `lacking`.
    pub(crate) fn finish(self, lacking: &str, expected: &str) -> Result<Vec<Observation>, Unparsed> {
        let is_read = self.unreadable <= MOST_UNREADABLE && self.unreadable < self.observations.len();
        match self.first {
            Some(first) if !is_read => Err(first),
            _ if self.observations.is_empty() => Err(json::unreadable(lacking, expected)),
            _ => Ok(self.observations),
        }
    }
}

fn unreadable(at: Timestamp, channel: Channel, kind: &str, item: &Value, unparsed: &Unparsed) -> Observation {
    let native_id = format!("unreadable:{item}");
    let mut observation = seen::unknown(at, channel, format!("unreadable:{kind}"), native_id, kind);
    let pointer = unparsed.pointer.as_deref().unwrap_or_default();
    let why = format!("{pointer} {}", unparsed.detail);
    observation.attributes.insert("unreadable".to_owned(), Value::from(why.trim_start()));
    observation.attributes.insert("item".to_owned(), kept(item));
    observation
}
