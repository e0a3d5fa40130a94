//! How fast a source may send: one bucket a source, a cell an event.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::id::SourceId;
use domain::registry::Source;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The buckets of all sources that have sent; as many as the registry has sources.
pub(crate) struct SourceLimits {
    rate: NonZeroU32,
    burst: NonZeroU32,
    clock: DefaultClock,
    buckets: RwLock<HashMap<SourceId, Arc<Bucket>>>,
}

struct Bucket {
    rate: NonZeroU32,
    burst: NonZeroU32,
    limiter: DefaultDirectRateLimiter,
}

impl SourceLimits {
    pub(crate) fn new(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { rate, burst, clock: DefaultClock::default(), buckets: RwLock::default() }
    }

    /// How many events a second a source may send on average.
    pub(crate) fn rate_of(&self, source: &Source) -> NonZeroU32 {
        source.rate_limit.unwrap_or(self.rate)
    }

    /// Lets a source in with its first event, before its body is read; says how long to wait when it may not.
    pub(crate) fn admit(&self, source: &Source) -> Result<(), Duration> {
        self.take(&self.bucket(source), NonZeroU32::MIN)
    }

    /// Takes the rest of a batch whose first event was admitted.
    ///
    /// A batch larger than the bucket takes all there is in it, so that it waits long and is not refused forever.
    pub(crate) fn admit_rest(&self, source: &Source, events: usize) -> Result<(), Duration> {
        let bucket = self.bucket(source);
        let rest = u32::try_from(events.saturating_sub(1)).unwrap_or(u32::MAX);
        match NonZeroU32::new(rest.min(bucket.burst.get() - 1)) {
            Some(cells) => self.take(&bucket, cells),
            None => Ok(()),
        }
    }

    /// Takes all of a batch at once, whose first event nobody was admitted with.
    pub(crate) fn admit_whole(&self, source: &Source, events: usize) -> Result<(), Duration> {
        let bucket = self.bucket(source);
        let cells = u32::try_from(events).unwrap_or(u32::MAX).min(bucket.burst.get());
        match NonZeroU32::new(cells) {
            Some(cells) => self.take(&bucket, cells),
            None => Ok(()),
        }
    }

    fn take(&self, bucket: &Bucket, cells: NonZeroU32) -> Result<(), Duration> {
        match bucket.limiter.check_n(cells) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            // Cannot happen: no caller asks for more than a bucket holds.
            Err(_insufficient) => Err(Duration::from_secs(1)),
        }
    }

    fn bucket(&self, source: &Source) -> Arc<Bucket> {
        let rate = self.rate_of(source);
        // A poisoned lock only says that another thread panicked; the map itself is whole.
        let known = self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(&source.id).cloned();
        if let Some(bucket) = known.filter(|bucket| bucket.rate == rate) {
            return bucket;
        }
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        match buckets.get(&source.id) {
            Some(bucket) if bucket.rate == rate => bucket.clone(),
            _ => {
                let bucket = Arc::new(Bucket::new(rate, self.burst_for(rate)));
                buckets.insert(source.id.clone(), bucket.clone());
                bucket
            }
        }
    }

    /// The burst of a source with a rate of its own holds as many seconds of it as the general one does.
    fn burst_for(&self, rate: NonZeroU32) -> NonZeroU32 {
        let scaled = u64::from(rate.get()) * u64::from(self.burst.get()) / u64::from(self.rate.get());
        NonZeroU32::new(u32::try_from(scaled).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
    }
}

impl Bucket {
    fn new(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { rate, burst, limiter: RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)) }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::TenantId;
    use domain::registry::SourceKind;
    use domain::timestamp::Timestamp;

    use super::*;

    fn number(value: u32) -> NonZeroU32 {
        NonZeroU32::new(value).unwrap()
    }

    fn source(id: &str, rate_limit: Option<u32>) -> Source {
        Source {
            id: SourceId::parse(id).unwrap(),
            tenant: TenantId::parse("salon").unwrap(),
            kind: SourceKind::Events,
            name: String::new(),
            secrets: Vec::new(),
            mapping: None,
            rate_limit: rate_limit.map(number),
            forward_to: None,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        }
    }

    #[test]
    fn one_source_does_not_use_up_what_is_anothers() {
        let limits = SourceLimits::new(number(1), number(2));
        let (first, second) = (source("first", None), source("second", None));
        assert!(limits.admit(&first).is_ok());
        assert!(limits.admit(&first).is_ok());
        let wait = limits.admit(&first).unwrap_err();
        assert!(wait <= Duration::from_secs(1));
        assert!(limits.admit(&second).is_ok());
    }

    #[test]
    fn a_batch_larger_than_the_bucket_passes_when_the_bucket_is_full() {
        let limits = SourceLimits::new(number(1), number(10));
        let source = source("bot", None);
        limits.admit(&source).unwrap();
        limits.admit_rest(&source, 1000).unwrap();
        assert!(limits.admit(&source).is_err());
    }

    #[test]
    fn a_limit_of_its_own_scales_the_burst_and_a_new_one_takes_effect() {
        let limits = SourceLimits::new(number(10), number(50));
        let mut source = source("bot", Some(2));
        limits.admit(&source).unwrap();
        limits.admit_rest(&source, 10).unwrap();
        assert!(limits.admit(&source).is_err());
        source.rate_limit = Some(number(100));
        limits.admit(&source).unwrap();
    }
}
