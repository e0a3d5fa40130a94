//! Around every request: its id, its span, its metrics, and the request id in a problem it ends with.
//!
//! Nothing here shows a path, a query or a header: the route's pattern stands for the path, because a path may hold a
//! lead or a session.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage, HttpResponse};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use tracing::Instrument;
use uuid::Uuid;

use crate::endpoint::Endpoint;
use crate::problem::{Problem, ProblemKind};

/// The header that carries a request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The id of a request, among its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id as text: a UUID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the caller's id only if it is a UUID: anything else could carry anything.
    fn of(req: &ServiceRequest) -> Self {
        let given =
            req.headers().get(REQUEST_ID).and_then(|value| Uuid::try_parse_ascii(value.as_bytes()).ok());
        Self(given.unwrap_or_else(Uuid::now_v7).hyphenated().to_string())
    }
}

/// Counts and times requests. Registered once per process, cloned into every worker.
#[derive(Clone)]
pub struct RequestMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl RequestMetrics {
    /// Makes the metrics known to a registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new("letopis_http_requests_total", "Requests answered, by route and status."),
            &["service", "route", "method", "status"],
        )?;
        let duration = HistogramVec::new(
            HistogramOpts::new(
                "letopis_http_request_duration_seconds",
                "Time from the head of a request to the head of its answer.",
            )
            .buckets(SECONDS.to_vec()),
            &["service", "route", "method"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        Ok(Self { requests, duration })
    }

    fn observe(&self, seen: &Seen, status: u16, took: Duration) {
        let status = status.to_string();
        self.requests.with_label_values(&[seen.service, &seen.route, seen.method, status.as_str()]).inc();
        self.duration
            .with_label_values(&[seen.service, &seen.route, seen.method])
            .observe(took.as_secs_f64());
    }
}

/// The labels of a request: all out of closed sets.
struct Seen {
    service: &'static str,
    route: String,
    method: &'static str,
}

impl Seen {
    fn of<B>(res: &ServiceResponse<B>, method: &'static str) -> Self {
        let req = res.request();
        if let Some(endpoint) = req.app_data::<Endpoint>() {
            return Self { service: endpoint.service, route: endpoint.pattern.to_owned(), method };
        }
        let route = req.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
        Self { service: "none", route, method }
    }
}

fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// How long a request may take from its head to the head of its answer, reading its body included.
pub const LONGEST: Duration = Duration::from_secs(30);

/// The middleware: wrap the whole application in it, outermost.
///
/// A request that is not answered by [`LONGEST`] is given up: what it sent so far is forgotten, and a stop does not wait
/// for a body that never ends.
#[derive(Clone)]
pub struct Telemetry {
    metrics: RequestMetrics,
}

impl Telemetry {
    /// Middleware that reports to these metrics.
    #[must_use]
    pub const fn new(metrics: RequestMetrics) -> Self {
        Self { metrics }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Telemetry
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = TelemetryService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(TelemetryService { service: Rc::new(service), metrics: self.metrics.clone() }))
    }
}

/// [`Telemetry`] around one worker's services.
pub struct TelemetryService<S> {
    service: Rc<S>,
    metrics: RequestMetrics,
}

impl<S, B> Service<ServiceRequest> for TelemetryService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let began = Instant::now();
        let id = RequestId::of(&req);
        let method = label(req.method());
        req.extensions_mut().insert(id.clone());
        let span = tracing::info_span!("request", request.id = id.as_str(), http.method = method);
        let answered = self.service.call(req);
        let metrics = self.metrics.clone();
        let answer = async move {
            let Ok(answered) = tokio::time::timeout(LONGEST, answered).await else {
                let seen = Seen { service: "none", route: "unfinished".to_owned(), method };
                metrics.observe(&seen, 408, began.elapsed());
                return Err(Problem::new(ProblemKind::RequestTimeout).into());
            };
            let res = answered?;
            let seen = Seen::of(&res, method);
            let res = finish(res, &id);
            let (status, took) = (res.status().as_u16(), began.elapsed());
            metrics.observe(&seen, status, took);
            let duration_ms = took.as_secs_f64() * 1000.0;
            if status >= 500 {
                tracing::warn!(http.route = seen.route, http.status = status, duration_ms, "answered");
            } else {
                tracing::debug!(http.route = seen.route, http.status = status, duration_ms, "answered");
            }
            Ok(res)
        };
        Box::pin(answer.instrument(span))
    }
}

/// Puts the request id on the answer, and turns every failure into a problem that names it.
fn finish<B: MessageBody>(res: ServiceResponse<B>, id: &RequestId) -> ServiceResponse<EitherBody<B>> {
    let mut res = match problem_of(&res) {
        Some(problem) => {
            let (request, old) = res.into_parts();
            let mut new = problem.render(Some(id.as_str()));
            keep_headers(&old, &mut new);
            ServiceResponse::new(request, new.map_into_right_body())
        }
        None => res.map_into_left_body(),
    };
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        res.headers_mut().insert(REQUEST_ID, value);
    }
    res
}

/// The problem to answer with, if the answer is a failure that is not written out already.
fn problem_of<B: MessageBody>(res: &ServiceResponse<B>) -> Option<Problem> {
    let status = res.status();
    if let Some(error) = res.response().error() {
        if let Some(problem) = error.as_error::<Problem>() {
            return Some(problem.clone());
        }
        if status.is_server_error() {
            tracing::error!(error = %error, "failed to answer a request");
        }
        return Some(Problem::new(ProblemKind::of_status(status.as_u16())));
    }
    let is_bare = matches!(res.response().body().size(), BodySize::None | BodySize::Sized(0));
    let is_failure = status.is_client_error() || status.is_server_error();
    (is_failure && is_bare).then(|| Problem::new(ProblemKind::of_status(status.as_u16())))
}

/// What inner layers set, such as a content security policy, stays; what the problem says itself wins.
fn keep_headers<B>(old: &HttpResponse<B>, new: &mut HttpResponse) {
    for (name, value) in old.headers() {
        if !new.headers().contains_key(name) {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
}
