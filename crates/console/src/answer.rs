//! Answers of the API: JSON that no cache keeps, with a tag so that asking again costs little.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::failure;
use http_kit::problem::Problem;

/// Names one state of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// The tag of bytes: equal bytes, equal tag.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(format!("\"{:032x}\"", xxh3_128(bytes)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the caller has this state already.
    pub(crate) fn is_known_to(&self, req: &HttpRequest) -> bool {
        let known = req.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        // A proxy that compresses may have made the tag a weak one.
        known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.0))
    }
}

/// Answers with JSON, or with 304 when it is what the caller has.
pub(crate) fn json<T: Serialize>(req: &HttpRequest, value: &T) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(value).map_err(|cause| failure::internal(&cause))?;
    let tag = Tag::of(&bytes);
    Ok(if tag.is_known_to(req) { not_modified(&tag) } else { respond(&tag, bytes) })
}

/// Like [`json`], of something that has to be `written` down before it is shown: where the caller has it already, nothing
/// is shown and nothing written.
pub(crate) async fn written<T: Serialize>(
    req: &HttpRequest,
    value: &T,
    written: impl Future<Output = Result<(), Problem>>,
) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(value).map_err(|cause| failure::internal(&cause))?;
    let tag = Tag::of(&bytes);
    if tag.is_known_to(req) {
        return Ok(not_modified(&tag));
    }
    written.await?;
    Ok(respond(&tag, bytes))
}

/// Answers with JSON under a tag that was made of less than the whole of it.
pub(crate) fn tagged<T: Serialize>(tag: &Tag, value: &T) -> Result<HttpResponse, Problem> {
    serde_json::to_vec(value).map(|bytes| respond(tag, bytes)).map_err(|cause| failure::internal(&cause))
}

pub(crate) fn not_modified(tag: &Tag) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((ETAG, tag.as_str()))
        .finish()
}

fn respond(tag: &Tag, bytes: Vec<u8>) -> HttpResponse {
    // Conversations are not to be found in the cache of a shared computer: the page keeps the tag by itself.
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((ETAG, tag.as_str()))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(bytes)
}
