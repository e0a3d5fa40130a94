//! Cursors: the place of the last row of a page, as one opaque word.
//!
//! A version, the list it belongs to, an instant, and what breaks ties, in base64url. Not secret and not signed: it
//! says nothing but where to go on, within a tenant that is taken from the key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{EventId, ReceiptId, SessionId};
use domain::rollup::Moment;
use domain::timestamp::Timestamp;
use ports::ledger::SessionCursor;

const VERSION: u8 = 1;
const SESSION: u8 = b's';
const EVENT: u8 = b'e';
const QUARANTINE: u8 = b'q';
const AUDIT: u8 = b'a';

pub(crate) fn of_session(place: &SessionCursor) -> String {
    encode(SESSION, place.last_at, place.session.as_str().as_bytes())
}

pub(crate) fn to_session(text: &str) -> Option<SessionCursor> {
    let (last_at, rest) = decode(SESSION, text)?;
    let session = SessionId::parse(std::str::from_utf8(&rest).ok()?).ok()?;
    Some(SessionCursor { last_at, session })
}

pub(crate) fn of_event(place: Moment) -> String {
    encode(EVENT, place.at, place.event.as_bytes())
}

pub(crate) fn to_event(text: &str) -> Option<Moment> {
    let (at, rest) = decode(EVENT, text)?;
    Some(Moment { at, event: EventId::from_slice(&rest)? })
}

pub(crate) fn of_quarantine(at: Timestamp, receipt: ReceiptId) -> String {
    encode(QUARANTINE, at, receipt.as_bytes())
}

pub(crate) fn to_quarantine(text: &str) -> Option<(Timestamp, ReceiptId)> {
    let (at, rest) = decode(QUARANTINE, text)?;
    Some((at, ReceiptId::from_slice(&rest)?))
}

pub(crate) fn of_audit(at: Timestamp, number: i64) -> String {
    encode(AUDIT, at, &number.to_be_bytes())
}

pub(crate) fn to_audit(text: &str) -> Option<i64> {
    let (_at, rest) = decode(AUDIT, text)?;
    Some(i64::from_be_bytes(rest.try_into().ok()?))
}

fn encode(list: u8, at: Timestamp, rest: &[u8]) -> String {
    let mut bytes = vec![VERSION, list];
    bytes.extend_from_slice(&at.unix_micros().to_be_bytes());
    bytes.extend_from_slice(rest);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(list: u8, text: &str) -> Option<(Timestamp, Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (head, rest) = bytes.split_at_checked(10)?;
    let (marks, at) = head.split_at(2);
    if marks != [VERSION, list] {
        return None;
    }
    let at = Timestamp::from_unix_micros(i64::from_be_bytes(at.try_into().ok()?)).ok()?;
    Some((at, rest.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_the_place_it_was_made_of() {
        let at = Timestamp::parse("2026-01-01T00:00:00.000001Z").unwrap();
        let session = SessionCursor { last_at: at, session: SessionId::parse("разговор/1").unwrap() };
        assert_eq!(to_session(&of_session(&session)), Some(session));
        let receipt = ReceiptId::generate();
        assert_eq!(to_quarantine(&of_quarantine(at, receipt)), Some((at, receipt)));
        assert_eq!(to_audit(&of_audit(at, 7_001)), Some(7_001));
        let moment = Moment { at, event: EventId::from_uuid(*receipt.as_uuid()) };
        assert_eq!(to_event(&of_event(moment)), Some(moment));
    }

    #[test]
    fn what_is_not_a_cursor_of_this_list_is_refused() {
        let at = Timestamp::EPOCH;
        let foreign = of_quarantine(at, ReceiptId::generate());
        for text in ["", "AA", "%%%", "AXM", foreign.as_str(), &"A".repeat(1000)] {
            assert!(to_session(text).is_none(), "{text}");
        }
        let of_year_2200 = encode(EVENT, at, &[0; 16]).replacen("AAAA", "fwAA", 1);
        assert!(to_event(&of_year_2200).is_none());
    }
}
