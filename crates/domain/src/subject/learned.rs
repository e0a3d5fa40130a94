//! What new events teach about persons, merged before it is written.

use super::{Link, Touch};
use crate::consent::ConsentRecord;
use crate::event::Event;
use crate::id::TenantId;

/// What some events teach about persons: each link and touch once, in the order of their keys, so that several who write
/// at once meet in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// What joins whom.
    pub links: Vec<(TenantId, Link)>,
    /// Who was where.
    pub touches: Vec<(TenantId, Touch)>,
    /// Who agreed to what.
    pub consents: Vec<(TenantId, ConsentRecord)>,
}

impl Learned {
    /// Adds what an event teaches about persons of a tenant, which is the one to say whose it is.
    pub fn add(&mut self, tenant: &TenantId, event: &Event) {
        self.touches.extend(Touch::all_of(event).into_iter().map(|touch| (tenant.clone(), touch)));
        self.links.extend(Link::all_of(event).into_iter().map(|link| (tenant.clone(), link)));
        self.consents.extend(ConsentRecord::all_of(event).into_iter().map(|record| (tenant.clone(), record)));
    }

    /// Takes in that an event which is known came once more. What it says is known; that it was said may have been heard
    /// earlier than by whichever of the two was recorded first.
    pub fn hear_again(&mut self, tenant: &TenantId, event: &Event) {
        self.consents.extend(ConsentRecord::all_of(event).into_iter().map(|record| (tenant.clone(), record)));
    }

    /// Adds what other events teach.
    pub fn append(&mut self, mut other: Self) {
        self.links.append(&mut other.links);
        self.touches.append(&mut other.touches);
        self.consents.append(&mut other.consents);
    }

    /// Sorts, and merges what is of one key.
    #[must_use]
    pub fn merged(mut self) -> Self {
        self.links.sort_by(|(a, one), (b, other)| (a, &one.pair).cmp(&(b, &other.pair)));
        self.links = merge(self.links, |one, other| one.pair == other.pair, Link::merge);
        self.touches.sort_by(|(a, one), (b, other)| {
            (a, &one.identity, &one.session).cmp(&(b, &other.identity, &other.session))
        });
        let is_one =
            |one: &Touch, other: &Touch| one.identity == other.identity && one.session == other.session;
        self.touches = merge(self.touches, is_one, Touch::merge);
        let key = |record: &ConsentRecord| (record.session.clone(), record.event, record.purpose);
        self.consents.sort_by_cached_key(|(tenant, record)| (tenant.clone(), key(record)));
        self.consents = merge(self.consents, |one, other| key(one) == key(other), ConsentRecord::merge);
        self
    }
}

fn merge<T>(
    sorted: Vec<(TenantId, T)>,
    is_one: impl Fn(&T, &T) -> bool,
    both: impl Fn(T, T) -> T,
) -> Vec<(TenantId, T)> {
    let mut merged: Vec<(TenantId, T)> = Vec::with_capacity(sorted.len());
    for (tenant, item) in sorted {
        match merged.pop() {
            Some((last, before)) if last == tenant && is_one(&before, &item) => {
                merged.push((tenant, both(before, item)));
            }
            other => {
                merged.extend(other);
                merged.push((tenant, item));
            }
        }
    }
    merged
}
