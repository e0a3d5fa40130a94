//! What channels verify and read, against fixtures whose sources stand in `fixtures/PROVENANCE.tsv`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod batches;
mod cloudevents;
mod damage;
mod doors;
mod events;
mod fixtures;
mod jivo;
mod mapping;
mod meaning;
mod opt_outs;
mod otlp;
mod otlp_bounds;
mod standard_webhooks;
mod telegram;
mod unusual;
