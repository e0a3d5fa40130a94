//! Identifiers of persons, and the pseudonyms that take their place.
//!
//! Each kind of identifier is brought to one form first (a phone to E.164, an address to lower case), so that the same
//! person written in two ways is one pseudonym, and is then digested in a domain of its own, so that a phone number
//! and a messenger id of the same digits are two.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::channel::Channel;
use domain::event::{Alias, AliasKind};
use domain::id::{AppointmentId, Pseudonym, SessionId};
use domain::observation::Contact;
use domain::subject::{Identity, IdentityKind};
use phonenumber::{Mode, country};

use crate::key::TenantKeys;

const PREFIX: &str = "v1:";
/// A run of digits this long may be a phone number or a messenger's id of a person.
const TELLING_DIGITS: usize = 7;

/// Whether an id chosen by a sender is, or holds, what identifies a person: an e-mail address, a phone number, the
/// number of a messenger account.
///
/// Errs on the side of yes: an id that is pseudonymised without need is still found by typing it.
#[must_use]
pub fn is_personal(id: &str) -> bool {
    if is_pseudonym(id) || is_random(id) {
        return false;
    }
    id.contains('@') || longest_digit_run(id) >= TELLING_DIGITS
}

/// Whether the id of a session is personal. In a messenger a number is a person's account, however short it is; in WhatsApp
/// so is a user id, which may have few digits or none, and a group, which a few people share.
fn is_personal_session(channel: Channel, id: &str) -> bool {
    let is_messenger = matches!(
        channel,
        Channel::Telegram
            | Channel::Whatsapp
            | Channel::Instagram
            | Channel::Max
            | Channel::Vk
            | Channel::Avito
    );
    let is_number = !id.is_empty() && id.strip_prefix('-').unwrap_or(id).bytes().all(|b| b.is_ascii_digit());
    let is_of_whatsapp = channel == Channel::Whatsapp && (is_whatsapp_user(id) || is_whatsapp_group(id));
    (is_messenger && is_number) || is_of_whatsapp || is_personal(id)
}

/// Whether it is a business-scoped user id of WhatsApp: a country, perhaps `ENT`, and up to 128 letters and digits.
fn is_whatsapp_user(id: &str) -> bool {
    let Some((country, rest)) = id.split_once('.') else { return false };
    let name = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether it is a group of WhatsApp: base64 of `capi_group:`, the number of the business, and the group's own.
fn is_whatsapp_group(id: &str) -> bool {
    id.starts_with("Y2FwaV9ncm91cDo")
}

/// Whether it is a pseudonym of ours that came back, from a CRM for example.
pub(crate) fn is_pseudonym(id: &str) -> bool {
    id.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.len() == 43 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

/// Whether it is a UUID or a hexadecimal digest: digits without meaning.
fn is_random(id: &str) -> bool {
    let is_digest = matches!(id.len(), 32 | 40 | 64)
        && id.bytes().all(|b| b.is_ascii_hexdigit())
        && id.bytes().filter(u8::is_ascii_alphabetic).count() >= 4;
    // Of a real version: a phone number put into the form of a UUID has none.
    let is_uuid = uuid::Uuid::try_parse(id).is_ok_and(|uuid| {
        (1..=8).contains(&uuid.get_version_num()) && uuid.get_variant() == uuid::Variant::RFC4122
    });
    is_digest || is_uuid
}

/// The longest run of digits; only a letter ends a run, whatever else stands between the digits of a phone number.
fn longest_digit_run(id: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in id.chars() {
        if c.is_numeric() {
            run += 1;
            longest = longest.max(run);
        } else if c.is_alphabetic() {
            run = 0;
        }
    }
    longest
}

impl TenantKeys {
    fn pseudonym(&self, domain: &'static str, parts: &[&[u8]]) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.digest(domain, parts).as_bytes()))
    }

    /// The id a session is stored under. Within its channel: two messengers may give two persons one number.
    pub(crate) fn session_id(&self, channel: Channel, given: &str) -> SessionId {
        let given = given.trim();
        let is_ruling = || SessionId::parse(given).is_ok_and(|id| id.is_of_ruling());
        let stored = if is_personal_session(channel, given) && !is_ruling() {
            self.pseudonym("session", &[channel.as_str().as_bytes(), given.as_bytes()])
        } else {
            given.to_owned()
        };
        // Channels bound the id's length and alphabet; one that slips through is replaced rather than lost.
        SessionId::parse(&stored).unwrap_or_else(|_unprintable| {
            let replaced = self.pseudonym("session", &[channel.as_str().as_bytes(), given.as_bytes()]);
            SessionId::parse(&replaced).expect("a pseudonym is printable and short")
        })
    }

    /// Every id a session that somebody typed may be stored under: one for each channel it may have run in.
    #[must_use]
    pub fn session_ids(&self, typed: &str) -> Vec<SessionId> {
        let mut ids = Channel::ALL.map(|channel| self.session_id(channel, typed)).to_vec();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The id an appointment is stored under. The same in every channel: the bot and the booking system speak of one.
    pub(crate) fn appointment_id(&self, given: &str) -> AppointmentId {
        let given = given.trim();
        let pseudonym = || self.pseudonym("appointment", &[given.as_bytes()]);
        let stored = if is_personal(given) { pseudonym() } else { given.to_owned() };
        AppointmentId::parse(&stored).unwrap_or_else(|_unprintable| {
            AppointmentId::parse(&pseudonym()).expect("a pseudonym is printable and short")
        })
    }

    /// The pseudonyms of a client. One that comes back, from a CRM or a person who read it here, stays what it is.
    pub(crate) fn aliases(&self, channel: Channel, contact: &Contact, user_hash: Option<&str>) -> Vec<Alias> {
        let messenger = |id: &str| self.messenger_alias(channel, id);
        [
            contact.phone.as_deref().and_then(|phone| self.phone_alias(phone)),
            contact.email.as_deref().and_then(|email| self.email_alias(email)),
            contact.messenger_id.as_deref().map(messenger),
            contact.other_messenger_id.as_deref().map(messenger),
            user_hash.map(|hash| self.sender_alias(hash)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Everything that somebody who typed this may mean, the likeliest first: a phone, an address, an account in one of
    /// the messengers, a sender's id, a pseudonym of any of them, a lead, a booking.
    #[must_use]
    pub fn identities(&self, typed: &str) -> Vec<Identity> {
        let typed = typed.trim();
        let mut all = Vec::new();
        if is_pseudonym(typed) {
            let kinds = IdentityKind::ALL.into_iter().filter(|kind| kind.is_of_a_person());
            all.extend(kinds.filter_map(|kind| Identity::parse(kind, typed).ok()));
        } else {
            all.extend(self.phone_alias(typed).as_ref().map(Identity::from));
            all.extend(self.email_alias(typed).as_ref().map(Identity::from));
            let accounts = Channel::ALL.map(|channel| Identity::from(&self.messenger_alias(channel, typed)));
            all.extend(accounts);
            all.push(Identity::from(&self.sender_alias(typed)));
            all.extend(Identity::parse(IdentityKind::Lead, typed));
        }
        all.push(Identity::of_appointment(&self.appointment_id(typed)));
        all
    }

    /// What releases before this one took for the phone or the address of everybody who left none: "нет", "-", the mask of
    /// a form that nobody filled in. Whoever is known by one of these has it in common with strangers.
    #[must_use]
    pub fn of_nobody(&self) -> BTreeSet<Identity> {
        let phones = ["", "7", "8", "70000000000", "+70000000000", "80000000000"];
        let emails = [
            "-",
            "--",
            "—",
            ".",
            "0",
            "нет",
            "нету",
            "не указан",
            "no",
            "none",
            "null",
            "n/a",
            "na",
            "email",
        ];
        let phones = phones.map(|phone| (IdentityKind::Phone, AliasKind::Phone, phone));
        let emails = emails.map(|email| (IdentityKind::Email, AliasKind::Email, email));
        let identity = |(kind, alias, given): (IdentityKind, AliasKind, &str)| {
            Identity::parse(kind, &self.pseudonym(alias.as_str(), &[given.as_bytes()]))
        };
        phones.into_iter().chain(emails).filter_map(|one| identity(one).ok()).collect()
    }

    /// `None` where what was written is no phone number: it would be everybody's.
    fn phone_alias(&self, written: &str) -> Option<Alias> {
        let is_one = is_pseudonym(written.trim()) || may_be_a_phone(written);
        is_one.then(|| self.alias(AliasKind::Phone, written, || vec![canonical_phone(written)]))
    }

    /// `None` where what was written is no address.
    fn email_alias(&self, written: &str) -> Option<Alias> {
        let is_one = is_pseudonym(written.trim()) || may_be_an_email(written);
        is_one.then(|| self.alias(AliasKind::Email, written, || vec![canonical_email(written)]))
    }

    fn messenger_alias(&self, channel: Channel, id: &str) -> Alias {
        self.alias(AliasKind::Messenger, id, || vec![channel.as_str().to_owned(), id.trim().to_owned()])
    }

    fn sender_alias(&self, hash: &str) -> Alias {
        self.alias(AliasKind::SenderHash, hash, || vec![hash.trim().to_owned()])
    }

    fn alias(&self, kind: AliasKind, given: &str, parts: impl FnOnce() -> Vec<String>) -> Alias {
        let given = given.trim();
        let pseudonym = if is_pseudonym(given) {
            given.to_owned()
        } else {
            let parts = parts();
            let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            self.pseudonym(kind.as_str(), &parts)
        };
        Alias { kind, pseudonym: Pseudonym::parse(&pseudonym).expect("a pseudonym is printable and short") }
    }
}

/// Whether a number was written that reaches one person: not "нет", not a mask that is not filled in to its end, not the
/// zeros that get past a form. No country has shorter numbers, with its code, than the seven digits of a town.
fn may_be_a_phone(written: &str) -> bool {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix(['7', '8']).unwrap_or(&digits);
    digits.len() >= TELLING_DIGITS && !written.contains('_') && national.bytes().any(|digit| digit != b'0')
}

/// Whether it has the form of an address: something at a host with a dot in it.
fn may_be_an_email(written: &str) -> bool {
    let Some((local, host)) = written.trim().rsplit_once('@') else { return false };
    let is_text = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '@');
    is_text(local) && host.contains('.') && host.split('.').all(is_text)
}

/// A phone number in E.164, read as people in Russia write it; what is no phone number keeps its digits only.
fn canonical_phone(written: &str) -> String {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    match russian_mobile(&digits, written.trim()) {
        Some(number) => number,
        None => looked_up(written, digits),
    }
}

/// The notations nearly every client uses, without the database of all countries' numbers: reading one number in it
/// takes a hundred times as long, and loading it, which is done when a number first asks for it, a fifth of a second.
fn russian_mobile(digits: &str, written: &str) -> Option<String> {
    let is_plain = || written.bytes().all(|b| b.is_ascii_digit() || b" ()-".contains(&b));
    let national = match digits.len() {
        11 if digits.starts_with("79") => &digits[1..],
        // A plus would make these numbers of other countries.
        11 if digits.starts_with("89") && is_plain() => &digits[1..],
        10 if digits.starts_with('9') && is_plain() => digits,
        _ => return None,
    };
    Some(format!("+7{national}"))
}

fn looked_up(written: &str, digits: String) -> String {
    // Messengers send 79131234567 without a plus, which reads as a national number otherwise.
    let international = match digits.len() {
        11 if digits.starts_with('7') => format!("+{digits}"),
        _ => written.trim().to_owned(),
    };
    match phonenumber::parse(Some(country::RU), &international) {
        Ok(number) => number.format().mode(Mode::E164).to_string(),
        Err(_not_a_phone) => digits,
    }
}

fn canonical_email(written: &str) -> String {
    written.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use domain::id::TenantId;
    use proptest::prelude::*;

    use super::*;
    use crate::{MasterKeys, Vault};

    fn keys() -> std::sync::Arc<TenantKeys> {
        let vault = Vault::new(MasterKeys::parse(&"A".repeat(43)).unwrap());
        vault.tenant(&TenantId::parse("salon").unwrap())
    }

    #[test]
    fn ids_that_name_a_person_are_told_from_those_that_do_not() {
        for personal in [
            "79131234567",
            "+7 (913) 123-45-67",
            "tg:5551112233",
            "79131234567@c.us",
            "anna@mail.ru",
            "@anna",
            "12.34.567",
        ] {
            assert!(is_personal(personal), "{personal}");
        }
        let random = "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d";
        for plain in ["sess_abc123", "s-1", random, "d41d8cd98f00b204e9800998ecf8427e", "визит-12", ""] {
            assert!(!is_personal(plain), "{plain}");
        }
    }

    #[test]
    fn a_number_is_a_person_in_a_messenger_and_a_counter_elsewhere() {
        assert!(is_personal_session(Channel::Vk, "12345"));
        assert!(is_personal_session(Channel::Telegram, "-12345"));
        assert!(!is_personal_session(Channel::Site, "12345"));
        let keys = keys();
        assert!(keys.session_ids("12345").contains(&keys.session_id(Channel::Vk, "12345")));
        assert!(keys.session_ids("12345").contains(&keys.session_id(Channel::Site, "12345")));
    }

    #[test]
    fn a_user_id_is_a_person_in_whatsapp_with_whatever_letters() {
        for user in [
            "RU.9f3kQa7LmZx",
            "RU.abc",
            "RU.ENT.9f3kQa7LmZx",
            "KZ.1",
            "RU.13491208655302741918",
            "Y2FwaV9ncm91cDox",
        ] {
            assert!(is_personal_session(Channel::Whatsapp, user), "{user}");
        }
        for other in ["sess.abc", "RU.", "RU.a-b", "RU.a.b", "ru.abc", "wa-abc"] {
            assert!(!is_personal_session(Channel::Whatsapp, other), "{other}");
        }
        assert!(!is_personal_session(Channel::Site, "RU.9f3kQa7LmZx"));
        let keys = keys();
        let stored = keys.session_id(Channel::Whatsapp, "RU.9f3kQa7LmZx");
        assert!(keys.session_ids("RU.9f3kQa7LmZx").contains(&stored));
    }

    #[test]
    fn one_phone_written_in_many_ways_is_one_alias() {
        let keys = keys();
        let of = |written: &str| {
            let contact = Contact { phone: Some(written.to_owned()), ..Contact::default() };
            keys.aliases(Channel::Site, &contact, None)
        };
        let expected = of("+79131234567");
        for written in
            ["8 913 123-45-67", "+7 (913) 123-45-67", "79131234567", "8(913)1234567", " 9131234567 "]
        {
            assert_eq!(of(written), expected, "{written}");
        }
        assert_ne!(of("+79131234568"), expected);
    }

    /// The digits of a mobile number or of one like it, in groups, with all that people and forms put between them.
    fn notation() -> impl Strategy<Value = String> {
        let between =
            || prop::sample::select(vec!["", "", "", " ", "-", " (", ") ", "(", ")", "--", "+", "."]);
        let lead =
            prop::sample::select(vec!["+7", "7", "8", "", "+", "+8", " 7", "(7", "8-", "-", "810", "tel:+7"]);
        (
            lead,
            between(),
            "9[0-9]{2}|[0-9]{3}",
            between(),
            "[0-9]{3}",
            between(),
            "[0-9]{2}",
            between(),
            "[0-9]{1,3}",
            between(),
        )
            .prop_map(|(lead, a, code, b, three, c, two, d, last, e)| {
                [lead, a, &code, b, &three, c, &two, d, &last, e].concat()
            })
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_mobile_number_gives_what_the_database_gives(written in notation()) {
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            if let Some(number) = russian_mobile(&digits, written.trim()) {
                prop_assert_eq!(number, looked_up(&written, digits));
            }
        }
    }

    fn left(phone: Option<&str>, email: Option<&str>) -> Contact {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Contact { phone: owned(phone), email: owned(email), ..Contact::default() }
    }

    #[test]
    fn what_is_left_instead_of_a_phone_or_an_address_is_nobodys() {
        let keys = keys();
        for phone in
            ["нет", "-", "", " ", "+7 (___) ___-__-__", "+7 (913) 123-__-__", "8", "112", "000000", "---"]
                .into_iter()
                .chain(["+7 (000) 000-00-00", "0000000000", "не скажу", "anna@mail.ru"])
        {
            assert_eq!(keys.aliases(Channel::Site, &left(Some(phone), None), None), [], "{phone}");
        }
        for email in
            ["нет", "-", "", "@", "a@", "@b.ru", "anna", "anna@mail", "anna@mail.", "a b@mail.ru", "a@b@c.ru"]
        {
            assert_eq!(keys.aliases(Channel::Site, &left(None, Some(email)), None), [], "{email}");
        }
        for phone in ["212-85-06", "8 913 123-45-67", "+44 20 7946 0000", "+290 22222", "тел. 89131234567"]
        {
            assert_eq!(keys.aliases(Channel::Site, &left(Some(phone), None), None).len(), 1, "{phone}");
        }
        for email in ["anna@mail.ru", " Анна@почта.рф ", "a.b+c@d.e.com"] {
            assert_eq!(keys.aliases(Channel::Site, &left(None, Some(email)), None).len(), 1, "{email}");
        }
    }

    #[test]
    fn looking_for_an_address_does_not_ask_for_a_phone_nor_the_other_way_round() {
        let keys = keys();
        let has = |typed: &str, kind| keys.identities(typed).iter().any(|identity| identity.kind == kind);
        assert!(!has("anna@mail.ru", IdentityKind::Phone) && has("anna@mail.ru", IdentityKind::Email));
        assert!(has("89131234567", IdentityKind::Phone) && !has("89131234567", IdentityKind::Email));
        assert!(keys.identities("нет").iter().all(|identity| !keys.of_nobody().contains(identity)));
    }

    #[test]
    fn what_a_release_before_took_for_a_phone_or_an_address_is_known_for_nobodys() {
        let keys = keys();
        let of_nobody = keys.of_nobody();
        for phone in ["нет", "-", "+7 (___) ___-__-__", "8 (", "+7 000 000-00-00"] {
            let alias = keys.alias(AliasKind::Phone, phone, || vec![canonical_phone(phone)]);
            assert!(of_nobody.contains(&Identity::from(&alias)), "{phone}");
        }
        for email in ["нет", "Нет ", "-"] {
            let alias = keys.alias(AliasKind::Email, email, || vec![canonical_email(email)]);
            assert!(of_nobody.contains(&Identity::from(&alias)), "{email}");
        }
    }

    proptest! {
        #[test]
        fn nobody_is_known_by_what_holds_too_few_digits_or_no_host(
            words in "[ а-яА-Я_()+.-]{0,20}",
            digits in "[0-9]{0,6}",
            local in "[^@]{0,10}",
            host in "[^@.]{0,10}",
        ) {
            let keys = keys();
            let left = left(Some(&format!("{words}{digits}")), Some(&format!("{local}@{host}")));
            prop_assert_eq!(keys.aliases(Channel::Site, &left, None), []);
        }

        #[test]
        fn no_number_that_somebody_has_is_taken_for_nobodys(number in "9[0-9]{9}") {
            let keys = keys();
            let aliases = keys.aliases(Channel::Site, &left(Some(&number), None), None);
            prop_assert_eq!(aliases.len(), 1);
            prop_assert!(!keys.of_nobody().contains(&Identity::from(&aliases[0])));
        }
    }

    #[test]
    fn usual_notations_go_the_short_way_and_others_do_not() {
        let goes = |written: &str| {
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            russian_mobile(&digits, written.trim()).is_some()
        };
        for usual in ["+79131234567", "8 (913) 123-45-67", "79131234567", "913 123 45 67", "+7 913 123-45-67"]
        {
            assert!(goes(usual), "{usual}");
        }
        for other in ["+89131234567", "+9131234567", "84951234567", "8.913.123.45.67", "123", ""] {
            assert!(!goes(other), "{other}");
        }
    }

    #[test]
    fn a_phone_and_a_messenger_id_of_the_same_digits_are_two_aliases() {
        let contact = Contact {
            phone: Some("+79131234567".to_owned()),
            messenger_id: Some("+79131234567".to_owned()),
            ..Contact::default()
        };
        let aliases = keys().aliases(Channel::Whatsapp, &contact, None);
        assert_ne!(aliases[0].pseudonym, aliases[1].pseudonym);
    }

    #[test]
    fn whatever_a_client_is_known_by_is_found_by_typing_it() {
        let keys = keys();
        let contact = Contact {
            phone: Some("+79131234567".to_owned()),
            email: Some("Anna@mail.ru".to_owned()),
            messenger_id: Some("5551112233".to_owned()),
            other_messenger_id: Some("777".to_owned()),
            name: None,
        };
        let aliases = keys.aliases(Channel::Telegram, &contact, Some("hash"));
        for (alias, typed) in
            aliases.iter().zip(["8 (913) 123-45-67", "anna@mail.ru ", " 5551112233", "777", "hash"])
        {
            assert!(keys.identities(typed).contains(&Identity::from(alias)), "{typed}");
            assert!(keys.identities(alias.pseudonym.as_str()).contains(&Identity::from(alias)), "{typed}");
        }
        let lead = Identity::parse(IdentityKind::Lead, "BX-7").unwrap();
        assert!(keys.identities("BX-7").contains(&lead));
        assert!(keys.identities("визит-12").iter().any(|identity| identity.as_str() == "визит-12"));
    }

    #[test]
    fn who_goes_through_all_numbers_without_the_key_finds_nobody() {
        // A small country: what takes ten thousand attempts here takes a billion in Russia, which is minutes.
        let number = |n: u32| format!("+7913000{n:04}");
        let stolen: std::collections::BTreeSet<_> = [17, 4_711, 9_999]
            .map(|n| keys().phone_alias(&number(n)).unwrap().pseudonym)
            .into_iter()
            .collect();
        let found_with = |keys: &TenantKeys| {
            let all = (0..10_000).map(|n| keys.phone_alias(&number(n)).unwrap().pseudonym);
            all.filter(|pseudonym| stolen.contains(pseudonym)).count()
        };
        assert_eq!(found_with(&keys()), 3, "with the key it is easy");
        let guessed = Vault::new(MasterKeys::generate().unwrap());
        assert_eq!(found_with(&guessed.tenant(&TenantId::parse("salon").unwrap())), 0);
        let own = Vault::new(MasterKeys::parse(&"A".repeat(43)).unwrap());
        assert_eq!(
            found_with(&own.tenant(&TenantId::parse("another").unwrap())),
            0,
            "nor with another tenant's"
        );
    }

    #[test]
    fn a_pseudonym_in_a_contact_names_whom_it_names() {
        let keys = keys();
        let of = |phone: &str| {
            let contact = Contact { phone: Some(phone.to_owned()), ..Contact::default() };
            keys.aliases(Channel::Other, &contact, None)
        };
        let stored = of("+79131234567");
        assert_eq!(of(stored[0].pseudonym.as_str()), stored);
    }

    #[test]
    fn a_typed_session_is_found_in_whichever_channel_it_is() {
        let keys = keys();
        let stored = keys.session_id(Channel::Telegram, "5551112233");
        assert!(stored.as_str().starts_with("v1:") && stored.as_str().len() == 46);
        assert!(keys.session_ids(" 5551112233 ").contains(&stored));
        assert_eq!(keys.session_ids("sess_abc123"), [SessionId::parse("sess_abc123").unwrap()]);
    }

    #[test]
    fn a_pseudonym_that_comes_back_stays_what_it_is() {
        let keys = keys();
        let stored = keys.session_id(Channel::Telegram, "5551112233");
        assert_eq!(keys.session_id(Channel::Crm, stored.as_str()), stored);
    }
}
