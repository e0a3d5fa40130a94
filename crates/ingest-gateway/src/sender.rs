//! Who sends: by API key, or by a signature over the body.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::web::Query;
use channels::{Delivery, Mapping, Reply, VerifyError};
use domain::id::SourceId;
use domain::registry::{Scope, Source};
use domain::timestamp::Timestamp;
use http_kit::auth;
use http_kit::problem::{Problem, ProblemKind};

use crate::Gateway;

/// Names the source of a signed request to `/v1/events`.
pub(crate) const SOURCE_HEADER: &str = "letopis-source";
const SIGNATURE_HEADER: &str = "webhook-signature";

/// Who says to be sending.
pub(crate) enum Sender {
    /// A key said so: proven.
    Known(Arc<Source>),
    /// Proven once the signature over the body was checked.
    Claimed(Arc<Source>),
}

impl Sender {
    /// Reads the headers of a request to `/v1/events`.
    pub(crate) async fn of(req: &HttpRequest, gateway: &Gateway) -> Result<Self, Problem> {
        let headers = req.headers();
        let is_signed = headers.contains_key(SIGNATURE_HEADER) || headers.contains_key(SOURCE_HEADER);
        if is_signed && !headers.contains_key(AUTHORIZATION) {
            return signed(req, gateway).await.map(Self::Claimed);
        }
        Self::by_key(req, gateway).await.map(Self::Known)
    }

    /// The source of the ingest key a request carries.
    pub(crate) async fn by_key(req: &HttpRequest, gateway: &Gateway) -> Result<Arc<Source>, Problem> {
        let principal = auth::require(req, &gateway.keyring, Scope::Ingest).await?;
        let source = principal.source.and_then(|source| gateway.keyring.source(&source));
        source.ok_or_else(|| Problem::new(ProblemKind::RevokedKey))
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        match self {
            Self::Known(source) | Self::Claimed(source) => source,
        }
    }
}

async fn signed(req: &HttpRequest, gateway: &Gateway) -> Result<Arc<Source>, Problem> {
    let named = req.headers().get(SOURCE_HEADER).ok_or_else(|| {
        Problem::new(ProblemKind::SignatureMissing)
            .detail("the header Letopis-Source names the source that signs")
    })?;
    known(gateway, named.to_str().unwrap_or_default())
        .await?
        // Whether a source exists is not told to somebody who cannot sign for it.
        .ok_or_else(|| Problem::new(ProblemKind::SignatureInvalid))
}

/// The source of a name, if it may send.
pub(crate) async fn known(gateway: &Gateway, name: &str) -> Result<Option<Arc<Source>>, Problem> {
    if !gateway.keyring.is_loaded() {
        let wait = gateway.config.retry_after;
        return Err(Problem::new(ProblemKind::StoreUnavailable).retry_after(wait));
    }
    match SourceId::parse(name) {
        Ok(id) => Ok(gateway.keyring.find_source(&id).await),
        Err(_no_source_is_called_so) => Ok(None),
    }
}

/// Checks that the source itself sent these bytes, as they were received.
pub(crate) fn prove(
    req: &HttpRequest,
    gateway: &Gateway,
    source: &Source,
    mapping: Option<&Mapping>,
    received: &[u8],
) -> Result<(), Problem> {
    let now = gateway.clock.now();
    with_delivery(req, received, |delivery| verify(gateway, source, mapping, delivery, now))
}

/// Checks a delivery, by whichever door it came, the way its source proves itself.
pub(crate) fn verify(
    gateway: &Gateway,
    source: &Source,
    mapping: Option<&Mapping>,
    delivery: &Delivery<'_>,
    now: Timestamp,
) -> Result<(), Problem> {
    let verified = with_secrets(gateway, source, |secrets| match mapping {
        Some(mapping) => channels::verify_mapped(source.kind, mapping, delivery, secrets, now),
        None => channels::verify(source.kind, delivery, secrets, now),
    });
    verified.map_err(unproven)
}

/// Answers the question by which a messenger makes sure of an address, if this kind asks any.
pub(crate) fn handshake(
    req: &HttpRequest,
    gateway: &Gateway,
    source: &Source,
) -> Option<Result<Reply, Problem>> {
    let answer = with_delivery(req, &[], |delivery| {
        with_secrets(gateway, source, |secrets| channels::handshake(source.kind, delivery, secrets))
    })?;
    Some(answer.map_err(unproven))
}

/// Answers a proven delivery that brings nothing, if it is one.
pub(crate) fn small_talk(req: &HttpRequest, source: &Source, body: &[u8]) -> Option<Result<Reply, Problem>> {
    let answer = with_delivery(req, body, |delivery| channels::small_talk(source.kind, delivery))?;
    Some(answer.map_err(unproven))
}

pub(crate) fn with_delivery<T>(req: &HttpRequest, body: &[u8], act: impl FnOnce(&Delivery<'_>) -> T) -> T {
    let header = |name: &str| req.headers().get(name).map(HeaderValue::as_bytes);
    let parameters = Query::<Vec<(String, String)>>::from_query(req.query_string());
    let parameters = parameters.map(Query::into_inner).unwrap_or_default();
    let query = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name)?;
        Some(Cow::from(found.1.as_str()))
    };
    act(&Delivery { header: &header, query: &query, body })
}

pub(crate) fn with_secrets<T>(gateway: &Gateway, source: &Source, act: impl FnOnce(&[&[u8]]) -> T) -> T {
    let mut opened = Vec::with_capacity(source.secrets.len());
    for secret in &source.secrets {
        match gateway.vault.open_secret(&source.id, &secret.sealed) {
            Ok(secret) => opened.push(secret),
            // Another secret may do; without any, the sender is told that its proof does not fit, the log why.
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, source.id = source.id.as_str(), "failed to open a secret of a source");
            }
        }
    }
    let secrets: Vec<&[u8]> = opened.iter().map(|secret| secret.as_slice()).collect();
    act(&secrets)
}

pub(crate) fn unproven(error: VerifyError) -> Problem {
    match error {
        VerifyError::MissingProof { place, name } => {
            Problem::new(ProblemKind::SignatureMissing).detail(format!("the {place} {name} is missing"))
        }
        VerifyError::WrongProof | VerifyError::NoSecret => Problem::new(ProblemKind::SignatureInvalid),
        VerifyError::Expired => Problem::new(ProblemKind::SignatureExpired),
    }
}
