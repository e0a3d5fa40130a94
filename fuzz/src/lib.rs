//! What must hold for every body, whatever it is. One target a parser calls it.

use std::borrow::Cow;

use channels::otlp::Form;
use channels::{Answer, Delivery, Told, handshake, parse, small_talk, told, verify};
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::public;

/// Parses a body as a messenger of this kind sends it: observations that keep the rules of the public event, the same each
/// time, or one reason that names its spot.
pub fn parse_channel(kind: SourceKind, body: &[u8]) {
    let found = parse(kind, body, Timestamp::EPOCH);
    assert!(parse(kind, body, Timestamp::EPOCH) == found, "the same bytes mean two things");
    match found {
        Ok(observations) => {
            assert!(!observations.is_empty());
            for observation in observations {
                assert!(
                    kind == SourceKind::Events || !observation.native_id.is_empty(),
                    "nothing tells it apart"
                );
                let printed = public::print(&observation);
                assert!(
                    public::parse(printed).is_ok(),
                    "an observation breaks the rules of the public event"
                );
            }
        }
        Err(unparsed) => {
            assert!(matches!(unparsed.class, ReasonClass::Unreadable | ReasonClass::Invalid));
            assert!(!unparsed.detail.is_empty());
        }
    }
}

/// Parses a request of OTLP in both forms, whole and as the door takes it apart: whatever is let in is understood.
pub fn parse_otlp(body: &[u8]) {
    parse_channel(SourceKind::Otlp, body);
    for form in [Form::Json, Form::Protobuf] {
        let Ok(export) = form.split(body) else { continue };
        for span in export.spans {
            assert!(parse(SourceKind::Otlp, span.as_bytes(), Timestamp::EPOCH).is_ok(), "let in and not understood");
            parse_channel(SourceKind::Otlp, span.as_bytes());
        }
    }
}

/// An update and what a bot answered to it: the first line of the bytes is the content type of the answer, the second the
/// update, the rest the answer. What was said is one observation, or a delivery with a reason against it.
pub fn parse_answer(bytes: &[u8]) {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (content_type, update, body) = (line(), line(), line());
    let content_type = std::str::from_utf8(content_type).ok();
    let answer = Answer { content_type, body, at: Timestamp::EPOCH, took_ms: 1 };
    match told(SourceKind::Telegram, update, &answer) {
        Told::Nothing | Told::Unreadable => {}
        Told::Said(delivery) => parse_channel(SourceKind::Telegram, &delivery),
    }
}

/// The secret nobody has.
const SECRET: &[u8] = b"5f3c2b1a0e4d9d577a3b7c1e0190b3a4";

/// Knocks at the door of every kind: the first line of the bytes stands in every header, the second in every parameter of the
/// address, the rest is the body. Nobody is let in.
pub fn knock(bytes: &[u8]) {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (proof, parameter, body) = (line(), line(), line());
    let parameter = String::from_utf8_lossy(parameter);
    let delivery = Delivery {
        header: &|_name| (!proof.is_empty()).then_some(proof),
        query: &|_name| (!parameter.is_empty()).then(|| Cow::from(&*parameter)),
        body,
    };
    for kind in SourceKind::ALL {
        let is_let_in = verify(kind, &delivery, &[SECRET], Timestamp::EPOCH).is_ok();
        let asks = small_talk(kind, &delivery).is_some();
        // VK asks for its confirmation before it is told the secret, and nothing comes of that.
        assert!(!is_let_in || (kind == SourceKind::Vk && asks), "{kind} lets strangers in");
        let told = handshake(kind, &delivery, &[SECRET]);
        assert!(
            !told.is_some_and(|answer| answer.is_ok()),
            "{kind} tells strangers that the address is right"
        );
    }
}
