//! Between the first byte of a body and the bus.

use criterion::{BenchmarkId, Criterion};
use domain::id::ReceiptId;
use serde_json::value::RawValue;
use system_tests::events;

use crate::bodies::{Body, throughput};
use crate::office::{Office, parse_and_validate, read};

pub(crate) fn measure(criterion: &mut Criterion) {
    let office = Office::new();
    reading(criterion);
    identifying(criterion, &office);
    sealing(criterion, &office);
    all_of_it(criterion, &office);
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gateway");
    for body in Body::all() {
        group.throughput(body.throughput());
        group.bench_function(BenchmarkId::new("read_json", body.name), |b| b.iter(|| read(&body.text)));
    }
    for body in Body::events() {
        group.throughput(body.throughput());
        let id = BenchmarkId::new("parse_and_validate", body.name);
        group.bench_function(id, |b| b.iter(|| parse_and_validate(&body.text)));
    }
    let array = format!(
        "[{}]",
        (0..100).map(|n| events::numbered(1, n, 10).to_string()).collect::<Vec<_>>().join(",")
    );
    group.throughput(throughput(100, array.len()));
    group.bench_function("split_a_batch_of_100", |b| {
        b.iter(|| serde_json::from_str::<Vec<&RawValue>>(&array).expect("it is an array"));
    });
    group.finish();
}

fn identifying(criterion: &mut Criterion, office: &Office) {
    let mut group = criterion.benchmark_group("gateway");
    let keys = office.keys();
    for body in Body::events() {
        group.throughput(body.throughput());
        let payload_digest = keys.payload_digest(body.text.as_bytes());
        group.bench_function(BenchmarkId::new("payload_digest", body.name), |b| {
            b.iter(|| keys.payload_digest(body.text.as_bytes()));
        });
        let observation = parse_and_validate(&body.text);
        group.bench_function(BenchmarkId::new("identify", body.name), |b| {
            b.iter(|| keys.identify(&office.source, &observation, &payload_digest));
        });
    }
    group.finish();
}

fn sealing(criterion: &mut Criterion, office: &Office) {
    let mut group = criterion.benchmark_group("gateway");
    let (keys, body, receipt) = (office.keys(), Body::turn(), ReceiptId::generate());
    let delivery = office.delivery(&body);
    group.throughput(body.throughput());
    group.bench_function(BenchmarkId::new("seal_body", body.name), |b| {
        b.iter(|| keys.seal_body(receipt, body.text.as_bytes()));
    });
    group.bench_function(BenchmarkId::new("encode_delivery", body.name), |b| b.iter(|| delivery.encode()));
    group.finish();
}

fn all_of_it(criterion: &mut Criterion, office: &Office) {
    let mut group = criterion.benchmark_group("gateway");
    for body in Body::all() {
        group.throughput(body.throughput());
        group.bench_function(BenchmarkId::new("all_of_it", body.name), |b| b.iter(|| office.accept(&body)));
    }
    group.finish();
}
