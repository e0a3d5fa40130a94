//! The command `healthcheck`: is a server ready?

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use crate::doors::client;
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(
    url: Option<String>,
    office: &impl Office,
    print: &Print,
) -> anyhow::Result<ExitCode> {
    let base = match url {
        Some(url) => url,
        None => office.healthcheck_url()?,
    };
    let asked = client()?
        .get(format!("{}/readyz", base.trim_end_matches('/')))
        .timeout(Duration::from_secs(5))
        .send()
        .await;
    let (ready, text) = match asked {
        Ok(response) if response.status().is_success() => (true, "ready".to_owned()),
        Ok(response) => (false, format!("not ready: {}", response.status())),
        Err(cause) if cause.is_connect() => {
            (false, format!("nothing listens at {base}: {}", office.program().start))
        }
        Err(cause) => (false, format!("no answer from {base}: {cause}")),
    };
    print.say(&json!({"ready": ready, "detail": text}), &text);
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
