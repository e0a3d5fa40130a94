//! What the salon does, for how much, and who does it.

/// A service on the price list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// As it stands on the price list.
    pub(crate) name: &'static str,
    /// As it is asked for: `хочу записаться на …`.
    pub(crate) wished: &'static str,
    pub(crate) minutes: u32,
    pub(crate) roubles: u32,
    /// The masters who do it: places in [`STAFF`].
    pub(crate) masters: &'static [usize],
}

/// A master.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Master {
    pub(crate) name: &'static str,
    /// `к Оксане`.
    pub(crate) whom: &'static str,
}

/// The masters of the salon.
pub(crate) const STAFF: [Master; 6] = [
    Master { name: "Оксана Белова", whom: "к Оксане" },
    Master { name: "Лиана Саакян", whom: "к Лиане" },
    Master { name: "Мила Тарасова", whom: "к Миле" },
    Master { name: "Карина Юсупова", whom: "к Карине" },
    Master { name: "Вера Климова", whom: "к Вере" },
    Master { name: "Артём Ланской", whom: "к Артёму" },
];

/// The price list.
pub(crate) const SERVICES: [Service; 12] = [
    service("Женская стрижка", "женскую стрижку", 60, 2500, &[0, 1, 5]),
    service("Мужская стрижка", "мужскую стрижку", 45, 1600, &[1, 5]),
    service("Окрашивание в один тон", "окрашивание", 120, 5200, &[0, 5]),
    service("Балаяж", "балаяж", 180, 9800, &[0, 5]),
    service("Укладка", "укладку", 45, 1900, &[0, 1]),
    service("Маникюр с покрытием", "маникюр с покрытием", 90, 2300, &[2, 3]),
    service("Педикюр", "педикюр", 90, 2900, &[2, 3]),
    service("Коррекция и окрашивание бровей", "коррекцию бровей", 45, 1500, &[3, 4]),
    service("Ламинирование ресниц", "ламинирование ресниц", 75, 2700, &[4]),
    service("Уход за лицом", "уход за лицом", 60, 3600, &[4]),
    service("Массаж спины", "массаж спины", 60, 3200, &[4, 5]),
    service("Вечерний макияж", "вечерний макияж", 75, 3900, &[3, 4]),
];

const fn service(
    name: &'static str,
    wished: &'static str,
    minutes: u32,
    roubles: u32,
    masters: &'static [usize],
) -> Service {
    Service { name, wished, minutes, roubles, masters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_masters_who_exist() {
        for service in &SERVICES {
            assert!(!service.masters.is_empty(), "{}", service.name);
            assert!(service.masters.iter().all(|&master| master < STAFF.len()), "{}", service.name);
        }
    }
}
