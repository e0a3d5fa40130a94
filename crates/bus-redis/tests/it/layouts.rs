//! Redis as a cluster, behind sentinels, behind TLS, and with users.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use bus_redis::{Mode, RedisBus, RedisOptions};
use contract_tests::fixtures::{LONG, message, salon, subscription};
use domain::event::Digest;
use domain::id::SourceId;
use domain::timestamp::Timestamp;
use ports::bus::{EventBus, Group, Message, Partition, Settlement, Topic};
use ports::idempotency::{Begun, IdempotencyKey, IdempotencyStore, StoredAnswer};

use crate::engine::{Engine, eventually, free_port, open};

/// Goes once through everything a bus does, in both partitions.
async fn round_trip(bus: &RedisBus) {
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    bus.ensure_group(Topic::Events, Group::Ledger).await.unwrap();
    let raw = subscription(Topic::Raw, Group::Normalizer, "first", LONG);
    let before = bus.accepted(Topic::Raw).await.unwrap().remove(&salon()).unwrap_or_default();
    let (woken, published) = tokio::join!(
        bus.claim(&raw, 1, Duration::from_secs(20)),
        bus.publish(
            Topic::Raw,
            (0..2).map(|index| Message { partition: Partition::from_index(index), ..message("a") }).collect()
        )
    );
    published.unwrap();
    let mut held = woken.unwrap();
    held.extend(bus.claim(&raw, 10, Duration::ZERO).await.unwrap());
    assert_eq!(held.len(), 2);
    let tags: Vec<_> = held.iter().map(|delivery| delivery.tag.clone()).collect();
    bus.extend(&raw, &tags).await.unwrap();
    bus.release(&raw, &tags).await.unwrap();
    let held = bus.claim(&raw, 10, Duration::ZERO).await.unwrap();
    let forwarded = held
        .into_iter()
        .map(|delivery| Settlement { tag: delivery.tag, outputs: vec![(Topic::Events, delivery.message)] });
    bus.settle(&raw, forwarded.collect()).await.unwrap();
    let events = subscription(Topic::Events, Group::Ledger, "first", LONG);
    assert_eq!(bus.claim(&events, 10, Duration::ZERO).await.unwrap().len(), 2);
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), before + 2)]));
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
    bus.probe().await.unwrap();
    bus.tidy().await.unwrap();
    remember(bus).await;
}

async fn remember(bus: &RedisBus) {
    for n in 0..8 {
        let key =
            IdempotencyKey { source: SourceId::parse("bot").unwrap(), key: Digest::from_bytes([n; 32]) };
        let answer = StoredAnswer { status: 202, body: b"{}".to_vec() };
        let body = Digest::from_bytes([1; 32]);
        assert_eq!(bus.begin(&key, body, Timestamp::EPOCH).await.unwrap(), Begun::New);
        bus.finish(&key, answer.clone()).await.unwrap();
        assert_eq!(bus.begin(&key, body, Timestamp::EPOCH).await.unwrap(), Begun::Done(answer));
    }
    let later = Timestamp::EPOCH.plus(Duration::from_secs(1));
    assert_eq!(bus.forget_before(later).await.unwrap(), 8);
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_cluster_of_three_does_all_that_one_server_does() {
    let bus_ports = [free_port(), free_port(), free_port()].map(|port| port.to_string());
    let mut nodes = Vec::new();
    for port in &bus_ports {
        nodes.push(Engine::started(&["--cluster-enabled", "yes", "--cluster-port", port]).await);
    }
    let hosts: Vec<_> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
    let mut create = vec!["--cluster", "create"];
    create.extend(hosts.iter().map(String::as_str));
    create.extend(["--cluster-replicas", "0", "--cluster-yes"]);
    run("redis-cli", &create);
    let options = RedisOptions {
        mode: Mode::Cluster,
        // The others are found by asking this one.
        nodes: vec![nodes[0].address()],
        ..RedisOptions::default()
    };
    let bus = open(&options);
    eventually("the cluster to agree with itself", async || bus.probe().await.ok()).await;
    assert_eq!(bus.check().await.unwrap(), []);
    round_trip(&bus).await;
    // A partition's node goes away and comes back; p0 and p1 are on different ones.
    let lost = nodes.iter_mut().find(|node| is_owner_of(node, "letopis:{p0}:raw")).unwrap();
    lost.kill();
    assert!(bus.publish(Topic::Raw, vec![message("a")]).await.is_err());
    lost.start().await;
    eventually("the node to be found again", async || bus.probe().await.ok()).await;
    eventually("a message to get through", async || bus.publish(Topic::Raw, vec![message("b")]).await.ok())
        .await;
}

fn is_owner_of(node: &Engine, key: &str) -> bool {
    node.tell(&["EXISTS", key]).is_ok()
}

#[tokio::test]
async fn when_sentinels_name_another_master_the_bus_follows() {
    let first = Engine::started(&[]).await;
    let replica_of = format!("127.0.0.1 {}", first.port);
    let second = Engine::started(&["--replicaof", &replica_of]).await;
    let sentinel = Sentinel::watching(&first).await;
    let options = RedisOptions {
        mode: Mode::Sentinel,
        nodes: vec![sentinel.engine.address()],
        master: "books".to_owned(),
        ..RedisOptions::default()
    };
    let bus = open(&options);
    round_trip(&bus).await;
    let fail_over = async || sentinel.engine.tell(&["SENTINEL", "FAILOVER", "books"]).ok();
    eventually("the sentinel to know a good replica", fail_over).await;
    eventually("the replica to be master", async || second.tell(&["SET", "a", "b"]).ok()).await;
    // The old master takes messages until it hears that it is none any more.
    eventually("a message to get to the new master", async || {
        bus.publish(Topic::Raw, vec![message("b")]).await.ok()?;
        let length = second.tell(&["XLEN", "letopis:{p0}:raw"]).ok()?;
        matches!(length, redis::Value::Int(1..)).then_some(())
    })
    .await;
    assert!(bus.probe().await.is_ok());
}

struct Sentinel {
    engine: Engine,
}

impl Sentinel {
    async fn watching(master: &Engine) -> Self {
        let mut engine = Engine::prepared(&["--sentinel"]);
        let file = engine.path("sentinel.conf");
        std::fs::write(&file, format!("sentinel monitor books 127.0.0.1 {} 1\n", master.port)).unwrap();
        engine.configured_by(&file);
        engine.start().await;
        Self { engine }
    }
}

#[tokio::test]
async fn a_user_with_few_permissions_and_a_password_from_a_file_will_do() {
    let engine = Engine::started(&[]).await;
    let rules =
        "~letopis:* &letopis:* -@all +@read +@write +@scripting +@pubsub +@connection +info +config|get";
    let mut user = vec!["ACL", "SETUSER", "letopis", "on", ">secret"];
    user.extend(rules.split(' '));
    engine.tell(&user).unwrap();
    let file = engine.path("password");
    std::fs::write(&file, "secret\n").unwrap();
    let options =
        RedisOptions { username: Some("letopis".to_owned()), password_file: Some(file), ..engine.options() };
    let bus = open(&options);
    assert_eq!(bus.check().await.unwrap(), []);
    round_trip(&bus).await;
    let stranger = RedisOptions { password: Some("guess".to_owned()), password_file: None, ..options };
    assert!(open(&stranger).probe().await.is_err());
}

#[tokio::test]
async fn a_connection_may_be_encrypted_and_the_server_is_who_its_certificate_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (path("redis.key"), path("redis.pem"));
    for (key, certificate) in [(&key, &certificate), (&path("other.key"), &path("other.pem"))] {
        run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=redis",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-keyout",
                key,
                "-out",
                certificate,
            ],
        );
    }
    let tls_port = free_port().to_string();
    let tls = ["--tls-port", &tls_port, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let engine = Engine::started(
        &[&tls[..], &["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no"]].concat(),
    )
    .await;
    let options = RedisOptions {
        nodes: vec![format!("rediss://127.0.0.1:{tls_port}")],
        tls_ca_file: Some(certificate.into()),
        ..engine.options()
    };
    round_trip(&open(&options)).await;
    let other = RedisOptions { tls_ca_file: Some(path("other.pem").into()), ..options };
    assert!(open(&other).probe().await.is_err());
}
