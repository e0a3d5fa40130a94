//! Who is let in, and what is said at the door.

use std::borrow::Cow;

use channels::{
    Delivery, Mapping, Reply, VerifyError, handshake, small_talk, thanks, token_for_meta, verify,
    verify_mapped,
};
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use crate::fixtures;

/// A delivery with these headers and parameters.
struct Sent {
    headers: Vec<(&'static str, Vec<u8>)>,
    parameters: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn new(body: &[u8]) -> Self {
        Self { headers: Vec::new(), parameters: Vec::new(), body: body.to_vec() }
    }

    fn header(mut self, name: &'static str, value: &[u8]) -> Self {
        self.headers.push((name, value.to_vec()));
        self
    }

    fn parameter(mut self, name: &'static str, value: &str) -> Self {
        self.parameters.push((name, value.to_owned()));
        self
    }

    fn with<T>(&self, act: impl FnOnce(&Delivery<'_>) -> T) -> T {
        let header = |name: &str| {
            let found = self.headers.iter().find(|(header, _)| *header == name)?;
            Some(found.1.as_slice())
        };
        let query = |name: &str| {
            let found = self.parameters.iter().find(|(parameter, _)| *parameter == name)?;
            Some(Cow::from(found.1.as_str()))
        };
        act(&Delivery { header: &header, query: &query, body: &self.body })
    }

    fn verify(&self, kind: SourceKind, secrets: &[&[u8]]) -> Result<(), VerifyError> {
        self.with(|delivery| verify(kind, delivery, secrets, Timestamp::EPOCH))
    }
}

const SECRET: &[u8] = b"s3cr3tKey";

/// What Meta sends: escaped as Meta escapes, and signed over just these bytes. The signature was made by `openssl dgst
/// -sha256 -hmac s3cr3tKey`.
const META_BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[{"text":"\u041f\u0440\u0438\u0432\u0435\u0442 \u00e4 http:\/\/x.ru"}]}"#;
const META_SIGNATURE: &str = "1bd63b2b025c18d1bd3f3259750e5041db54ab446743e1ac0647bda88f135d2e";

/// For each kind that shares a secret: a delivery that proves itself, and where the proof stands.
fn genuine() -> Vec<(SourceKind, Sent)> {
    let text = std::str::from_utf8(SECRET).unwrap();
    let bearer = [b"Bearer ", SECRET].concat();
    let signature = format!("sha256={META_SIGNATURE}");
    vec![
        (SourceKind::Telegram, Sent::new(b"{}").header("x-telegram-bot-api-secret-token", SECRET)),
        (SourceKind::Max, Sent::new(b"{}").header("x-max-bot-api-secret", SECRET)),
        (SourceKind::Whatsapp, Sent::new(META_BODY).header("x-hub-signature-256", signature.as_bytes())),
        (SourceKind::Instagram, Sent::new(META_BODY).header("x-hub-signature-256", signature.as_bytes())),
        (SourceKind::Vk, Sent::new(br#"{"type":"message_new","object":{},"secret":"s3cr3tKey"}"#)),
        (SourceKind::Wazzup, Sent::new(b"{}").parameter("key", text)),
        (SourceKind::Wazzup, Sent::new(b"{}").header("authorization", &bearer)),
        (SourceKind::Avito, Sent::new(b"{}").parameter("key", text)),
        (SourceKind::Jivo, Sent::new(b"{}").parameter("key", text)),
        (SourceKind::Yclients, Sent::new(b"[]").parameter("key", text)),
        (SourceKind::Mapping, Sent::new(b"[]").parameter("key", text)),
        (SourceKind::Cloudevents, Sent::new(b"{}").parameter("key", text)),
        (SourceKind::Cloudevents, Sent::new(b"{}").parameter("access_token", text)),
        (SourceKind::Cloudevents, Sent::new(b"{}").header("authorization", &bearer)),
        (SourceKind::Otlp, Sent::new(b"{}").parameter("key", text)),
        (SourceKind::Otlp, Sent::new(b"{}").header("authorization", &bearer)),
    ]
}

#[test]
fn a_genuine_delivery_of_every_kind_is_let_in_by_either_of_two_live_secrets() {
    let mut kinds: Vec<_> = genuine().iter().map(|(kind, _)| *kind).collect();
    kinds.dedup();
    assert_eq!(kinds.len() + 1, SourceKind::ALL.len(), "all but our own event, which has tests of its own");
    for (kind, sent) in genuine() {
        assert_eq!(sent.verify(kind, &[SECRET]), Ok(()), "{kind}");
        assert_eq!(sent.verify(kind, &[b"0lder", SECRET]), Ok(()), "{kind}");
        assert_eq!(sent.verify(kind, &[b"0lder"]), Err(VerifyError::WrongProof), "{kind}");
        assert_eq!(sent.verify(kind, &[]), Err(VerifyError::NoSecret), "{kind}");
    }
}

#[test]
fn one_bit_wrong_in_secret_or_proof_and_nobody_is_let_in() {
    for (kind, sent) in genuine() {
        for bit in 0..SECRET.len() * 8 {
            let mut secret = SECRET.to_vec();
            secret[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sent.verify(kind, &[&secret]), Err(VerifyError::WrongProof), "{kind}, bit {bit}");
        }
    }
    for bit in 0..META_BODY.len() * 8 {
        let mut body = META_BODY.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let signature = format!("sha256={META_SIGNATURE}");
        let sent = Sent::new(&body).header("x-hub-signature-256", signature.as_bytes());
        assert_eq!(sent.verify(SourceKind::Whatsapp, &[SECRET]), Err(VerifyError::WrongProof), "bit {bit}");
    }
}

/// The token of each of Bitrix24's forms, which stands at the end of them.
#[test]
fn a_token_in_the_body_lets_in_and_with_one_bit_turned_round_does_not() {
    let mapping = Mapping::parse(&crate::mapping::examples()["crm"].mapping).unwrap();
    let let_in = |body: &[u8], secrets: &[&[u8]]| {
        let verify = |delivery: &Delivery<'_>| {
            verify_mapped(SourceKind::Mapping, &mapping, delivery, secrets, Timestamp::EPOCH)
        };
        Sent::new(body).with(verify)
    };
    for (name, body) in fixtures::of_bitrix24() {
        let body = body.trim_ascii_end();
        let (_, token) = body.split_at(body.len() - 32);
        assert_eq!(let_in(body, &[token]), Ok(()), "{name}");
        assert_eq!(let_in(body, &[b"0lder", token]), Ok(()), "{name}");
        assert_eq!(let_in(body, &[]), Err(VerifyError::NoSecret), "{name}");
        for bit in 0..8 * token.len() {
            let mut forged = body.to_vec();
            forged[body.len() - 32 + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(let_in(&forged, &[token]), Err(VerifyError::WrongProof), "{name}, bit {bit}");
        }
    }
    let missing = let_in(b"event=ONCRMLEADADD", &[SECRET]);
    assert!(matches!(missing, Err(VerifyError::MissingProof { .. })), "{missing:?}");
}

/// Every delivery of [`genuine`] with one bit of what proves it turned round, where it can be sent at all.
fn forged() -> Vec<(SourceKind, Sent)> {
    let mut forged = Vec::new();
    for bit in 0..8 * SECRET.len() {
        let turned = |bytes: &[u8], from: usize| {
            let mut bytes = bytes.to_vec();
            bytes[from + bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        for (kind, mut sent) in genuine() {
            if let Some((_, value)) = sent.headers.first_mut() {
                // The end of what a header holds is the proof itself.
                *value = turned(value, value.len() - SECRET.len());
            } else if let Some((_, value)) = sent.parameters.first_mut() {
                let Ok(text) = String::from_utf8(turned(value.as_bytes(), 0)) else { continue };
                *value = text;
            } else {
                let at = sent.body.windows(SECRET.len()).position(|window| window == SECRET).unwrap();
                sent.body = turned(&sent.body, at);
            }
            forged.push((kind, sent));
        }
    }
    forged
}

#[test]
fn a_proof_with_one_bit_turned_round_lets_nobody_in() {
    let forged = forged();
    for (kind, _) in genuine() {
        assert!(forged.iter().filter(|(of, _)| *of == kind).count() >= 7 * SECRET.len(), "{kind}");
    }
    for (kind, sent) in forged {
        // A letter of Meta's hexadecimal may be written large: it is the same signature.
        let is_same = sent.headers.first().is_some_and(|(_, value)| {
            value.to_ascii_lowercase() == format!("sha256={META_SIGNATURE}").as_bytes()
        });
        let expected = if is_same { Ok(()) } else { Err(VerifyError::WrongProof) };
        assert_eq!(sent.verify(kind, &[SECRET, b"0lder"]), expected, "{kind}: {:?}", sent.headers);
    }
}

#[test]
fn a_body_of_metas_that_is_not_ascii_is_verified_as_the_bytes_it_is() {
    // Made by `openssl dgst -sha256 -hmac s3cr3tKey`, as the one above.
    const BODY: &str = "{\"object\":\"instagram\",\"text\":\"Привет, ä 👋 \u{2028}\"}";
    const SIGNATURE: &str = "d99c2d46791e30fc949256af2cf2d240b99f4bcca7f6a2e06fd36d3afb8989a8";
    let signature = format!("sha256={SIGNATURE}");
    let sent = |body: &[u8]| Sent::new(body).header("x-hub-signature-256", signature.as_bytes());
    for kind in [SourceKind::Instagram, SourceKind::Whatsapp] {
        assert_eq!(sent(BODY.as_bytes()).verify(kind, &[SECRET]), Ok(()));
        let escaped = BODY.replace('ä', "\\u00e4");
        assert_eq!(sent(escaped.as_bytes()).verify(kind, &[SECRET]), Err(VerifyError::WrongProof));
        for bit in 0..BODY.len() * 8 {
            let mut body = BODY.as_bytes().to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sent(&body).verify(kind, &[SECRET]), Err(VerifyError::WrongProof), "bit {bit}");
        }
    }
}

#[test]
fn metas_signature_is_over_the_bytes_and_not_over_what_they_say() {
    let said: serde_json::Value = serde_json::from_slice(META_BODY).unwrap();
    let signature = format!("sha256={META_SIGNATURE}");
    let written_again = said.to_string();
    let sent = Sent::new(written_again.as_bytes()).header("x-hub-signature-256", signature.as_bytes());
    assert_eq!(sent.verify(SourceKind::Whatsapp, &[SECRET]), Err(VerifyError::WrongProof));
}

#[test]
fn a_missing_proof_is_named() {
    for (kind, place, name) in [
        (SourceKind::Telegram, "header", "x-telegram-bot-api-secret-token"),
        (SourceKind::Max, "header", "x-max-bot-api-secret"),
        (SourceKind::Whatsapp, "header", "x-hub-signature-256"),
        (SourceKind::Vk, "member", "secret"),
        (SourceKind::Wazzup, "parameter", "key"),
        (SourceKind::Otlp, "parameter", "key"),
        (SourceKind::Cloudevents, "parameter", "key"),
        (SourceKind::Yclients, "parameter", "key"),
    ] {
        let found = Sent::new(b"{}").verify(kind, &[SECRET]);
        assert_eq!(found, Err(VerifyError::MissingProof { place, name: name.into() }), "{kind}");
    }
}

#[test]
fn meta_is_given_its_challenge_for_the_token_we_told_and_nothing_otherwise() {
    let token = token_for_meta(SECRET);
    let ask = |token: &str, challenge: &str| {
        let sent = Sent::new(b"")
            .parameter("hub.mode", "subscribe")
            .parameter("hub.verify_token", token)
            .parameter("hub.challenge", challenge);
        sent.with(|delivery| handshake(SourceKind::Whatsapp, delivery, &[b"0lder", SECRET])).unwrap()
    };
    let Reply { media_type, body } = ask(&token, "1158201444").unwrap();
    assert_eq!((media_type, &*body), ("text/plain; charset=utf-8", "1158201444"));
    assert_eq!(ask("vibecoding", "1158201444"), Err(VerifyError::WrongProof));
    assert_eq!(ask(&token, "<script>"), Err(VerifyError::WrongProof), "no page is printed here");
    assert_ne!(token_for_meta(b"other"), token);

    let bare = Sent::new(b"").with(|delivery| handshake(SourceKind::Instagram, delivery, &[SECRET]));
    let missing = VerifyError::MissingProof { place: "parameter", name: "hub.verify_token".into() };
    assert_eq!(bare, Some(Err(missing)));
    assert_eq!(Sent::new(b"").with(|delivery| handshake(SourceKind::Telegram, delivery, &[SECRET])), None);
}

#[test]
fn vk_is_given_its_confirmation_string_and_thanked_in_its_own_words() {
    let ask = json!({ "type": "confirmation", "group_id": 214_167_102 }).to_string();
    let sent = Sent::new(ask.as_bytes()).parameter("confirm", "1a2b3c4d");
    assert_eq!(sent.verify(SourceKind::Vk, &[SECRET]), Ok(()), "it may come before the secret is set");
    let said = sent.with(|delivery| small_talk(SourceKind::Vk, delivery)).unwrap().unwrap();
    assert_eq!((said.media_type, &*said.body), ("text/plain; charset=utf-8", "1a2b3c4d"));
    assert_eq!(&*thanks(SourceKind::Vk).body, "ok");

    let wrong = json!({ "type": "confirmation", "secret": "other" }).to_string();
    assert_eq!(Sent::new(wrong.as_bytes()).verify(SourceKind::Vk, &[SECRET]), Err(VerifyError::WrongProof));
    let news = Sent::new(&fixtures::one(SourceKind::Vk, "message-new-ref"));
    assert_eq!(news.with(|delivery| small_talk(SourceKind::Vk, delivery)), None);
}

#[test]
fn wazzups_trial_is_answered_and_not_taken_for_a_delivery() {
    let trial = Sent::new(&fixtures::one(SourceKind::Wazzup, "test-ping"));
    assert_eq!(
        trial.with(|delivery| small_talk(SourceKind::Wazzup, delivery)),
        Some(Ok(thanks(SourceKind::Wazzup)))
    );
    let news = Sent::new(&fixtures::one(SourceKind::Wazzup, "statuses-only"));
    assert_eq!(news.with(|delivery| small_talk(SourceKind::Wazzup, delivery)), None);
}

#[test]
fn to_telegram_thanks_are_no_method_to_call() {
    assert_eq!(thanks(SourceKind::Telegram), Reply { media_type: "application/json", body: "{}".into() });
}

#[test]
fn jivo_hears_the_one_answer_it_takes_for_a_good_one() {
    assert_eq!(&*thanks(SourceKind::Jivo).body, r#"{"result":"ok"}"#);
}

proptest! {
    #[test]
    fn whatever_is_sent_nobody_is_let_in_without_the_secret(
        body in prop::collection::vec(any::<u8>(), 0..200),
        proof in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        prop_assume!(proof != SECRET);
        let text = String::from_utf8_lossy(&proof).into_owned();
        let headers = ["x-telegram-bot-api-secret-token", "x-max-bot-api-secret", "x-hub-signature-256"];
        let mut sent = Sent::new(&body).parameter("key", &text);
        for header in headers {
            sent = sent.header(header, &proof);
        }
        for kind in SourceKind::ALL {
            prop_assert!(sent.verify(kind, &[SECRET]).is_err(), "{kind}");
            sent.with(|delivery| small_talk(kind, delivery));
            sent.with(|delivery| handshake(kind, delivery, &[SECRET]));
        }
    }
}
