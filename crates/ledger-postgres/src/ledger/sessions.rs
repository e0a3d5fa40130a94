//! Writing what new events say of their sessions.

use domain::rollup::{Mark, Marks};
use sqlx::PgConnection;

use crate::failure::Failure;
use crate::session_rollup::{Kept, bind_all, columns, merge_by_session};

/// Adds sessions, or merges what is new of them into what is there: column by column what [`domain::rollup`] and
/// [`domain::session::Outcome`] do, so that a row is found, locked and written in one go and nothing of it travels. A
/// test holds the two together. (The domain also knows what two values of one moment come to. Those are of two events
/// with one id, of which the ledger keeps the first, and so it does here.)
const MERGE: &str = concat!(
    "INSERT INTO sessions AS s (",
    columns!(),
    ") SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::bytea[]),
              unnest($6::bigint[]), unnest($7::bytea[]), unnest($8::bigint[]), unnest($9::bigint[]),
              unnest($10::bigint[]), unnest($11::bytea[]), unnest($12::text[]), unnest($13::bigint[]),
              unnest($14::bytea[]), unnest($15::text[]), unnest($16::bigint[]), unnest($17::bigint[]),
              unnest($18::bigint[])
     ON CONFLICT (session, tenant) DO UPDATE SET
         channel = CASE WHEN (excluded.opened_at, excluded.opened_event) < (s.opened_at, s.opened_event)
             THEN excluded.channel ELSE s.channel END,
         opened_at = least(s.opened_at, excluded.opened_at),
         opened_event = CASE WHEN (excluded.opened_at, excluded.opened_event) < (s.opened_at, s.opened_event)
             THEN excluded.opened_event ELSE s.opened_event END,
         last_at = greatest(s.last_at, excluded.last_at),
         last_event = CASE WHEN (excluded.last_at, excluded.last_event) > (s.last_at, s.last_event)
             THEN excluded.last_event ELSE s.last_event END,
         marks = s.marks | excluded.marks,
         lead = CASE WHEN s.lead IS NULL OR (excluded.lead_at, excluded.lead_event) < (s.lead_at, s.lead_event)
             THEN excluded.lead ELSE s.lead END,
         lead_at = least(s.lead_at, excluded.lead_at),
         lead_event = CASE WHEN s.lead IS NULL
                 OR (excluded.lead_at, excluded.lead_event) < (s.lead_at, s.lead_event)
             THEN excluded.lead_event ELSE s.lead_event END,
         step = CASE WHEN s.step IS NULL OR (excluded.step_at, excluded.step_event) > (s.step_at, s.step_event)
             THEN excluded.step ELSE s.step END,
         step_at = greatest(s.step_at, excluded.step_at),
         step_event = CASE WHEN s.step IS NULL
                 OR (excluded.step_at, excluded.step_event) > (s.step_at, s.step_event)
             THEN excluded.step_event ELSE s.step_event END,
         outcome = CASE
             WHEN excluded.step IS NOT NULL AND (s.step IS NULL
                 OR (excluded.step_at, excluded.step_event) > (s.step_at, s.step_event)) THEN excluded.outcome
             WHEN s.step IS NOT NULL THEN s.outcome
             WHEN (s.marks | excluded.marks) & $19 <> 0 THEN 'refused'
             WHEN (s.marks | excluded.marks) & $20 <> 0 THEN 'handed_off'
             WHEN (s.marks | excluded.marks) & $21 <> 0 THEN 'lead'
             WHEN (s.marks | excluded.marks) & $22 <> 0 THEN 'not_served'
             ELSE 'open' END,
         events = s.events + excluded.events,
         first_received = least(s.first_received, excluded.first_received),
         last_received = greatest(s.last_received, excluded.last_received)"
);

/// Merges news into the sessions that are there and adds those that are not.
pub(super) async fn write(connection: &mut PgConnection, news: Vec<Kept>) -> Result<(), Failure> {
    let news = merge_by_session(news);
    if news.is_empty() {
        return Ok(());
    }
    let any_of =
        |marks: &[Mark]| i64::from(marks.iter().fold(Marks::default(), |set, mark| set.with(*mark)).bits());
    bind_all(sqlx::query(MERGE), &news)
        .bind(any_of(&[Mark::Refused]))
        .bind(any_of(&[Mark::HandedOff]))
        .bind(any_of(&[Mark::Lead]))
        .bind(any_of(&[Mark::Declined, Mark::Fallback]))
        .execute(connection)
        .await?;
    Ok(())
}
