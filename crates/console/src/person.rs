//! A client as the ledger knows them: found by whatever was typed, with everything around them. For the page and the command
//! line.

use std::collections::{BTreeMap, BTreeSet};

use domain::consent::ConsentRecord;
use domain::id::{SessionId, TenantId};
use domain::rollup::SessionRollup;
use domain::subject::{Circle, Identity, Journey, Touch, standing};
use ports::ledger::LedgerError;
use ports::subjects::{SubjectReader, circle_of};
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
    /// The client's conversations, and everything that is named in each.
    named: BTreeMap<SessionId, BTreeSet<Identity>>,
}

/// The circles of whoever somebody may have meant by what they typed, the likeliest first: by what a client is known by, else by
/// the id of a conversation, which names whoever is in it.
pub async fn typed(
    subjects: &dyn SubjectReader,
    keys: &TenantKeys,
    tenant: &TenantId,
    typed: &str,
) -> Result<Vec<Circle>, LedgerError> {
    let circles = find(subjects, tenant, &keys.identities(typed)).await?;
    if !circles.is_empty() {
        return Ok(circles);
    }
    let named = subjects.named_in(tenant, &keys.session_ids(typed)).await?;
    let named: Vec<_> = named.into_iter().map(|touch| touch.identity).collect();
    find(subjects, tenant, &named).await
}

/// The circles of those of these identities that are known.
async fn find(
    subjects: &dyn SubjectReader,
    tenant: &TenantId,
    meant: &[Identity],
) -> Result<Vec<Circle>, LedgerError> {
    let touches = subjects.touches(tenant, meant).await?;
    let known: BTreeSet<_> = touches.into_iter().map(|touch| touch.identity).collect();
    let mut circles: Vec<Circle> = Vec::new();
    for identity in meant.iter().filter(|identity| known.contains(identity)) {
        if circles.iter().all(|circle| !circle.has(identity)) {
            circles.push(circle_of(subjects, tenant, identity.clone()).await?);
        }
    }
    Ok(circles)
}

/// The client behind the id of a subject, which is any of the client's identities as they are stored.
pub async fn of_id(
    subjects: &dyn SubjectReader,
    tenant: &TenantId,
    id: &str,
) -> Result<Option<Person>, LedgerError> {
    match find(subjects, tenant, &Identity::all_stored_as(id)).await?.into_iter().next() {
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
    let own = subjects.touches(tenant, &circle.identities).await?;
    let beside = subjects.named_in(tenant, &sessions_of(&own)).await?;
    let touches = standing(&circle, beside);
    let ids = sessions_of(touches.iter().filter(|touch| circle.has(&touch.identity)));
    let rows = subjects.sessions_known(tenant, &ids).await?;
    let sessions = rows.into_iter().map(|row| (row.rollup.session.clone(), row.rollup)).collect();
    let journey = Journey::of(&circle, &touches, &sessions);
    let mut named: BTreeMap<_, BTreeSet<_>> = ids.into_iter().map(|id| (id, BTreeSet::new())).collect();
    for touch in touches {
        if let Some(named) = named.get_mut(&touch.session) {
            named.insert(touch.identity);
        }
    }
    let suggestions = suggestions(&circle, &named);
    Ok(Person { circle, journey, suggestions, sessions, named })
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
        let others = || named.iter().filter(|one| one.kind.is_of_a_person() && !circle.has(one));
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
        History { conversations: self.sessions.values().map(conversation).collect(), circle: self.circle }
    }

    /// A conversation in which something may be said of the client: the one heard of last.
    pub(crate) fn latest_session(&self) -> Option<&SessionRollup> {
        self.sessions.values().max_by_key(|rollup| rollup.last)
    }

    /// Who agreed to what: what names the client and, where nobody else is in the conversation, what names nobody.
    pub async fn consents(
        &self,
        subjects: &dyn SubjectReader,
        tenant: &TenantId,
    ) -> Result<Vec<ConsentRecord>, LedgerError> {
        let ids: Vec<_> = self.named.keys().cloned().collect();
        let mut records = subjects.consents(tenant, &ids).await?;
        records.retain(|record| {
            let mut persons = record.named.iter().filter(|one| one.kind.is_of_a_person()).peekable();
            if persons.peek().is_some() {
                return persons.any(|one| self.circle.has(one));
            }
            let is_of_others = |one: &Identity| one.kind.is_of_a_person() && !self.circle.has(one);
            !self.named.get(&record.session).is_some_and(|named| named.iter().any(is_of_others))
        });
        Ok(records)
    }
}

/// The name of a circle: its best identity.
#[must_use]
pub fn id_of(circle: &Circle) -> &str {
    circle.identities.first().map_or("", Identity::as_str)
}
