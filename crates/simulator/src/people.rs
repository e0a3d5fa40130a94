//! Clients: names a salon would hear, and numbers that belong to nobody here.
//!
//! Phones are `+7 999 000-00-00` to `-99-99`, addresses end in `example.org`, messenger ids come from one block: all
//! told from a real person's at a glance, and all unique, so that one client is never taken for another.

use domain::channel::Channel;

use crate::dice::Dice;

/// A person who writes to the salon.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) first_name: &'static str,
    pub(crate) last_name: String,
    /// `+79990001234`.
    pub(crate) phone: String,
    pub(crate) email: Option<String>,
    /// The id at the messenger.
    pub(crate) messenger_id: u64,
    pub(crate) username: Option<String>,
    /// The door the client prefers.
    pub(crate) channel: Channel,
    /// Whether the client has agreed to the processing of personal data.
    pub(crate) consented: bool,
}

/// How many clients there can be before phones repeat.
pub(crate) const CAPACITY: usize = 10_000;

const WOMEN: [(&str, &str); 24] = [
    ("Анна", "anna"),
    ("Мария", "maria"),
    ("Елена", "elena"),
    ("Ольга", "olga"),
    ("Наталья", "natalya"),
    ("Екатерина", "katya"),
    ("Татьяна", "tanya"),
    ("Ирина", "irina"),
    ("Светлана", "sveta"),
    ("Юлия", "yulia"),
    ("Дарья", "dasha"),
    ("Алина", "alina"),
    ("Ксения", "ksenia"),
    ("Полина", "polina"),
    ("Виктория", "vika"),
    ("Анастасия", "nastya"),
    ("Кристина", "kristina"),
    ("Вероника", "veronika"),
    ("Марина", "marina"),
    ("Людмила", "lyuda"),
    ("Софья", "sofya"),
    ("Алёна", "alyona"),
    ("Диана", "diana"),
    ("Гульнара", "gulnara"),
];

const MEN: [(&str, &str); 8] = [
    ("Алексей", "alexey"),
    ("Дмитрий", "dima"),
    ("Сергей", "sergey"),
    ("Андрей", "andrey"),
    ("Иван", "ivan"),
    ("Михаил", "misha"),
    ("Тимур", "timur"),
    ("Павел", "pavel"),
];

const SURNAMES: [(&str, &str); 26] = [
    ("Смирнов", "smirnov"),
    ("Иванов", "ivanov"),
    ("Кузнецов", "kuznetsov"),
    ("Соколов", "sokolov"),
    ("Попов", "popov"),
    ("Лебедев", "lebedev"),
    ("Козлов", "kozlov"),
    ("Новиков", "novikov"),
    ("Морозов", "morozov"),
    ("Петров", "petrov"),
    ("Волков", "volkov"),
    ("Соловьёв", "solovyov"),
    ("Васильев", "vasilyev"),
    ("Зайцев", "zaitsev"),
    ("Павлов", "pavlov"),
    ("Голубев", "golubev"),
    ("Виноградов", "vinogradov"),
    ("Богданов", "bogdanov"),
    ("Воробьёв", "vorobyov"),
    ("Фёдоров", "fyodorov"),
    ("Никитин", "nikitin"),
    ("Сорокин", "sorokin"),
    ("Ильин", "ilyin"),
    ("Гусев", "gusev"),
    ("Галимов", "galimov"),
    ("Сафин", "safin"),
];

/// Doors, and how many clients in a hundred prefer each.
const DOORS: [(u32, Channel); 8] = [
    (34, Channel::Telegram),
    (20, Channel::Whatsapp),
    (9, Channel::Instagram),
    (12, Channel::Max),
    (8, Channel::Vk),
    (6, Channel::Avito),
    (7, Channel::Site),
    (4, Channel::Phone),
];

impl Client {
    /// The client of this number.
    pub(crate) fn new(number: usize, dice: &mut Dice) -> Self {
        let woman = dice.chance(84);
        let names: &[(&str, &str)] = if woman { &WOMEN } else { &MEN };
        let (first_name, first_latin) = names[dice.index(names.len())];
        let (surname, latin) = SURNAMES[dice.index(SURNAMES.len())];
        let ending = if woman { "а" } else { "" };
        let serial = scatter(number);
        let handle = format!("{first_latin}_{latin}{}", dice.between(1, 99));
        Self {
            first_name,
            last_name: format!("{surname}{ending}"),
            phone: format!("+7999000{serial:04}"),
            email: dice.chance(30).then(|| format!("{first_latin}.{latin}{serial}@example.org")),
            messenger_id: 5_900_000_000 + u64::from(serial) * 10_007,
            username: dice.chance(60).then_some(handle),
            channel: dice.weighted(&DOORS),
            consented: false,
        }
    }

    /// `Анна Смирнова`.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The phone as a person types it.
    pub(crate) fn typed_phone(&self, dice: &mut Dice) -> String {
        let tail = &self.phone["+7999000".len()..];
        let (left, right) = tail.split_at(2);
        match dice.below(4) {
            0 => format!("+7 999 000-{left}-{right}"),
            1 => format!("8 (999) 000-{left}-{right}"),
            2 => format!("8999000{tail}"),
            _ => self.phone.clone(),
        }
    }
}

/// Four digits that look drawn and never repeat below [`CAPACITY`]: 7919 has no divisor in common with it.
fn scatter(number: usize) -> u32 {
    u32::try_from((number % CAPACITY * 7919 + 1313) % CAPACITY).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::timestamp::Timestamp;

    use super::*;

    #[test]
    fn no_two_clients_share_a_phone_an_address_or_a_messenger_id() {
        let mut dice = Dice::new(1, Timestamp::EPOCH);
        let clients: Vec<_> = (0..CAPACITY).map(|number| Client::new(number, &mut dice)).collect();
        let unique = |values: Vec<String>| values.iter().collect::<BTreeSet<_>>().len() == values.len();
        assert!(unique(clients.iter().map(|client| client.phone.clone()).collect()));
        assert!(unique(clients.iter().map(|client| client.messenger_id.to_string()).collect()));
        assert!(unique(clients.iter().filter_map(|client| client.email.clone()).collect()));
    }

    #[test]
    fn a_typed_phone_has_the_digits_of_the_phone() {
        let mut dice = Dice::new(2, Timestamp::EPOCH);
        let client = Client::new(5, &mut dice);
        for _ in 0..20 {
            let typed: String = client.typed_phone(&mut dice).chars().filter(char::is_ascii_digit).collect();
            assert_eq!(typed[1..], client.phone[2..]);
        }
    }
}
