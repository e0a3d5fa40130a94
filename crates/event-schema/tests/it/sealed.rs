//! JSON under seal: read back as written, and readable when a later edition added keys.

use domain::observation::Contact;
use event_schema::sealed::{Details, contact_from_json, contact_to_json};
use proptest::option;
use proptest::prelude::*;

use crate::strategies::{attributes, contact_fields, contact_of};

proptest! {
    #[test]
    fn details_are_read_back_as_written(
        user_text in option::of("\\PC{0,40}"),
        staff in option::of("\\PC{0,40}"),
        attributes in attributes(),
    ) {
        let details = Details { user_text, staff, attributes, ..Details::default() };
        prop_assert!(Details::from_json(&details.to_json()).unwrap() == details);
    }

    #[test]
    fn a_contact_is_read_back_as_written(fields in contact_fields()) {
        let contact = contact_of(fields);
        prop_assert!(contact_from_json(&contact_to_json(&contact)).unwrap() == contact);
    }
}

#[test]
fn keys_of_a_later_edition_are_skipped() {
    assert!(Details::from_json(br#"{"mood":"good"}"#).unwrap().is_empty());
    assert!(contact_from_json(br#"{"city":"x"}"#).unwrap() == Contact::default());
}

#[test]
fn debug_of_details_shows_no_content() {
    let details = Details { user_text: Some("secret".to_owned()), ..Details::default() };
    assert_eq!(format!("{details:?}"), "Details { .. }");
}

#[test]
fn attributes_nested_as_deep_as_the_door_allows_can_be_read_back() {
    let nested = (0..31).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    let event = serde_json::json!({
        "timestamp": "2025-01-01T00:00:00Z", "channel": "site", "session_id": "s", "action": "message", "deep": nested,
    });
    let attributes = event_schema::public::parse(event).unwrap().attributes;
    let details = Details { attributes, ..Details::default() };
    assert!(Details::from_json(&details.to_json()).unwrap() == details);
}
