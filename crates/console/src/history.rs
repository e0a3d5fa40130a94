//! The events of one client, over all conversations, in the order they happened.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use domain::event::Event;
use domain::id::{SessionId, TenantId};
use domain::rollup::Moment;
use domain::subject::{Circle, Identity};
use domain::timestamp::Timestamp;
use event_schema::codec::decode_event;
use http_kit::problem::Problem;
use ports::ledger::StoredEvent;

use crate::{Console, failure};

/// Read of one conversation at a time.
const CHUNK: u32 = 100;

/// Whose history, and where to look for it.
pub(crate) struct History {
    /// What the client is known by.
    pub(crate) circle: Circle,
    /// The client's conversations, and what was ruled beside them, with their first and last instants.
    pub(crate) conversations: Vec<Conversation>,
}

/// Where to look.
pub(crate) struct Conversation {
    pub(crate) session: SessionId,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
}

impl History {
    /// Events after a moment, oldest first. A conversation is opened when its time comes: mostly one at a time is open.
    pub(crate) async fn fetch(
        &self,
        console: &Console,
        tenant: &TenantId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, Problem> {
        let is_ahead =
            |conversation: &&Conversation| after.is_none_or(|after| conversation.last_at >= after.at);
        let mut to_open: Vec<_> = self.conversations.iter().filter(is_ahead).collect();
        // The next one to open is the last.
        to_open.sort_by_key(|conversation| Reverse((conversation.first_at, &conversation.session)));
        let mut merge = Merge { console, tenant, lanes: Vec::new(), heads: BinaryHeap::new() };
        let mut found = Vec::new();
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        while found.len() < wanted {
            let next_at = merge.heads.peek().map(|Reverse((moment, _))| moment.at);
            if let Some(opening) = to_open.pop_if(|next| next_at.is_none_or(|at| next.first_at <= at)) {
                merge.open(&opening.session, after).await?;
                continue;
            }
            let Some((event, stored)) = merge.next().await? else { break };
            if self.is_of_client(&event) {
                found.push(stored);
            }
        }
        Ok(found)
    }

    /// In a conversation of several, what names nobody of the client is another's, unless it names nobody at all.
    fn is_of_client(&self, event: &Event) -> bool {
        let named = Identity::all_of(event);
        let mut persons = named.iter().filter(|identity| self.circle.is_person(identity)).peekable();
        persons.peek().is_none() || persons.any(|identity| self.circle.has(identity))
    }
}

/// Conversations that are open, merged by moment.
struct Merge<'a> {
    console: &'a Console,
    tenant: &'a TenantId,
    lanes: Vec<Lane<'a>>,
    /// The next event of each lane that has any.
    heads: BinaryHeap<Reverse<(Moment, usize)>>,
}

struct Lane<'a> {
    session: &'a SessionId,
    /// What was read and not yet given out.
    read: VecDeque<(Event, StoredEvent)>,
    /// Where reading goes on.
    place: Option<Moment>,
}

impl<'a> Merge<'a> {
    async fn open(&mut self, session: &'a SessionId, after: Option<Moment>) -> Result<(), Problem> {
        self.lanes.push(Lane { session, read: VecDeque::new(), place: after });
        self.refill(self.lanes.len() - 1).await
    }

    async fn next(&mut self) -> Result<Option<(Event, StoredEvent)>, Problem> {
        let Some(Reverse((_, lane))) = self.heads.pop() else { return Ok(None) };
        let event = self.lanes[lane].read.pop_front();
        self.refill(lane).await?;
        Ok(event)
    }

    /// Reads on where a lane is empty, and tells its next event.
    async fn refill(&mut self, index: usize) -> Result<(), Problem> {
        let lane = &mut self.lanes[index];
        if lane.read.is_empty() {
            let ledger = &self.console.ledger;
            let stored = ledger.timeline(self.tenant, lane.session, lane.place, CHUNK).await;
            for stored in stored.map_err(failure::of_ledger)? {
                let event = decode_event(stored.wire.clone()).map_err(|cause| failure::internal(&cause))?;
                lane.place = Some(moment(&event));
                lane.read.push_back((event, stored));
            }
        }
        if let Some((event, _)) = lane.read.front() {
            self.heads.push(Reverse((moment(event), index)));
        }
        Ok(())
    }
}

fn moment(event: &Event) -> Moment {
    Moment { at: event.occurred_at, event: event.id }
}
