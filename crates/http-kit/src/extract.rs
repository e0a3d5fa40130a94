//! Makes actix's own extractors answer with problems.

use actix_web::error::JsonPayloadError;
use actix_web::web::{JsonConfig, PathConfig, QueryConfig, ServiceConfig};

use crate::problem::{Problem, ProblemKind, describe_json_error};

/// The largest JSON body an extractor reads. The gateway reads bodies itself, by its own limits.
const MAX_JSON_BYTES: usize = 64 * 1024;

/// Sets the error handlers of `web::Json`, `web::Path` and `web::Query`. Harmless to call more than once.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.app_data(
        JsonConfig::default().limit(MAX_JSON_BYTES).error_handler(|error, _req| json_problem(&error).into()),
    );
    // A path parameter that does not parse names nothing that exists.
    cfg.app_data(
        PathConfig::default().error_handler(|_error, _req| Problem::new(ProblemKind::NotFound).into()),
    );
    // The cause may quote what was asked for, which may be a phone number.
    cfg.app_data(QueryConfig::default().error_handler(|_error, _req| {
        Problem::new(ProblemKind::InvalidParameter)
            .detail("a parameter is unknown, given twice, or of the wrong type")
            .into()
    }));
}

fn json_problem(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            Problem::new(ProblemKind::BodyTooLarge).detail(format!("the limit is {MAX_JSON_BYTES} bytes"))
        }
        JsonPayloadError::ContentType => {
            Problem::new(ProblemKind::UnsupportedMediaType).detail("send application/json")
        }
        JsonPayloadError::Deserialize(cause) => {
            let kind = if cause.is_data() { ProblemKind::InvalidParameter } else { ProblemKind::InvalidJson };
            Problem::new(kind).detail(describe_json_error(cause))
        }
        _ => Problem::new(ProblemKind::IncompleteBody),
    }
}
