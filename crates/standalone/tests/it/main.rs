//! The services of the one box put together by hand, on its stores, without what runs them: every order and every repetition
//! can be tried in no time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod order;
mod world;
