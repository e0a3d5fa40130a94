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
  "nav.sources": ["Источники", "Sources"],
  "nav.quarantine": ["Карантин", "Quarantine"],
  "nav.settings": ["Настройки", "Settings"],
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
  "retry.network": ["Сервер не отвечает. Ничего не изменилось; попробуйте ещё раз.", "The server does not answer. Nothing was changed; try again."],
  "retry.login": ["Ключ больше не действует. Войдите заново.", "The key is not valid any more. Sign in again."],
  "retry.unavailable": ["Хранилище сейчас недоступно. Попробуйте через минуту.", "The store is unavailable right now. Try again in a minute."],
  "retry.other": ["Сервер ответил ошибкой. Попробуйте ещё раз; если повторится, посмотрите журнал сервера.", "The server answered with an error. Try again; if it stays, look into the server's log."],
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

  // sources
  "sources.title": ["Источники", "Sources"],
  "sources.lead": [
    "Двери, через которые приходят события: боты, мессенджеры, сайт, запись. Видно, что приходит, что отклонено и что не понято.",
    "The doors events come through: bots, messengers, the site, bookings. What comes, what is refused, what is not understood.",
  ],
  "sources.add": ["Добавить источник", "Add a source"],
  "sources.empty": ["Источников пока нет. Добавьте первый: это занимает минуту.", "No sources yet. Add the first one: it takes a minute."],
  "sources.empty.read": ["Источников пока нет. Добавить их может ключ администратора.", "No sources yet. Adding one takes an admin key."],
  "sources.admin": ["Менять источники может ключ администратора.", "Changing sources takes an admin key."],
  "sources.quarantined": [["{n} запись ждёт в карантине", "{n} записи ждут в карантине", "{n} записей ждут в карантине"], ["{n} entry waits in quarantine", "{n} entries wait in quarantine"]],
  "sources.last": ["Последнее: {when}", "Last: {when}"],
  "sources.hour": [["{n} за час", "{n} за час", "{n} за час"], ["{n} in an hour", "{n} in an hour"]],
  "sources.day": [["{n} за сутки", "{n} за сутки", "{n} за сутки"], ["{n} in a day", "{n} in a day"]],
  "sources.times": [["{n} раз", "{n} раза", "{n} раз"], ["once", "{n} times"]],
  "sources.minutes": [["на {n} минуту", "на {n} минуты", "на {n} минут"], ["{n} minute", "{n} minutes"]],
  "sources.seconds": ["на {n} с", "{n} s"],
  "sources.refused": ["За сутки отклонено {times}. Последний раз {when}: {why}.", "Refused {times} within a day. Last at {when}: {why}."],
  "sources.ahead": ["Часы отправителя спешат {by}.", "The sender's clock is ahead by {by}."],
  "sources.kind": ["Откуда", "From where"],
  "sources.id": ["Имя в адресе", "Name in the address"],
  "sources.name": ["Название для людей", "Name for people"],
  "sources.secret": ["Секрет", "Secret"],
  "sources.mapping": ["Описание полей (JSON)", "Mapping (JSON)"],
  "sources.mapping.json": ["Описание полей — не JSON.", "The mapping is no JSON."],
  "hint.mapping": [
    "Где в теле лежат поля события. Сначала проверьте: letopis inspect --mapping файл образец.json",
    "Where in a body the fields of an event lie. Try it first: letopis inspect --mapping file sample.json",
  ],
  "hint.id": ["Латинские буквы, цифры, точка, дефис. Потом не меняется.", "Letters, digits, dots, hyphens. It cannot be changed later."],
  "hint.name": ["Можно не заполнять.", "May be left out."],
  "hint.secret": ["", ""],
  "sources.secret.meta": ["Секрет приложения Meta: App settings, Basic.", "The secret of the Meta app: App settings, Basic."],
  "sources.secret.vk": ["Если секретный ключ уже задан в сообществе, впишите его. Иначе сделаем новый.", "If the community has a secret key already, type it. Otherwise one is made."],
  "sources.taken": ["Такое имя уже занято, выберите другое. Имена не освобождаются и после отзыва.", "This name is taken, choose another. Names are not free again after revoking."],
  "sources.wrong": ["Не подходит: проверьте имя и секрет.", "Not acceptable: check the name and the secret."],
  "sources.added": ["Источник «{name}» добавлен", "Source “{name}” was added"],
  "sources.watch": ["Вставил, жду первое событие", "Pasted: wait for the first event"],
  "condition.waiting": ["ждём первое событие", "waiting"],
  "condition.receiving": ["приходят события", "receiving"],
  "condition.quiet": ["молчит больше суток", "quiet for a day"],
  "kind.events": ["Свой бот или сайт", "Your own bot or site"],
  "kind.telegram": ["Telegram", "Telegram"],
  "kind.whatsapp": ["WhatsApp Cloud API", "WhatsApp Cloud API"],
  "kind.instagram": ["Instagram и Messenger", "Instagram and Messenger"],
  "kind.vk": ["ВКонтакте", "VK"],
  "kind.max": ["MAX", "MAX"],
  "kind.wazzup": ["Wazzup24", "Wazzup24"],
  "kind.avito": ["Авито", "Avito"],
  "kind.jivo": ["Jivo", "Jivo"],
  "kind.yclients": ["YCLIENTS, Altegio", "YCLIENTS, Altegio"],
  "kind.otlp": ["OpenTelemetry", "OpenTelemetry"],
  "kind.mapping": ["Другая система", "Another system"],
  "kind_what.events": ["Наш JSON по ключу: curl, Python, Node", "Our JSON with a key: curl, Python, Node"],
  "kind_what.telegram": ["Вебхук бота, в том числе бизнес-аккаунта", "A bot's webhook, also of a business account"],
  "kind_what.whatsapp": ["Вебхук приложения Meta", "A webhook of a Meta app"],
  "kind_what.instagram": ["Вебхук приложения Meta", "A webhook of a Meta app"],
  "kind_what.vk": ["Callback API сообщества", "A community's Callback API"],
  "kind_what.max": ["Вебхук бота", "A bot's webhook"],
  "kind_what.wazzup": ["WhatsApp, Telegram, Viber через Wazzup", "WhatsApp, Telegram, Viber through Wazzup"],
  "kind_what.avito": ["Сообщения Авито", "Messages of Avito"],
  "kind_what.jivo": ["Чат на сайте", "Chat on a site"],
  "kind_what.yclients": ["Онлайн-запись: записи и визиты", "Online booking: appointments and visits"],
  "kind_what.otlp": ["Трассировки ассистента: OTLP, атрибуты gen_ai", "An assistant's traces: OTLP, attributes gen_ai"],
  "kind_what.mapping": ["Любой вебхук JSON или форма: поля описываете вы", "Any webhook of JSON or a form: you say where the fields are"],
  "refusal.no_proof": ["нет подписи или секрета", "no signature or secret"],
  "refusal.wrong_proof": ["подпись или секрет не подходит", "the signature or secret is wrong"],
  "refusal.expired_proof": ["подпись просрочена", "the signature has expired"],
  "refusal.unreadable": ["тело не читается", "the body cannot be read"],
  "refusal.invalid": ["это не событие", "it is not an event"],
  "refusal.repeated": ["ключ повтора использован для другого", "the idempotency key was used for something else"],
  "refusal.too_large": ["слишком большое", "too large"],
  "refusal.too_fast": ["слишком часто", "too fast"],
  "refusal_do.no_proof": ["Впишите секрет там, где настроен вебхук.", "Enter the secret where the webhook is set up."],
  "refusal_do.wrong_proof": ["Вставьте секрет заново, целиком, или смените его.", "Paste the secret again, all of it, or change it."],
  "refusal_do.expired_proof": ["Проверьте часы отправителя.", "Check the sender's clock."],
  "refusal_do.unreadable": ["Проверьте, что отправляется JSON в UTF-8 методом POST.", "Check that JSON in UTF-8 is sent, with POST."],
  "refusal_do.invalid": ["Ответ на запрос говорит, какое поле не подходит.", "The answer says which field is wrong."],
  "refusal_do.repeated": ["На каждое новое тело нужен новый Idempotency-Key.", "Each new body needs an Idempotency-Key of its own."],
  "refusal_do.too_large": ["Отправляйте меньшими пачками.", "Send smaller batches."],
  "refusal_do.too_fast": ["Повторите позже, как сказано в Retry-After. Ничего не потеряно, если отправитель повторяет.", "Try again as Retry-After says. Nothing is lost if the sender does."],
  "paste.title": ["Что вставить", "What to paste"],
  "paste.once": ["Секрет показан один раз. Сохраните его или сразу вставьте.", "The secret is shown once. Keep it or paste it now."],
  "paste.url": ["Адрес", "Address"],
  "paste.secret": ["Секрет", "Secret"],
  "paste.verify_token": ["Verify token", "Verify token"],
  "paste.where.events": [
    "Боту проще отправлять с ключом: его можно сделать на странице источника. Секрет нужен, только если отправитель подписывает по Standard Webhooks.",
    "A bot sends with a key more easily: make one on the source's page. The secret is for senders that sign as Standard Webhooks.",
  ],
  "paste.where.telegram": ["Вызовите setWebhook у Bot API: адрес в url, секрет в secret_token.", "Call setWebhook of the Bot API: the address as url, the secret as secret_token."],
  "paste.where.whatsapp": ["В приложении Meta, Webhooks: адрес в Callback URL и verify token. Подпишитесь на messages и smb_message_echoes.", "In the Meta app, Webhooks: the address as Callback URL, and the verify token. Subscribe to messages and smb_message_echoes."],
  "paste.where.instagram": ["В приложении Meta, Webhooks: адрес в Callback URL и verify token. Подпишитесь на messages и comments.", "In the Meta app, Webhooks: the address as Callback URL, and the verify token. Subscribe to messages and comments."],
  "paste.where.vk": ["В сообществе: Управление, Работа с API, Callback API. К адресу добавьте ?confirm= и строку, которую ВКонтакте хочет получить в ответ. События: message_new, message_reply, message_event.", "In the community: Manage, API usage, Callback API. Add ?confirm= to the address, and the string VK wants to be answered. Events: message_new, message_reply, message_event."],
  "paste.where.max": ["Вызовите POST /subscriptions у MAX Bot API: адрес в url, секрет в secret.", "Call POST /subscriptions of the MAX Bot API: the address as url, the secret as secret."],
  "paste.where.wazzup": ["Вызовите PATCH /v3/webhooks у Wazzup: адрес в webhooksUri. Секрет уже в адресе.", "Call PATCH /v3/webhooks of Wazzup: the address as webhooksUri. The secret is in it."],
  "paste.where.avito": ["Вызовите POST /messenger/v3/webhook у Авито: адрес в url. Секрет уже в адресе.", "Call POST /messenger/v3/webhook of Avito: the address as url. The secret is in it."],
  "paste.where.jivo": ["Передайте Jivo этот адрес бота. Секрет уже в адресе.", "Give Jivo this address of the bot. The secret is in it."],
  "paste.where.yclients": ["В YCLIENTS: Интеграции, Вебхуки, впишите адрес. Секрет уже в адресе.", "In YCLIENTS: Integrations, Webhooks, enter the address. The secret is in it."],
  "paste.where.otlp": [
    "Задайте экспортёру адрес в OTEL_EXPORTER_OTLP_ENDPOINT и заголовок OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20СЕКРЕТ. Чтобы были видны сообщения, включите запись текстов в инструментировании.",
    "Give the exporter the address as OTEL_EXPORTER_OTLP_ENDPOINT and the header OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20SECRET. For messages to be seen, have the instrumentation record content.",
  ],
  "paste.where.mapping": ["Впишите адрес в настройках вебхука той системы. Чем она подтверждает себя, сказано в описании полей.", "Enter the address where that system sets up its webhook. How it proves itself is said in the mapping."],
  "source.kind": ["Откуда", "From"],
  "source.id": ["Имя в адресе", "Name in the address"],
  "source.first": ["Первое событие", "First event"],
  "source.last": ["Последнее событие", "Last event"],
  "source.hour": ["За час", "In an hour"],
  "source.day": ["За сутки", "In a day"],
  "source.skew": ["Часы отправителя", "The sender's clock"],
  "source.skew.none": ["идут верно", "right"],
  "source.skew.ahead": ["спешат {by}", "ahead by {by}"],
  "source.skew.behind": ["пришло позже {by}", "came later by {by}"],
  "source.rate": ["Не чаще, в секунду", "At most a second"],
  "source.refused": ["Что отклонено за сутки", "What was refused in a day"],
  "source.waiting": ["Ждём первое событие", "Waiting for the first event"],
  "source.waiting.how": ["Вставьте адрес и секрет у отправителя и сделайте что-нибудь: напишите боту, создайте запись. Событие появится здесь само.", "Paste address and secret at the sender and do something: write to the bot, make an appointment. The event will appear here by itself."],
  "source.waiting.example": ["Отправьте пример ниже. Событие появится здесь само.", "Send an example from below. The event will appear here by itself."],
  "source.swept": ["Последнее событие уже удалено по сроку хранения.", "The last event is past its retention."],
  "source.arrived": ["Пришло событие", "An event arrived"],
  "source.understood": ["Что понято из последнего события", "What was understood of the last event"],
  "source.conversation": ["Весь разговор", "The whole conversation"],
  "source.secrets": ["Адрес и секрет", "Address and secret"],
  "source.secrets.made": ["Секрет сделан: {when}.", "The secret was made: {when}."],
  "source.secrets.two": ["Пока действует и прежний, сделанный {when}.", "The one before it, made {when}, is still live."],
  "source.secrets.none": ["Секрета нет.", "There is no secret."],
  "source.secrets.how": [
    "Смена без перерыва: сделайте новый секрет, вставьте его у отправителя, убедитесь, что события идут, и отключите прежний.",
    "To change it without a gap: make a new secret, paste it at the sender, see that events come, then end the one before.",
  ],
  "source.url": ["Адрес:", "Address:"],
  "source.rotate": ["Сделать новый секрет", "Make a new secret"],
  "source.retire": ["Отключить прежний секрет", "End the secret before"],
  "sure.rotate": ["Прежний секрет продолжит действовать, пока вы его не отключите.", "The secret before stays live until you end it."],
  "sure.retire": ["Если у отправителя ещё прежний секрет, его события начнут отклоняться.", "If the sender still has the secret before, its events will be refused."],
  "yes.rotate": ["Сделать", "Make it"],
  "yes.retire": ["Отключить", "End it"],
  "done.rotate": ["Новый секрет сделан", "A new secret was made"],
  "done.retire": ["Прежний секрет отключён", "The secret before was ended"],
  "cancel": ["Отмена", "Cancel"],
  "snippet.title": ["Как отправлять", "How to send"],
  "snippet.curl": ["curl", "curl"],
  "snippet.python": ["Python", "Python"],
  "snippet.aiogram": ["aiogram", "aiogram"],
  "snippet.node": ["Node.js", "Node.js"],
  "snippet.key": ["Сделать ключ", "Make a key"],
  "snippet.key.why": ["Ключ отправляет события только этого источника. Он подставится в примеры.", "A key sends the events of this source only. It is put into the examples."],
  "snippet.key.once": ["Ключ показан один раз. Он уже подставлен в примеры ниже.", "The key is shown once. It is in the examples below already."],
  "snippet.key.admin": ["Ключ для отправки делает администратор.", "An admin makes the key to send with."],

  // settings
  "settings.title": ["Настройки", "Settings"],
  "settings.id": ["Имя в адресах и командах", "Name in addresses and commands"],
  "settings.trade": ["Род занятий", "Trade"],
  "settings.leaves": ["С чем тексты уходят в CRM, оповещения и выгрузки", "What texts leave with for a CRM, alerts and exports"],
  "settings.admin": ["Изменить это может ключ администратора.", "Changing it takes an admin key."],
  "settings.save": ["Сохранить", "Save"],
  "settings.saved": ["Сохранено. {what}", "Saved. {what}"],
  "trade.ordinary": ["Обычный бизнес", "An ordinary business"],
  "trade.clinic": ["Клиника", "A clinic"],
  "trade_what.ordinary": [
    "Без имён, телефонов, адресов и документов.",
    "Without names, phones, addresses and papers.",
  ],
  "trade_what.clinic": [
    "Без имён, телефонов, адресов и документов и без слов о здоровье: диагнозов, симптомов, лекарств, процедур. На этой странице тексты остаются как есть.",
    "Without names, phones, addresses and papers, and without words about health: diagnoses, symptoms, drugs, procedures. On this page texts stay as they are.",
  ],
  "trade_saved.ordinary": ["Слова о здоровье больше не убираются.", "Words about health are not taken out any more."],
  "trade_saved.clinic": ["Слова о здоровье наружу не уйдут.", "Words about health will not leave."],

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
  "groups.title": ["По причинам", "By cause"],
  "groups.entries": ["Все записи", "All entries"],
  "groups.replaying": ["прогоняется {n}", "{n} going through again"],
  "groups.replay": [["Прогнать заново {n} запись", "Прогнать заново {n} записи", "Прогнать заново {n} записей"], ["Send {n} entry through again", "Send {n} entries through again"]],
  "groups.sending": ["Прогоняем заново", "Sending through again"],
  "groups.progress": ["{done} из {total}", "{done} of {total}"],
  "groups.sent": [["Отправлена {n} запись", "Отправлены {n} записи", "Отправлено {n} записей"], ["{n} entry sent", "{n} entries sent"]],
  "groups.open": ["Открыть пример", "Open an example"],
  "groups.open.yes": ["Открыть", "Open"],
  "groups.open.sure": ["В теле могут быть личные данные. Кто, когда и зачем его открыл, останется в журнале.", "The body may hold personal data. Who opened it, when and why stays on record."],
  "groups.why": ["Зачем открываете", "Why you open it"],
  "groups.close": ["Закрыть", "Close"],
  "groups.sealed": ["Открыть не удалось: ключ, которым оно запечатано, здесь неизвестен.", "It could not be opened: the key that sealed it is unknown here."],
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
  "action.dialog_removed": ["Удалил переписку с ботом", "Removed the conversation"],
  "action.bot_added": ["Бот добавлен в группу", "Bot added to a group"],
  "action.bot_removed": ["Бот удалён из группы", "Bot removed from a group"],
  "action.tool_call": ["Модель просит инструмент", "Model asks for a tool"],
  "action.tool_run": ["Инструмент выполнен", "Tool was run"],
  "action.model_failed": ["Модель не ответила", "Model failed"],
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
