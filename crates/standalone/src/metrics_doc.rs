//! Holds docs/metrics.md against the metrics of a running box, so that it lists exactly what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use command_line::{NewSource, client, events_url, hook_url};
use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, SourceKind, Trade};
use serde_json::json;

use crate::serve::{self, Server};
use crate::settings::Settings;

const HEAD: &str = "# Metrics

Generated from a running server; a test keeps this page and the code in step. `/metrics` answers callers on the same
machine, or everybody on `admin.listen`. Times are in seconds, sizes in bytes. Labels come from closed sets, but for
`source`, which holds the ids of registered sources, and `queue`, which holds the names of queues in the settings.

| name | type | labels | meaning |
|---|---|---|---|
";

#[tokio::test(flavor = "multi_thread")]
async fn docs_metrics_md_lists_every_metric_of_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings =
        Settings::load(None, Some(folder.path().to_path_buf()), Some("127.0.0.1:0".parse().unwrap()))
            .unwrap();
    settings.ingest.burst = std::num::NonZeroU32::MIN;
    settings.ingest.rate_per_second = std::num::NonZeroU32::MIN;
    // A queue whose broker is not there has all its metrics, too.
    let queue = json!({"source": "salon-bot", "url": "redis://127.0.0.1:1", "queue": "letopis"});
    settings.queues.insert("salon".to_owned(), serde_json::from_value(queue).unwrap());
    let server = serve::start(&settings, None).await.unwrap();
    make_everything_happen(&server).await;
    let text = scrape(&server, "letopis_ledger_receipts_total").await;
    server.supervisor.leaving().cancel();
    server.supervisor.run_until_stopped().await.unwrap();

    let page = format!("{HEAD}{}", rows(&text));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    if std::fs::read_to_string(&path).unwrap_or_default() != page {
        std::fs::write(&path, page).unwrap();
        panic!("docs/metrics.md was out of step and is written anew: look at it and commit it");
    }
}

/// Sends an event that is taken, one that is refused, one too many, an update that means nothing, and a trace.
async fn make_everything_happen(server: &Server) {
    let desk = server.home.desk();
    let tenant = TenantId::parse("salon").unwrap();
    let [bot, telegram, traces] = ["bot", "telegram", "traces"].map(|id| SourceId::parse(id).unwrap());
    desk.add_tenant(&tenant, "Салон", Trade::Ordinary).await.unwrap();
    desk.add_source(NewSource::new(&tenant, &bot, SourceKind::Events)).await.unwrap();
    let new = NewSource::new(&tenant, &telegram, SourceKind::Telegram);
    let (_, secret) = desk.add_source(new).await.unwrap();
    let new = NewSource::new(&tenant, &traces, SourceKind::Otlp);
    let (_, of_traces) = desk.add_source(new).await.unwrap();
    let key = desk.add_key(Scope::Ingest, &tenant, Some(&bot)).await.unwrap();
    server.keyring.refresh().await;
    let client = client().unwrap();
    let base = format!("http://{}", server.address);
    let event = json!({
        "timestamp": "2026-01-01T00:00:00Z", "channel": "site", "session_id": "s-1", "action": "message",
    });
    for body in [event, json!({})] {
        let request = client.post(events_url(&base)).bearer_auth(key.text.expose());
        request.header("Idempotency-Key", "k").json(&body).send().await.unwrap();
    }
    let hook = hook_url(&base, &telegram);
    let header = "X-Telegram-Bot-Api-Secret-Token";
    client.post(hook).header(header, secret).json(&json!({"no": "update"})).send().await.unwrap();
    let spans = json!([{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}]);
    let trace = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    let hook = format!("{}/v1/traces", hook_url(&base, &traces));
    client.post(hook).bearer_auth(of_traces).json(&trace).send().await.unwrap();
}

/// The metrics, once what is written last is there.
async fn scrape(server: &Server, last: &str) -> String {
    let url = format!("http://{}/metrics", server.address);
    let wanted = [last, "letopis_normalizer_quarantined_total", "letopis_bus_backlog_messages"];
    loop {
        let text = client().unwrap().get(&url).send().await.unwrap().text().await.unwrap();
        if wanted.iter().all(|name| text.contains(name)) {
            return text;
        }
        tokio::task::yield_now().await;
    }
}

fn rows(text: &str) -> String {
    let mut families: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name).or_default().1 = help;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            families.entry(name).or_default().0 = kind;
        }
    }
    let row = |(name, (kind, help)): (&&str, &(&str, &str))| {
        let labels: Vec<_> = labels(text, name).into_iter().map(|label| format!("`{label}`")).collect();
        format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", "))
    };
    families.iter().map(row).collect()
}

fn labels<'t>(text: &'t str, family: &str) -> BTreeSet<&'t str> {
    let samples = text.lines().filter(|line| line.starts_with(family)).filter_map(|line| {
        let (name, rest) = line.split_once('{')?;
        let of_family = ["", "_bucket", "_sum", "_count"].iter().any(|end| name == format!("{family}{end}"));
        of_family.then(|| rest.rsplit_once('}')).flatten().map(|(labels, _)| labels)
    });
    let names = samples.flat_map(|labels| labels.split("\",")).filter_map(|label| label.split_once('='));
    names.map(|(name, _)| name).filter(|name| *name != "le").collect()
}
