//! The command `inspect`: what a body would become.

use std::path::Path;
use std::process::ExitCode;

use domain::registry::SourceKind;
use event_schema::public;
use ports::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::commands::read_input;
use crate::print::Print;

pub(crate) fn run(channel: SourceKind, file: &Path, print: &Print) -> anyhow::Result<ExitCode> {
    let body = read_input(file)?;
    match channels::parse(channel, &body, SystemClock.now()) {
        Ok(observations) => {
            let events: Vec<Value> = observations.iter().map(public::print).collect();
            print.text(&format!("{:#}\n", Value::from(events)));
            Ok(ExitCode::SUCCESS)
        }
        Err(unparsed) => {
            let (class, detail) = (unparsed.class, &unparsed.detail);
            let spot = unparsed.pointer.as_deref().filter(|pointer| !pointer.is_empty());
            let spot = spot.map(|pointer| format!(" at {pointer}")).unwrap_or_default();
            let value = json!({"reason": class.as_str(), "pointer": unparsed.pointer, "detail": detail});
            print.say(&value, &format!("{class}{spot}: {detail}"));
            Ok(ExitCode::FAILURE)
        }
    }
}
