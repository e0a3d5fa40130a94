//! A client as the ledger knows them: found by whatever was typed, with everything around them. For the page and the command
//! line.

use std::collections::{BTreeMap, BTreeSet};

use domain::consent::{self, ConsentRecord};
use domain::id::{SessionId, TenantId};
use domain::rollup::SessionRollup;
use domain::subject::{Circle, Door, Identity, Journey, Touch, standing};
use ports::ledger::LedgerError;
use ports::subjects::{SubjectReader, circle_of, is_cut_short};
use privacy::TenantKeys;

use crate::history::{Conversation, History};

/// In a conversation that names more persons than this, nobody is suggested: it is a group.
const SMALL_TALK: usize = 3;

/// A client and everything around them.
pub struct Person {
    /// What hangs together.
    pub circle: Circle,
    /// Where the client came from, and how it went on.
    pub journey: Journey,
    /// Who else is named in the client's conversations: perhaps the same person.
    pub suggestions: Vec<(Identity, SessionId)>,
    sessions: BTreeMap<SessionId, SessionRollup>,
    /// Whether there are more conversations than anybody reads.
    is_cut_short: bool,
    /// What was ruled on the client: in the history, and in no conversation.
    rulings: Vec<SessionRollup>,
    /// The client's conversations, and everything that is named in each.
    named: BTreeMap<SessionId, BTreeSet<Identity>>,
}

/// What a client agreed to.
pub struct Consents {
    /// Who agreed to what, oldest first.
    pub records: Vec<ConsentRecord>,
    /// Whether some were left out: older ones, or those of conversations that were not read.
    pub is_cut_short: bool,
    /// Whether there are conversations that were not read.
    has_unread: bool,
}

impl Consents {
    /// The word that holds for each purpose. Where not every conversation was read, what was not read may have taken a
    /// consent back: then none is known to hold.
    #[must_use]
    pub fn holding(&self) -> Vec<&ConsentRecord> {
        let mut holding = consent::holding(&self.records);
        holding.retain(|record| !(self.has_unread && record.granted));
        holding
    }
}

/// The circles of whoever somebody may have meant by what they typed, the likeliest first: by what a client is known by, else by
/// the id of a conversation, which names whoever is in it.
pub async fn typed(
    subjects: &dyn SubjectReader,
    keys: &TenantKeys,
    tenant: &TenantId,
    typed: &str,
) -> Result<Vec<Circle>, LedgerError> {
    let circles = find(subjects, keys, tenant, &keys.identities(typed)).await?;
    if !circles.is_empty() {
        return Ok(circles);
    }
    let named = subjects.named_in(tenant, &keys.session_ids(typed)).await?;
    let named: Vec<_> = named.into_iter().map(|touch| touch.identity).collect();
    find(subjects, keys, tenant, &named).await
}

/// The circles of those of these identities that are known.
async fn find(
    subjects: &dyn SubjectReader,
    keys: &TenantKeys,
    tenant: &TenantId,
    meant: &[Identity],
) -> Result<Vec<Circle>, LedgerError> {
    let nobodys = keys.of_nobody();
    let touches = subjects.touches(tenant, meant).await?;
    let mut known: BTreeSet<_> = touches.into_iter().map(|touch| touch.identity).collect();
    known.retain(|identity| !nobodys.contains(identity));
    let mut circles: Vec<Circle> = Vec::new();
    for identity in meant.iter().filter(|identity| known.contains(identity)) {
        if circles.iter().all(|circle| !circle.has(identity)) {
            circles.push(circle_of(subjects, tenant, identity.clone(), &nobodys).await?);
        }
    }
    Ok(circles)
}

/// The client behind the id of a subject, which is any of the client's identities as they are stored.
pub async fn of_id(
    subjects: &dyn SubjectReader,
    keys: &TenantKeys,
    tenant: &TenantId,
    id: &str,
) -> Result<Option<Person>, LedgerError> {
    match find(subjects, keys, tenant, &Identity::all_stored_as(id)).await?.into_iter().next() {
        Some(circle) => of_circle(subjects, tenant, circle).await.map(Some),
        None => Ok(None),
    }
}

/// Everything around a circle.
pub async fn of_circle(
    subjects: &dyn SubjectReader,
    tenant: &TenantId,
    circle: Circle,
) -> Result<Person, LedgerError> {
    let touches = subjects.touches(tenant, &circle.identities).await?;
    let has_more = is_cut_short(&touches);
    let (ruled, own): (Vec<_>, Vec<_>) = touches.into_iter().partition(Touch::is_of_ruling);
    let mut beside = subjects.named_in(tenant, &sessions_of(&own)).await?;
    let is_cut_short = has_more || is_cut_short(&beside);
    if is_cut_short {
        // A group of thousands that comes first must not push the client's own conversations out.
        let known: BTreeSet<_> = beside.iter().map(|touch| (&touch.session, &touch.identity)).collect();
        let is_missing = |touch: &Touch| !known.contains(&(&touch.session, &touch.identity));
        let missing: Vec<_> = own.iter().filter(|touch| is_missing(touch)).cloned().collect();
        beside.extend(missing);
    }
    let touches = standing(&circle, beside);
    let ids = sessions_of(touches.iter().filter(|touch| circle.has(&touch.identity)));
    let rows = subjects.sessions_known(tenant, &[&ids[..], &sessions_of(&ruled)].concat()).await?;
    let (sessions, rulings): (Vec<_>, Vec<_>) =
        rows.into_iter().map(|row| row.rollup).partition(|rollup| ids.binary_search(&rollup.session).is_ok());
    let sessions = sessions.into_iter().map(|rollup| (rollup.session.clone(), rollup)).collect();
    let journey = Journey::of(&circle, &touches, &sessions);
    let mut named: BTreeMap<_, BTreeSet<_>> = ids.into_iter().map(|id| (id, BTreeSet::new())).collect();
    for touch in touches {
        if let Some(named) = named.get_mut(&touch.session) {
            named.insert(touch.identity);
        }
    }
    let suggestions = suggestions(&circle, &named);
    Ok(Person { circle, journey, suggestions, is_cut_short, sessions, rulings, named })
}

fn sessions_of<'t>(touches: impl IntoIterator<Item = &'t Touch>) -> Vec<SessionId> {
    let sessions: BTreeSet<_> = touches.into_iter().map(|touch| touch.session.clone()).collect();
    sessions.into_iter().collect()
}

/// Persons named beside the client in conversations of few, unless it was ruled that they are others.
fn suggestions(
    circle: &Circle,
    named: &BTreeMap<SessionId, BTreeSet<Identity>>,
) -> Vec<(Identity, SessionId)> {
    let is_ruled_out = |other: &Identity| {
        circle
            .links
            .iter()
            .any(|link| !link.holds() && (link.pair.first() == other || link.pair.second() == other))
    };
    let mut found: BTreeMap<&Identity, &SessionId> = BTreeMap::new();
    for (session, named) in named {
        let others = || named.iter().filter(|one| circle.is_another(one));
        if others().count() <= SMALL_TALK {
            let fresh = others().filter(|other| !circle.shared.contains(other) && !is_ruled_out(other));
            found.extend(fresh.map(|other| (other, session)));
        }
    }
    found.into_iter().map(|(identity, session)| (identity.clone(), session.clone())).collect()
}

impl Person {
    /// The name of the client: the best of their identities.
    #[must_use]
    pub fn id(&self) -> &str {
        id_of(&self.circle)
    }

    /// Where the client's events are.
    pub(crate) fn history(self) -> History {
        let conversation = |rollup: &SessionRollup| Conversation {
            session: rollup.session.clone(),
            first_at: rollup.opened.moment.at,
            last_at: rollup.last.at,
        };
        let conversations = self.sessions.values().chain(&self.rulings).map(conversation).collect();
        History { conversations, circle: self.circle }
    }

    /// Who agreed to what: what names the client and, where nobody else is in the conversation, what names nobody.
    pub async fn consents(
        &self,
        subjects: &dyn SubjectReader,
        tenant: &TenantId,
    ) -> Result<Consents, LedgerError> {
        let rulings = self.rulings.iter().map(|rollup| &rollup.session);
        let ids: Vec<_> = self.named.keys().chain(rulings).cloned().collect();
        let mut records = subjects.consents(tenant, &ids).await?;
        let has_unread = self.is_cut_short();
        let is_cut_short = has_unread || is_cut_short(&records);
        records.retain(|record| {
            let mut persons = record.named.iter().filter(|one| self.circle.is_person(one)).peekable();
            if persons.peek().is_some() {
                return persons.any(|one| self.circle.has(one));
            }
            let is_of_others = |named: &BTreeSet<_>| named.iter().any(|one| self.circle.is_another(one));
            !self.named.get(&record.session).is_some_and(is_of_others)
        });
        Ok(Consents { records, is_cut_short, has_unread })
    }

    /// Where the client came from; not known where not every conversation was read, as those entered first are left out.
    #[must_use]
    pub fn first_touch(&self) -> Option<&Door> {
        self.journey.first().filter(|_door| !self.is_cut_short())
    }

    /// Whether there is more of the client than is shown.
    #[must_use]
    pub const fn is_cut_short(&self) -> bool {
        self.circle.is_cut_short || self.is_cut_short
    }
}

/// The name of a circle: its best identity.
#[must_use]
pub fn id_of(circle: &Circle) -> &str {
    circle.identities.first().map_or("", Identity::as_str)
}
