//! The command `master-key`: the keys everything is sealed with, and how one takes the place of another.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use console::reseal::{Pass, Resealer, Tally};
use domain::timestamp::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
use ports::bus::{EventBus, READERS, Topic};
use ports::clock::{Clock as _, SystemClock};
use ports::seals::Place;
use privacy::{Generation, MasterKeys};
use serde_json::{Value, json};

use crate::cli::MasterKeyCommand;
use crate::key_file::KeyFile;
use crate::office::Office;
use crate::print::Print;
use crate::program::Program;

/// How long something sealed under a former key may lie where nothing is sealed anew: answers of bots are kept for a
/// day, and a process of before that is still running has been restarted by then.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often everything is gone through before it is believed that a process still has the old file.
const PASSES: usize = 5;

/// How long what is on the bus may take to be stored, and how often it is looked at meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How far this clock may be behind those of whoever publishes.
const CLOCKS_APART: Duration = Duration::from_secs(5);

pub(crate) async fn run(
    command: MasterKeyCommand,
    office: &impl Office,
    print: &Print,
) -> anyhow::Result<()> {
    let file = office.key_file()?;
    match command {
        MasterKeyCommand::Make => make(&file, print),
        MasterKeyCommand::Next => next(&file, office.program(), print),
        MasterKeyCommand::Promote => {
            let _no_server = office.keep_servers_out()?;
            promote(&file, office.program(), print)
        }
        MasterKeyCommand::Services { file: services } => {
            write_for_services(&file, &services, office.program(), print)
        }
        MasterKeyCommand::Status { count } => status(&file, count, office, print).await,
        MasterKeyCommand::Reseal => {
            whole(&file, office.program())?;
            let tallies = pass_all(&office.resealer().await?, Pass::Reseal, print).await?;
            say_resealed(&tallies, office.program(), print);
            Ok(())
        }
        MasterKeyCommand::Retire { without_waiting } => retire(&file, without_waiting, office, print).await,
    }
}

fn make(file: &KeyFile, print: &Print) -> anyhow::Result<()> {
    let path = file.path();
    let shown = path.display();
    file.make()?
        .with_context(|| format!("there are keys in {shown} already: make no others beside old data"))?;
    let text = format!("{shown} made: keep a copy of it apart from the databases");
    print.say(&json!({"master_key_file": path}), &text);
    Ok(())
}

fn next(file: &KeyFile, program: Program, print: &Print) -> anyhow::Result<()> {
    let before = whole(file, program)?;
    let after = before.clone().with_next(Generation::generate()?)?;
    file.replace(&before, &after)?;
    let text = format!(
        "a next key is in {}: start every process with this file (services of a cluster with what {name} master-key \
         services makes of it), then {name} master-key promote",
        file.path().display(),
        name = program.name
    );
    print.say(&json!({"next": after.next().map(|key| key.id().to_string())}), &text);
    Ok(())
}

fn promote(file: &KeyFile, program: Program, print: &Print) -> anyhow::Result<()> {
    let before = whole(file, program)?;
    let after = before.clone().promoted(SystemClock.now())?;
    file.replace(&before, &after)?;
    let text = format!(
        "key {} seals from the next start on; what the former one sealed is sealed anew then, {} master-key status \
         --count shows how far",
        after.current().id(),
        program.name
    );
    print.say(&json!({"current": after.current().id().to_string()}), &text);
    Ok(())
}

fn write_for_services(
    file: &KeyFile,
    services: &Path,
    program: Program,
    print: &Print,
) -> anyhow::Result<()> {
    let keys = whole(file, program)?;
    // The file of a release before may be given a key for contacts by `next`: services need it before it seals.
    ensure!(
        keys.clone().for_services() != keys,
        "contacts have no key of their own in {} yet: put one into it with {} master-key next",
        file.path().display(),
        program.name
    );
    let shown = services.display();
    ensure!(
        KeyFile::at(services).add(&keys.for_services())?,
        "there is a file {shown} already: name another"
    );
    let text = format!("{shown} made: start services with it, and keep {} from them", file.path().display());
    print.say(&json!({"services_key_file": services}), &text);
    Ok(())
}

async fn status(file: &KeyFile, count: bool, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let keys = known(file, office.program())?;
    let rows = key_rows(&keys);
    if !count {
        print.list(&rows, &KEY_COLUMNS, "");
        return Ok(());
    }
    let tallies = pass_all(&office.resealer().await?, Pass::Count, print).await?;
    let places = place_rows(&tallies);
    if print.is_json() {
        print.say(&json!({"keys": rows, "places": places}), "");
    } else {
        print.list(&rows, &KEY_COLUMNS, "");
        print.text("\n");
        print.list(&places, &PLACE_COLUMNS, "");
    }
    Ok(())
}

/// What is on the bus first, then what it became: nothing sealed under a former key gets past both.
async fn retire(
    file: &KeyFile,
    without_waiting: bool,
    office: &impl Office,
    print: &Print,
) -> anyhow::Result<()> {
    let before = whole(file, office.program())?;
    let Some(since) = before.former().iter().map(|former| former.since).max() else {
        print.say(&json!({"retired": []}), "there is no former key");
        return Ok(());
    };
    let quiet_since = if without_waiting { since } else { since.plus(A_DAY) };
    ensure!(
        SystemClock.now() >= quiet_since,
        "the last key was promoted at {since}, and answers sealed before are kept for a day: wait until {quiet_since}, \
         or lose them by --without-waiting"
    );
    let (bus, resealer) = (office.visit().await?.bus, office.resealer().await?);
    drained_since(&*bus, quiet_since).await?;
    let mut tallies = reseal_until_done(&resealer, print).await?;
    if before.former().iter().any(|former| former.generation.contacts.is_some()) {
        // What a console sent through again meanwhile has its contact under the former key still.
        let nothing_left_to_replay = SystemClock.now().plus(CLOCKS_APART);
        patiently(async || drained_since(&*bus, nothing_left_to_replay).await).await?;
        tallies = reseal_until_done(&resealer, print).await?;
    }
    let retired: Vec<_> = before.former().iter().map(|former| former.generation.id().to_string()).collect();
    file.replace(&before, &before.clone().retired())?;
    let lost: u64 = tallies.values().map(|tally| tally.unopenable).sum();
    let lost = if lost > 0 {
        format!("; {lost} rows could not be opened before and cannot be now")
    } else {
        String::new()
    };
    let text = format!(
        "{} gone from {}{lost}. Copies of the file and of the databases from before still open with it: destroy them, too",
        retired.join(", "),
        file.path().display()
    );
    print.say(&json!({"retired": retired, "places": place_rows(&tallies)}), &text);
    Ok(())
}

/// A pass that finds nothing is the proof of the one before it.
async fn reseal_until_done(resealer: &Resealer, print: &Print) -> anyhow::Result<BTreeMap<Place, Tally>> {
    for _ in 0..PASSES {
        let tallies = pass_all(resealer, Pass::Reseal, print).await?;
        if tallies.values().all(|tally| tally.former == 0) {
            return Ok(tallies);
        }
    }
    anyhow::bail!(
        "something goes on sealing under a former key: was every process started with the new file?"
    )
}

/// Looks until it is as it should be, and gives the last reason why not.
async fn patiently(look: impl AsyncFn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match look().await {
            Err(_waits) if tokio::time::Instant::now() < until => tokio::time::sleep(LOOK_AGAIN).await,
            answer => return answer,
        }
    }
}

/// Nothing may wait on the bus that may be sealed under a former key.
async fn drained_since(bus: &dyn EventBus, since: Timestamp) -> anyhow::Result<()> {
    // What goes to quarantine comes out of the others, so it is asked for last.
    let (to_quarantine, others): (Vec<_>, Vec<_>) =
        READERS.into_iter().partition(|(topic, _)| *topic == Topic::Quarantine);
    for (topic, group) in others.into_iter().chain(to_quarantine) {
        let oldest = bus.backlog(topic, group).await?.oldest;
        ensure!(
            !may_need_former(topic, oldest, since),
            "messages wait in {} for {} that may have been sealed before {since}: a former key may be needed for them. \
             Try again once they are through",
            topic.as_str(),
            group.as_str()
        );
    }
    Ok(())
}

/// A message was sealed when it was published; one to the quarantine long before, perhaps, when it was accepted.
fn may_need_former(topic: Topic, oldest: Option<Timestamp>, since: Timestamp) -> bool {
    oldest.is_some_and(|oldest| topic == Topic::Quarantine || oldest <= since)
}

fn known(file: &KeyFile, program: Program) -> anyhow::Result<MasterKeys> {
    file.read()?.with_context(|| {
        format!(
            "there are no keys in {}: make them with {} master-key make",
            file.path().display(),
            program.name
        )
    })
}

/// The keys, where every contact opens with them: what changes keys or seals anew is done with no others.
fn whole(file: &KeyFile, program: Program) -> anyhow::Result<MasterKeys> {
    let keys = known(file, program)?;
    ensure!(
        keys.opens_contacts(),
        "{} is a key file for services: contacts do not open with it. Use the full key file, which {} master-key make or \
         next wrote",
        file.path().display(),
        program.name
    );
    Ok(keys)
}

async fn pass_all(resealer: &Resealer, pass: Pass, print: &Print) -> anyhow::Result<BTreeMap<Place, Tally>> {
    let rows = resealer.rows().await?;
    let bar = if print.is_json() { ProgressBar::hidden() } else { ProgressBar::new(rows) };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} looked at, {eta} left")?);
    let mut tallies = BTreeMap::new();
    for place in Place::ALL {
        tallies.insert(place, resealer.pass(place, pass, |rows| bar.inc(rows)).await?);
    }
    bar.finish_and_clear();
    Ok(tallies)
}

const PLACE_COLUMNS: [&str; 4] = ["place", "rows", "former", "unopenable"];

fn place_rows(tallies: &BTreeMap<Place, Tally>) -> Vec<Value> {
    let row = |(place, tally): (&Place, &Tally)| {
        json!({
            "place": place.as_str(),
            "rows": tally.rows,
            "former": tally.former,
            "unopenable": tally.unopenable,
        })
    };
    tallies.iter().map(row).collect()
}

const KEY_COLUMNS: [&str; 4] = ["key", "role", "since", "contacts"];

/// Contacts are `opened` with a key, `sealed` only, or `unkeyed`: without a key of their own, as in earlier releases.
fn key_rows(keys: &MasterKeys) -> Vec<Value> {
    let row = |generation: &Generation, role: &str, since: Option<Timestamp>| {
        json!({
            "key": generation.id().to_string(),
            "role": role,
            "since": since.map(|since| since.to_string()),
            "contacts": match &generation.contacts {
                Some(contacts) if contacts.opens() => "opened",
                Some(_) => "sealed",
                None => "unkeyed",
            },
        })
    };
    let mut rows = vec![row(keys.current(), "seals", None)];
    rows.extend(keys.next().map(|next| row(next, "next", None)));
    rows.extend(keys.former().iter().map(|former| row(&former.generation, "opens", Some(former.since))));
    rows
}

fn say_resealed(tallies: &BTreeMap<Place, Tally>, program: Program, print: &Print) {
    if print.is_json() {
        print.say(&json!({"places": place_rows(tallies)}), "");
        return;
    }
    let anew: u64 = tallies.values().map(|tally| tally.former).sum();
    print.list(&place_rows(tallies), &PLACE_COLUMNS, "");
    print.text(&format!("{anew} sealed anew: {} master-key retire ends former keys\n", program.name));
}

#[cfg(test)]
mod tests;
