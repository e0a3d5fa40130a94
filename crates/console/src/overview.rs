//! `GET /v1/overview`: what the conversations of a period became, by channel and in total.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::channel::Channel;
use domain::overview::{AppointmentFigures, ChannelFigures, Rate, SessionFigures};
use http_kit::endpoint::Endpoint;
use http_kit::problem::Problem;
use ports::analytics::Period;
use serde::Serialize;

use crate::parameters::{Parameters, invalid};
use crate::{Console, access, answer, failure};

pub(crate) const OVERVIEW: Endpoint =
    Endpoint { service: "console", pattern: "/v1/overview", methods: &["GET"] };

const DEFAULT_PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Serialize)]
struct Overview {
    tenant: String,
    from: String,
    until: String,
    total: Figures,
    channels: Vec<ChannelRow>,
}

#[derive(Serialize)]
struct ChannelRow {
    channel: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct Figures {
    sessions: SessionCounts,
    appointments: AppointmentCounts,
    conversion: RateView,
    no_show: RateView,
}

#[derive(Serialize)]
struct SessionCounts {
    total: u64,
    with_lead: u64,
    booked: u64,
    visited: u64,
    refused: u64,
    with_fallback: u64,
    handed_off: u64,
}

#[derive(Serialize)]
struct AppointmentCounts {
    booked: u64,
    attended: u64,
    no_show: u64,
    cancelled: u64,
}

/// A share with its 95 % Wilson interval; no value out of nothing.
#[derive(Serialize)]
struct RateView {
    x: u64,
    n: u64,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

pub(crate) async fn overview(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["from", "until"])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let until = parameters.instant("until")?.unwrap_or_else(|| console.clock.now());
    let from = parameters.instant("from")?.unwrap_or_else(|| until.minus(DEFAULT_PERIOD));
    if until <= from {
        return Err(invalid("until", "an instant after `from`"));
    }
    let rows = console.analytics.overview(&tenant, Period { from, until }).await;
    let rows = rows.map_err(failure::of_analytics)?;
    let total = rows.iter().fold(nothing(), add);
    let channel_row =
        |row: &ChannelFigures| ChannelRow { channel: row.channel.as_str(), figures: Figures::from(row) };
    answer::json(
        &req,
        &Overview {
            tenant: tenant.to_string(),
            from: from.to_string(),
            until: until.to_string(),
            total: Figures::from(&total),
            channels: rows.iter().map(channel_row).collect(),
        },
    )
}

/// The sum's own channel means nothing and is shown nowhere.
fn nothing() -> ChannelFigures {
    ChannelFigures {
        channel: Channel::Other,
        sessions: SessionFigures::default(),
        appointments: AppointmentFigures::default(),
    }
}

/// Sessions and appointments belong to the one channel they began at, so the rows may be added.
fn add(sum: ChannelFigures, row: &ChannelFigures) -> ChannelFigures {
    let (s, r) = (sum.sessions, row.sessions);
    let (a, b) = (sum.appointments, row.appointments);
    ChannelFigures {
        channel: sum.channel,
        sessions: SessionFigures {
            total: s.total + r.total,
            with_lead: s.with_lead + r.with_lead,
            booked: s.booked + r.booked,
            visited: s.visited + r.visited,
            refused: s.refused + r.refused,
            with_fallback: s.with_fallback + r.with_fallback,
            handed_off: s.handed_off + r.handed_off,
        },
        appointments: AppointmentFigures {
            booked: a.booked + b.booked,
            attended: a.attended + b.attended,
            no_show: a.no_show + b.no_show,
            cancelled: a.cancelled + b.cancelled,
        },
    }
}

impl From<&ChannelFigures> for Figures {
    fn from(figures: &ChannelFigures) -> Self {
        let ChannelFigures { sessions, appointments, .. } = figures;
        Self {
            sessions: SessionCounts {
                total: sessions.total,
                with_lead: sessions.with_lead,
                booked: sessions.booked,
                visited: sessions.visited,
                refused: sessions.refused,
                with_fallback: sessions.with_fallback,
                handed_off: sessions.handed_off,
            },
            appointments: AppointmentCounts {
                booked: appointments.booked,
                attended: appointments.attended,
                no_show: appointments.no_show,
                cancelled: appointments.cancelled,
            },
            conversion: figures.conversion().into(),
            no_show: figures.no_show_rate().into(),
        }
    }
}

impl From<Rate> for RateView {
    fn from(rate: Rate) -> Self {
        let (low, high) = rate.interval().unzip();
        Self { x: rate.x, n: rate.n, value: rate.value(), low, high }
    }
}
