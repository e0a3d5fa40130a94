//! The body: received and unpacked within limits, whatever was announced.

use std::io::Read;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use http_kit::problem::{Problem, ProblemKind};

use crate::media::Encoding;

/// How large a body may be, and what to call one that is larger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) received: usize,
    pub(crate) unpacked: usize,
    pub(crate) excess: ProblemKind,
}

impl Limits {
    /// Refuses what is larger than may be received.
    pub(crate) fn admit(self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.received { Err(self.too_large(self.received, "as sent")) } else { Ok(()) }
    }

    fn too_large(self, limit: usize, when: &str) -> Problem {
        Problem::new(self.excess).detail(format!("at most {limit} bytes {when}"))
    }
}

/// Reads the body as sent. Stops as soon as it is too large, or was announced to be.
pub(crate) async fn receive(
    req: &HttpRequest,
    mut payload: Payload,
    limits: Limits,
) -> Result<Bytes, Problem> {
    let announced =
        req.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || limits.too_large(limits.received, "as sent");
    if announced.is_some_and(|length| length > limits.received) {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or_default());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_broken_off| Problem::new(ProblemKind::IncompleteBody))?;
        if body.len() + chunk.len() > limits.received {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Unpacks a body. Never holds more than the limit, however much the body would become.
pub(crate) fn unpack(received: Bytes, encoding: Encoding, limits: Limits) -> Result<Bytes, Problem> {
    let too_large = || limits.too_large(limits.unpacked, "after unpacking");
    match encoding {
        Encoding::Identity if received.len() > limits.unpacked => Err(too_large()),
        Encoding::Identity => Ok(received),
        Encoding::Gzip => {
            let one_too_many = u64::try_from(limits.unpacked).unwrap_or(u64::MAX).saturating_add(1);
            let mut unpacked = Vec::new();
            MultiGzDecoder::new(received.as_ref())
                .take(one_too_many)
                .read_to_end(&mut unpacked)
                .map_err(|_broken| Problem::new(ProblemKind::DecompressionFailed))?;
            if unpacked.len() > limits.unpacked { Err(too_large()) } else { Ok(unpacked.into()) }
        }
    }
}

/// The body as text. Says where it stops being UTF-8, and nothing of what is there.
pub(crate) fn text(body: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Problem::new(ProblemKind::InvalidJson).detail(format!("it is not UTF-8 from byte {at} on"))
    })?;
    if text.trim_ascii().is_empty() { Err(Problem::new(ProblemKind::EmptyBody)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const LIMITS: Limits = Limits { received: 1000, unpacked: 2000, excess: ProblemKind::BodyTooLarge };

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(body: Vec<u8>) -> Result<Bytes, ProblemKind> {
        unpack(body.into(), Encoding::Gzip, LIMITS).map_err(|problem| problem.kind())
    }

    #[test]
    fn gzip_is_unpacked_also_in_several_members() {
        let mut body = packed(b"one ");
        body.extend(packed(b"two"));
        assert_eq!(unpacked(body).unwrap().as_ref(), b"one two");
    }

    #[test]
    fn a_body_of_just_the_limit_passes_and_a_byte_more_does_not() {
        assert_eq!(unpacked(packed(&[b'a'; 2000])).unwrap().len(), 2000);
        assert_eq!(unpacked(packed(&[b'a'; 2001])), Err(ProblemKind::BodyTooLarge));
    }

    #[test]
    fn what_is_cut_off_or_has_something_behind_it_cannot_be_unpacked() {
        let mut cut = packed(b"some text");
        cut.truncate(cut.len() - 3);
        assert_eq!(unpacked(cut), Err(ProblemKind::DecompressionFailed));
        let mut more = packed(b"some text");
        more.extend(b"and more");
        assert_eq!(unpacked(more), Err(ProblemKind::DecompressionFailed));
        assert_eq!(unpacked(Vec::new()), Err(ProblemKind::DecompressionFailed));
    }
}
