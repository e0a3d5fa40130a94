//! What must hold for every body, whatever it is. One target a parser calls it.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use channels::cloudevents::from_headers;
use channels::otlp::Form;
use channels::{
    Answer, Delivery, Mapping, MappingError, Told, Unparsed, handshake, parse, parse_mapped, small_talk,
    told, verify, verify_mapped,
};
use domain::event::Digest;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::public;
use privacy::{MasterKey, MasterKeys, Receipt, TenantKeys, Vault};
use redaction::{Finding, Mode};
use serde_json::Value;
use uuid::Uuid;

/// Parses a body as a messenger of this kind sends it: observations that keep the rules of the public event, the same each
/// time, or one reason that names its spot.
pub fn parse_channel(kind: SourceKind, body: &[u8]) {
    let found = parse(kind, body, Timestamp::EPOCH);
    assert!(parse(kind, body, Timestamp::EPOCH) == found, "the same bytes mean two things");
    judge(found, kind == SourceKind::Events);
}

fn judge(found: Result<Vec<Observation>, Unparsed>, is_ours: bool) {
    match found {
        Ok(observations) => {
            assert!(!observations.is_empty());
            for observation in observations {
                assert!(is_ours || !observation.native_id.is_empty(), "nothing tells it apart");
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
        let Ok(export) = form.split(body, 16 * 1024 * 1024) else { continue };
        for span in export.spans {
            assert!(
                parse(SourceKind::Otlp, span.as_bytes(), Timestamp::EPOCH).is_ok(),
                "let in and not understood"
            );
            parse_channel(SourceKind::Otlp, span.as_bytes());
        }
    }
}

/// What stands between a mapping and a body.
const BORDER: &str = "\n%%%\n";

/// A mapping file and a body that is read by it. A file is a mapping that is kept as it was read, or is told what is wrong
/// with it; a body is then observations or a reason, and lets nobody in.
pub fn read_mapped(bytes: &[u8]) {
    let border = bytes.windows(BORDER.len()).position(|window| window == BORDER.as_bytes());
    let (file, body) = match border {
        Some(at) => (&bytes[..at], &bytes[at + BORDER.len()..]),
        None => (bytes, &b"{}"[..]),
    };
    let mapping = match Mapping::parse(&String::from_utf8_lossy(file)) {
        Ok(mapping) => mapping,
        Err(MappingError::Wrong(faults)) => {
            assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.expected.is_empty()));
            return;
        }
        Err(_not_readable) => return,
    };
    let kept = Mapping::parse(mapping.text().as_str());
    assert!(kept.is_ok_and(|kept| kept == mapping), "a mapping is not kept as it was read");

    let read = || parse_mapped(SourceKind::Mapping, &mapping, body, Timestamp::EPOCH);
    let found = read();
    assert!(read() == found, "the same bytes mean two things");
    judge(found, false);

    let delivery = Delivery { header: &|_name| Some(body), query: &|_name| None, body };
    let is_let_in =
        verify_mapped(SourceKind::Mapping, &mapping, &delivery, &[SECRET], Timestamp::EPOCH).is_ok();
    assert!(!is_let_in, "a mapping lets strangers in");
}

/// Any text: what is found in it stands apart and in order on the borders of letters, and redacting it again finds nothing.
pub fn redact(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for findings in [redaction::find(&text), redaction::health::mentions(&text)] {
        check(&text, &findings);
    }
    let once = redaction::redact(&text);
    assert_eq!(redaction::for_export(&text, Mode::Personal), once);
    assert_eq!(redaction::redact(&once), once, "redacting twice changes something");
    redaction::for_export(&text, Mode::Clinic);
}

fn check(text: &str, findings: &[Finding]) {
    let mut end = 0;
    for Finding { range, .. } in findings {
        assert!(range.start >= end && range.start < range.end, "findings overlap");
        assert!(text.get(range.clone()).is_some(), "a finding ends inside a letter");
        end = range.end;
    }
}

static KEYS: LazyLock<Arc<TenantKeys>> = LazyLock::new(|| {
    let master = MasterKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").expect("43 characters");
    Vault::new(MasterKeys::of_one(master)).tenant(&TenantId::parse("salon").expect("an id"))
});

/// Any JSON as an event: what is kept of its attributes under seal is what would be kept of that again.
pub fn protect(bytes: &[u8]) {
    let Ok(Value::Object(mut event)) = serde_json::from_slice(bytes) else { return };
    let required = [
        ("timestamp", "2026-03-01T12:00:00Z"),
        ("channel", "site"),
        ("session_id", "s"),
        ("action", "message"),
    ];
    for (key, value) in required {
        event.insert(key.to_owned(), value.into());
    }
    let Ok(mut observation) = public::parse(Value::Object(event)) else { return };
    let once = kept(observation.clone());
    observation.attributes = once.clone();
    // Compared as texts: floats may lose their last bit on the way.
    let twice = Value::from(kept(observation)).to_string();
    assert_eq!(twice, Value::from(once).to_string(), "protecting twice changes something");
}

fn kept(observation: Observation) -> serde_json::Map<String, Value> {
    let receipt = Receipt {
        id: ReceiptId::from_uuid(Uuid::nil()),
        tenant: TenantId::parse("salon").expect("an id"),
        source: SourceId::parse("fuzz").expect("an id"),
        received_at: Timestamp::EPOCH,
        payload_digest: Digest::from_bytes([0; 32]),
    };
    let event = KEYS.protect(observation, &receipt);
    let Some(sealed) = &event.details else { return serde_json::Map::new() };
    KEYS.open_details(event.id, sealed).expect("what was sealed opens").attributes
}
/// Parses CloudEvents in their structured form; and in the binary one: the first four lines of the bytes are the values of
/// headers, the fifth the content type, the rest is the data.
pub fn parse_cloudevents(body: &[u8]) {
    parse_channel(SourceKind::Cloudevents, body);
    let mut lines = body.splitn(6, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (id, source, kind, time, content_type, data) = (line(), line(), line(), line(), line(), line());
    let headers = [
        ("ce-specversion", &b"1.0"[..]),
        ("ce-id", id),
        ("ce-source", source),
        ("ce-type", kind),
        ("ce-time", time),
    ];
    if let Ok(event) = from_headers(headers, Some(content_type), data) {
        parse_channel(SourceKind::Cloudevents, event.as_bytes());
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
