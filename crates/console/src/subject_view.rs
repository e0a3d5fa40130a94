//! A client as shown, by the API and by the command line.

use domain::consent::ConsentRecord;
use domain::rollup::Moment;
use domain::subject::{Door, Identity, Link, Ruling};
use serde::Serialize;

use crate::person::{Consents, Person};

/// A client over all channels.
#[derive(Serialize)]
pub struct SubjectView {
    id: String,
    identities: Vec<IdentityView>,
    first_touch: Option<DoorView>,
    last_touch: Option<DoorView>,
    /// Channels in the order they were first used.
    path: Vec<&'static str>,
    doors: Vec<DoorView>,
    links: Vec<LinkView>,
    /// Messengers in which several accounts hang together: perhaps two persons of one phone.
    several_accounts: Vec<&'static str>,
    /// What was met that belongs to too many to be anybody's.
    shared: Vec<IdentityView>,
    suggestions: Vec<SuggestionView>,
    is_cut_short: bool,
}

#[derive(Serialize)]
struct IdentityView {
    kind: &'static str,
    id: String,
}

#[derive(Serialize)]
struct DoorView {
    channel: &'static str,
    session: String,
    first_at: String,
    last_at: String,
    /// Whether others speak there, too.
    is_shared: bool,
}

/// Why two identities are, or are not, one client.
#[derive(Serialize)]
struct LinkView {
    one: IdentityView,
    other: IdentityView,
    holds: bool,
    /// The event that first named both.
    named: Option<SaidView>,
    ruling: Option<RulingView>,
}

#[derive(Serialize)]
struct SaidView {
    at: String,
    event: String,
}

#[derive(Serialize)]
struct RulingView {
    ruling: &'static str,
    #[serde(flatten)]
    said: SaidView,
}

#[derive(Serialize)]
struct SuggestionView {
    identity: IdentityView,
    /// Where both are named.
    session: String,
}

/// What a client agreed to.
#[derive(Serialize)]
pub struct ConsentPage {
    id: String,
    /// What holds now, a purpose once.
    current: Vec<ConsentView>,
    /// All that was ever said, oldest first.
    records: Vec<ConsentView>,
    /// Whether some were left out.
    is_cut_short: bool,
}

#[derive(Serialize)]
struct ConsentView {
    purpose: &'static str,
    granted: bool,
    at: String,
    channel: &'static str,
    source: String,
    session: String,
    event: String,
    text_version: Option<String>,
    text_hash: Option<String>,
}

impl ConsentPage {
    /// All that was ever said by a client, and what holds of it.
    #[must_use]
    pub fn new(person: &Person, consents: &Consents) -> Self {
        Self {
            id: person.id().to_owned(),
            current: consents.holding().into_iter().map(ConsentView::from).collect(),
            records: consents.records.iter().map(ConsentView::from).collect(),
            is_cut_short: consents.is_cut_short,
        }
    }
}

impl From<&Person> for SubjectView {
    fn from(person: &Person) -> Self {
        let (circle, journey) = (&person.circle, &person.journey);
        Self {
            id: person.id().to_owned(),
            identities: circle.identities.iter().map(IdentityView::from).collect(),
            first_touch: person.first_touch().map(DoorView::from),
            last_touch: journey.last().map(DoorView::from),
            path: journey.path().into_iter().map(|channel| channel.as_str()).collect(),
            doors: journey.doors.iter().map(DoorView::from).collect(),
            links: circle.links.iter().map(LinkView::from).collect(),
            several_accounts: journey.several_accounts.iter().map(|channel| channel.as_str()).collect(),
            shared: circle.shared.iter().map(IdentityView::from).collect(),
            suggestions: person
                .suggestions
                .iter()
                .map(|(identity, session)| SuggestionView {
                    identity: identity.into(),
                    session: session.to_string(),
                })
                .collect(),
            is_cut_short: person.is_cut_short(),
        }
    }
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self { kind: identity.kind.as_str(), id: identity.as_str().to_owned() }
    }
}

impl From<&Door> for DoorView {
    fn from(door: &Door) -> Self {
        Self {
            channel: door.channel.as_str(),
            session: door.session.to_string(),
            first_at: door.first_at.to_string(),
            last_at: door.last_at.to_string(),
            is_shared: door.is_shared,
        }
    }
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        let said = |moment: &Moment| SaidView { at: moment.at.to_string(), event: moment.event.to_string() };
        let ruling = link.ruled.as_ref().map(|ruled| RulingView {
            ruling: match ruled.value {
                Ruling::Together => "together",
                Ruling::Apart => "apart",
            },
            said: said(&ruled.moment),
        });
        Self {
            one: link.pair.first().into(),
            other: link.pair.second().into(),
            holds: link.holds(),
            named: link.named.as_ref().map(said),
            ruling,
        }
    }
}

impl From<&ConsentRecord> for ConsentView {
    fn from(record: &ConsentRecord) -> Self {
        Self {
            purpose: record.purpose.as_str(),
            granted: record.granted,
            at: record.at.to_string(),
            channel: record.channel.as_str(),
            source: record.source.to_string(),
            session: record.session.to_string(),
            event: record.event.to_string(),
            text_version: record.text_version.as_ref().map(ToString::to_string),
            text_hash: record.text_hash.clone(),
        }
    }
}
