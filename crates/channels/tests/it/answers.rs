//! What a bot says by answering a delivery that was passed on to it.

use channels::{Answer, Told, can_answer, parse, told};
use domain::action::Actor;
use domain::observation::Observation;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn answer<'a>(content_type: &'a str, body: &'a [u8]) -> Answer<'a> {
    let at = Timestamp::parse("2026-03-01T12:00:00.25Z").unwrap();
    Answer { content_type: Some(content_type), body, at, took_ms: 840 }
}

fn heard(update: &str, content_type: &str, body: &str) -> Told {
    let update = fixtures::one(SourceKind::Telegram, update);
    told(SourceKind::Telegram, &update, &answer(content_type, body.as_bytes()))
}

/// What was said, as the normalizer will read it.
fn said(update: &str, content_type: &str, body: &str) -> Observation {
    let Told::Said(delivery) = heard(update, content_type, body) else { panic!("nothing was said: {body}") };
    let mut found = parse(SourceKind::Telegram, &delivery, Timestamp::EPOCH).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn a_message_in_an_answer_is_the_assistants_in_the_chat_it_names() {
    let call = json!({ "method": "sendMessage", "chat_id": 5_551_112_233_i64, "text": "Да, есть время в 12:00",
        "reply_markup": { "inline_keyboard": [[{ "text": "12:00", "callback_data": "slot:12" }]] } });
    let form = "method=sendMessage&chat_id=5551112233&text=%D0%94%D0%B0%2C+%D0%B5%D1%81%D1%82%D1%8C+%D0%B2%D1%80%D0%B5%D0%BC%D1%8F+%D0%B2+12%3A00";
    for (content_type, body) in [(JSON, call.to_string()), (FORM, form.to_owned())] {
        let seen = said("message-text", content_type, &body);
        assert_eq!(
            (seen.actor, seen.action.as_str(), seen.session.as_str()),
            (Actor::Assistant, "message", "5551112233")
        );
        assert_eq!(seen.texts.assistant.as_deref(), Some("Да, есть время в 12:00"));
        assert_eq!(seen.response_time_ms, Some(840));
        assert_eq!(seen.occurred_at.to_string(), "2026-03-01T12:00:00.25Z");
        assert_eq!(seen.contact.messenger_id.as_deref(), Some("5551112233"));
        assert!(seen.native_id.ends_with(":answer"), "{}", seen.native_id);
    }
}

#[test]
fn what_is_attached_leaves_its_kind_and_its_caption() {
    for (call, attachment, text) in [
        (
            json!({ "method": "sendPhoto", "chat_id": 1, "photo": "AgAC", "caption": "Прайс" }),
            Some("photo"),
            Some("Прайс"),
        ),
        (json!({ "method": "sendVideoNote", "chat_id": 1, "video_note": "a" }), Some("video_note"), None),
        (json!({ "method": "sendPoll", "chat_id": 1, "question": "Когда?" }), Some("poll"), Some("Когда?")),
        (
            json!({ "method": "sendContact", "chat_id": 1, "phone_number": "+79990000001" }),
            Some("contact"),
            None,
        ),
        (
            json!({ "method": "sendMediaGroup", "chat_id": 1, "media": [{ "type": "photo" }, { "caption": "До и после" }] }),
            Some("media_group"),
            Some("До и после"),
        ),
        (
            json!({ "method": "editMessageMedia", "chat_id": 1, "media": { "caption": "Новый" } }),
            None,
            Some("Новый"),
        ),
        (
            json!({ "method": "sendRichMessage", "chat_id": 1, "rich_message": { "markdown": "**Ждём** вас" } }),
            Some("rich_message"),
            Some("**Ждём** вас"),
        ),
        (
            json!({ "method": "sendRichMessage", "chat_id": 1, "rich_message": "{\"html\":\"<b>Ждём</b>\"}" }),
            Some("rich_message"),
            Some("<b>Ждём</b>"),
        ),
        (
            json!({ "method": "editMessageText", "chat_id": 1, "rich_message": { "blocks": [{ "type": "paragraph", "text": "Ждём" }] } }),
            None,
            Some("Ждём"),
        ),
        (json!({ "method": "copyMessage", "chat_id": 1, "from_chat_id": 2, "message_id": 3 }), None, None),
        (json!({ "method": "sendmessage", "chat_id": "1", "text": "a" }), None, Some("a")),
    ] {
        let seen = said("message-text", JSON, &call.to_string());
        assert_eq!(seen.attributes.get("attachment").and_then(Value::as_str), attachment, "{call}");
        assert_eq!(seen.texts.assistant.as_deref(), text, "{call}");
        assert!(!format!("{:?}", seen.attributes).contains("79990000001"), "a phone is no kind");
    }
}

#[test]
fn a_word_under_a_button_is_said_where_it_was_pressed_and_another_edition_is_an_edit() {
    for update in ["callback-query", "callback-query-inaccessible-message", "callback-query-inline"] {
        let toast = json!({ "method": "answerCallbackQuery", "callback_query_id": "1", "text": "Записали" });
        let seen = said(update, JSON, &toast.to_string());
        assert_eq!((seen.session.as_str(), seen.action.as_str()), ("5551112233", "message"));
    }
    let edit = json!({ "method": "editMessageText", "chat_id": 5_551_112_233_i64, "message_id": 1, "text": "12:00 ✓" });
    assert_eq!(said("callback-query", JSON, &edit.to_string()).action.as_str(), "edit");
}

#[test]
fn an_answer_to_a_guest_is_said_where_the_client_is_answered_otherwise() {
    let article = |content: Value| json!({ "type": "article", "id": "1", "title": "Цена", "input_message_content": content });
    let blocks = json!({ "blocks": [{ "type": "paragraph", "text": "От 2000" }] });
    for (result, attachment, text) in [
        (article(json!({ "message_text": "От 2000" })), None, Some("От 2000")),
        (article(json!({ "rich_message": blocks })), Some("rich_message"), Some("От 2000")),
        (article(json!({ "latitude": 55.7, "longitude": 37.6 })), Some("location"), None),
        (
            article(
                json!({ "latitude": 55.7, "longitude": 37.6, "title": "Салон", "address": "Тверская, 1" }),
            ),
            Some("venue"),
            None,
        ),
        (
            json!({ "type": "photo", "id": "1", "photo_file_id": "AgAC", "caption": "Прайс" }),
            Some("photo"),
            Some("Прайс"),
        ),
        (json!({ "type": "mpeg4_gif", "id": "1", "mpeg4_file_id": "a" }), Some("animation"), None),
        // Shown in place of the photo.
        (
            json!({ "type": "photo", "id": "1", "caption": "Прайс", "input_message_content": { "message_text": "От 2000" } }),
            None,
            Some("От 2000"),
        ),
    ] {
        let call = json!({ "method": "answerGuestQuery", "guest_query_id": "abc", "result": result });
        let fields =
            [("method", "answerguestquery"), ("guest_query_id", "abc"), ("result", &result.to_string())];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        for (content_type, body) in [(JSON, call.to_string()), (FORM, form)] {
            let seen = said("guest-message", content_type, &body);
            assert_eq!((seen.session.as_str(), seen.actor), ("5551112233", Actor::Assistant), "{body}");
            assert_eq!(seen.contact.messenger_id.as_deref(), Some("5551112233"), "{body}");
            assert_eq!(seen.texts.assistant.as_deref(), text, "{body}");
            assert_eq!(seen.attributes.get("attachment").and_then(Value::as_str), attachment, "{body}");
            assert_eq!((seen.native_id.as_str(), seen.response_time_ms), ("update:700026:answer", Some(840)));
        }
    }
}

#[test]
fn what_nobody_sees_and_what_comes_back_by_itself_is_no_event() {
    for call in [
        json!({}),
        json!({ "ok": true }),
        json!([]),
        json!({ "method": 5 }),
        json!({ "method": "sendChatAction", "chat_id": 1, "action": "typing" }),
        json!({ "method": "answerCallbackQuery", "callback_query_id": "1" }),
        json!({ "method": "answerPreCheckoutQuery", "pre_checkout_query_id": "1", "ok": true }),
        json!({ "method": "editMessageReplyMarkup", "chat_id": 1, "message_id": 2 }),
        json!({ "method": "answerGuestQuery", "guest_query_id": "1" }),
        json!({ "method": "answerGuestQuery", "guest_query_id": "1", "result": { "type": "article" }, "text": "a" }),
        json!({ "method": "answerInlineQuery", "inline_query_id": "1", "results": [{ "input_message_content": { "message_text": "a" } }] }),
        json!({ "method": "sendMessage", "attachment": "photo", "business_connection_id": "bc_AAA", "chat_id": 1, "text": "a" }),
    ] {
        assert_eq!(heard("message-text", JSON, &call.to_string()), Told::Nothing, "{call}");
    }
    assert_eq!(heard("message-text", "text/plain", "ok"), Told::Nothing);
    assert_eq!(heard("message-text", JSON, ""), Told::Nothing);
    assert_eq!(heard("message-text", JSON, "{\"method\":\"sendMess"), Told::Unreadable);
}

#[test]
fn the_same_answer_to_the_same_update_is_one_event_and_to_another_another() {
    let call = json!({ "method": "sendMessage", "chat_id": 1, "text": "a" }).to_string();
    let first = said("message-text", JSON, &call).native_id;
    assert_eq!(said("message-text", JSON, &call).native_id, first);
    assert_ne!(said("message-voice", JSON, &call).native_id, first);
}

#[test]
fn only_to_telegram_an_answer_says_anything() {
    let call = json!({ "method": "sendMessage", "chat_id": 1, "text": "a" }).to_string();
    for kind in SourceKind::ALL {
        assert_eq!(can_answer(kind), kind == SourceKind::Telegram);
        let heard = told(kind, b"{\"update_id\":1}", &answer(JSON, call.as_bytes()));
        assert_eq!(heard == Told::Nothing, kind != SourceKind::Telegram, "{kind}");
    }
}

proptest! {
    #[test]
    fn whatever_a_bot_answers_what_was_said_can_be_read(
        update in ".{0,40}|\\{\"update_id\":1,\"message\":\\{\"chat\":\\{\"id\":1\\}\\}\\}",
        content_type in "application/json|application/x-www-form-urlencoded|multipart/form-data; boundary=b|.{0,20}",
        method in "send[A-Z][a-z]{0,8}|editMessageText|[a-zA-Z ]{0,10}",
        body in ".{0,60}",
    ) {
        let bodies = [
            body.clone(),
            json!({ "method": method, "chat_id": body, "text": body }).to_string(),
            json!({ "method": "answerGuestQuery", "result": { "type": body, "caption": body } }).to_string(),
            format!("method={method}&text={body}"),
            format!("--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\n{method}\r\n--b\r\n{body}\r\n--b--"),
        ];
        for body in bodies {
            let heard = told(SourceKind::Telegram, update.as_bytes(), &answer(&content_type, body.as_bytes()));
            if let Told::Said(delivery) = heard
                && let Ok(observations) = parse(SourceKind::Telegram, &delivery, Timestamp::EPOCH)
            {
                let printed = event_schema::public::print(&observations[0]);
                prop_assert!(event_schema::public::parse(printed).is_ok());
            }
        }
    }
}
