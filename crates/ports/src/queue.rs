//! A queue of somebody else's broker, from which a source's messages are taken.

use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Cause;

/// Takes letters out of one queue.
///
/// Contract (checked by `contract-tests` for every adapter):
///
/// - **At least once**: a letter comes again, at this door or another, until it is acknowledged; one that a door held
///   comes again once the door is closed or gone. A lost connection loses no letter.
/// - **Bounded**: a door holds at most [`QueueOptions::held`] letters that are not acknowledged, and hands out none beyond.
/// - **Whose turn it is**: of several doors at one queue each letter comes to one, unless that one is gone or has not
///   said for [`QueueOptions::hold_for`] that it still [`holds`](QueueDoor::hold) it.
/// - **Away and back**: while the broker cannot be reached, calls answer [`QueueError`]; once it can, the next call
///   works, without anything done in between.
/// - What a tag names may be lost with a connection. Acknowledging or holding such a letter does nothing.
///
/// The queue itself is its owner's: no door makes it, empties it, or looks at what other readers do.
#[async_trait]
pub trait QueueDoor: Send + Sync {
    /// Letters to be taken. Waits up to `wait` for the first; none when none came.
    async fn receive(&self, wait: Duration) -> Result<Vec<Letter>, QueueError>;

    /// Takes letters off the queue: what they bring is durable.
    async fn acknowledge(&self, tags: &[LetterTag]) -> Result<(), QueueError>;

    /// Says that these are still in hand.
    async fn hold(&self, tags: &[LetterTag]) -> Result<(), QueueError>;

    /// Sends an answer to whoever waits for one. False when nobody does any more, or nobody ever could.
    async fn answer(&self, to: &ReplyTo, answer: Answer) -> Result<bool, QueueError>;

    /// Puts back what is held, for any door, and leaves. Whoever asks for letters again comes back.
    async fn close(&self);
}

/// What a letter names its answer's place with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// The queue.
    pub queue: String,
    /// The sender's word for what is answered.
    pub correlation: Option<String>,
}

/// An answer: what HTTP would have answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status HTTP has for it.
    pub status: u16,
    /// The media type of the body.
    pub media_type: &'static str,
    /// In that type: nearly always JSON.
    pub body: Bytes,
}

/// One message of a queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Names it to the adapter.
    pub tag: LetterTag,
    /// What is beside the body, by lower-case names: what HTTP has in headers.
    pub headers: Vec<(String, Bytes)>,
    /// The body; none when the letter has nothing where it should be.
    pub body: Option<Bytes>,
    /// Where the sender waits for an answer.
    pub reply_to: Option<ReplyTo>,
}

impl Letter {
    /// The header of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }
}

impl fmt::Debug for Letter {
    /// Without what somebody wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.as_ref().map(Bytes::len);
        f.debug_struct("Letter").field("tag", &self.tag).field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// Names one letter to the adapter that handed it out; opaque to everyone else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterTag(pub String);

/// Which queue, and how to take from it.
#[derive(Clone, PartialEq, Eq)]
pub struct QueueOptions {
    /// The address of the broker; may hold a password.
    pub url: String,
    /// The password, when the address holds none.
    pub password: Option<String>,
    /// Who may sign the broker's certificate, PEM; those of the system without.
    pub ca: Option<Vec<u8>>,
    /// The name of the queue, or of what the broker has in its place.
    pub name: String,
    /// As which group of readers, where the broker has groups.
    pub group: String,
    /// Where in a letter the body is, where the broker leaves that open.
    pub field: String,
    /// Letters held at the most.
    pub held: NonZeroU16,
    /// After how long another door may take what is held, where doors cannot be seen to be gone.
    pub hold_for: Duration,
    /// How long connecting, and a call, may take.
    pub timeout: Duration,
}

impl fmt::Debug for QueueOptions {
    /// Without what gives access.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueOptions").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why no door can be made of options. Never that the broker is down. Names no value: addresses hold passwords.
#[derive(Debug, thiserror::Error)]
pub enum OpenQueueError {
    /// The address cannot be understood.
    #[error("the address of the broker is not of the form {0}")]
    Url(&'static str),
    /// Certificates for connections without TLS.
    #[error("certificates are given, but the address does not ask for TLS")]
    CertificatesWithoutTls,
    /// The certificates cannot be read, or the system has none.
    #[error("no certificates of who may sign the broker's own can be read")]
    Certificates(#[source] Cause),
    /// The client does not accept these options.
    #[error("the client of the broker could not be set up")]
    Client(#[source] Cause),
}

/// The broker cannot be reached, or does not let us in, or the queue is not there. Try again later.
#[derive(Debug, thiserror::Error)]
#[error("the queue is unavailable")]
pub struct QueueError(#[source] pub Cause);
