//! Steps of changing a key, in an office in memory.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ports::bus::{READERS, Topic};
use privacy::{MasterKey, MasterKeys};

use super::{may_need_former, patiently};
use crate::key_file::KeyFile;
use crate::office::Office as _;
use crate::stand::Stand;

async fn answer(stand: &Stand, words: &str) -> String {
    let ran = stand.run(&format!("master-key {words}")).await;
    let said = stand.said();
    ran.map_or_else(|cause| format!("refused: {cause:#}"), |_| said)
}

fn keys(stand: &Stand) -> MasterKeys {
    stand.key_file().unwrap().read().unwrap().unwrap()
}

#[tokio::test]
async fn a_key_takes_the_place_of_another_in_steps_and_no_step_is_left_out() {
    let stand = Stand::new();
    for (words, expected) in [
        ("status", "refused: there are no keys"),
        ("make", "keep a copy of it"),
        ("make", "refused: there are keys"),
        ("retire", "there is no former key"),
        ("promote", "refused: there is no next key"),
        ("next", "start every process with this file"),
        ("next", "refused: there is a next key already"),
        ("promote", "seals from the next start on"),
        ("retire", "refused: the last key was promoted at"),
        ("retire --without-waiting", "gone from"),
        ("status --count", "events"),
    ] {
        let said = answer(&stand, words).await;
        assert!(said.contains(expected), "{words}: {said}");
    }
    assert!(keys(&stand).former().is_empty() && keys(&stand).next().is_none());
}

#[test]
fn what_was_published_since_holds_no_key_back_but_for_what_goes_to_quarantine() {
    let at = |seconds| domain::timestamp::Timestamp::from_unix_seconds(seconds).unwrap();
    for (topic, _) in READERS {
        assert!(!may_need_former(topic, None, at(10)));
        assert!(may_need_former(topic, Some(at(10)), at(10)));
        assert_eq!(may_need_former(topic, Some(at(11)), at(10)), topic == Topic::Quarantine);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_the_bus_is_waited_for_a_minute_and_named_then() {
    let looks = Cell::new(0);
    let drained_at = |look: u32| {
        looks.set(0);
        let looks = &looks;
        async move || {
            looks.set(looks.get() + 1);
            anyhow::ensure!(looks.get() >= look, "messages wait");
            Ok(())
        }
    };
    patiently(drained_at(1)).await.unwrap();
    patiently(drained_at(30)).await.unwrap();
    assert_eq!(looks.get(), 30);
    assert_eq!(patiently(drained_at(100)).await.unwrap_err().to_string(), "messages wait");
    assert_eq!(looks.get(), 61);
}

#[tokio::test]
async fn status_names_each_key_and_shows_none() {
    let stand = Stand::new();
    for words in ["make", "next", "promote", "next"] {
        answer(&stand, words).await;
    }
    let (said, keys) = (answer(&stand, "status").await, keys(&stand));
    let all = [keys.current(), keys.next().unwrap(), &keys.former()[0].generation];
    for (generation, role) in all.into_iter().zip(["seals", "next", "opens"]) {
        let named = |line: &&str| line.contains(&generation.id().to_string()) && line.contains(role);
        let line = said.lines().find(named).unwrap();
        assert!(line.contains("opened"), "{said}");
        let contacts = generation.contacts.as_ref().unwrap();
        assert!(
            !said.contains(&**generation.key.to_text()) && !said.contains(&**contacts.to_text()),
            "{said}"
        );
    }
}

/// As a process started with it has them: the command, then a vault from the file it wrote.
#[tokio::test]
async fn services_get_a_file_that_seals_contacts_and_opens_none() {
    let stand = Stand::new();
    let file = KeyFile::at(&stand.key_file().unwrap().path().with_file_name("services.key"));
    let command = format!("services {}", file.path().display());
    assert!(answer(&stand, &command).await.contains("refused: there are no keys"));
    for step in ["make", "next", "promote"] {
        answer(&stand, step).await;
        let said = answer(&stand, &command).await;
        assert!(said.contains("services.key made: start services with it"), "{said}");
        let services = file.read().unwrap().unwrap();
        assert_eq!(services, keys(&stand).for_services());
        assert!(!services.opens_contacts());
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(answer(&stand, &command).await.contains("there is a file"), "never over another");
        assert_eq!(file.read().unwrap().unwrap(), services);
        fs::remove_file(file.path()).unwrap();
    }
}

#[tokio::test]
async fn with_the_file_of_services_keys_are_looked_at_and_nothing_else() {
    let stand = Stand::new();
    for step in ["make", "next", "promote", "next"] {
        answer(&stand, step).await;
    }
    let services = keys(&stand).for_services();
    stand.key_file().unwrap().replace(&keys(&stand), &services).unwrap();
    for words in ["next", "promote", "reseal", "retire --without-waiting", "services other.key"] {
        let said = answer(&stand, words).await;
        assert!(
            said.contains("is a key file for services") && said.contains("Use the full key file"),
            "{said}"
        );
        assert!(!said.contains(&**services.current().key.to_text()), "{said}");
    }
    assert_eq!(keys(&stand), services);
    assert!(answer(&stand, "status --count").await.contains("sealed"));
}

#[tokio::test]
async fn a_file_of_a_release_before_gets_a_key_for_contacts_by_the_next_change() {
    let stand = Stand::new();
    let file = stand.key_file().unwrap();
    file.add(&MasterKeys::of_one(MasterKey::generate().unwrap())).unwrap();
    let services = KeyFile::at(&file.path().with_file_name("services.key"));
    let command = format!("services {}", services.path().display());
    assert!(answer(&stand, &command).await.contains("refused: contacts have no key of their own"));
    assert!(answer(&stand, "status").await.contains("unkeyed"));
    answer(&stand, "next").await;
    answer(&stand, &command).await;
    assert_eq!(services.read().unwrap().unwrap(), keys(&stand).for_services());
    answer(&stand, "promote").await;
    assert!(answer(&stand, "retire --without-waiting").await.contains("gone from"));
    assert!(keys(&stand).current().contacts.is_some());
}
