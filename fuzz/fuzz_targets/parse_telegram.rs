//! The body of a Telegram webhook.

#![no_main]

use channels::{parse, session_hint};
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::public;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(update) = serde_json::from_slice(body) {
        let _any_hint = session_hint(SourceKind::Telegram, &update);
    }
    match parse(SourceKind::Telegram, body, Timestamp::EPOCH) {
        Ok(observations) => {
            assert!(!observations.is_empty());
            for observation in observations {
                assert!(observation.native_id.starts_with("update:"));
                assert!(
                    public::parse(public::print(&observation)).is_ok(),
                    "an observation breaks the rules of the public event"
                );
            }
        }
        Err(unparsed) => {
            assert!(matches!(unparsed.class, ReasonClass::Unreadable | ReasonClass::Invalid));
            assert!(!unparsed.detail.is_empty());
        }
    }
});
