//! What the role of the services may not do.

use crate::world::{execute, schema};

#[tokio::test]
async fn the_role_of_the_services_cannot_change_the_schema() {
    let schema = schema().await;
    let mut app = schema.app().await;
    for forbidden in [
        "CREATE TABLE mine (id integer)",
        "CREATE TABLE events_20990101 PARTITION OF events FOR VALUES FROM (0) TO (1)",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "DROP TABLE events",
        "TRUNCATE receipts",
        "ALTER TABLE events ADD COLUMN more text",
        "ALTER FUNCTION drop_swept_event_day() OWNER TO CURRENT_USER",
        "DELETE FROM events",
        "UPDATE events SET wire = ''",
        "DELETE FROM books",
        "DELETE FROM audit",
        "UPDATE audit SET name = 'nobody'",
        "DELETE FROM consents",
        "UPDATE consents SET granted = true",
        "UPDATE event_ids SET digest = digest",
        "DELETE FROM tenants",
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (2, '', '')",
    ] {
        let refused = execute(&mut app, forbidden).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code()).unwrap();
        assert_eq!(code, "42501", "{forbidden}: {refused}");
    }
}

#[tokio::test]
async fn days_are_made_for_days_and_for_nothing_else() {
    let schema = schema().await;
    let mut app = schema.app().await;
    for wrong in ["ARRAY[-1]", "ARRAY[47482]", "ARRAY[NULL]::bigint[]", "ARRAY[20000, 9223372036854775807]"] {
        execute(&mut app, &format!("SELECT make_event_days({wrong})")).await.unwrap_err();
    }
    assert_eq!(schema.partitions().await, Vec::<String>::new());
    execute(&mut app, "SELECT make_event_days(ARRAY[0, 47481, 0])").await.unwrap();
    assert_eq!(schema.partitions().await, ["events_19700101", "events_20991231"]);
    // Nothing lies below the watermark yet.
    execute(&mut app, "SELECT drop_swept_event_day()").await.unwrap();
    assert_eq!(schema.partitions().await.len(), 2);
}
