//! From a batch of events on the bus to what the ledger is asked to keep.

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion};
use domain::event::Event;
use event_schema::codec::{self, EventBatch};

use crate::bodies::Body;
use crate::office::Office;

pub(crate) fn measure(criterion: &mut Criterion) {
    let office = Office::new();
    let mut group = criterion.benchmark_group("storage-writer");
    for body in Body::events() {
        let batch = office.batch(&body);
        let wire = batch.encode();
        group.throughput(body.throughput());
        group.bench_function(BenchmarkId::new("decode_batch", body.name), |b| {
            b.iter(|| EventBatch::decode(wire.clone()));
        });
        group.bench_function(BenchmarkId::new("encode_event", body.name), |b| {
            b.iter(|| codec::encode_event(&batch.events[0]));
        });
        group.bench_function(BenchmarkId::new("all_of_it", body.name), |b| {
            b.iter(|| ledger_entries(wire.clone()));
        });
    }
    group.finish();
}

/// What the writer of the ledger does to the part of a message that is one receipt: `ledger.rs` there.
fn ledger_entries(payload: Bytes) -> Vec<(Event, Bytes)> {
    let (batch, forms) = EventBatch::decode_with_forms(payload).expect("it was encoded here");
    batch.events.into_iter().zip(forms).collect()
}
