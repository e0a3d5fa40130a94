//! What leaves for another system: a CRM, an alert, an export.
//!
//! A text that is shown to its own tenant stays with them. One that leaves is read by strangers, so it leaves as an
//! [`Outgoing`], which can be made in one way only: out of the tenant, whose trade says what has to go. Whatever speaks to
//! the world outside takes `Outgoing` and no `&str`; forgetting the trade does not compile.

use std::fmt;

use domain::registry::{Tenant, Trade};
use redaction::Mode;

/// A text as it may leave: without persons and, for a clinic, without a word about anybody's health. Everything somebody
/// wrote or named is such a text: the name of a service and the word for a wish as much as what was said.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing(String);

impl Outgoing {
    /// The text as this tenant lets it out.
    #[must_use]
    pub fn of(tenant: &Tenant, text: &str) -> Self {
        let mode = match tenant.trade {
            Trade::Ordinary => Mode::Personal,
            Trade::Clinic => Mode::Clinic,
        };
        Self(redaction::for_export(text, mode).into_owned())
    }

    /// The text to send.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Outgoing {
    /// Without content: what may go to a CRM may still not go to a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use domain::id::TenantId;
    use domain::timestamp::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn tenant(trade: Trade) -> Tenant {
        Tenant {
            id: TenantId::parse("smile").unwrap(),
            name: "Улыбка".to_owned(),
            trade,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        }
    }

    #[test]
    fn what_leaves_depends_on_the_trade_of_the_tenant() {
        let said = "У Анны мигрень, тел. 8 913 123-45-67";
        let leaves = |trade| Outgoing::of(&tenant(trade), said);
        assert_eq!(leaves(Trade::Ordinary).as_str(), "У [имя] мигрень, тел. [телефон]");
        assert_eq!(leaves(Trade::Clinic).as_str(), "У [имя] [здоровье], тел. [телефон]");
        assert_eq!(format!("{:?}", leaves(Trade::Ordinary)), "Outgoing(52 bytes)");
    }

    proptest! {
        #[test]
        fn nothing_that_leaves_a_clinic_names_a_person_or_says_anything_of_health(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("Анна"), Just("Сергеевна"), Just("8 913 123-45-67"), Just("a@mail.ru"), Just("ДИАБЕТОМ"),
                    Just("кариеса"), Just("K02.1"), Just("мигрени"), Just("Гинеколог"), Just("запишите"),
                    Just("на"), Just("."), Just(","), Just("[имя]"), Just("-"), Just("опухоль"), Just("ул. Ленина, 5"),
                ],
                0..12,
            ),
            glue in prop_oneof![Just(" "), Just(", "), Just("\n"), Just(" - ")],
        ) {
            let leaves = Outgoing::of(&tenant(Trade::Clinic), &pieces.join(glue));
            prop_assert_eq!(redaction::find(leaves.as_str()), vec![]);
            prop_assert_eq!(redaction::health::mentions(leaves.as_str()), vec![]);
        }

        #[test]
        fn what_left_once_leaves_a_second_time_as_it_is(text in "\\PC{0,80}") {
            let once = Outgoing::of(&tenant(Trade::Clinic), &text);
            let twice = Outgoing::of(&tenant(Trade::Clinic), once.as_str());
            prop_assert_eq!(&once, &twice);
        }
    }
}
