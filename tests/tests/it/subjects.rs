//! One client who comes through many doors, in whatever order their deliveries arrive.

use std::time::Duration;

use domain::registry::SourceKind;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::api::eventually;
use system_tests::{Shape, Stand};

use crate::doors::{Door, sent};

on_both_shapes! {
    a_client_of_four_doors_is_one_subject_whose_source_is_the_site_in_every_order
    a_join_that_was_taken_back_leaves_what_was_there_before
    a_family_of_one_phone_is_one_subject_and_says_so
    a_refusal_on_any_channel_withdraws_the_consent
}

/// Of the 720 there are.
const ORDERS: u64 = 60;

/// The doors of a salon.
struct Doors {
    whatsapp: Door,
    yclients: Door,
}

impl Doors {
    async fn open(stand: &Stand) -> Self {
        Self {
            whatsapp: Door::open(stand, SourceKind::Whatsapp).await,
            yclients: Door::open(stand, SourceKind::Yclients).await,
        }
    }
}

/// The n-th client, as each door knows them.
struct Client(u64);

impl Client {
    fn phone(&self) -> String {
        format!("7913000{:04}", self.0)
    }

    fn telegram(&self) -> u64 {
        5_550_000_000 + self.0
    }

    fn whatsapp(&self) -> String {
        format!("RU.{}", 900_000_000_000_u64 + self.0)
    }

    /// A form on the site on 1 July 2025.
    fn site(&self) -> Value {
        json!({
            "timestamp": "2025-07-01T12:00:00+03:00",
            "channel": "site",
            "session_id": format!("form-{}", self.0),
            "action": "create_lead",
            "contact": { "phone": format!("8 (913) 000-{:04}", self.0) },
        })
    }

    /// In the conversation of the form, half a year later; it names nobody.
    fn agrees_on_the_site(&self) -> Value {
        json!({
            "timestamp": "2026-01-01T12:00:00+03:00",
            "channel": "site",
            "session_id": format!("form-{}", self.0),
            "actor": "client",
            "action": "consent_grant",
            "consent": { "purpose": "mailing", "granted": true },
        })
    }

    /// A message in WhatsApp on the 3rd; the number comes with the second.
    fn whatsapp_message(&self, nth: u64) -> Value {
        let mut contact = json!({ "profile": { "name": "Анна" }, "user_id": self.whatsapp() });
        let mut message = json!({
            "id": format!("wamid.{}.{nth}", self.0),
            "from_user_id": self.whatsapp(),
            "timestamp": (1_751_533_200 + nth).to_string(),
            "type": "text",
            "text": { "body": "Здравствуйте" },
        });
        if nth == 2 {
            contact["wa_id"] = self.phone().into();
            message["from"] = self.phone().into();
        }
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": { "display_phone_number": "79990001122", "phone_number_id": "1" },
                "contacts": [contact],
                "messages": [message],
            },
        }] }] })
    }

    /// A message in Telegram on the 5th; the contact is shared with the second.
    fn telegram_message(&self, nth: u64) -> Value {
        let person = json!({ "id": self.telegram(), "is_bot": false, "first_name": "Анна" });
        let mut message = json!({
            "message_id": nth,
            "from": person,
            "chat": { "id": self.telegram(), "first_name": "Анна", "type": "private" },
            "date": 1_751_706_000 + nth,
        });
        if nth == 2 {
            message["contact"] = json!({
                "phone_number": self.phone(), "first_name": "Анна", "user_id": self.telegram() });
        } else {
            message["text"] = "Есть окошко?".into();
        }
        json!({ "update_id": 1_000_000 + self.0 * 10 + nth, "message": message })
    }

    /// The door to the bot in Telegram on the n-th of September: `kicked` shuts it.
    fn telegram_door(&self, status: &str, nth: u64) -> Value {
        let person = json!({ "id": self.telegram(), "is_bot": false, "first_name": "Анна" });
        let bot = json!({ "id": 777_000_111, "is_bot": true, "first_name": "Бот" });
        let is = |status: &str| json!({ "user": bot, "status": status });
        json!({ "update_id": 2_000_000 + self.0 * 10 + nth, "my_chat_member": {
            "chat": { "id": self.telegram(), "first_name": "Анна", "type": "private" },
            "from": person,
            "date": 1_756_684_800 + nth * 86_400,
            "old_chat_member": is(if status == "kicked" { "member" } else { "kicked" }),
            "new_chat_member": is(status),
        } })
    }

    /// A booking on the 12th.
    fn booking(&self) -> Value {
        let record = 700_000_000 + self.0;
        json!({ "company_id": 307_626, "resource": "record", "resource_id": record, "status": "create", "data": {
            "id": record, "company_id": 307_626, "visit_attendance": 0, "attendance": 0, "deleted": false,
            "datetime": "2025-07-20T12:10:00+05:00",
            "create_date": "2025-07-12T11:49:08+0500",
            "last_change_date": "2025-07-12T11:49:08+0500",
            "services": [{ "id": 1, "title": "Стрижка" }],
            "client": { "id": 1, "name": "Анна", "phone": format!("+{}", self.phone()) },
        } })
    }

    /// One of the six deliveries.
    async fn tell(&self, stand: &Stand, doors: &Doors, delivery: u64) {
        let hook = async |door: &Door, body: Value| {
            sent(door.delivery(stand, &door.secret, body.to_string().as_bytes())).await.0
        };
        let status = match delivery {
            0 => stand.api.send(&stand.keys.ingest, &self.site()).await.unwrap().status,
            1 | 2 => hook(&doors.whatsapp, self.whatsapp_message(delivery)).await,
            3 | 4 => {
                let update = self.telegram_message(delivery - 2);
                stand.api.telegram(&stand.keys.telegram, &update).await.unwrap().status
            }
            _ => hook(&doors.yclients, self.booking()).await,
        };
        assert!((200..300).contains(&status), "delivery {delivery}: {status}");
    }
}

async fn lookup(stand: &Stand, typed: &str) -> Option<String> {
    let path = "/v1/subjects/lookup";
    let found = stand.api.post(&stand.keys.read, path, &json!({ "typed": typed })).await.unwrap();
    found.body["id"].as_str().map(str::to_owned)
}

async fn subject(stand: &Stand, typed: &str) -> Value {
    let id = lookup(stand, typed).await.unwrap_or_else(|| panic!("{typed} is nobody"));
    stand.api.get(&stand.keys.read, &format!("/v1/subjects/{id}")).await.unwrap().body
}

/// A client, their history and their consents, but for what tells of rulings.
async fn whole(stand: &Stand, typed: &str) -> [Value; 3] {
    let mut subject = subject(stand, typed).await;
    subject["links"] = Value::Null;
    let path = format!("/v1/subjects/{}", subject["id"].as_str().unwrap());
    let read =
        async |what: &str| stand.api.get(&stand.keys.read, &format!("{path}/{what}")).await.unwrap().body;
    let (mut history, consents) = (read("events").await, read("consents").await);
    let is_ruling = |event: &Value| event["action"].as_str().unwrap().starts_with("subject_");
    history["events"].as_array_mut().unwrap().retain(|event| !is_ruling(event));
    [subject, history, consents]
}

async fn a_client_of_four_doors_is_one_subject_whose_source_is_the_site_in_every_order(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let doors = Doors::open(&stand).await;
    let mut order: Vec<u64> = (0..6).collect();
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    for n in 0..ORDERS {
        let client = Client(n);
        for delivery in &order {
            client.tell(&stand, &doors, *delivery).await;
        }
        // And once more, in another order.
        order.shuffle(&mut chance);
        for delivery in &order {
            client.tell(&stand, &doors, *delivery).await;
        }
    }
    stand.settled().await.unwrap();
    for n in 0..ORDERS {
        let client = Client(n);
        let found = subject(&stand, &format!("8 913 000-{n:04}")).await;
        assert_eq!(found["path"], json!(["site", "whatsapp", "telegram", "booking"]), "{n}: {found}");
        assert_eq!(found["first_touch"]["channel"], "site");
        assert_eq!(found["identities"].as_array().unwrap().len(), 4, "{found}");
        assert_eq!((&found["several_accounts"], &found["suggestions"]), (&json!([]), &json!([])));
        for typed in [client.whatsapp(), client.telegram().to_string()] {
            assert_eq!(subject(&stand, &typed).await, found, "{typed}");
        }
        let path = format!("/v1/subjects/{}/events", found["id"].as_str().unwrap());
        let history = stand.api.get(&stand.keys.read, &path).await.unwrap().body;
        let channels: Vec<_> =
            history["events"].as_array().unwrap().iter().map(|e| e["channel"].clone()).collect();
        assert_eq!(
            channels,
            ["site", "whatsapp", "whatsapp", "telegram", "telegram", "booking"],
            "{history}"
        );
    }
}

async fn a_join_that_was_taken_back_leaves_what_was_there_before(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let doors = Doors::open(&stand).await;
    let client = Client(1);
    for delivery in [0, 1, 2, 3] {
        client.tell(&stand, &doors, delivery).await;
    }
    stand.settled().await.unwrap();
    // What is heard of last is neither conversation that the join is about, and names nobody.
    stand.accept(&client.agrees_on_the_site()).await.unwrap();
    stand.settled().await.unwrap();
    let (phone, telegram) = (client.phone(), client.telegram().to_string());
    let before = [whole(&stand, &phone).await, whole(&stand, &telegram).await];
    assert_eq!(before[0][2]["records"].as_array().unwrap().len(), 1);
    client.tell(&stand, &doors, 4).await;
    stand.settled().await.unwrap();
    let joined = subject(&stand, &phone).await;
    assert_eq!(joined["identities"].as_array().unwrap().len(), 3, "{joined}");

    let account = before[1][0]["identities"][0].clone();
    let path = format!("/v1/subjects/{}/splits", joined["id"].as_str().unwrap());
    let asked = json!({ "identity": account, "reason": "не он" });
    let refused = stand.api.post(&stand.keys.read, &path, &asked).await.unwrap();
    assert_eq!(refused.status, 403);
    let ruled = stand.api.post(&stand.keys.admin, &path, &asked).await.unwrap();
    assert_eq!(ruled.status, 202, "{:?}", ruled.body);
    let is_split = async || {
        let ids = (lookup(&stand, &phone).await, lookup(&stand, &telegram).await);
        anyhow::ensure!(ids.0 != ids.1, "still one client");
        Ok(())
    };
    eventually(Duration::from_secs(20), is_split).await.unwrap();
    stand.settled().await.unwrap();
    let mut after = [whole(&stand, &phone).await, whole(&stand, &telegram).await];
    assert_eq!(after[0], before[0]);
    // The account shared its contact meanwhile, which is of its own conversation.
    let shared = after[1][1]["events"].as_array_mut().unwrap().pop().unwrap();
    assert_eq!((&shared["channel"], &shared["action"]), (&json!("telegram"), &json!("message")));
    let said = |whole: &[Value; 3]| [whole[0]["path"].clone(), whole[1]["events"].clone(), whole[2].clone()];
    assert_eq!(said(&after[1]), said(&before[1]));
    assert_eq!(after[1][0]["identities"], before[1][0]["identities"]);

    let path = format!("/v1/subjects/{}", joined["id"].as_str().unwrap());
    joined_and_parted_by_hand(&stand, &path, &asked, [&phone, &telegram]).await;
    // What joined them and who ruled otherwise is still told.
    let link = subject(&stand, &telegram).await["links"][0].clone();
    assert_eq!((&link["holds"], &link["ruling"]["ruling"]), (&json!(false), &json!("apart")));
    assert!(link["named"]["event"].is_string());
}

/// Two clients that are joined and parted again are what they were.
async fn joined_and_parted_by_hand(stand: &Stand, path: &str, asked: &Value, [one, other]: [&str; 2]) {
    let before = [whole(stand, one).await, whole(stand, other).await];
    for (ruling, are_one) in [("joins", true), ("splits", false)] {
        let ruled = stand.api.post(&stand.keys.admin, &format!("{path}/{ruling}"), asked).await.unwrap();
        assert_eq!(ruled.status, 202, "{:?}", ruled.body);
        let shows = async || {
            let ids = (lookup(stand, one).await, lookup(stand, other).await);
            anyhow::ensure!((ids.0 == ids.1) == are_one, "{ruling} do not show");
            Ok(())
        };
        eventually(Duration::from_secs(20), shows).await.unwrap();
        stand.settled().await.unwrap();
    }
    assert_eq!([whole(stand, one).await, whole(stand, other).await], before);
}

async fn a_family_of_one_phone_is_one_subject_and_says_so(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let said = |account: &str, session: &str| {
        json!({
            "timestamp": "2026-03-01T12:00:00+03:00",
            "channel": "telegram",
            "session_id": session,
            "action": "message",
            "contact": { "phone": "+79130001122", "messenger_id": account },
        })
    };
    stand.accept(&said("100100", "his")).await.unwrap();
    stand.accept(&said("200200", "hers")).await.unwrap();
    stand.settled().await.unwrap();
    let family = subject(&stand, "89130001122").await;
    assert_eq!(family["identities"].as_array().unwrap().len(), 3);
    assert_eq!(family["several_accounts"], json!(["telegram"]));

    // At the command line they are found just so, parted, and put together again.
    let found = stand.cli.json(&["subject", "find", "8 913 000-11-22"]).await.unwrap();
    for key in ["id", "identities", "path", "several_accounts", "doors"] {
        assert_eq!(found[key], family[key], "{key}");
    }
    for (ruling, are_one) in [("split", false), ("join", true)] {
        let words = ["subject", ruling, "89130001122", "200200", "--reason", "сказали у стойки"];
        let ruled = stand.cli.json(&words).await.unwrap();
        assert!(!ruled["events"].as_array().unwrap().is_empty(), "{ruled}");
        let shows = async || {
            let ids = (lookup(&stand, "89130001122").await, lookup(&stand, "200200").await);
            anyhow::ensure!((ids.0 == ids.1) == are_one, "{ruling} does not show: {ids:?}");
            Ok(())
        };
        eventually(Duration::from_secs(20), shows).await.unwrap();
    }
}

async fn a_refusal_on_any_channel_withdraws_the_consent(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let whatsapp = Door::open(&stand, SourceKind::Whatsapp).await;
    let client = Client(1);
    let agree = async |when: &str| {
        let consent = json!({ "purpose": "mailing", "granted": true, "text_version": "2025-07" });
        let mut granted = client.site();
        granted["timestamp"] = when.into();
        granted["action"] = "consent_grant".into();
        granted["consent"] = consent;
        stand.accept(&granted).await.unwrap();
    };
    let consents = async || {
        stand.settled().await.unwrap();
        let id = lookup(&stand, &client.phone()).await.unwrap();
        let path = format!("/v1/subjects/{id}/consents");
        let consents = stand.api.get(&stand.keys.read, &path).await.unwrap().body;
        let current = consents["current"].as_array().unwrap();
        assert_eq!(current.len(), 1, "{consents}");
        assert_eq!(current[0]["purpose"], "mailing");
        let holds = (current[0]["granted"].as_bool().unwrap(), current[0]["channel"].clone());
        (holds, consents["records"].as_array().unwrap().len(), path)
    };
    agree("2025-07-01T12:00:00+03:00").await;
    let stop = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
        "field": "user_preferences",
        "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "79990001122", "phone_number_id": "1" },
            "contacts": [{ "profile": { "name": "Анна" }, "wa_id": client.phone() }],
            "user_preferences": [{ "wa_id": client.phone(), "detail": "stop", "category": "marketing_messages",
                "value": "stop", "timestamp": 1_751_600_000 }],
        },
    }] }] });
    let answer = sent(whatsapp.delivery(&stand, &whatsapp.secret, stop.to_string().as_bytes())).await;
    assert_eq!(answer.0, 200);
    let (holds, records, path) = consents().await;
    assert_eq!((holds, records), ((false, json!("whatsapp")), 2));
    // A key of the wrong kind, and nobody's id.
    let path = format!("{path}?tenant=salon");
    assert_eq!(sent(stand.api.request(Method::GET, &path)).await.0, 401);

    // They agree once more, block the bot, and let it write again, which is no consent.
    agree("2025-08-01T12:00:00+03:00").await;
    assert_eq!(consents().await.0, (true, json!("site")));
    for update in
        [client.telegram_message(2), client.telegram_door("member", 2), client.telegram_door("kicked", 1)]
    {
        assert_eq!(stand.api.telegram(&stand.keys.telegram, &update).await.unwrap().status, 200);
    }
    let (holds, records, _) = consents().await;
    assert_eq!((holds, records), ((false, json!("telegram")), 4));

    // And one more time, until a word in a message is the last.
    agree("2025-10-01T12:00:00+03:00").await;
    let mut enough = client.telegram_message(5);
    enough["message"]["date"] = 1_760_000_000.into();
    enough["message"]["text"] = "Стоп!".into();
    assert_eq!(stand.api.telegram(&stand.keys.telegram, &enough).await.unwrap().status, 200);
    let (holds, records, _) = consents().await;
    assert_eq!((holds, records), ((false, json!("telegram")), 6));
}
