//! Taking a JSON object apart, key by key, with a list of what was wrong.

use std::borrow::Cow;
use std::mem;

use domain::action::Word;
use domain::observation::Observation;
use serde_json::{Map, Value};

use super::given::{Event, Given};
use super::{MAX_VIOLATIONS, Violation};

/// What one value was read as, or what would have been right.
pub(super) type Read<T> = Result<T, Cow<'static, str>>;

/// What was wrong so far.
#[derive(Default)]
pub(super) struct Complaints(Vec<Violation>);

impl Complaints {
    pub(super) fn add(&mut self, pointer: impl Into<String>, expected: impl Into<String>) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(Violation { pointer: pointer.into(), expected: expected.into() });
        }
    }

    /// The observation if nothing was wrong.
    pub(super) fn or(mut self, observation: Option<Observation>) -> Result<Observation, Vec<Violation>> {
        if let (Some(observation), true) = (observation, self.0.is_empty()) {
            return Ok(observation);
        }
        Err(mem::take(&mut self.0))
    }
}

/// An object being taken apart. Each key is asked for once; what is left at the end is what nobody knows.
pub(super) struct Object<'c, K> {
    at: String,
    keys: K,
    complaints: &'c mut Complaints,
}

/// The keys of an object, with what they hold.
pub(super) trait Keys<'v> {
    fn take(&mut self, key: &str) -> Option<Given<'v>>;
}

impl<'v> Keys<'v> for Event<'v> {
    fn take(&mut self, key: &str) -> Option<Given<'v>> {
        Event::take(self, key)
    }
}

impl Keys<'static> for Map<String, Value> {
    fn take(&mut self, key: &str) -> Option<Given<'static>> {
        self.remove(key).map(Given::from)
    }
}

impl<'c, 'v, K: Keys<'v>> Object<'c, K> {
    pub(super) const fn new(keys: K, complaints: &'c mut Complaints) -> Self {
        Self { at: String::new(), keys, complaints }
    }

    /// A key that may be absent or null.
    pub(super) fn optional<T>(&mut self, key: &str, read: impl FnOnce(Given<'v>) -> Read<T>) -> Option<T> {
        let given = self.keys.take(key).filter(|given| !given.is_null())?;
        self.keep(key, read(given))
    }

    /// A key that must be there. `wanted` says what it is, for those who left it out.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        wanted: &str,
        read: impl FnOnce(Given<'v>) -> Read<T>,
    ) -> Option<T> {
        match self.keys.take(key).filter(|given| !given.is_null()) {
            None => self.keep(key, Err(format!("is required: {wanted}").into())),
            Some(given) => self.keep(key, read(given)),
        }
    }

    /// An object inside, in which every key must be one of `known`.
    pub(super) fn nested<T>(
        &mut self,
        key: &str,
        known: &str,
        read: impl FnOnce(&mut Object<'_, Map<String, Value>>) -> Option<T>,
    ) -> Option<T> {
        let given = self.keys.take(key).filter(|given| !given.is_null())?;
        let Given::Other(Value::Object(keys)) = given else {
            return self.keep(key, Err(format!("must be an object with keys among {known}").into()));
        };
        let at = format!("{}/{key}", self.at);
        let mut inner = Object { at, keys, complaints: self.complaints };
        let nested = read(&mut inner);
        inner.refuse_the_rest(known);
        nested
    }

    /// The keys nobody asked for, and the list to go on with.
    pub(super) fn into_rest(self) -> (K, &'c mut Complaints) {
        (self.keys, self.complaints)
    }

    fn keep<T>(&mut self, key: &str, read: Read<T>) -> Option<T> {
        read.map_err(|expected| self.complaints.add(format!("{}/{key}", self.at), expected)).ok()
    }
}

impl Object<'_, Map<String, Value>> {
    fn refuse_the_rest(self, known: &str) {
        for key in self.keys.keys() {
            let mut pointer = self.at.clone();
            push_key(&mut pointer, key);
            self.complaints.add(pointer, format!("must not be there: the keys known here are {known}"));
        }
    }
}

/// Makes `pointer` point at `key` in the object it points at, if the key can be shown: pointers are stored in the
/// clear, and a key chosen by the sender may be a phone number. Returns whether it did.
pub(super) fn push_key(pointer: &mut String, key: &str) -> bool {
    let showable = Word::parse(key).is_ok();
    if showable {
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    }
    showable
}
