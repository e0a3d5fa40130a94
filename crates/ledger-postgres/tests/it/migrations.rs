//! Bringing the schema up to date.

use contract_tests::fixtures::{at, salon};
use domain::appointment::Step;
use domain::audit::{About, Deed};
use domain::channel::Channel;
use domain::quarantine::{QuarantineState, ReasonClass, Stage};
use domain::registry::{Scope, SourceKind, Trade};
use domain::session::Outcome;
use ledger_postgres::{MigrateError, SchemaError, migrate};
use ports::audit::{AboutFilter, AuditLog as _, AuditQuery};
use ports::ledger::{LedgerReader as _, SessionQuery};
use sqlx::Row as _;

use crate::world::{ROLE, empty_schema, execute, rows, schema};

#[tokio::test]
async fn migrating_twice_does_nothing_the_second_time() {
    let schema = empty_schema();
    let applied = migrate(&schema.options, Some(ROLE)).await.unwrap();
    assert_eq!(applied.first().map(|applied| applied.version), Some(1));
    assert_eq!(migrate(&schema.options, Some(ROLE)).await.unwrap(), []);
    schema.open_ledger().check_schema().await.unwrap();
}

#[tokio::test]
async fn of_many_that_migrate_at_once_one_does_it() {
    let schema = empty_schema();
    let migrating = || migrate(&schema.options, Some(ROLE));
    let (a, b, c, d) = tokio::join!(migrating(), migrating(), migrating(), migrating());
    let applied: Vec<_> = [a, b, c, d].into_iter().map(|applied| applied.unwrap().len()).collect();
    assert_eq!(applied.iter().filter(|&&applied| applied > 0).count(), 1, "{applied:?}");
    schema.open_ledger().check_schema().await.unwrap();
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_refused_and_left_alone() {
    let schema = schema().await;
    let mut owner = schema.owner().await;
    let newer = "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'later', '')";
    execute(&mut owner, newer).await.unwrap();
    let refusal = migrate(&schema.options, Some(ROLE)).await.unwrap_err();
    assert!(matches!(refusal, MigrateError::Newer { found: 99, .. }), "{refusal}");
    let refusal = schema.open_ledger().check_schema().await.unwrap_err();
    assert!(matches!(refusal, SchemaError::Newer { found: 99, .. }), "{refusal}");
}

#[tokio::test]
async fn a_migration_that_is_not_the_one_applied_is_refused() {
    let schema = schema().await;
    let mut owner = schema.owner().await;
    execute(&mut owner, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1").await.unwrap();
    let refusal = migrate(&schema.options, Some(ROLE)).await.unwrap_err();
    assert!(matches!(refusal, MigrateError::Changed { version: 1 }), "{refusal}");
}

#[tokio::test]
async fn what_is_missing_of_the_schema_is_said_in_words() {
    let schema = empty_schema();
    let refusal = schema.open_ledger().check_schema().await.unwrap_err();
    assert!(matches!(refusal, SchemaError::Missing), "{refusal}");
    migrate(&schema.options, None).await.unwrap();
    let refusal = schema.open_ledger().check_schema().await.unwrap_err();
    // Without a right to the schema, PostgreSQL does not even say that the table is there.
    assert!(matches!(refusal, SchemaError::Missing | SchemaError::Forbidden), "{refusal}");
    migrate(&schema.options, Some(ROLE)).await.unwrap();
    let mut owner = schema.owner().await;
    execute(&mut owner, "DELETE FROM schema_migrations WHERE version > 1").await.unwrap();
    let refusal = schema.open_ledger().check_schema().await.unwrap_err();
    assert!(matches!(refusal, SchemaError::Older { found: 1, .. }), "{refusal}");
}

/// Its statements, which a process of it may still run beside this schema.
#[tokio::test]
async fn what_the_first_release_writes_is_taken_and_found() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let mut app = schema.app().await;
    let id = "sha256('one')";
    let claim = format!(
        "INSERT INTO event_ids (tenant, event_id, digest, received_at) VALUES ('salon', substr({id}, 1, 16), {id}, 1)
         ON CONFLICT (tenant, event_id) DO NOTHING"
    );
    let add = format!(
        "INSERT INTO sessions (tenant, session, channel, opened_at, opened_event, last_at, last_event, marks, outcome,
                               events, first_received, last_received)
         VALUES ('salon', 's-1', 'site', 1, substr({id}, 1, 16), 1, substr({id}, 1, 16), 1, 'open', 1, 1, 1)
         ON CONFLICT (tenant, session) DO NOTHING"
    );
    for statement in [&claim, &claim, &add, &add] {
        execute(&mut app, statement).await.unwrap();
    }
    let change = "UPDATE sessions SET last_at = 1768467600000000 WHERE (tenant, session) = ('salon', 's-1')";
    execute(&mut app, change).await.unwrap();
    let query = SessionQuery {
        tenant: salon(),
        channel: None,
        outcome: None,
        from: Some(at(0)),
        until: Some(at(1)),
        after: None,
        limit: 10,
    };
    assert_eq!(ledger.sessions(&query).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_release_before_wrote_into_the_audit_reads_as_an_opened_body() {
    let schema = schema().await;
    let mut app = schema.app().await;
    let add = "INSERT INTO audit (tenant, at, who, name, receipt, stage, reason)
         VALUES ('salon', 1, 'key', 'abc', '\\x0190b3a47c1e7a3b9d575f3c2b1a0e4d', 'normalize', '\\x00ff')";
    execute(&mut app, add).await.unwrap();
    let query = AuditQuery { deed: Some(Deed::Opened), ..AuditQuery::last_of(Some(salon()), 10) };
    let entries = schema.open_ledger().audit(&query).await.unwrap();
    let receipt = "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d".parse().unwrap();
    let about: Vec<_> = entries.into_iter().map(|row| row.entry.about).collect();
    assert_eq!(about, [About::Entry { receipt, stage: Stage::Normalize }]);
    let by_thing = AuditQuery { about: Some(AboutFilter::OneOf(about)), ..query };
    assert_eq!(schema.open_ledger().audit(&by_thing).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_clock_dated_into_the_future_is_dated_as_received() {
    let schema = schema().await;
    let mut owner = schema.owner().await;
    let id = "decode('0190b3a47c1e7a3b9d575f3c2b1a0e4d', 'hex')";
    for before in [
        format!(
            "INSERT INTO event_ids (tenant, event_id, digest, received_at)
             VALUES ('salon', {id}, decode(repeat('00', 32), 'hex'), 100)"
        ),
        format!(
            "INSERT INTO consents VALUES
                 ('salon', 'form', {id}, 'mailing', 900, 'site', 'bot', true, NULL, NULL, '{{}}'),
                 ('salon', 'form', {id}, 'medical', 50, 'site', 'bot', true, NULL, NULL, '{{}}')"
        ),
        format!(
            "INSERT INTO links VALUES
                 ('salon', 'phone', 'v1:p', 'messenger', 'v1:m', NULL, NULL, 'apart', 900, {id})"
        ),
        // And what came after it.
        "DROP INDEX audit_by_deed, audit_by_thing".to_owned(),
        "DELETE FROM schema_migrations WHERE version >= 15".to_owned(),
    ] {
        execute(&mut owner, &before).await.unwrap();
    }
    migrate(&schema.options, Some(ROLE)).await.unwrap();
    let dates = "SELECT occurred_at FROM consents UNION ALL SELECT ruled_at FROM links ORDER BY 1";
    let dates: Vec<i64> = rows(&mut owner, dates).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(dates, [50, 100, 100]);
}

#[tokio::test]
async fn every_word_of_the_vocabulary_may_be_written() {
    let schema = schema().await;
    let mut owner = schema.owner().await;
    let words: [(&str, &str, Vec<&str>); 13] = [
        ("sessions", "channel", Channel::ALL.map(Channel::as_str).into()),
        ("sessions", "step", Step::ALL.map(Step::as_str).into()),
        ("sessions", "outcome", Outcome::ALL.map(Outcome::as_str).into()),
        ("quarantine", "stage", Stage::ALL.map(Stage::as_str).into()),
        ("quarantine", "class", ReasonClass::ALL.map(ReasonClass::as_str).into()),
        ("quarantine", "state", QuarantineState::ALL.map(QuarantineState::as_str).into()),
        ("sources", "kind", SourceKind::ALL.map(SourceKind::as_str).into()),
        ("tenants", "trade", Trade::ALL.map(Trade::as_str).into()),
        ("audit", "who", vec!["key", "account", "visitor"]),
        ("audit", "deed", Deed::ALL.map(Deed::as_str).into()),
        ("audit", "about", About::WORDS.into()),
        ("keys", "scope", Scope::ALL.map(Scope::as_str).into()),
        ("receipts", "outcome", vec!["stored", "duplicate", "quarantined"]),
    ];
    for (table, column, words) in words {
        let constraint = format!(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = '{table}'::regclass AND conname = '{table}_{column}_check'"
        );
        let constraint: String = rows(&mut owner, &constraint).await[0].get(0);
        let allowed = constraint.matches('\'').count() / 2;
        assert_eq!(allowed, words.len(), "{table}.{column}: {constraint}");
        for word in words {
            assert!(constraint.contains(&format!("'{word}'")), "{table}.{column} must take {word}");
        }
    }
}
