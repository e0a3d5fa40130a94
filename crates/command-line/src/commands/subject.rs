//! The command `subject`: who is who.

use anyhow::{Context as _, ensure};
use console::person::{self, Person, id_of};
use console::ruling::Ruler;
use console::subject_view::{ConsentPage, SubjectView};
use domain::id::TenantId;
use domain::subject::{Circle, Door, Identity};
use ports::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::cli::SubjectCommand;
use crate::commands::tenant_of;
use crate::desk::Desk;
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(command: SubjectCommand, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let (desk, program) = (office.visit().await?, office.program());
    match command {
        SubjectCommand::Find { of, typed } => {
            let tenant = tenant_of(of, &desk, program).await?;
            let (circle, others) = meant(&desk, &tenant, typed).await?;
            let person = person::of_circle(&*desk.subjects, &tenant, circle).await?;
            let mut value = serde_json::to_value(SubjectView::from(&person))?;
            value["others"] = json!(others);
            print.say(&value, &summary(&person, &others));
        }
        SubjectCommand::Consents { of, typed } => {
            let tenant = tenant_of(of, &desk, program).await?;
            let person = found(&desk, &tenant, typed).await?;
            let records = person.consents(&*desk.subjects, &tenant).await?;
            consents(&serde_json::to_value(ConsentPage::new(&person, &records))?, print);
        }
        SubjectCommand::Join { of, typed, other, reason } => {
            let tenant = tenant_of(of, &desk, program).await?;
            ensure!(typed != "-" || other != "-", "only one of both can be read from standard input");
            let person = found(&desk, &tenant, typed).await?;
            let (other, _) = meant(&desk, &tenant, other).await?;
            let ruled = ruler(&desk, &tenant).join(&person, &other.identities, reason.as_str()).await;
            say_ruled(&ruled?, "joined", print);
        }
        SubjectCommand::Split { of, typed, identity, reason } => {
            let tenant = tenant_of(of, &desk, program).await?;
            ensure!(typed != "-" || identity != "-", "only one of both can be read from standard input");
            let person = found(&desk, &tenant, typed).await?;
            let identity = identity_of(&desk, &tenant, &person, &given(identity)?)?;
            let ruled = ruler(&desk, &tenant).split(&person, &identity, reason.as_str()).await;
            say_ruled(&ruled?, "split", print);
        }
    }
    Ok(())
}

/// What was typed, or the first line of standard input for `-`.
fn given(typed: String) -> anyhow::Result<String> {
    if typed != "-" {
        return Ok(typed);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read standard input")?;
    Ok(line.trim().to_owned())
}

/// Whoever is most likely meant, and the ids of the others.
async fn meant(desk: &Desk, tenant: &TenantId, typed: String) -> anyhow::Result<(Circle, Vec<String>)> {
    let keys = desk.vault.tenant(tenant);
    let circles = person::typed(&*desk.subjects, &keys, tenant, &given(typed)?).await?;
    let mut circles = circles.into_iter();
    // What was typed is not repeated: it may be somebody's phone.
    let likeliest = circles.next().context("nobody is known by this")?;
    Ok((likeliest, circles.map(|circle| id_of(&circle).to_owned()).collect()))
}

async fn found(desk: &Desk, tenant: &TenantId, typed: String) -> anyhow::Result<Person> {
    let (circle, _) = meant(desk, tenant, typed).await?;
    Ok(person::of_circle(&*desk.subjects, tenant, circle).await?)
}

/// The one of a client's identities that somebody means.
fn identity_of(desk: &Desk, tenant: &TenantId, person: &Person, typed: &str) -> anyhow::Result<Identity> {
    let meant = desk.vault.tenant(tenant).identities(typed);
    let own = meant.into_iter().find(|identity| person.circle.has(identity));
    own.context("the client is not known by this: `subject find` lists what they are known by")
}

fn ruler<'a>(desk: &'a Desk, tenant: &'a TenantId) -> Ruler<'a> {
    Ruler { bus: &*desk.bus, vault: &desk.vault, tenant, now: SystemClock.now() }
}

fn say_ruled(events: &[String], what: &str, print: &Print) {
    let text = format!("{what}, as {} events: it shows as soon as they are recorded", events.len());
    print.say(&json!({"ruled": what, "events": events}), &text);
}

fn summary(person: &Person, others: &[String]) -> String {
    let journey = &person.journey;
    let door = |door: &Door, at: String| format!("{} {at} ({})", door.channel.as_str(), door.session);
    let mut lines = vec![format!("client       {}", person.id())];
    if let Some(first) = person.first_touch() {
        lines.push(format!("first touch  {}", door(first, first.first_at.to_string())));
    } else if person.is_cut_short() {
        lines.push("first touch  unknown: there are more conversations than anybody reads".to_owned());
    }
    if let Some(last) = journey.last() {
        lines.push(format!("last touch   {}", door(last, last.last_at.to_string())));
    }
    let path: Vec<_> = journey.path().into_iter().map(|channel| channel.as_str()).collect();
    lines.push(format!("path         {}", path.join(" > ")));
    lines.push("known by".to_owned());
    lines.extend(person.circle.identities.iter().map(|identity| format!("  {identity}")));
    lines.push("conversations".to_owned());
    lines.extend(journey.doors.iter().map(|one| {
        let until = one.last_at.to_string();
        format!("  {}", door(one, format!("{} .. {until}", one.first_at)))
    }));
    for channel in &journey.several_accounts {
        lines.push(format!(
            "several accounts in {}: perhaps two persons of one phone; subject split parts them",
            channel.as_str()
        ));
    }
    lines.extend(person.circle.shared.iter().map(|one| format!("shared by too many to join anybody: {one}")));
    lines.extend(person.suggestions.iter().map(|(one, session)| {
        format!("perhaps the same: {one}, named in {session}; subject join joins them")
    }));
    lines.extend(others.iter().map(|other| format!("may also mean {other}")));
    lines.join("\n")
}

fn consents(page: &Value, print: &Print) {
    if print.is_json() {
        print.say(page, "");
        return;
    }
    let rows = |key: &str| page[key].as_array().cloned().unwrap_or_default();
    let columns = ["purpose", "granted", "at", "channel", "session", "text_version"];
    print.text("what holds\n");
    print.list(&rows("current"), &columns, "nothing was ever agreed to");
    if !rows("records").is_empty() {
        print.text("\nwhat was said\n");
        print.list(&rows("records"), &columns, "");
    }
    if page["is_cut_short"] == true {
        print.text("\nthere is more than anybody reads: see docs/subjects.md, what is left out\n");
    }
}
