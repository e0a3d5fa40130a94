//! Serves the console over a made-up salon, for looking at the page while working on it:
//! `cargo run -p console@0.1.0 --example preview`, then the address it prints. Nothing is kept.

#![expect(clippy::unwrap_used, reason = "what it shows is made up here")]

use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer};
use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::id::TenantId;
use domain::observation::{Contact, Observation, ObservedAppointment, Scenario, Usage};
use domain::quarantine::{QuarantineState, ReasonClass, Stage};
use domain::timestamp::Timestamp;
use ports::clock::{Clock, SystemClock};

use world::{World, reason, tenant};

#[path = "../tests/it/world.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

const ADDRESS: (&str, u16) = ("127.0.0.1", 8687);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[expect(clippy::print_stdout, reason = "a program for a person to watch")]
fn main() -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let world = World::new(Arc::new(SystemClock)).await;
        let salon = Salon { tenant: tenant("salon"), world: &world };
        salon.seed();
        println!("http://{}:{}/ reads without a key", ADDRESS.0, ADDRESS.1);
        println!("http://[::1]:{}/ wants one: {}", ADDRESS.1, world.keys.admin);
        println!("operator: {}", world.keys.operator);
        let open = console::routes(world.console(Some(tenant("salon"))));
        let closed = console::routes(world.console(None));
        let open_server =
            HttpServer::new(move || App::new().configure(open.clone())).workers(1).bind(ADDRESS)?.run();
        let closed_server = HttpServer::new(move || App::new().configure(closed.clone()))
            .workers(1)
            .bind(("::1", ADDRESS.1))?
            .run();
        tokio::select! {
            stopped = open_server => stopped,
            stopped = closed_server => stopped,
            () = salon.live() => Ok(()),
        }
    })
}

struct Salon<'a> {
    tenant: TenantId,
    world: &'a World,
}

/// How a conversation goes: enough of each kind to look at.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Visit,
    NoShow,
    Cancelled,
    Booked,
    Refused,
    HandedOff,
    Lead,
    Lost,
    Open,
}

impl Salon<'_> {
    fn seed(&self) {
        use Ending::{Booked, Cancelled, HandedOff, Lead, Lost, NoShow, Open, Refused, Visit};
        let channels = [
            Channel::Telegram,
            Channel::Max,
            Channel::Telegram,
            Channel::Whatsapp,
            Channel::Vk,
            Channel::Telegram,
            Channel::Site,
            Channel::Avito,
            Channel::Max,
            Channel::Instagram,
            Channel::Phone,
        ];
        let endings = [
            Visit, Lead, Visit, Refused, Open, Visit, NoShow, Visit, HandedOff, Lost, Visit, Lead, Cancelled,
            Open,
        ];
        let now = SystemClock.now();
        for n in 0..430_u32 {
            let index = usize::try_from(n).unwrap();
            let began = now.minus(DAY * (n / 5) + MINUTE * (17 * (n % 37) + 11));
            let ending = match endings[(index * 5 + index / 9) % endings.len()] {
                Visit | NoShow if n < 12 => Booked,
                ending => ending,
            };
            self.conversation(n, channels[(index * 3 + index / 7) % channels.len()], began, ending);
        }
        self.odd_conversation(now.minus(MINUTE * 40));
        self.stops(now);
    }

    fn conversation(&self, n: u32, channel: Channel, began: Timestamp, ending: Ending) {
        let personal = format!("{}", 5_550_000_000_u64 + u64::from(n));
        let session = if n % 4 == 1 { personal } else { format!("sess_{n:05}") };
        let talk = Talk { n, channel, began, session };
        for said in talk.opening().into_iter().chain(talk.middle(ending)).chain(talk.aftermath(ending)) {
            self.world.tell(&self.tenant, "telegram-bot", said);
        }
    }

    /// Everything that can be odd, in one conversation.
    fn odd_conversation(&self, began: Timestamp) {
        let say = |minutes: u32, actor, action: &str| {
            let mut said = Observation::new(
                began.plus(MINUTE * minutes),
                Channel::Telegram,
                "sess_odd".to_owned(),
                Action::parse(action).unwrap(),
            );
            said.actor = actor;
            said.appointment = Some(ObservedAppointment {
                id: "yc-odd".to_owned(),
                starts_at: Some(began.plus(MINUTE * 45)),
                service: Some("Стрижка".to_owned()),
                staff: None,
            });
            said
        };
        let tell = |observation| self.world.tell(&self.tenant, "telegram-bot", observation);
        let mut both = say(0, Actor::Assistant, "book");
        both.texts.user = Some("Запишите на стрижку прямо сейчас,\nесли можно".to_owned());
        both.texts.assistant = Some("Записал, ждём вас!".to_owned());
        both.attributes.insert("utm_source".to_owned(), "карта-2гис".into());
        both.lead = "BX-9001".parse().ok();
        tell(both);
        tell(say(2, Actor::Crm, "attend"));
        tell(say(5, Actor::Client, "cancel"));
        tell(say(60, Actor::System, "send_price_list"));
        let unknown = Observation::new(
            began.plus(MINUTE * 6),
            Channel::Telegram,
            "sess_odd".to_owned(),
            Action::parse("unknown_update").unwrap(),
        );
        tell(unknown);
        let mut sealed = say(7, Actor::Client, "message");
        sealed.texts.user = Some("sealed".to_owned());
        let event = tell(sealed);
        let mut held = self.world.store.held();
        let index = held.events.iter().position(|(known, _)| known.id == event.id).unwrap();
        world::break_seal(&mut held, index);
    }

    fn stops(&self, now: Timestamp) {
        let stop = |minutes: u32, stage, class, pointer, detail| {
            let reason = reason(class, pointer, detail);
            self.world.quarantine(&self.tenant, now.minus(MINUTE * minutes), stage, reason)
        };
        stop(
            12,
            Stage::Normalize,
            ReasonClass::Unreadable,
            Some("/message/date"),
            "an integer, Unix seconds",
        );
        stop(
            95,
            Stage::Record,
            ReasonClass::Conflict,
            None,
            "an event with this id and another content is already there",
        );
        stop(
            700,
            Stage::Normalize,
            ReasonClass::Invalid,
            Some("/channel"),
            "one of telegram, whatsapp, instagram, max, vk, avito, site, phone, sms, email, crm, booking, other",
        );
        stop(4000, Stage::Analyse, ReasonClass::HandlerFailed, None, "handling failed 5 times");
        let mut held = self.world.store.held();
        held.quarantine[2].state = QuarantineState::Replaying;
        held.quarantine[2].replays = 1;
        held.quarantine[3].state = QuarantineState::Resolved;
        held.quarantine[3].replays = 2;
    }

    /// Somebody goes on talking, so that the page has something to follow.
    async fn live(&self) {
        let lines = [
            "А можно на вечер?",
            "Да, есть 19:30. Записать вас?",
            "Да, пожалуйста",
            "Готово, ждём вас в 19:30!",
        ];
        for (turn, line) in lines.iter().cycle().enumerate() {
            tokio::time::sleep(Duration::from_secs(8)).await;
            let action = Action::parse("message").unwrap();
            let mut said = Observation::new(SystemClock.now(), Channel::Max, "sess_live".to_owned(), action);
            said.actor = if turn % 2 == 0 { Actor::Client } else { Actor::Assistant };
            let text = Some((*line).to_owned());
            if turn % 2 == 0 {
                said.texts.user = text
            } else {
                said.texts.assistant = text
            }
            self.world.tell(&self.tenant, "telegram-bot", said);
        }
    }
}

/// One conversation, as it goes.
struct Talk {
    n: u32,
    channel: Channel,
    began: Timestamp,
    session: String,
}

impl Talk {
    fn say(&self, minutes: u32, actor: Actor, action: &str, text: &str) -> Observation {
        let at = self.began.plus(MINUTE * minutes + Duration::from_secs(u64::from(self.n % 50)));
        // The order of what is said within a minute.
        let at = if actor == Actor::Client { at } else { at.plus(Duration::from_secs(4)) };
        let mut said =
            Observation::new(at, self.channel, self.session.clone(), Action::parse(action).unwrap());
        said.actor = actor;
        let text = (!text.is_empty()).then(|| text.to_owned());
        if actor == Actor::Client {
            said.texts.user = text
        } else {
            said.texts.assistant = text
        }
        if actor == Actor::Assistant {
            said.confidence = Some(0.92);
            said.response_time_ms = Some(840 + u64::from(self.n));
            said.model = Some("gigachat-max".to_owned());
            said.usage = Some(Usage { input_tokens: Some(412), output_tokens: Some(38) });
            let version = Word::parse("3").ok();
            said.scenario = Word::parse("booking").ok().map(|id| Scenario { id, version });
        }
        said
    }

    fn with_lead(&self, mut said: Observation) -> Observation {
        said.lead = format!("BX-{}", 5_000 + self.n).parse().ok();
        said
    }

    fn with_booking(&self, mut said: Observation) -> Observation {
        said.appointment = Some(ObservedAppointment {
            id: format!("yc-{}", self.n),
            starts_at: Some(self.began.plus(DAY * 2)),
            service: Some("Маникюр с покрытием".to_owned()),
            staff: Some("Ольга".to_owned()),
        });
        self.with_lead(said)
    }

    fn opening(&self) -> Vec<Observation> {
        let wish = "Здравствуйте! Можно записаться на маникюр на этой неделе?";
        let offer =
            "Здравствуйте! Конечно. Есть окна в четверг в 15:00 и в пятницу в 11:30. Что вам удобнее?";
        let mut hello = self.say(0, Actor::Client, "message", wish);
        hello.contact = Contact { phone: Some(format!("+79131{:06}", self.n)), ..Contact::default() };
        vec![hello, self.say(0, Actor::Assistant, "message", offer)]
    }

    fn middle(&self, ending: Ending) -> Vec<Observation> {
        use Actor::{Assistant, Client, Staff};
        match ending {
            Ending::Open => Vec::new(),
            Ending::Refused => vec![self.say(3, Client, "refuse", "Спасибо, дороговато. Подумаю.")],
            Ending::Lost => vec![
                self.say(
                    2,
                    Client,
                    "message",
                    "А вы делаете как на той фотографии, только короче и с втиркой?",
                ),
                self.say(2, Assistant, "fallback", "Простите, я не понял. Можете написать иначе?"),
            ],
            Ending::HandedOff => vec![
                self.say(2, Client, "message", "Хочу поговорить с администратором"),
                self.say(2, Assistant, "handoff", "Передаю разговор администратору."),
                self.say(6, Staff, "message", "Добрый день, это Ирина. Слушаю вас!"),
            ],
            Ending::Lead => {
                let promise = "Записала ваш номер, администратор перезвонит.";
                vec![self.with_lead(self.say(2, Assistant, "create_lead", promise))]
            }
            Ending::Visit | Ending::NoShow | Ending::Cancelled | Ending::Booked => {
                let promise = "Мы записали вас на четверг, 15:00, маникюр с покрытием, мастер Ольга. Ждём!";
                let booking = self.with_booking(self.say(2, Assistant, "book", promise));
                vec![self.say(2, Client, "message", "В четверг в 15:00"), booking]
            }
        }
    }

    fn aftermath(&self, ending: Ending) -> Vec<Observation> {
        let remind =
            || self.say(24 * 60, Actor::System, "remind", "Напоминаем: завтра в 15:00 вас ждёт Ольга.");
        let report = |action| self.say(48 * 60 + 70, Actor::Crm, action, "");
        let sorry = || self.say(24 * 60, Actor::Client, "cancel", "Извините, не получится прийти");
        let steps = match ending {
            Ending::Visit => vec![remind(), report("attend")],
            Ending::NoShow => vec![remind(), report("no_show")],
            Ending::Cancelled => vec![sorry()],
            _ => Vec::new(),
        };
        steps.into_iter().map(|step| self.with_booking(step)).collect()
    }
}
