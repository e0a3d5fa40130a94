//! The command `audit`: who opened or read what was sealed, when and why.

use anyhow::Context as _;
use console::audit::{AuditView, about_filter};
use domain::audit::About;
use ports::audit::{AuditQuery, AuditRow};

use crate::cli::AuditArgs;
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(asked: AuditArgs, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let AuditArgs { tenant, deed, about, id, from, until, before, limit } = asked;
    let about = match about.and_then(|word| About::WORDS.into_iter().find(|known| *known == word)) {
        None => None,
        Some(word) => Some(
            about_filter(word, id.as_deref()).with_context(|| format!("there is no {word} of that id"))?,
        ),
    };
    let desk = office.visit().await?;
    let query = AuditQuery { tenant, deed, about, from, until, before, limit };
    let mut rows = Vec::new();
    for AuditRow { number, entry } in desk.audit.audit(&query).await? {
        let mut row = serde_json::to_value(AuditView::new(&desk.vault, &entry))?;
        row["number"] = number.into();
        rows.push(row);
    }
    let columns = ["number", "at", "tenant", "who", "name", "deed", "about", "id", "stage", "reason"];
    print.list(&rows, &columns, "nothing sealed was opened or read");
    Ok(())
}
