//! The command `send`: a file of events through a server's door.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::cli::Send;
use crate::commands::read_input;
use crate::doors::{client, events_url};
use crate::print::Print;

/// How often a batch is offered while the server says "later" or does not answer.
const TRIES: u32 = 30;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(crate) async fn run(options: Send, print: &Print) -> anyhow::Result<ExitCode> {
    let content = read_input(&options.file)?;
    let events = events_in(&content)?;
    let length = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let bar = if print.is_json() { ProgressBar::hidden() } else { ProgressBar::new(length) };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}, {eta} left")?);
    let sender = Sender {
        client: client()?,
        url: events_url(&options.url),
        key: options.key,
        bar: bar.clone(),
        print,
    };
    let mut report = Report::default();
    for (number, batch) in events.chunks(usize::from(options.batch)).enumerate() {
        let first = number * usize::from(options.batch);
        report.add(first, sender.send(batch).await?);
        bar.inc(u64::try_from(batch.len()).unwrap_or_default());
    }
    bar.finish_and_clear();
    report.print(print);
    Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The events of a file, as they stand in it: one object, an array, or one object a line.
fn events_in(content: &[u8]) -> anyhow::Result<Vec<&RawValue>> {
    let start = content.iter().find(|byte| !byte.is_ascii_whitespace()).context("the file is empty")?;
    if *start == b'[' {
        return serde_json::from_slice(content).context("the file is not a JSON array");
    }
    serde_json::Deserializer::from_slice(content)
        .into_iter::<&RawValue>()
        .enumerate()
        .map(|(index, event)| event.with_context(|| format!("event {} of the file is not JSON", index + 1)))
        .collect()
}

struct Sender<'p> {
    client: Client,
    url: String,
    key: String,
    bar: ProgressBar,
    print: &'p Print,
}

impl Sender<'_> {
    /// Offers a batch until the server takes it or refuses it for good; gives back what it refused.
    async fn send(&self, batch: &[&RawValue]) -> anyhow::Result<Vec<Value>> {
        let body = serde_json::to_string(batch)?;
        let mut pause = Duration::from_millis(200);
        for attempt in 0..TRIES {
            let request = self.client.post(&self.url).bearer_auth(&self.key);
            let sent = request.header(CONTENT_TYPE, "application/json").body(body.clone()).send().await;
            let wait = match sent {
                Ok(response) if is_later(response.status()) => {
                    self.say_once(attempt, "asks to wait");
                    retry_after(&response)
                }
                Ok(response) => return verdicts(response, batch.len()).await,
                Err(cause) if cause.is_builder() => {
                    anyhow::bail!("--url must be like http://127.0.0.1:8686, or https://…")
                }
                Err(cause) if cause.is_connect() || cause.is_timeout() || cause.is_request() => {
                    self.say_once(attempt, "does not answer; trying again");
                    None
                }
                Err(cause) => return Err(cause.into()),
            };
            tokio::time::sleep(wait.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        anyhow::bail!(
            "{} did not take a batch in {TRIES} tries; sending the file again is harmless",
            self.url
        )
    }

    /// Tells people, above the bar, why nothing moves: at the first try of a batch.
    fn say_once(&self, attempt: u32, what: &str) {
        if attempt == 0 {
            self.bar.suspend(|| self.print.note(&format!("{} {what}", self.url)));
        }
    }
}

fn is_later(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What the server refused of a batch, by index; an error where it refused the whole request.
async fn verdicts(response: Response, events: usize) -> anyhow::Result<Vec<Value>> {
    let status = response.status();
    let answer: Value = response.json().await.context("the answer is not JSON: is this a Letopis server?")?;
    let results = answer.get("results").and_then(Value::as_array);
    match results {
        Some(results) => {
            let refused = |result: &&Value| result.get("status").and_then(Value::as_u64) != Some(202);
            Ok(results.iter().filter(refused).cloned().collect())
        }
        None if status.is_success() => Ok(Vec::new()),
        None if status == StatusCode::UNPROCESSABLE_ENTITY => Ok(all_refused(&answer, events)),
        None => {
            let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            anyhow::bail!("{}: {}", text("title"), text("detail"))
        }
    }
}

/// The verdicts of a batch none of which was taken. Pointers begin with the index of the event; an event that none
/// points to, because the answer names only so many spots, was refused like the others.
fn all_refused(problem: &Value, events: usize) -> Vec<Value> {
    let mut by_event: BTreeMap<usize, Vec<Value>> = (0..events).map(|index| (index, Vec::new())).collect();
    for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let pointer = error.get("pointer").and_then(Value::as_str).unwrap_or_default();
        let path = pointer.strip_prefix('/').unwrap_or(pointer);
        let (index, spot) =
            path.split_once('/').map_or((path, String::new()), |(index, spot)| (index, format!("/{spot}")));
        if let Some(errors) = index.parse().ok().and_then(|index: usize| by_event.get_mut(&index)) {
            errors.push(json!({"pointer": spot, "expected": error.get("expected")}));
        }
    }
    by_event.into_iter().map(|(index, errors)| json!({"index": index, "errors": errors})).collect()
}

#[derive(Default)]
struct Report {
    batches: usize,
    refused: Vec<Value>,
}

impl Report {
    fn add(&mut self, first: usize, refused: Vec<Value>) {
        self.batches += 1;
        self.refused.extend(refused.into_iter().map(|mut verdict| {
            // The server counts within a request and from 0; people count within the file and from 1.
            if let Some(index) = verdict.get("index").and_then(Value::as_u64) {
                verdict["index"] = (u64::try_from(first).unwrap_or_default() + index + 1).into();
            }
            verdict
        }));
    }

    fn print(&self, print: &Print) {
        let value = json!({"batches": self.batches, "refused": self.refused});
        let mut text = format!("requests sent: {}; events refused: {}", self.batches, self.refused.len());
        for verdict in self.refused.iter().take(20) {
            text.push_str(&format!("\n  event {}: {}", verdict["index"], reasons(verdict)));
        }
        print.say(&value, &text);
    }
}

fn reasons(verdict: &Value) -> String {
    let problem = verdict.get("problem").unwrap_or(verdict);
    let errors = problem.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    let each = |error: &Value| {
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{} {}", text("pointer"), text("expected"))
    };
    let listed: Vec<_> = errors.iter().map(each).collect();
    match listed.is_empty() {
        true => problem.get("title").and_then(Value::as_str).unwrap_or("refused").to_owned(),
        false => listed.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(content: &str) -> Vec<String> {
        events_in(content.as_bytes()).unwrap().iter().map(|event| event.get().to_owned()).collect()
    }

    #[test]
    fn one_object_an_array_and_lines_are_all_read() {
        assert_eq!(texts("{\"a\":1}\n"), ["{\"a\":1}"]);
        assert_eq!(texts("[{\"a\":1}, {\"b\":2}]"), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(texts("{\"a\":1}\n\n{\"b\":2}\n"), ["{\"a\":1}", "{\"b\":2}"]);
    }

    #[test]
    fn of_a_batch_refused_whole_every_event_is_named_with_its_own_spots() {
        let expected = "is required";
        let problem = json!({"errors": [
            {"pointer": "/0/timestamp", "expected": expected},
            {"pointer": "/2", "expected": expected},
            {"pointer": "", "expected": expected},
        ]});
        let verdicts = all_refused(&problem, 3);
        assert_eq!(
            verdicts,
            [
                json!({"index": 0, "errors": [{"pointer": "/timestamp", "expected": expected}]}),
                json!({"index": 1, "errors": []}),
                json!({"index": 2, "errors": [{"pointer": "", "expected": expected}]}),
            ]
        );
    }

    #[test]
    fn an_event_that_is_not_json_is_named_by_its_place() {
        let error = events_in(b"{\"a\":1}\n{oops").unwrap_err();
        assert_eq!(error.to_string(), "event 2 of the file is not JSON");
    }
}
