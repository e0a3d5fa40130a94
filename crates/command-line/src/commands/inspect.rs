//! The command `inspect`: what a body would become.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use domain::registry::SourceKind;
use event_schema::public;
use ports::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::commands::{read_input, read_mapping};
use crate::print::Print;

pub(crate) fn run(
    channel: Option<SourceKind>,
    mapping: Option<&Path>,
    file: &Path,
    print: &Print,
) -> anyhow::Result<ExitCode> {
    let mapping = mapping.map(read_mapping).transpose()?;
    let channel = channel.unwrap_or(SourceKind::Mapping);
    ensure!(mapping.is_none() || channel.takes_mapping(), "{channel} is not read by a mapping");
    let (body, now) = (read_input(file)?, SystemClock.now());
    let read = match &mapping {
        Some(mapping) => channels::parse_mapped(channel, mapping, &body, now),
        None => channels::parse(channel, &body, now),
    };
    match read {
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
