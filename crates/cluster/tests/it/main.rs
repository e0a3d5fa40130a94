//! What holds only once services and adapters are together: on real stores, below the processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod poison;
