//! Asking the console as a program would.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, http};
use domain::action::Action;
use domain::channel::Channel;
use domain::observation::{Observation, ObservedAppointment};
use serde_json::Value;

use crate::world::{FixedClock, World, at, tenant};

pub(crate) const NOW: &str = "2026-03-15T12:00:00Z";

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The slug of the problem it is.
    pub(crate) fn problem(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/")
    }
}

pub(crate) async fn world() -> World {
    World::new(Arc::new(FixedClock(at(NOW)))).await
}

/// Asks; the demo's open door leads to `open_tenant`.
pub(crate) async fn ask_open(world: &World, request: TestRequest, open_tenant: Option<&str>) -> Answer {
    let app = App::new().configure(console::routes(world.console(open_tenant.map(tenant))));
    let app = init_service(app).await;
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = read_body(response).await;
    let body = serde_json::from_slice(&body)
        .unwrap_or_else(|_not_json| Value::String(String::from_utf8_lossy(&body).into_owned()));
    Answer { status, headers, body }
}

pub(crate) async fn ask(world: &World, request: TestRequest) -> Answer {
    ask_open(world, request, None).await
}

pub(crate) fn with_key(request: TestRequest, key: &str) -> TestRequest {
    request.insert_header((http::header::AUTHORIZATION, format!("Bearer {key}")))
}

/// GETs with the salon's read key.
pub(crate) async fn get(world: &World, path: &str) -> Answer {
    ask(world, with_key(TestRequest::get().uri(path), &world.keys.read)).await
}

pub(crate) async fn get_as(world: &World, key: &str, path: &str) -> Answer {
    ask(world, with_key(TestRequest::get().uri(path), key)).await
}

pub(crate) async fn post(world: &World, key: &str, path: &str, body: Value) -> Answer {
    ask(world, with_key(TestRequest::post().uri(path).set_json(body), key)).await
}

/// Something that happened on 1 March 2026, `minute` minutes after noon.
pub(crate) fn happened(minute: u32, channel: Channel, session: &str, action: &str) -> Observation {
    let moment = at("2026-03-01T12:00:00Z").plus(std::time::Duration::from_secs(u64::from(minute) * 60));
    Observation::new(moment, channel, session.to_owned(), Action::parse(action).unwrap())
}

pub(crate) fn about(mut observation: Observation, appointment: &str) -> Observation {
    observation.appointment = Some(ObservedAppointment {
        id: appointment.to_owned(),
        starts_at: Some(at("2026-03-02T15:00:00Z")),
        service: Some("Маникюр с покрытием".to_owned()),
        staff: Some("Ольга".to_owned()),
    });
    observation
}
