//! The client, as each of its users needs it.

use std::time::Duration;

use clickhouse::Client;

use crate::options::{ClickHouseOptions, Login, OpenError};

/// For questions: they end on the server when nobody waits for them any more.
pub(crate) fn reader(options: &ClickHouseOptions) -> Result<Client, OpenError> {
    let client = client(options, options.login()?)?;
    Ok(client
        .with_database(&options.database)
        .with_setting("cancel_http_readonly_queries_on_client_close", "1")
        .with_setting("max_execution_time", seconds(options.query_timeout)))
}

/// For batches: an insert is one block, and answered when it is on the disk.
pub(crate) fn writer(options: &ClickHouseOptions) -> Result<Client, OpenError> {
    let client = client(options, options.login()?)?;
    Ok(client
        .with_database(&options.database)
        // The client would ask for the types of the columns, and cannot read tuples whose elements have names.
        .with_validation(false)
        // The batches are ours: nothing is gained by the server's waiting for more.
        .with_setting("async_insert", "0")
        // They hold one row a key already: merging them once more for it only costs.
        .with_setting("optimize_on_insert", "0")
        // Through a Distributed table: answered by the shards and not by the queue to them. Elsewhere it says nothing.
        .with_setting("distributed_foreground_insert", "1")
        // Events received over many months, as after a long outage, are many partitions, and no reason to refuse.
        .with_setting("max_partitions_per_insert_block", "0")
        .with_setting("max_execution_time", seconds(options.insert_timeout)))
}

/// For schemas; in no database, which need not be there yet.
pub(crate) fn owner(options: &ClickHouseOptions) -> Result<Client, OpenError> {
    Ok(client(options, options.owner_login()?)?
        .with_setting("async_insert", "0")
        .with_setting("distributed_foreground_insert", "1"))
}

fn client(options: &ClickHouseOptions, login: Login) -> Result<Client, OpenError> {
    options.validate()?;
    // The client reads the system's certificates here and panics when there are none: say it in words instead.
    let client = std::panic::catch_unwind(Client::default).map_err(|_panic| OpenError::NoCertificates)?;
    Ok(client
        .with_product_info("letopis", env!("CARGO_PKG_VERSION"))
        .with_url(&options.url)
        .with_user(login.user)
        .with_password(login.password))
}

/// Whole seconds, at least one: what the server's limits are given in.
fn seconds(duration: Duration) -> String {
    duration.as_millis().div_ceil(1_000).max(1).to_string()
}
