//! The command `reconcile`: do the books balance?

use std::process::ExitCode;
use std::time::{Duration, Instant};

use console::reconcile::{TenantBooks, reconcile};
use serde_json::{Value, json};

use crate::office::Office;
use crate::print::Print;

/// How long to let messages move on before reading the books again.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(
    wait: Duration,
    drained: bool,
    office: &impl Office,
    print: &Print,
) -> anyhow::Result<ExitCode> {
    let desk = office.visit().await?;
    let deadline = Instant::now() + wait;
    let (books, settled) = loop {
        let books = reconcile(&*desk.bus, &*desk.ledger).await?;
        let settled = books.iter().all(|one| one.balanced && !(drained && one.in_flight > 0));
        if settled || Instant::now() >= deadline {
            break (books, settled);
        }
        tokio::time::sleep(PAUSE).await;
    };
    let rows: Vec<Value> = books.iter().map(row).collect();
    let columns =
        ["tenant", "accepted", "stored", "duplicate", "quarantined", "in_flight", "difference", "balanced"];
    print.list(&rows, &columns, "nothing was accepted yet, and nothing is stored: balanced");
    Ok(if settled { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(books: &TenantBooks) -> Value {
    json!({
        "tenant": books.tenant.as_str(),
        "accepted": books.accepted,
        "stored": books.stored,
        "duplicate": books.duplicate,
        "quarantined": books.quarantined,
        "in_flight": books.in_flight,
        "difference": books.difference,
        "balanced": books.balanced,
    })
}
