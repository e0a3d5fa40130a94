//! Several messages of one topic in one payload: what arrived together travels together, and the bus is asked once.

use bytes::Bytes;
use prost::Message as _;

use crate::codec::DecodeError;
use crate::wire;

/// The most messages in one payload.
pub const MAX_PARTS: usize = 64;

/// No message joins others beyond this many bytes: a payload is held in memory whole.
pub const MAX_BYTES: usize = 256 * 1024;

/// What a packed payload begins with: field 15, bytes. Messages of their own begin with field 1.
const FIRST_BYTE: u8 = 15 << 3 | 2;

/// Packs encoded messages. One alone stays as it is.
#[must_use]
pub fn join(mut parts: Vec<Bytes>) -> Bytes {
    if parts.len() == 1
        && let Some(alone) = parts.pop()
    {
        return alone;
    }
    wire::Pack { parts }.encode_to_vec().into()
}

/// The messages in a payload, without a copy; one that was not packed is its only part.
pub fn parts(payload: &Bytes) -> Result<Vec<Bytes>, DecodeError> {
    if payload.first() != Some(&FIRST_BYTE) {
        return Ok(vec![payload.clone()]);
    }
    Ok(wire::Pack::decode(payload.clone()).map_err(DecodeError::Malformed)?.parts)
}

/// Cuts parts into runs that fit into one payload each, in their order.
#[must_use]
pub fn runs(parts: Vec<Bytes>) -> Vec<Vec<Bytes>> {
    let mut runs: Vec<Vec<Bytes>> = Vec::new();
    let mut bytes = 0;
    for part in parts {
        bytes += part.len();
        match runs.last_mut() {
            Some(run) if run.len() < MAX_PARTS && bytes <= MAX_BYTES => run.push(part),
            _ => {
                bytes = part.len();
                runs.push(vec![part]);
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// As messages are: not empty, and beginning with field 1.
    fn any_parts() -> impl Strategy<Value = Vec<Bytes>> {
        let any_part = vec(any::<u8>(), 0..40).prop_map(|rest| [&[0x0a], rest.as_slice()].concat().into());
        vec(any_part, 1..200)
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_as_it_was_and_in_order(sent in any_parts()) {
            prop_assert_eq!(parts(&join(sent.clone())).unwrap(), sent);
        }

        #[test]
        fn runs_hold_everything_in_order_and_no_more_than_fits(sent in any_parts()) {
            let runs = runs(sent.clone());
            prop_assert!(runs.iter().all(|run| (1..=MAX_PARTS).contains(&run.len())));
            prop_assert_eq!(runs.concat(), sent);
        }

        #[test]
        fn any_bytes_are_parts_or_an_error(bytes in vec(any::<u8>(), 0..100)) {
            drop(parts(&bytes.into()));
        }
    }

    #[test]
    fn large_parts_come_in_several_runs_and_one_too_large_comes_alone() {
        let large = |bytes: usize| Bytes::from(vec![0x0a; bytes]);
        let sent = vec![large(MAX_BYTES / 2), large(MAX_BYTES / 2), large(1), large(2 * MAX_BYTES), large(1)];
        let sizes: Vec<usize> = runs(sent).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 1, 1]);
    }
}
