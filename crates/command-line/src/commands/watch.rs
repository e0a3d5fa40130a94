//! The command `source watch`: waits for what a source sends and says what was understood.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use domain::event::Event;
use domain::id::SourceId;
use domain::registry::Source;
use domain::source_state::{Heard, SourceState};
use event_schema::codec::decode_event;
use ports::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::print::Print;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Events of one instant in one conversation that are looked through for the last one.
const AT_ONCE: u32 = 32;

/// What ends the watching, besides being stopped.
pub(crate) struct Until {
    /// The first event does, also one that came before.
    pub(crate) first: bool,
    /// So much time without one does, with an error.
    pub(crate) wait: Option<Duration>,
}

pub(crate) async fn run(id: &SourceId, until: Until, desk: &Desk, print: &Print) -> anyhow::Result<()> {
    let sources = desk.registry.snapshot().await?.sources;
    let source = sources.into_iter().find(|source| source.id == *id);
    let source = source.with_context(|| format!("there is no source {id}"))?;
    let mut seen = state_of(desk, &source).await?;
    if let Some(heard) = seen.heard.as_ref().filter(|_| until.first) {
        return say_what_came(desk, &source, heard, 0, print).await;
    }
    greet(&source, &seen, print);
    let mut heard_last = Instant::now();
    loop {
        let now = state_of(desk, &source).await?;
        say_what_stopped(&seen, &now, print);
        if let Some(heard) = now.heard.as_ref().filter(|heard| Some(*heard) != seen.heard.as_ref()) {
            let others = now.events_last_day.saturating_sub(seen.events_last_day).saturating_sub(1);
            say_what_came(desk, &source, heard, others, print).await?;
            if until.first {
                return Ok(());
            }
            heard_last = Instant::now();
        }
        seen = now;
        if let Some(wait) = until.wait.filter(|wait| heard_last.elapsed() >= *wait) {
            bail!("nothing came of {id} within {}", humantime::format_duration(wait));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn greet(source: &Source, state: &SourceState, print: &Print) {
    let waited_for = match &state.heard {
        None => "waiting for the first event".to_owned(),
        Some(heard) => format!("waiting for the next event; the last was received {}", heard.last_at),
    };
    print.note(&format!("{} ({}): {waited_for}", source.id, source.kind));
}

/// What was refused or quarantined since the last look: why nothing comes, perhaps.
fn say_what_stopped(before: &SourceState, now: &SourceState, print: &Print) {
    for refused in &now.refused {
        let known = before.refused.iter().find(|known| known.reason == refused.reason);
        let more = refused.times.saturating_sub(known.map_or(0, |known| known.times));
        if more > 0 {
            print.note(&format!(
                "refused at the door: {} (times {more}), last {}",
                refused.reason.as_str(),
                refused.last_at
            ));
        }
    }
    let more = now.quarantined.saturating_sub(before.quarantined);
    if more > 0 {
        print.note(&format!("not understood, in quarantine: {more}"));
    }
}

async fn say_what_came(
    desk: &Desk,
    source: &Source,
    heard: &Heard,
    others: u64,
    print: &Print,
) -> anyhow::Result<()> {
    let mut value = json!({
        "received_at": heard.last_at.to_string(),
        "session": heard.last_session.to_string(),
        "event": heard.last_event.event.to_string(),
        "others": others,
    });
    let mut text = format!("{}  session {}", heard.last_at, heard.last_session);
    if let Some(event) = find(desk, source, heard).await? {
        let understood = understood(&event);
        text = format!("{text}  {}", words(&understood));
        value["understood"] = understood;
    }
    if others > 0 {
        text = format!("{text}  (and {others} more)");
    }
    print.say(&value, &text);
    Ok(())
}

/// What an event says beside its texts, which are for the page.
fn understood(event: &Event) -> Value {
    json!({
        "channel": event.channel.as_str(),
        "actor": event.actor.as_str(),
        "action": event.action.as_str(),
        "occurred_at": event.occurred_at.to_string(),
        "lead": event.lead.map(|lead| lead.to_string()),
        "appointment": event.appointment.as_ref().map(|appointment| appointment.id.to_string()),
        "has_text": event.details.is_some(),
        "known_by": event.aliases.iter().map(|alias| alias.kind.as_str()).collect::<Vec<_>>(),
        "unknown_kind": event.flags.unknown_kind,
        "clock_ahead": event.flags.clock_ahead,
    })
}

fn words(understood: &Value) -> String {
    let word = |name: &str| understood[name].as_str().unwrap_or_default();
    let mut words = vec![format!("{}: {} {}", word("channel"), word("actor"), word("action"))];
    for name in ["lead", "appointment"] {
        if !word(name).is_empty() {
            words.push(format!("{name} {}", word(name)));
        }
    }
    for (name, said) in [("unknown_kind", "of a kind nobody knows"), ("clock_ahead", "the clock is ahead")] {
        if understood[name] == true {
            words.push(said.to_owned());
        }
    }
    words.join(", ")
}

async fn find(desk: &Desk, source: &Source, heard: &Heard) -> anyhow::Result<Option<Event>> {
    let place = heard.just_before();
    let stored = desk.ledger.timeline(&source.tenant, &heard.last_session, Some(place), AT_ONCE).await?;
    for stored in stored {
        let event = decode_event(stored.wire).context("an event is damaged")?;
        if event.id == heard.last_event.event {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

async fn state_of(desk: &Desk, source: &Source) -> anyhow::Result<SourceState> {
    let states = desk.sources.states(Some(&source.tenant), SystemClock.now()).await?;
    let state = states.into_iter().find(|state| state.source == source.id);
    Ok(state.unwrap_or_else(|| SourceState::unheard(source.tenant.clone(), source.id.clone())))
}
