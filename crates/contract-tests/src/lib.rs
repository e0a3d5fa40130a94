//! What the ports promise, as tests: written once, run by every adapter.
//!
//! A clause is an `async fn` whose name is the promise. Each port has a macro (`bus_contract!(open)` and so on) that
//! expands to one named test per clause, each in a [`World`] of its own. An adapter's test file holds the opener and
//! the macro's call, nothing else. No clause knows what it runs on: time and room are the only things it may assume.

#![expect(clippy::unwrap_used, reason = "a clause is a test")]
#![expect(missing_docs, reason = "a clause's name is its documentation")]

pub mod analytics;
pub mod audit;
pub mod bus;
pub mod fixtures;
pub mod idempotency;
pub mod ledger;
pub mod quarantine;
pub mod queue;
pub mod registry;
pub mod seals;
pub mod sources;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

/// A place with a store in it, empty at first, gone when dropped.
#[async_trait]
pub trait World<P: ?Sized>: Send + Sync {
    /// Opens the store; opened again, it is the same one, as another process or the next one would see it.
    async fn open(&self) -> Arc<P>;
}

/// Longer than anything takes that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_elapsed) => panic!("waited in vain for {what}"),
    }
}

/// Names tests after clauses. With `world`, the clause opens the store itself, more than once.
#[macro_export]
#[doc(hidden)]
macro_rules! named_tests {
    (store, $open:path, $port:ty, $module:path: $($clause:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                use $module as clauses;
                let world = $open().await;
                let store = $crate::World::<$port>::open(&world).await;
                clauses::$clause(&*store).await;
            }
        )*
    };
    (world, $open:path, $port:ty, $module:path: $($clause:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                use $module as clauses;
                let world = $open().await;
                clauses::$clause(&world).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    const MODULES: [(&str, &[&str]); 9] = [
        (
            include_str!("bus.rs"),
            &[
                include_str!("bus/delivery.rs"),
                include_str!("bus/releasing.rs"),
                include_str!("bus/settling.rs"),
                include_str!("bus/books.rs"),
                include_str!("bus/many.rs"),
            ],
        ),
        (include_str!("idempotency.rs"), &[include_str!("idempotency.rs")]),
        (
            include_str!("ledger.rs"),
            &[
                include_str!("ledger/recording.rs"),
                include_str!("ledger/reading.rs"),
                include_str!("ledger/keeping.rs"),
            ],
        ),
        (include_str!("quarantine.rs"), &[include_str!("quarantine.rs")]),
        (include_str!("analytics.rs"), &[include_str!("analytics.rs")]),
        (include_str!("audit.rs"), &[include_str!("audit.rs")]),
        (include_str!("registry.rs"), &[include_str!("registry.rs")]),
        (include_str!("queue.rs"), &[include_str!("queue.rs")]),
        (include_str!("sources.rs"), &[include_str!("sources.rs")]),
    ];

    #[test]
    fn no_clause_is_forgotten_in_its_list() {
        for (list, clauses) in MODULES {
            let (_, listed) = list.split_once("macro_rules!").unwrap();
            let listed: Vec<_> =
                listed.split_whitespace().map(|word| word.trim_end_matches([')', ';'])).collect();
            for clause in clauses.iter().flat_map(|file| file.lines()) {
                let Some(rest) = clause.strip_prefix("pub async fn ") else { continue };
                let name = rest.split('(').next().unwrap();
                assert!(listed.contains(&name), "{name} is in no list");
            }
        }
    }
}
