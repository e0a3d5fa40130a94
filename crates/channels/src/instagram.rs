//! Instagram and Messenger, which Meta delivers in one form.
//!
//! <https://developers.facebook.com/documentation/instagram-platform/webhooks>
//!
//! What the business says comes back as an echo, whether a bot or a person said it. Of an echo that names an app the bot
//! is the author: Meta documents that for Messenger, and for Instagram nothing says otherwise.

mod comment;
mod message;

use domain::channel::Channel;
use domain::observation::Observation;
use domain::timestamp::Timestamp;

use crate::Unparsed;
use crate::batch::Batch;
use crate::json::{self, Spot};

/// The longest text; Meta's own limit is 2,000.
const TEXT: usize = 16_384;
/// The longest name or other label.
const LABEL: usize = 256;
/// The longest of what programs tell each other: the data of a button, the name of a link.
const DATA: usize = 4_096;

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let root = Spot::root(&value);
    let mut batch = Batch::new(root, received_at);
    // The examples of the documentation are wrapped in an array, deliveries are not.
    if value.is_array() {
        for delivery in root.array()? {
            observe(delivery, received_at, &mut batch);
        }
    } else {
        observe(root, received_at, &mut batch);
    }
    batch.finish("/entry", "must hold at least one message or change")
}

fn observe<'v>(delivery: Spot<'v>, received_at: Timestamp, batch: &mut Batch<'v>) {
    let channel = match delivery.word("object") {
        Some("instagram") => Channel::Instagram,
        Some("page") => Channel::Other,
        _ => {
            let unparsed = json::unreadable("/object", "must be instagram or page");
            return batch.refuse(Channel::Other, "delivery", delivery, unparsed);
        }
    };
    for entry in batch.items(channel, delivery, "entry") {
        let account = Account { channel, received_at, entry };
        // Another app may hold the conversation: then its messages stand by.
        for list in ["messaging", "standby"] {
            for item in batch.items(channel, entry, list) {
                batch.add(channel, list, item, |item| message::observe(&account, item));
            }
        }
        for change in batch.items(channel, entry, "changes") {
            batch.add(channel, "changes", change, |change| comment::observe(&account, change));
        }
        if entry.has("field") {
            batch.add(channel, "changes", entry, |change| comment::observe(&account, change));
        }
    }
}

/// The business's account, and what its updates share.
struct Account<'v> {
    channel: Channel,
    received_at: Timestamp,
    entry: Spot<'v>,
}

impl Account<'_> {
    /// Whether an id is the business's own.
    fn is_own(&self, id: &str) -> bool {
        self.entry.word("id") == Some(id)
    }

    /// When something happened that says no time of its own.
    fn instant(&self) -> Timestamp {
        self.entry.get("time").and_then(|time| time.instant().ok()).unwrap_or(self.received_at)
    }
}
