//! What the scenarios themselves rest on: places in the engines that are seen whole and removed whole, and engines
//! that die and hang when told to.

use std::time::Duration;

use system_tests::{Engine, Engines, OwnEngines, Site};

/// Puts a word into each engine, where a system at this site would.
async fn write(site: &Site, word: &str) {
    let name = site.name();
    let commands = format!("SET {name}:{{p0}}:a {word}\nXADD {name}:{{p0}}:b * payload {word}\n");
    site.redis_cli(&[], &commands).await.unwrap();
    let script = format!("CREATE SCHEMA {name}; CREATE TABLE {name}.a AS SELECT '{word}'::bytea AS b;");
    site.psql(&script).await.unwrap();
    site.clickhouse(format!("CREATE DATABASE {name}")).await.unwrap();
    let columns = "(b String) ENGINE = MergeTree ORDER BY b SETTINGS fsync_after_insert = 1";
    site.clickhouse(format!("CREATE TABLE {name}.a {columns}")).await.unwrap();
    site.clickhouse(format!("INSERT INTO {name}.a VALUES ('{word}')")).await.unwrap();
}

/// How many of the places that the site shows hold the word, in bytes or in hexadecimal.
async fn showing(site: &Site, word: &str) -> usize {
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    let content = site.content().await.unwrap();
    let texts = content.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes));
    texts.filter(|text| text.contains(word) || text.contains(&hex)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_shows_all_that_is_in_it_and_leaves_nothing_behind() {
    let engines = Engines::shared().unwrap();
    let (site, watcher) = (Site::new(engines.clone()).unwrap(), Site::new(engines).unwrap());
    write(&site, "jasmine").await;
    assert_eq!(showing(&site, "jasmine").await, 4, "a string, a stream, and a table in each of two");
    let name = site.name().to_owned();
    drop(site);
    let keys = watcher.redis_cli(&["--scan", "--pattern", &format!("{name}*")], "").await.unwrap();
    let schemas = format!("SELECT nspname FROM pg_namespace WHERE nspname = '{name}';");
    let schemas = watcher.psql(&schemas).await.unwrap();
    let databases = format!("SELECT name FROM system.databases WHERE name = '{name}'");
    let databases = watcher.clickhouse(databases).await.unwrap();
    assert_eq!([keys, schemas, databases].concat(), b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_engines_come_back_from_a_kill_with_what_they_had_and_answer_nothing_while_frozen() {
    let engines = OwnEngines::start().await.unwrap();
    let site = Site::new(engines.addresses()).unwrap();
    write(&site, "jasmine").await;
    for engine in Engine::ALL {
        engines.kill(engine).await.unwrap();
    }
    assert!(site.content().await.is_err());
    for engine in Engine::ALL {
        engines.start_again(engine).await.unwrap();
    }
    assert_eq!(showing(&site, "jasmine").await, 4);
    for engine in Engine::ALL {
        engines.freeze(engine).await.unwrap();
        let answered = tokio::time::timeout(Duration::from_millis(300), site.content()).await;
        assert!(answered.is_err(), "{} answers while it is frozen", engine.name());
        engines.thaw(engine).await.unwrap();
    }
    assert_eq!(showing(&site, "jasmine").await, 4);
}
