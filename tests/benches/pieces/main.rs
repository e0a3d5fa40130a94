//! What the hot pieces of an event's way cost, apart from disks, sockets and each other.
//!
//! ```sh
//! cargo bench -p system-tests --bench pieces                       # all
//! cargo bench -p system-tests --bench pieces -- normalizer/protect # those whose name holds this
//! cargo bench -p system-tests --bench pieces -- --quick            # sooner, and rougher
//! ```
//!
//! A name says who does it, what it is and on which body: `gateway/parse_and_validate/turn`. Services keep their
//! functions to themselves, so each piece repeats the calls of the vocabulary its service makes: whoever changes the one
//! changes the other.

mod bodies;
mod gateway;
mod keys;
mod normalizer;
mod office;
mod rollup;
mod writer;

use criterion::Criterion;

/// The one the product runs on, or allocations would cost something else here.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    gateway::measure(&mut criterion);
    normalizer::measure(&mut criterion);
    writer::measure(&mut criterion);
    rollup::measure(&mut criterion);
    keys::measure(&mut criterion);
    criterion.final_summary();
}
