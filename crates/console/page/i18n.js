// Every text of the page, in both languages: `key: [русский, English]`.
// A text with a count is a list of plural forms per language: Russian one/few/many, English one/other.

const TEXTS = {
  // frame
  "app.name": ["Летопись", "Letopis"],
  "app.skip": ["К содержанию", "Skip to content"],
  "app.footer": [
    "Летопись записывает, что делают ассистенты, и показывает, чем кончаются разговоры.",
    "Letopis records what assistants do and shows what conversations turn into.",
  ],
  "app.api": ["Описание API", "API description"],
  "nav.label": ["Разделы", "Sections"],
  "nav.overview": ["Обзор", "Overview"],
  "nav.sessions": ["Разговоры", "Conversations"],
  "nav.quarantine": ["Карантин", "Quarantine"],
  "nav.language": ["Switch to English", "Переключить на русский"],
  "nav.logout": ["Выйти", "Sign out"],
  "nav.tenant": ["Заведение", "Business"],
  "search.label": ["Найти клиента или разговор", "Find a client or a conversation"],
  "search.placeholder": ["Телефон, почта, разговор, лид", "Phone, e-mail, conversation, lead"],
  "search.submit": ["Найти", "Find"],
  "search.none": ["Такого клиента или разговора нет", "There is no such client or conversation"],

  // states
  "state.loading": ["Загружаем…", "Loading…"],
  "error.title": ["Не получилось", "That did not work"],
  "error.network": [
    "Сервер не отвечает. Попробуем снова сами, как только связь вернётся.",
    "The server does not answer. We will try again by ourselves.",
  ],
  "error.unavailable": [
    "Хранилище сейчас недоступно. Приём событий это не останавливает.",
    "The store is unavailable right now. Events are still being accepted.",
  ],
  "error.notfound": ["Здесь ничего нет", "There is nothing here"],
  "error.notfound.why": [
    "Проверьте номер. Если он верный, события могли быть удалены по сроку хранения.",
    "Check the id. If it is right, the events may be past their retention.",
  ],
  "error.forbidden": ["Этому ключу сюда нельзя.", "This key may not do that."],
  "error.other": ["Сервер ответил ошибкой", "The server answered with an error"],
  "error.request": ["Номер запроса", "Request"],
  "error.retry": ["Повторить", "Try again"],
  "more": ["Показать ещё", "Show more"],

  // login
  "login.title": ["Вход", "Sign in"],
  "login.lead": [
    "Вставьте ключ для чтения или ключ администратора. Он начинается с letopis_read_ или letopis_admin_.",
    "Paste a read key or an admin key. It begins with letopis_read_ or letopis_admin_.",
  ],
  "login.key": ["Ключ", "Key"],
  "login.submit": ["Войти", "Sign in"],
  "login.failed": [
    "Ключ не подошёл: проверьте, что он вставлен целиком и не отозван.",
    "This key does not open anything: check that all of it was pasted and that it was not revoked.",
  ],
  "login.unavailable": [
    "Сейчас проверить ключ нечем: хранилище ключей не отвечает. Попробуйте через минуту.",
    "The key cannot be checked right now: the key store does not answer. Try again in a minute.",
  ],
  "login.hint": ["Новый ключ выдаёт команда", "A new key is made by the command"],

  // overview
  "overview.title": ["Обзор", "Overview"],
  "overview.period": ["Период", "Period"],
  "overview.days": [["{n} день", "{n} дня", "{n} дней"], ["{n} day", "{n} days"]],
  "overview.range": ["{from} — {until}", "{from} – {until}"],
  "overview.sessions": ["Разговоры", "Conversations"],
  "overview.leads": ["Лиды", "Leads"],
  "overview.booked": ["Записались", "Booked"],
  "overview.visited": ["Пришли", "Visited"],
  "overview.conversion": ["Дошли до визита", "Conversion to visit"],
  "overview.noshow": ["Не пришли", "No-show rate"],
  "overview.share": ["{share} разговоров", "{share} of conversations"],
  "overview.of": ["{x} из {n}", "{x} of {n}"],
  "overview.interval": ["{low} – {high}", "{low} – {high}"],
  "overview.likely": ["вероятно, от {low} до {high}", "most likely {low} to {high}"],
  "overview.norate": ["пока не из чего считать", "nothing to count yet"],
  "overview.explain": ["Как это посчитано", "How it is counted"],
  "overview.explain.conversion": [
    "Доля разговоров, начатых за период, в которых клиент дошёл до визита. Разговоры последних дней ещё могут закончиться визитом, поэтому за короткий период доля занижена.",
    "The share of conversations begun in the period whose client came for a visit. Recent ones may still become visits, so a short period reads low.",
  ],
  "overview.explain.noshow": [
    "Не пришли ÷ (пришли + не пришли), по записям, о которых стало известно за период. Отмены и визиты, о которых ещё не сказано, чем кончились, не входят.",
    "No-shows ÷ (visits + no-shows), over appointments first heard of in the period. Cancelled ones, and those nobody has reported on yet, are left out.",
  ],
  "overview.explain.interval": [
    "Полоса — 95-процентный интервал Уилсона: при {n} наблюдениях настоящая доля, скорее всего, лежит между {low} и {high}. Чем меньше наблюдений, тем она шире.",
    "The band is the 95% Wilson interval: with {n} observations the true share most likely lies between {low} and {high}. The fewer observations, the wider it is.",
  ],
  "overview.path": ["Путь клиента", "From hello to visit"],
  "overview.path.note": [
    "Доля от всех разговоров за период. Разговор считается один раз, сколько бы событий в нём ни было.",
    "Shares of all conversations of the period. A conversation counts once, however many events it has.",
  ],
  "overview.appointments.note": [
    "Записи, о которых стало известно за период. В одном разговоре их может быть несколько.",
    "Appointments first heard of in the period. One conversation may have several.",
  ],
  "overview.appointments": ["Записи", "Appointments"],
  "overview.appointments.booked": ["Ждём визита", "To come"],
  "overview.appointments.attended": ["Пришли", "Came"],
  "overview.appointments.no_show": ["Не пришли", "No-show"],
  "overview.appointments.cancelled": ["Отменены", "Cancelled"],
  "overview.troubles": ["Где ассистенту было трудно", "Where the assistant struggled"],
  "overview.refused": ["Клиент отказался", "Client declined"],
  "overview.fallback": ["Ассистент не понял", "Assistant did not understand"],
  "overview.handoff": ["Передан человеку", "Handed to a person"],
  "overview.channels": ["По каналам", "By channel"],
  "overview.channel": ["Канал", "Channel"],
  "overview.total": ["Всего", "Total"],
  "overview.empty.title": ["Событий ещё нет", "No events yet"],
  "overview.empty.period": ["За этот период разговоров не было", "No conversations in this period"],
  "overview.empty.text": [
    "Отправьте первое прямо сейчас. Ключ для отправки печатает команда letopis key add.",
    "Send the first one right now. An ingest key is printed by letopis key add.",
  ],
  "overview.empty.other": ["Посмотрите период подлиннее.", "Try a longer period."],
  "overview.empty.reply": ["Мы записали вас на 10:00", "You are booked for 10:00"],
  "copy": ["Скопировать", "Copy"],
  "copied": ["Скопировано", "Copied"],

  // sessions
  // a client
  "client.title": ["Клиент", "Client"],
  "client.all": ["вся история по всем каналам", "the whole history over all channels"],
  "client.first": ["Откуда пришёл", "Came from"],
  "client.last": ["Последний раз", "Last seen"],
  "client.path": ["Путь", "Path"],
  "client.consents": ["Согласия", "Consents"],
  "client.consents.none": ["не давал", "none given"],
  "client.granted": ["{purpose}: дано", "{purpose}: given"],
  "client.withdrawn": ["{purpose}: отозвано", "{purpose}: withdrawn"],
  "client.purpose.personal_data": ["обработка данных", "personal data"],
  "client.purpose.mailing": ["рассылка", "mailing"],
  "client.purpose.medical": ["данные о здоровье", "health data"],
  "client.several": [
    "{channels}: несколько аккаунтов с одним телефоном. Возможно, это разные люди.",
    "{channels}: several accounts share a phone. They may be different people.",
  ],
  "client.split": ["Отделить аккаунт {n}", "Split off account {n}"],
  "client.why.splits": ["Почему это другой человек?", "Why is it another person?"],
  "client.shared": [
    "Один из номеров встречается у многих клиентов, поэтому он никого не объединяет.",
    "One of the numbers belongs to many clients, so it joins nobody.",
  ],
  "client.suggestion": [
    "В том же разговоре назван ещё кто-то, известный по {known}. Возможно, это тот же человек.",
    "Somebody known by {known} is named in the same conversation. It may be the same person.",
  ],
  "client.suggestion.where": ["Открыть разговор", "Open the conversation"],
  "client.join": ["Это тот же человек", "It is the same person"],
  "client.why.joins": ["Почему это тот же человек?", "Why is it the same person?"],
  "sessions.title": ["Разговоры", "Conversations"],
  "sessions.channel": ["Канал", "Channel"],
  "sessions.outcome": ["Итог", "Outcome"],
  "sessions.period": ["Последнее событие", "Last event"],
  "sessions.any": ["любой", "any"],
  "sessions.anytime": ["за всё время", "any time"],
  "sessions.last": [["за {n} день", "за {n} дня", "за {n} дней"], ["last {n} day", "last {n} days"]],
  "sessions.empty": ["Разговоров с такими признаками нет.", "No conversation matches."],
  "sessions.events": [["{n} событие", "{n} события", "{n} событий"], ["{n} event", "{n} events"]],
  "sessions.id": ["Разговор", "Conversation"],
  "sessions.when": ["Последнее событие", "Last event"],
  "sessions.count": ["Событий", "Events"],
  "sessions.lead": ["Лид", "Lead"],
  "sessions.loaded": [
    ["показан ещё {n} разговор", "показаны ещё {n} разговора", "показано ещё {n} разговоров"],
    ["{n} more conversation shown", "{n} more conversations shown"],
  ],
  "sessions.hidden": ["скрытый номер", "hidden id"],
  "sessions.hidden.why": [
    "Номер разговора был телефоном, почтой или номером в мессенджере, поэтому хранится под псевдонимом. Введите исходный номер в поиск, и разговор найдётся.",
    "This conversation's id was a phone number, an e-mail address or a messenger id, so a pseudonym is kept instead. Type the original into the search and it will be found.",
  ],

  // timeline
  "timeline.back": ["Все разговоры", "All conversations"],
  "timeline.began": ["Начат", "Began"],
  "timeline.last": ["Последнее событие", "Last event"],
  "timeline.lead": ["Лид", "Lead"],
  "timeline.lead.title": ["События лида {lead}", "Events of lead {lead}"],
  "timeline.lead.session": ["Разговор", "Conversation"],
  "timeline.known": ["Клиент известен по", "The client is known by"],
  "timeline.live": ["Обновляется само", "Updates by itself"],
  "timeline.paused": ["Обновление прервано: нет связи", "Updates interrupted: no connection"],
  "timeline.empty": ["События этого разговора уже удалены по сроку хранения.", "The events of this conversation are past their retention."],
  "timeline.appointment": ["Запись", "Appointment"],
  "timeline.appointment.unknown": ["без шагов", "no steps yet"],
  "timeline.details": ["Подробнее", "Details"],
  "timeline.action": ["Действие", "Action"],
  "timeline.event": ["Событие", "Event"],
  "timeline.receipt": ["Приём", "Receipt"],
  "timeline.source": ["Источник", "Source"],
  "timeline.occurred": ["Произошло, по часам отправителя", "Happened, by the sender's clock"],
  "timeline.received": ["Принято", "Received"],
  "timeline.stored": ["Записано", "Stored"],
  "timeline.intent": ["Намерение", "Intent"],
  "timeline.scenario": ["Сценарий", "Scenario"],
  "timeline.confidence": ["Уверенность", "Confidence"],
  "timeline.response": ["Время ответа", "Response time"],
  "timeline.model": ["Модель", "Model"],
  "timeline.usage": ["Токены", "Tokens"],
  "timeline.usage.value": ["{in} на входе, {out} на выходе", "{in} in, {out} out"],
  "timeline.ms": ["{n} мс", "{n} ms"],
  "timeline.consent": ["Согласие", "Consent"],
  "timeline.attributes": ["Прочие поля", "Other fields"],
  "timeline.contact": ["Клиент оставил контакт", "The client left a contact"],
  "timeline.master": ["мастер {name}", "with {name}"],
  "flag.clock_ahead": ["Часы отправителя спешат: событие пришло «из будущего».", "The sender's clock is ahead: the event came “from the future”."],
  "flag.unknown_kind": ["Канал прислал незнакомый вид сообщения; сохранено то, что удалось прочесть.", "The channel sent an unknown kind of message; what could be read was kept."],
  "flag.impossible_step": ["Такой шаг после предыдущего невозможен. Проверьте календарь.", "This step cannot follow the one before it. Check the calendar."],
  "flag.details_unreadable": ["Текст не удалось открыть: ключ, которым он запечатан, здесь неизвестен.", "The text could not be opened: the key that sealed it is unknown here."],

  // quarantine
  "quarantine.title": ["Карантин", "Quarantine"],
  "quarantine.lead": [
    "Сюда попадает то, что принято, но не понято. Ничего не потеряно: после исправления запись можно прогнать заново, время и номера сохранятся.",
    "What was accepted but could not be understood waits here. Nothing is lost: after a fix an entry can be sent through again, times and ids kept.",
  ],
  "quarantine.state": ["Состояние", "State"],
  "quarantine.class": ["Причина", "Cause"],
  "quarantine.any.state": ["любое", "any"],
  "quarantine.any.class": ["любая", "any"],
  "quarantine.empty": ["Пусто: всё принятое понято.", "Empty: everything accepted was understood."],
  "quarantine.nomatch": ["Записей с такими признаками нет.", "No entry matches."],
  "quarantine.received": ["Принято", "Received"],
  "quarantine.put": ["В карантине с", "In quarantine since"],
  "quarantine.where": ["Место", "Where"],
  "quarantine.expected": ["Что не так", "What is wrong"],
  "quarantine.source": ["Источник", "Source"],
  "quarantine.receipt": ["Приём", "Receipt"],
  "quarantine.stage": ["Остановлено", "Stopped at"],
  "quarantine.replays": [["прогнано {n} раз", "прогнано {n} раза", "прогнано {n} раз"], ["replayed once", "replayed {n} times"]],
  "quarantine.replay": ["Прогнать заново", "Send through again"],
  "quarantine.replay.done": ["Отправлено", "Sent"],
  "quarantine.replay.admin": ["Прогнать заново может ключ администратора.", "Sending through again takes an admin key."],
  "quarantine.open": [["{n} запись ждёт", "{n} записи ждут", "{n} записей ждут"], ["{n} entry is waiting", "{n} entries are waiting"]],
  "state.open": ["ждёт", "waiting"],
  "state.replaying": ["прогоняется", "going through again"],
  "state.resolved": ["разобрано", "resolved"],
  "class.unopenable": ["Не открывается", "Cannot be opened"],
  "class.unreadable": ["Не читается", "Cannot be read"],
  "class.invalid": ["Неверное значение", "Invalid value"],
  "class.conflict": ["Противоречит записанному", "Contradicts the record"],
  "class.handler_failed": ["Сбой обработки", "Handling failed"],
  "stage.normalize": ["при разборе", "while being read"],
  "stage.record": ["при записи", "while being recorded"],
  "stage.analyse": ["при подсчёте", "while being counted"],
  "books.title": ["Сверка", "The books"],
  "books.accepted": ["Принято", "Accepted"],
  "books.stored": ["Записано", "Stored"],
  "books.duplicate": ["Повторы", "Duplicates"],
  "books.quarantined": ["В карантине", "In quarantine"],
  "books.in_flight": ["В пути", "In flight"],
  "books.balanced": ["Сходится", "Balanced"],
  "books.unbalanced": ["Не сходится", "Does not balance"],

  // vocabulary
  "channel.telegram": ["Telegram", "Telegram"],
  "channel.whatsapp": ["WhatsApp", "WhatsApp"],
  "channel.instagram": ["Instagram", "Instagram"],
  "channel.max": ["MAX", "MAX"],
  "channel.vk": ["ВКонтакте", "VK"],
  "channel.avito": ["Авито", "Avito"],
  "channel.site": ["Сайт", "Website"],
  "channel.phone": ["Телефон", "Phone"],
  "channel.sms": ["СМС", "SMS"],
  "channel.email": ["Почта", "E-mail"],
  "channel.crm": ["CRM", "CRM"],
  "channel.booking": ["Онлайн-запись", "Online booking"],
  "channel.other": ["Другое", "Other"],
  "meta.footnote": [
    "* Компания Meta, владелец Instagram и WhatsApp, признана экстремистской организацией, её деятельность в России запрещена.",
    "",
  ],
  "outcome.visited": ["Визит состоялся", "Visited"],
  "outcome.no_show": ["Не пришёл", "No-show"],
  "outcome.cancelled": ["Отменён", "Cancelled"],
  "outcome.booked": ["Записан", "Booked"],
  "outcome.refused": ["Отказался", "Declined"],
  "outcome.handed_off": ["Передан человеку", "Handed off"],
  "outcome.lead": ["Лид", "Lead"],
  "outcome.not_served": ["Не обслужен", "Not served"],
  "outcome.open": ["Без итога", "Open"],
  "appointment.booked": ["Ждём визита", "To come"],
  "appointment.cancelled": ["Отменена", "Cancelled"],
  "appointment.attended": ["Клиент пришёл", "Came"],
  "appointment.no_show": ["Клиент не пришёл", "No-show"],
  "actor.client": ["Клиент", "Client"],
  "actor.assistant": ["Ассистент", "Assistant"],
  "actor.staff": ["Сотрудник", "Staff"],
  "actor.system": ["Система", "System"],
  "actor.crm": ["CRM", "CRM"],
  "alias.phone": ["телефону", "phone"],
  "alias.email": ["почте", "e-mail"],
  "alias.messenger": ["мессенджеру", "messenger"],
  "alias.sender_hash": ["номеру отправителя", "the sender's own id"],
  "purpose.personal_data": ["обработка персональных данных", "processing of personal data"],
  "purpose.mailing": ["рассылка", "mailing"],
  "purpose.medical": ["данные о здоровье", "health data"],
  "action.message": ["Сообщение", "Message"],
  "action.create_lead": ["Создан лид", "Lead created"],
  "action.book": ["Записан", "Booked"],
  "action.reschedule": ["Перенесён", "Rescheduled"],
  "action.confirm": ["Подтвердил", "Confirmed"],
  "action.cancel": ["Отменён", "Cancelled"],
  "action.remind": ["Напоминание", "Reminder"],
  "action.attend": ["Пришёл", "Came"],
  "action.no_show": ["Не пришёл", "Did not come"],
  "action.pay": ["Оплата", "Paid"],
  "action.review": ["Отзыв", "Review"],
  "action.consent_grant": ["Дал согласие", "Consent given"],
  "action.consent_withdraw": ["Отозвал согласие", "Consent withdrawn"],
  "action.refuse": ["Клиент отказался", "Client declined"],
  "action.fallback": ["Ассистент не понял", "Not understood"],
  "action.decline": ["Ассистент отказал", "Assistant declined"],
  "action.handoff": ["Передан человеку", "Handed to a person"],
  "action.call": ["Звонок", "Call"],
  "action.button": ["Нажал кнопку", "Pressed a button"],
  "action.edit": ["Изменил сообщение", "Edited a message"],
  "action.bot_blocked": ["Заблокировал бота", "Blocked the bot"],
  "action.bot_unblocked": ["Вернул бота", "Unblocked the bot"],
  "action.bot_added": ["Бот добавлен в группу", "Bot added to a group"],
  "action.bot_removed": ["Бот удалён из группы", "Bot removed from a group"],
  "action.service_message": ["Служебное сообщение", "Service message"],
  "action.channel_post": ["Запись в канале", "Channel post"],
  "action.unknown_update": ["Незнакомое сообщение", "Unknown message"],
  "action.lead_stage": ["Стадия лида", "Lead stage"],
  "action.subject_join": ["Объединение клиентов", "Clients joined"],
  "action.subject_split": ["Разделение клиентов", "Clients split"],
};

const LANGUAGES = ["ru", "en"];
const LOCALES = { ru: "ru-RU", en: "en-GB" };
const STORED = "letopis.language";

let language = chosen();

/** `?lang=` speaks first and is remembered, then what was chosen before, then Russian. */
function chosen() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (LANGUAGES.includes(asked)) {
    remember(asked);
    return asked;
  }
  try {
    const kept = localStorage.getItem(STORED);
    if (LANGUAGES.includes(kept)) return kept;
  } catch {
    // Storage may be forbidden; the page works without.
  }
  return "ru";
}

function remember(word) {
  try {
    localStorage.setItem(STORED, word);
  } catch {
    // See above.
  }
}

export function currentLanguage() {
  return language;
}

export function locale() {
  return LOCALES[language];
}

export function switchLanguage() {
  language = language === "ru" ? "en" : "ru";
  remember(language);
}

/** The text of a key, with `{name}` replaced. A key that is not known comes back as it is. */
export function t(key, values = {}) {
  const text = TEXTS[key]?.[LANGUAGES.indexOf(language)];
  return text === undefined ? key : fill(text, values);
}

/** The text of a key in the plural form that `n` asks for; `{n}` is the number, formatted. */
export function plural(key, n) {
  const forms = TEXTS[key][LANGUAGES.indexOf(language)];
  const rule = new Intl.PluralRules(locale()).select(n);
  const index = { one: 0, few: 1, many: 2, other: forms.length - 1 }[rule] ?? forms.length - 1;
  return fill(forms[Math.min(index, forms.length - 1)], { n: new Intl.NumberFormat(locale()).format(n) });
}

/** The text of a word of a vocabulary, or the word itself where the sender used one of their own. */
export function word(vocabulary, value) {
  const key = `${vocabulary}.${value}`;
  return key in TEXTS ? t(key) : value;
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
