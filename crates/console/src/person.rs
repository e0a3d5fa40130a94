//! A client as the ledger knows them: found by whatever was typed, with everything around them.

use std::collections::{BTreeMap, BTreeSet};

use domain::consent::ConsentRecord;
use domain::id::{SessionId, TenantId};
use domain::rollup::SessionRollup;
use domain::subject::{Circle, Identity, Journey, Touch, standing};
use http_kit::problem::{Problem, ProblemKind};
use ports::subjects::circle_of;

use crate::history::{Conversation, History};
use crate::{Console, failure};

/// In a conversation that names more persons than this, nobody is suggested: it is a group.
const SMALL_TALK: usize = 3;

/// A client and everything around them.
pub(crate) struct Person {
    pub(crate) circle: Circle,
    pub(crate) journey: Journey,
    /// Who else is named in the client's conversations: perhaps the same person.
    pub(crate) suggestions: Vec<(Identity, SessionId)>,
    sessions: BTreeMap<SessionId, SessionRollup>,
    /// The client's conversations, and everything that is named in each.
    named: BTreeMap<SessionId, BTreeSet<Identity>>,
}

/// The circles of whoever somebody may have meant, the likeliest first.
pub(crate) async fn find(
    console: &Console,
    tenant: &TenantId,
    meant: &[Identity],
) -> Result<Vec<Circle>, Problem> {
    let touches = console.subjects.touches(tenant, meant).await.map_err(failure::of_ledger)?;
    let known: BTreeSet<_> = touches.into_iter().map(|touch| touch.identity).collect();
    let mut circles: Vec<Circle> = Vec::new();
    for identity in meant.iter().filter(|identity| known.contains(identity)) {
        if circles.iter().all(|circle| !circle.has(identity)) {
            let circle = circle_of(&*console.subjects, tenant, identity.clone()).await;
            circles.push(circle.map_err(failure::of_ledger)?);
        }
    }
    Ok(circles)
}

/// The client behind the id of a subject, which is any of the client's identities as they are stored.
pub(crate) async fn of_id(console: &Console, tenant: &TenantId, id: &str) -> Result<Person, Problem> {
    let meant = Identity::all_stored_as(id);
    let circle = find(console, tenant, &meant).await?.into_iter().next();
    of_circle(console, tenant, circle.ok_or(Problem::new(ProblemKind::NotFound))?).await
}

async fn of_circle(console: &Console, tenant: &TenantId, circle: Circle) -> Result<Person, Problem> {
    let subjects = &console.subjects;
    let own = subjects.touches(tenant, &circle.identities).await.map_err(failure::of_ledger)?;
    let beside = subjects.named_in(tenant, &sessions_of(&own)).await.map_err(failure::of_ledger)?;
    let touches = standing(&circle, beside);
    let ids = sessions_of(touches.iter().filter(|touch| circle.has(&touch.identity)));
    let rows = subjects.sessions_known(tenant, &ids).await.map_err(failure::of_ledger)?;
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
    pub(crate) fn id(&self) -> &str {
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
    pub(crate) async fn consents(
        &self,
        console: &Console,
        tenant: &TenantId,
    ) -> Result<Vec<ConsentRecord>, Problem> {
        let ids: Vec<_> = self.named.keys().cloned().collect();
        let mut records = console.subjects.consents(tenant, &ids).await.map_err(failure::of_ledger)?;
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
pub(crate) fn id_of(circle: &Circle) -> &str {
    circle.identities.first().map_or("", Identity::as_str)
}
