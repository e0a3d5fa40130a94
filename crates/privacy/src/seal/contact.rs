//! Contacts: sealed to a public half, opened with the secret one.
//!
//! An encapsulation costs five times what the rest of an event does, so one is kept and used for the contacts that come
//! after it. Under its secret they are sealed as everything else is, each with a random nonce of 192 bits, which makes it
//! safe to use one secret for many. What is kept opens the contacts that were sealed with it: that is why it is used for
//! few of them and not for long, and forgotten when the next one takes its place. Whoever reads the memory of a process
//! that seals can open those of its last minutes, and no others.
//!
//! Contacts of generations without a key for contacts are under symmetric keys, as those of earlier releases.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::event::Sealed;
use zeroize::Zeroizing;

use super::{OpenError, SealingKey, named, open_rest, with_head};
use crate::master::contacts::{ContactsKey, Encapsulation};
use crate::master::{MasterKeys, joined};

const VERSION: u8 = 2;
/// For how many contacts an encapsulation is used.
const AT_MOST: u32 = 1024;
/// For how long. A salon that hears of ten clients a day would have the first hundred days in memory otherwise.
const NO_LONGER_THAN: Duration = Duration::from_secs(10 * 60);

/// What the contacts of one tenant are sealed and opened with.
pub(crate) struct ContactSeals {
    /// To what new ones are sealed.
    current: Option<ContactsKey>,
    keys: Vec<ContactsKey>,
    symmetric: Vec<SealingKey>,
    /// The tenant and the purpose: what is encapsulated for one tenant opens nothing of another.
    used_for: Vec<u8>,
    kept: RwLock<Option<Arc<Kept>>>,
}

/// What becomes of a contact that is to be under the current key.
#[derive(Debug)]
pub(crate) enum ContactResealed {
    Current,
    Anew(Sealed),
    /// It is under a former key whose secret half is not here.
    NotHere,
}

impl ContactSeals {
    pub(crate) fn new(masters: &MasterKeys, symmetric: Vec<SealingKey>, used_for: &[&[u8]]) -> Self {
        Self {
            current: masters.current().contacts.clone(),
            keys: masters.generations().filter_map(|generation| generation.contacts.clone()).collect(),
            symmetric,
            used_for: joined(used_for),
            kept: RwLock::default(),
        }
    }

    pub(crate) fn seal(&self, belongs_to: &[u8], content: &[u8]) -> Sealed {
        let Some(key) = &self.current else { return SealingKey::seal(&self.symmetric, belongs_to, content) };
        let kept = self.kept(key);
        let Encapsulation { secret, encapsulated } = &kept.encapsulation;
        with_head(VERSION, key.id(), encapsulated, secret, belongs_to, content)
    }

    pub(crate) fn open(&self, belongs_to: &[u8], sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        if sealed.as_bytes().first() != Some(&VERSION) {
            return SealingKey::open(&self.symmetric, belongs_to, sealed);
        }
        let (id, rest) = named(VERSION, sealed)?;
        let (encapsulated, rest) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
        let key = self.keys.iter().find(|key| key.id() == id).ok_or(OpenError::UnknownKey)?;
        open_rest(rest, &*key.decapsulate(encapsulated, &self.used_for)?, belongs_to)
    }

    pub(crate) fn reseal(&self, belongs_to: &[u8], sealed: &Sealed) -> Result<ContactResealed, OpenError> {
        let is_current = match &self.current {
            Some(key) => named(VERSION, sealed).is_ok_and(|(id, _)| id == key.id()),
            None => SealingKey::is_current(&self.symmetric, sealed),
        };
        if is_current {
            return Ok(ContactResealed::Current);
        }
        match self.open(belongs_to, sealed) {
            Ok(content) => Ok(ContactResealed::Anew(self.seal(belongs_to, &Zeroizing::new(content)))),
            Err(OpenError::OnlySeals) => Ok(ContactResealed::NotHere),
            Err(lost) => Err(lost),
        }
    }

    /// An encapsulation that has a contact left. Two threads that find none make one each, and one of them is kept.
    fn kept(&self, key: &ContactsKey) -> Arc<Kept> {
        let now = Instant::now();
        // A poisoned lock only says that another thread panicked; what is kept is whole.
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.is_good_for_one_more(now)) {
            return kept;
        }
        let encapsulation = key.encapsulate(&self.used_for);
        let encapsulation =
            encapsulation.expect("a key file with a public half nobody can seal to is refused");
        let fresh = Arc::new(Kept { encapsulation, since: now, used: AtomicU32::new(1) });
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        fresh
    }
}

struct Kept {
    encapsulation: Encapsulation,
    since: Instant,
    used: AtomicU32,
}

impl Kept {
    /// Counts the one.
    fn is_good_for_one_more(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < NO_LONGER_THAN
            && self.used.fetch_add(1, Ordering::Relaxed) < AT_MOST
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::id::{EventId, TenantId};
    use domain::observation::Contact;
    use domain::timestamp::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::master::Generation;
    use crate::{MasterKey, TenantKeys, Vault};

    const ENCAPSULATED: std::ops::Range<usize> = 9..41;

    /// The keys of a tenant in a process that seals, and where they are whole.
    fn tenants(masters: &MasterKeys, tenant: &str) -> [Arc<TenantKeys>; 2] {
        let tenant = TenantId::parse(tenant).unwrap();
        [masters.clone().for_services(), masters.clone()].map(|masters| Vault::new(masters).tenant(&tenant))
    }

    fn event(number: u128) -> EventId {
        EventId::from_uuid(Uuid::from_u128(number))
    }

    fn contact(phone: &str) -> Contact {
        Contact { phone: Some(phone.to_owned()), ..Contact::default() }
    }

    fn phone_in(keys: &TenantKeys, event: EventId, sealed: &Sealed) -> String {
        keys.open_contact(event, sealed).unwrap().phone.unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_services_seal_opens_with_the_full_file_for_its_event_and_tenant_and_no_other(
            phone in "[+0-9а-я]{1,30}", id in any::<u128>(), other in any::<u128>(),
        ) {
            prop_assume!(id != other);
            let masters = MasterKeys::generate().unwrap();
            let [services, whole] = tenants(&masters, "a");
            let sealed = services.seal_contact(event(id), &contact(&phone));
            prop_assert_eq!(phone_in(&whole, event(id), &sealed), phone);
            prop_assert!(matches!(whole.open_contact(event(other), &sealed), Err(OpenError::Broken)));
            let [_, elsewhere] = tenants(&masters, "b");
            prop_assert!(matches!(elsewhere.open_contact(event(id), &sealed), Err(OpenError::Broken)));
            prop_assert!(matches!(services.open_contact(event(id), &sealed), Err(OpenError::OnlySeals)));
            let [_, stranger] = tenants(&MasterKeys::generate().unwrap(), "a");
            prop_assert!(matches!(stranger.open_contact(event(id), &sealed), Err(OpenError::UnknownKey)));
        }

        #[test]
        fn a_contact_with_any_bit_changed_does_not_open(bit in any::<prop::sample::Index>()) {
            let [services, whole] = tenants(&MasterKeys::generate().unwrap(), "a");
            let mut bytes = services.seal_contact(event(1), &contact("79131234567")).into_bytes();
            let bit = bit.index(8 * bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(whole.open_contact(event(1), &Sealed::from_bytes(bytes)).is_err());
        }

        #[test]
        fn garbage_behind_the_name_of_a_key_does_not_open_and_does_not_panic(rest in any::<Vec<u8>>(), version in 0_u8..4) {
            let masters = MasterKeys::generate().unwrap();
            let id = masters.current().contacts.as_ref().unwrap().id();
            let bytes = [&[version], id.as_bytes().as_slice(), &rest].concat();
            for keys in tenants(&masters, "a") {
                for end in 0..bytes.len().min(80) {
                    let sealed = Sealed::from_bytes(bytes[..end].to_vec());
                    prop_assert!(keys.open_contact(event(1), &sealed).is_err());
                }
                prop_assert!(keys.open_contact(event(1), &Sealed::from_bytes(bytes.clone())).is_err());
            }
        }
    }

    #[test]
    fn an_encapsulation_is_used_for_1024_contacts_and_no_more() {
        let [services, whole] = tenants(&MasterKeys::generate().unwrap(), "a");
        let sealed: Vec<_> =
            (0..2050).map(|n| services.seal_contact(event(n), &contact("1234567"))).collect();
        let made = |sealed: &[Sealed]| -> BTreeSet<_> {
            sealed.iter().map(|sealed| sealed.as_bytes()[ENCAPSULATED].to_vec()).collect()
        };
        assert_eq!(
            [&sealed[..1024], &sealed[1024..2048], &sealed[2048..]].map(|some| made(some).len()),
            [1; 3]
        );
        assert_eq!(made(&sealed).len(), 3);
        for n in [0, 1023, 1024, 2049] {
            assert!(whole.open_contact(event(n), &sealed[usize::try_from(n).unwrap()]).is_ok(), "{n}");
        }
    }

    #[test]
    fn threads_that_seal_at_once_use_no_encapsulation_for_more_than_its_share() {
        let [services, _] = tenants(&MasterKeys::generate().unwrap(), "a");
        let seal = || {
            let sealed = (0..1000).map(|n| services.seal_contact(event(n), &contact("1234567")));
            sealed.map(|sealed| sealed.as_bytes()[ENCAPSULATED].to_vec()).collect::<Vec<_>>()
        };
        let made = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(seal));
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        for one in made.iter().collect::<BTreeSet<_>>() {
            assert!(made.iter().filter(|other| *other == one).count() <= 1024);
        }
    }

    #[test]
    fn an_encapsulation_is_not_used_for_longer_than_ten_minutes() {
        let encapsulation = ContactsKey::generate().unwrap().encapsulate(b"").unwrap();
        let kept = Kept { encapsulation, since: Instant::now(), used: AtomicU32::new(1) };
        assert!(kept.is_good_for_one_more(kept.since));
        assert!(kept.is_good_for_one_more(kept.since + NO_LONGER_THAN - Duration::from_nanos(1)));
        assert!(!kept.is_good_for_one_more(kept.since + NO_LONGER_THAN));
    }

    #[test]
    fn a_contact_sealed_before_contacts_had_a_key_opens_and_is_sealed_anew_to_one() {
        let before = MasterKeys::of_one(MasterKey::generate().unwrap());
        let [_, old] = tenants(&before, "a");
        let sealed = old.seal_contact(event(1), &contact("79131234567"));
        assert_eq!(sealed.as_bytes()[0], 1);
        let after = before.with_next(Generation::generate().unwrap()).unwrap();
        let after = after.promoted(Timestamp::from_unix_seconds(1).unwrap()).unwrap();
        let [services, whole] = tenants(&after, "a");
        for keys in [&services, &whole] {
            assert_eq!(phone_in(keys, event(1), &sealed), "79131234567");
            let Ok(ContactResealed::Anew(anew)) = keys.contacts.reseal(event(1).as_bytes(), &sealed) else {
                panic!("anew")
            };
            assert_eq!(anew.as_bytes()[0], 2);
            assert_eq!(phone_in(&whole, event(1), &anew), "79131234567");
            assert!(services.open_contact(event(1), &anew).is_err());
            let again = keys.contacts.reseal(event(1).as_bytes(), &anew).unwrap();
            assert!(matches!(again, ContactResealed::Current));
        }
    }

    #[test]
    fn a_contact_under_a_former_key_is_sealed_anew_where_the_secret_half_is_and_left_elsewhere() {
        let first = MasterKeys::generate().unwrap();
        let introduced = first.clone().with_next(Generation::generate().unwrap()).unwrap();
        let changed = introduced.clone().promoted(Timestamp::from_unix_seconds(1).unwrap()).unwrap();
        let [services, _] = tenants(&first, "a");
        let sealed = services.seal_contact(event(1), &contact("79131234567"));
        for [services, whole] in [tenants(&introduced, "a"), tenants(&changed, "a")] {
            assert_eq!(phone_in(&whole, event(1), &sealed), "79131234567");
            assert!(matches!(services.open_contact(event(1), &sealed), Err(OpenError::OnlySeals)));
        }
        let [services, whole] = tenants(&changed, "a");
        assert!(matches!(
            services.contacts.reseal(event(1).as_bytes(), &sealed),
            Ok(ContactResealed::NotHere)
        ));
        let Ok(ContactResealed::Anew(anew)) = whole.contacts.reseal(event(1).as_bytes(), &sealed) else {
            panic!("anew")
        };
        let [_, retired] = tenants(&changed.retired(), "a");
        assert_eq!(phone_in(&retired, event(1), &anew), "79131234567");
        assert!(matches!(retired.open_contact(event(1), &sealed), Err(OpenError::UnknownKey)));
    }

    /// Ledgers hold it: what this release seals, later ones open. Another implementation of RFC 9180 opened it, too.
    #[test]
    fn a_contact_that_was_sealed_once_opens_ever_after() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let masters = MasterKeys::parse(&format!("names {key}\nseals {key} {key}\n")).unwrap();
        let [_, whole] = tenants(&masters, "salon");
        let hex = "021203d7cc9deeb2949aa3a34ce9bf7546e748cb9f22c88d95f0fc0e637e44611363632bf595e1c31b7109bd38f1986453faac\
                   2a1078e7e69afad2d67b9862e23d4083065389c16a68a191fb81307fb73ea0dee0d569c2bacc86a03877e2a23817c67d0246a8\
                   98e7";
        let digits = hex.as_bytes().chunks_exact(2).map(|pair| str::from_utf8(pair).unwrap());
        let bytes = digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect();
        assert_eq!(phone_in(&whole, event(7), &Sealed::from_bytes(bytes)), "79131234567");
    }
}
