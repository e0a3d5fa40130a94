//! Messages, edits and pressed buttons.

use domain::action::{Action, Actor};
use domain::observation::{Contact, Observation, Texts};
use serde_json::Value;

use super::person::{contact, is_private};
use super::{LABEL, TEXT, Update, payment, rich};
use crate::Unparsed;
use crate::json::{Spot, integer_under, text_under};
use crate::referral::Referral;
use crate::seen::{kind_name, note, word};

/// Whether a message is new or another edition of an old one.
#[derive(Clone, Copy)]
pub(super) enum Said {
    First,
    Edited,
}

/// What a message can carry beside text. The first that fits is named: an animation is also sent as a document, and a
/// venue as a location, for bots that know no better.
const ATTACHMENTS: [&str; 22] = [
    "animation",
    "audio",
    "photo",
    "live_photo",
    "video",
    "video_note",
    "voice",
    "sticker",
    "story",
    "paid_media",
    "document",
    "contact",
    "venue",
    "location",
    "poll",
    "dice",
    "game",
    "checklist",
    "invoice",
    "giveaway",
    "giveaway_winners",
    "rich_message",
];

/// Keys that say who, where, when and how, not what. Of the other keys of a message without content, the first names it.
const ENVELOPE: [&str; 49] = [
    "author_signature",
    "business_connection_id",
    "caption_entities",
    "chat",
    "date",
    "direct_messages_topic",
    "edit_date",
    "effect_id",
    "entities",
    "external_reply",
    "forward_date",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_origin",
    "forward_sender_name",
    "forward_signature",
    "from",
    "guest_bot_caller_chat",
    "guest_bot_caller_user",
    "guest_query_id",
    "has_media_spoiler",
    "has_protected_content",
    "is_automatic_forward",
    "is_from_offline",
    "is_paid_post",
    "is_topic_message",
    "link_preview_options",
    "media_group_id",
    "message_id",
    "message_thread_id",
    // Beside `new_chat_members`, for bots of ten years ago.
    "new_chat_member",
    "new_chat_participant",
    "paid_message_star_count",
    "paid_star_count",
    "quote",
    "receiver_user",
    "reply_markup",
    "reply_to_checklist_task_id",
    "reply_to_message",
    "reply_to_poll_option_id",
    "reply_to_story",
    "sender_boost_count",
    "sender_business_bot",
    "sender_chat",
    "sender_tag",
    "show_caption_above_media",
    "suggested_post_info",
    "via_bot",
];

/// A message, or another edition of it.
pub(super) fn observe(
    update: &Update<'_>,
    message: Spot<'_>,
    position: usize,
    said: Said,
) -> Result<Observation, Unparsed> {
    let message = message.object()?;
    let chat = message.need("chat")?;
    let session = match asked_by(&message) {
        // Elsewhere, in a chat with somebody else: what is said to the bot belongs to what the client says to it otherwise.
        Some(client) => client.need("id")?,
        None => chat.need("id")?,
    };
    let session = session.integer()?.to_string();
    let at = match said {
        Said::Edited if message.has("edit_date") => update.instant(&message, "edit_date")?,
        Said::First | Said::Edited => update.instant(&message, "date")?,
    };
    let actor = author(&message, &chat)?;
    let mut text = match text_under(&message, "text", TEXT)? {
        None => text_under(&message, "caption", TEXT)?,
        text => text,
    };
    text = text.or_else(|| rich::text(message.get("rich_message")?.value()));
    let attachment = ATTACHMENTS.into_iter().find(|kind| message.has(kind));

    let mut observation = update.observation(position, at, session, Action::Message);
    observation.actor = actor;
    observation.contact = client(&message, &chat, actor)?;
    let is_other_bot = message.get("from").is_some_and(|from| is_bot(&from)) && !message.has("sender_chat");
    if actor == Actor::Client && is_other_bot {
        observation.attributes.insert("is_bot".to_owned(), Value::from(true));
    }
    if message.get("is_from_offline").is_some_and(|flag| flag.is_true()) {
        // A greeting, an answer while away, or something sent at a time chosen before: nobody of the business sat there.
        observation.attributes.insert("automatic".to_owned(), Value::from(true));
    }
    if let Some(kind) = attachment {
        observation.attributes.insert("attachment".to_owned(), Value::from(kind));
    }
    match said {
        Said::Edited => observation.action = word("edit"),
        Said::First if message.has("successful_payment") => {
            observation.action = Action::Pay;
            payment::sum(&mut observation, &message.need("successful_payment")?)?;
        }
        Said::First if message.has("refunded_payment") => {
            observation.action = word("refund");
            payment::sum(&mut observation, &message.need("refunded_payment")?)?;
        }
        Said::First if message.has("web_app_data") => {
            text = filled_in(&mut observation, &message.need("web_app_data")?)?;
        }
        Said::First if text.is_none() && attachment.is_none() => service(&mut observation, &message),
        Said::First => (),
    }
    share_contact(&mut observation, &message)?;
    if actor == Actor::Client {
        referral(&mut observation, text.as_deref());
        keep_words_of_bot(&mut observation, message.get("reply_to_message"));
        observation.texts.user = text;
    } else {
        observation.texts = Texts { user: None, assistant: text };
    }
    Ok(observation)
}

/// A form in a Mini App was filled in, which was opened by a button with this text. Telegram lets it hold 4,096 bytes.
fn filled_in(observation: &mut Observation, form: &Spot<'_>) -> Result<Option<String>, Unparsed> {
    observation.action = word("button");
    note(observation, "data", text_under(form, "data", TEXT)?);
    text_under(form, "button_text", TEXT)
}

/// A button under a message was pressed. The message's date is when it was sent, which may be days before the press, so
/// the press is dated by its arrival.
pub(super) fn pressed(
    update: &Update<'_>,
    query: Spot<'_>,
    position: usize,
) -> Result<Observation, Unparsed> {
    let from = query.need("from")?;
    let chat = query.get("message").and_then(|message| message.get("chat"));
    // A button under a message sent through inline mode has no chat; the person's own chat with the bot has their id.
    let chat = chat.unwrap_or(from);
    let session = chat.need("id")?.integer()?.to_string();

    let mut observation = update.observation(position, update.received_at, session, word("button"));
    observation.actor = Actor::Client;
    observation.contact = contact(&from)?;
    let data = text_under(&query, "data", LABEL)?;
    let message = query.get("message");
    observation.texts.user = data.as_deref().and_then(|data| label(message?, data)).map(str::to_owned);
    keep_words_of_bot(&mut observation, message);
    note(&mut observation, "data", data);
    Ok(observation)
}

/// What stands on the button with this data.
fn label<'v>(message: Spot<'v>, data: &str) -> Option<&'v str> {
    let rows = message.get("reply_markup")?.get("inline_keyboard")?.array().ok()?;
    let mut buttons = rows.filter_map(|row| row.array().ok()).flatten();
    let pressed = buttons.find(|button| button.get("callback_data").is_some_and(|of| of.is_word(data)))?;
    pressed.word("text")
}

/// The words of the bot's that the client answers, or under which they press a button. They are kept with what the client
/// did: as an event they would be there twice, for the bot reports them, too.
fn keep_words_of_bot(observation: &mut Observation, message: Option<Spot<'_>>) {
    let said = message.filter(|message| {
        message.get("from").is_some_and(|from| is_bot(&from)) || message.has("sender_business_bot")
    });
    let text = said.and_then(|said| {
        let text = |key: &str| text_under(&said, key, TEXT).ok().flatten();
        let rich = || rich::text(said.get("rich_message")?.value());
        text("text").or_else(|| text("caption")).or_else(rich)
    });
    note(observation, "in_reply_to", text);
}

fn is_bot(person: &Spot<'_>) -> bool {
    person.get("is_bot").is_some_and(|flag| flag.is_true())
}

/// Who wrote a message that the bot can see. Its own do not come back, so that any other bot is somebody the business talks to.
fn author(message: &Spot<'_>, chat: &Spot<'_>) -> Result<Actor, Unparsed> {
    let is = |key: &str| message.get(key).is_some_and(|flag| flag.is_true());
    let chat_id = chat.need("id")?.integer()?;
    if message.has("sender_business_bot") || message.has("refunded_payment") {
        return Ok(Actor::Assistant);
    }
    if asked_by(message).is_some() {
        return Ok(Actor::Client);
    }
    if let Some(sender) = message.get("sender_chat") {
        // An administrator hidden behind the group, or a post of the business's own channel under discussion.
        let hidden = integer_under(&sender, "id")? == Some(chat_id);
        return Ok(if hidden || is("is_automatic_forward") { Actor::Staff } else { Actor::Client });
    }
    let Some(from) = message.get("from") else { return Ok(Actor::System) };
    // A private chat has the client's id; in a chat of a business account the other side is a human of the business. A bot on
    // that side can only be its own.
    let other_side = is_private(chat) && from.need("id")?.integer()? != chat_id;
    Ok(match other_side {
        true if is_bot(&from) => Actor::Assistant,
        true => Actor::Staff,
        false => Actor::Client,
    })
}

/// Who called the bot as a guest into a chat it is not in.
pub(super) fn asked_by<'v>(message: &Spot<'v>) -> Option<Spot<'v>> {
    message.get("guest_query_id").and(message.get("from"))
}

/// The client of the conversation, who in a private chat is known even when the business speaks.
fn client(message: &Spot<'_>, chat: &Spot<'_>, actor: Actor) -> Result<Contact, Unparsed> {
    if is_private(chat) && actor != Actor::Client {
        return contact(chat);
    }
    match message.get("from") {
        // Someone who writes in the name of a channel comes with the id of a bot that all such people share.
        Some(from) if actor == Actor::Client && !message.has("sender_chat") => contact(&from),
        _ => Ok(Contact::default()),
    }
}

/// A shared contact is the sender's own only when Telegram says whose it is; a phone typed or forwarded proves nothing.
fn share_contact(observation: &mut Observation, message: &Spot<'_>) -> Result<(), Unparsed> {
    let Some(shared) = message.get("contact") else { return Ok(()) };
    let owner = integer_under(&shared, "user_id")?;
    let sender = message.get("from").map(|from| integer_under(&from, "id")).transpose()?.flatten();
    if owner.is_some() && owner == sender && observation.actor == Actor::Client {
        observation.contact.phone = text_under(&shared, "phone_number", LABEL)?;
    } else {
        observation.attributes.insert("contact_of_another".to_owned(), Value::from(true));
    }
    Ok(())
}

/// `/start <payload>` is how a client who followed a link shows which one.
fn referral(observation: &mut Observation, text: Option<&str>) {
    let payload = text.and_then(|text| text.strip_prefix("/start")).and_then(|rest| {
        let (addressee, payload) = rest.split_once(' ')?;
        (addressee.is_empty() || addressee.starts_with('@')).then(|| payload.trim())
    });
    if let Some(payload) = payload {
        Referral::by_link().with_ref(payload).note(observation);
    }
}

/// A notice of Telegram's own in the form of a message: somebody joined, the group moved, a message was pinned.
fn service(observation: &mut Observation, message: &Spot<'_>) {
    observation.action = word("service_message");
    observation.actor = Actor::System;
    let kind = message.keys().find(|key| !ENVELOPE.contains(key)).unwrap_or("empty");
    observation.attributes.insert("kind".to_owned(), kind_name(kind));
    // The conversation goes on under another id, and says so on both sides; with this, a person can follow it.
    for key in ["migrate_to_chat_id", "migrate_from_chat_id"] {
        let id = message.get(key).and_then(|id| id.integer().ok());
        note(observation, key, id.map(|id| id.to_string()));
    }
}
