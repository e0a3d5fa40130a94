//! From a sealed delivery to a batch of events without anything personal.

use criterion::{BatchSize, BenchmarkId, Criterion};
use event_schema::codec::RawDelivery;

use crate::bodies::Body;
use crate::office::{Office, open, parse, receipt};

pub(crate) fn measure(criterion: &mut Criterion) {
    let office = Office::new();
    for body in Body::all() {
        steps(criterion, &office, &body);
        all_of_it(criterion, &office, &body);
    }
}

fn steps(criterion: &mut Criterion, office: &Office, body: &Body) {
    let (keys, raw) = (office.keys(), office.delivery(body));
    let (wire, receipt) = (raw.encode(), receipt(&raw));
    let observation = parse(&raw, body.text.as_bytes()).remove(0);
    let batch = office.batch(body);

    let mut group = criterion.benchmark_group("normalizer");
    group.throughput(body.throughput());
    group.bench_function(BenchmarkId::new("decode_delivery", body.name), |b| {
        b.iter(|| RawDelivery::decode(wire.clone()));
    });
    group.bench_function(BenchmarkId::new("open_body", body.name), |b| b.iter(|| open(&keys, &raw)));
    group.bench_function(BenchmarkId::new("parse", body.name), |b| {
        b.iter(|| parse(&raw, body.text.as_bytes()));
    });
    group.bench_function(BenchmarkId::new("protect", body.name), |b| {
        b.iter_batched(
            || observation.clone(),
            |observation| keys.protect(observation, &receipt),
            BatchSize::SmallInput,
        );
    });
    group.bench_function(BenchmarkId::new("encode_batch", body.name), |b| b.iter(|| batch.encode()));
    group.finish();
}

fn all_of_it(criterion: &mut Criterion, office: &Office, body: &Body) {
    let wire = office.delivery(body).encode();
    let mut group = criterion.benchmark_group("normalizer");
    group.throughput(body.throughput());
    group.bench_function(BenchmarkId::new("all_of_it", body.name), |b| {
        b.iter(|| office.normalize(wire.clone()));
    });
    group.finish();
}
