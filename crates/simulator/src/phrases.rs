//! What people and the assistant say.
//!
//! The wordings avoid the speaker's gender where Russian would show it, so that one line serves everybody; the
//! assistant is a she and is called Мила.

use crate::calendar::{spoken, spoken_day, spoken_time};
use crate::catalogue::{STAFF, Service};
use crate::dice::Dice;
use crate::fact::Slot;

const GREETINGS: [&str; 8] = [
    "Здравствуйте!",
    "Добрый день!",
    "Привет!",
    "Здравствуйте, подскажите, пожалуйста.",
    "Доброго времени суток!",
    "Добрый день, девочки!",
    "Здравствуйте 🌸",
    "День добрый.",
];

/// The client wants a service.
pub(crate) fn wish(dice: &mut Dice, service: &Service) -> String {
    let what = service.wished;
    let wish = match dice.below(8) {
        0 => format!("Хочу записаться на {what}"),
        1 => format!("Можно записаться на {what}?"),
        2 => format!("Есть окошко на {what} в ближайшие дни?"),
        3 => format!("Запишите меня, пожалуйста, на {what}"),
        4 => format!("Нужна запись на {what}, когда можно подойти?"),
        5 => format!("Мне бы на {what}, что предложите?"),
        6 => format!("Когда ближайшее свободное время на {what}?"),
        _ => format!("Хотелось бы попасть на {what}"),
    };
    if dice.chance(70) { format!("{} {wish}", dice.pick(&GREETINGS)) } else { wish }
}

/// The assistant offers a time.
pub(crate) fn offer(dice: &mut Dice, slot: &Slot) -> String {
    let when = spoken(slot.starts_at);
    let whom = STAFF.iter().find(|master| master.name == slot.master).map_or("", |master| master.whom);
    let name = slot.service.name;
    match dice.below(5) {
        0 => format!("Ближайшее свободное время {whom} — {when}. Подойдёт?"),
        1 => format!("{name}: могу предложить запись {whom} {when}. Записываю?"),
        2 => format!("Есть окошко {when}, {whom}. Удобно вам?"),
        3 => format!("Смотрю расписание… Свободно {when}, запись {whom}. Как вам?"),
        _ => format!("Можем принять вас {when}, {whom}. Стоимость {} ₽. Подходит?", slot.service.roubles),
    }
}

/// The client takes the time offered.
pub(crate) fn agreement(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Да, подойдёт",
        "Отлично, давайте",
        "Да, записывайте",
        "Подходит, спасибо!",
        "Супер, беру 😊",
        "Ок, удобно",
        "Да",
        "Хорошо, записывайте меня",
    ])
}

/// The client wants another time.
pub(crate) fn another_time(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "А попозже есть что-нибудь?",
        "В этот день не смогу, а на другой?",
        "Можно другое время?",
        "Неудобно, давайте ближе к вечеру",
        "А на следующей неделе?",
    ])
}

/// The assistant asks for consent.
pub(crate) fn consent_request(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Чтобы записать вас, нужно согласие на обработку персональных данных. Текст — на нашем сайте. Согласны?",
        "Перед записью попрошу согласие на обработку персональных данных: имя и телефон, только для записи. Даёте?",
    ])
}

/// The assistant asks for the phone.
pub(crate) fn phone_request(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Спасибо! Оставьте, пожалуйста, номер телефона для записи.",
        "Отлично. На какой номер записать?",
        "Поделитесь номером — пришлю напоминание перед визитом.",
    ])
}

/// The assistant has booked.
pub(crate) fn booked(dice: &mut Dice, slot: &Slot, name: &str) -> String {
    let when = spoken(slot.starts_at);
    let what = slot.service.wished;
    match dice.below(4) {
        0 => format!("{name}, записала вас на {what} {when}. Мастер {}. Ждём вас!", slot.master),
        1 => format!("Готово! Вы записаны на {what} {when}, мастер {}.", slot.master),
        2 => format!(
            "Мы записали вас на {} {}. До встречи!",
            spoken_time(slot.starts_at),
            spoken_day(slot.starts_at)
        ),
        _ => format!("{name}, всё получилось: записала на {what} {when}. Обязательно напомню 🙂"),
    }
}

/// The client says thanks.
pub(crate) fn thanks(dice: &mut Dice) -> &'static str {
    dice.pick(&["Спасибо!", "Благодарю", "Спасибо большое 🌷", "До встречи!", "👍", "Супер, спасибо"])
}

/// The client asks what it costs.
pub(crate) fn price_question(dice: &mut Dice, service: &Service) -> String {
    let question = match dice.below(5) {
        0 => format!("Сколько стоит {}?", service.name.to_lowercase()),
        1 => format!("Какая цена на {}?", service.wished),
        2 => format!("Подскажите стоимость: {}", service.name.to_lowercase()),
        3 => format!("А почём {} у вас?", service.name.to_lowercase()),
        _ => format!("Хочу узнать цену на {}", service.wished),
    };
    if dice.chance(60) { format!("{} {question}", dice.pick(&GREETINGS)) } else { question }
}

/// The assistant names the price.
pub(crate) fn price(dice: &mut Dice, service: &Service) -> String {
    let (name, roubles, minutes) = (service.name, service.roubles, service.minutes);
    match dice.below(3) {
        0 => format!("{name} — {roubles} ₽, по времени около {minutes} минут. Записать вас?"),
        1 => format!("Стоимость: {roubles} ₽, материалы включены. Подобрать время?"),
        _ => format!("{name}: {roubles} ₽. Есть свободные окна на этой неделе, посмотрим?"),
    }
}

/// The client wants to be called.
pub(crate) fn call_back_request(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Удобнее голосом, перезвоните мне, пожалуйста",
        "Наберите меня, обсудим по телефону",
        "Можно звонок? Мой номер:",
    ])
}

/// The client says no.
pub(crate) fn refusal(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Дороговато, я подумаю",
        "Спасибо, пока не нужно",
        "Не, это дорого для меня",
        "Далеко ехать, поищу поближе",
        "Передумали, спасибо",
        "Нет, не подходит",
    ])
}

/// The assistant takes the no.
pub(crate) fn farewell(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Поняла вас. Будем рады видеть, если передумаете!",
        "Хорошо, спасибо за честный ответ. Мы на связи.",
        "Понимаю. Если появятся вопросы — пишите.",
    ])
}

/// The client says what the assistant cannot follow.
pub(crate) fn riddle(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "У меня после прошлого раза отслоилось, что делать будем?",
        "А можно как у Лены в тот раз, только без этого?",
        "Сертификат на сестру переписать можно, он уже частично использован",
        "Я вчера у вас серёжку оставила, посмотрите?",
        "Нас будет четверо, девичник, со своим шампанским",
        "Можно оплатить половину бонусами, половину переводом с другой карты?",
        "Мне на химию после кератина через сколько можно, если хна была?",
    ])
}

/// The assistant has not understood.
pub(crate) fn not_understood(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Простите, не совсем поняла. Можете сказать иначе?",
        "Кажется, я не уловила вопрос. Речь о записи, о цене или о другом?",
        "Не уверена, что правильно поняла вас. Уточните, пожалуйста?",
    ])
}

/// The client tries again.
pub(crate) fn insistence(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Позовите человека, пожалуйста",
        "Мне нужен администратор",
        "Вы робот? Переключите на живого человека",
        "Ну я же объясняю… есть кто живой?",
    ])
}

/// The assistant calls a human.
pub(crate) fn handoff(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Передаю разговор администратору, ответит в ближайшие минуты.",
        "Сейчас позову коллегу — она разберётся.",
        "Соединяю вас с администратором Ириной.",
    ])
}

/// A human of the salon answers.
pub(crate) fn staff_answer(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Здравствуйте, это Ирина, администратор. Всё посмотрела, решим на месте без доплаты.",
        "Добрый день! Администратор на связи. Да, так можно, отметила у себя.",
        "Ирина, администратор. Уточнила у мастера: подойдите, пожалуйста, завтра до обеда.",
    ])
}

/// The client asks for what the assistant must not answer.
pub(crate) fn improper(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Дайте личный номер мастера, пожалуйста",
        "Подскажите, какую мазь от раздражения купить?",
        "А у кого сегодня запись на пять часов? Это моя знакомая",
    ])
}

/// The assistant refuses.
pub(crate) fn decline(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Извините, этого подсказать не могу. Помочь с записью?",
        "К сожалению, такие сведения я не сообщаю. Могу ответить про услуги и время.",
    ])
}

/// The assistant reminds of a visit.
pub(crate) fn reminder(dice: &mut Dice, slot: &Slot) -> String {
    let when = spoken(slot.starts_at);
    match dice.below(3) {
        0 => format!("Напоминаю: вы записаны на {} {when}. Будете?", slot.service.wished),
        1 => format!("Здравствуйте! Ждём вас {when}: {}. Всё в силе?", slot.service.name.to_lowercase()),
        _ => format!("Скоро увидимся: {when}, мастер {}. Подтвердите, пожалуйста.", slot.master),
    }
}

/// The client will come.
pub(crate) fn coming(dice: &mut Dice) -> &'static str {
    dice.pick(&["Да, буду", "Всё в силе", "Да, приду", "+", "Буду, спасибо за напоминание"])
}

/// The client wants another day.
pub(crate) fn move_request(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Здравствуйте! Не получается прийти, можно перенести?",
        "Ребёнок заболел, перенесите меня, пожалуйста",
        "Можно запись на другой день? На работе задерживают",
        "Перенесите, пожалуйста, мою запись",
    ])
}

/// The assistant has moved the visit.
pub(crate) fn moved(dice: &mut Dice, slot: &Slot) -> String {
    let when = spoken(slot.starts_at);
    match dice.below(2) {
        0 => format!("Перенесла вашу запись: теперь ждём вас {when}."),
        _ => format!("Готово, новое время — {when}. Мастер {}.", slot.master),
    }
}

/// The client calls the visit off.
pub(crate) fn cancel_request(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Отмените запись, пожалуйста, не смогу",
        "Здравствуйте, придётся отменить. Извините!",
        "Не приду, планы поменялись",
        "Отмена записи, заболела",
    ])
}

/// The assistant has called it off.
pub(crate) fn cancelled(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Запись отменена. Напишите, когда захотите записаться снова.",
        "Отменила. Выздоравливайте и возвращайтесь!",
        "Хорошо, сняла вашу запись. Подобрать другой день?",
    ])
}

/// The assistant asks how it was.
pub(crate) fn review_request(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Как вам визит? Оцените от 1 до 5, пожалуйста.",
        "Спасибо, что были у нас! Всё ли понравилось?",
    ])
}

/// The client praises or complains.
pub(crate) fn review(dice: &mut Dice, stars: u32) -> &'static str {
    if stars >= 4 {
        dice.pick(&[
            "Всё очень понравилось, спасибо!",
            "5, мастер — золото",
            "Очень довольна результатом ❤️",
            "Хорошо, приду ещё",
        ])
    } else {
        dice.pick(&[
            "Пришлось ждать двадцать минут",
            "Результат так себе, если честно",
            "3. Цвет не тот, что просили",
        ])
    }
}

/// The assistant writes to somebody who did not come.
pub(crate) fn missed(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "Мы ждали вас сегодня и не дождались. Подобрать другое время?",
        "Жаль, что не встретились. Записать вас на другой день?",
    ])
}

/// The client wants no more mailings.
pub(crate) fn unsubscribe(dice: &mut Dice) -> &'static str {
    dice.pick(&["Больше не присылайте рассылку", "Отпишите меня от акций, пожалуйста", "Стоп рассылка"])
}
