//! By what a client came: one shape for the advertisements and links of all messengers, as `docs/channels.md` has it.

use domain::observation::Observation;
use serde_json::{Map, Value};

use crate::Unparsed;
use crate::json::{Spot, text_under};

/// The longest value; WhatsApp's click ids and addresses of advertisements have some hundreds.
const LONGEST: usize = 4_096;

/// What is told of how a client came, in the words of all channels.
pub(crate) struct Referral(Map<String, Value>);

impl Referral {
    /// By a link of the business's own.
    pub(crate) fn by_link() -> Self {
        Self::by("link")
    }

    /// By an advertisement.
    pub(crate) fn by_advertisement() -> Self {
        Self::by("ad")
    }

    fn by(via: &str) -> Self {
        Self(Map::from_iter([("via".to_owned(), Value::from(via))]))
    }

    /// What the business put into its link.
    pub(crate) fn with_ref(mut self, name: &str) -> Self {
        if !name.trim().is_empty() && name.chars().count() <= LONGEST {
            self.0.insert("ref".to_owned(), Value::from(name));
        }
        self
    }

    /// What a messenger tells, each under its word here.
    pub(crate) fn with(mut self, told: &Spot<'_>, names: &[(&str, &str)]) -> Result<Self, Unparsed> {
        for (key, name) in names {
            if let Some(text) = text_under(told, key, LONGEST)? {
                self.0.insert((*name).to_owned(), Value::from(text));
            }
        }
        Ok(self)
    }

    /// Notes it, if anything but the way is told.
    pub(crate) fn note(self, observation: &mut Observation) {
        if self.0.len() > 1 {
            observation.attributes.insert("referral".to_owned(), Value::Object(self.0));
        }
    }
}
