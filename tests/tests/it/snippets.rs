//! The examples the page shows, run as they are shown: only address and key are filled in, as the page fills them in.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use system_tests::{Shape, Stand};
use tokio::process::Command;

on_both_shapes! {
    every_example_of_the_page_sends_what_it_says
}

/// A conversation and what is said in it, in order: by the client, by the assistant.
type Said = (&'static str, &'static [(&'static str, &'static str)]);

async fn every_example_of_the_page_sends_what_it_says(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let python = tools().join("snippets/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/setup", python.display());
    let python = python.to_str().unwrap();
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snippets/drive_aiogram.py");
    let examples: [(&str, &[&str], Said); 4] = [
        ("curl.sh", &["sh"], ("hello-curl", &[("user_text", "Здравствуйте! Можно записаться на завтра?")])),
        (
            "client.py",
            &[python],
            (
                "hello-python",
                &[
                    ("user_text", "Сколько стоит стрижка?"),
                    ("assistant_response", "От 1500 рублей. Записать вас?"),
                ],
            ),
        ),
        (
            "client.mjs",
            &["node"],
            (
                "hello-node",
                &[
                    ("user_text", "Вы работаете в воскресенье?"),
                    ("assistant_response", "Да, с 10 до 20. Записать вас?"),
                ],
            ),
        ),
        (
            "aiogram_bot.py",
            &[python, driver.to_str().unwrap()],
            // The update comes twice, and the client said it once; the bot answers twice.
            (
                "5550001",
                &[
                    ("user_text", "Хочу записаться"),
                    ("assistant_response", "На какой день вас записать?"),
                    ("assistant_response", "На какой день вас записать?"),
                ],
            ),
        ),
    ];
    for (name, program, said) in examples {
        run(&stand, name, program).await.unwrap();
        stand.settled().await.unwrap();
        let expected: Vec<_> = said.1.iter().map(|(who, text)| (*who, (*text).to_owned())).collect();
        assert_eq!(told(&stand, said.0).await, expected, "{name}");
    }
}

/// What was said in a conversation.
async fn told(stand: &Stand, session: &str) -> Vec<(&'static str, String)> {
    let timeline = stand.api.session(&stand.keys.read, session).await.unwrap();
    let timeline = timeline.unwrap_or_else(|| panic!("{session} is not there"));
    let said = |event: &Value| {
        ["user_text", "assistant_response"]
            .into_iter()
            .find_map(|key| Some((key, event[key].as_str()?.to_owned())))
    };
    timeline["events"].as_array().unwrap().iter().filter_map(said).collect()
}

/// Fetches an example as the page does, fills it in and runs it.
async fn run(stand: &Stand, name: &str, program: &[&str]) -> anyhow::Result<()> {
    let template = stand.api.request(Method::GET, &format!("/assets/{name}")).send().await?.text().await?;
    let url = format!("http://{}/v1/events", stand.api.addresses().doors[0]);
    let text = template.replace("{{EVENTS_URL}}", &url).replace("{{KEY}}", &stand.keys.ingest);
    ensure!(!text.contains("{{") && text != template, "{name} has places nobody fills in");
    let file = stand.folder.path().join(name);
    std::fs::write(&file, text)?;
    let ran = Command::new(program[0]).args(&program[1..]).arg(&file).output().await?;
    ensure!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    Ok(())
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools")
}
