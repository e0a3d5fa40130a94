//! A tenant's keys: asked for with every request and every delivery, derived once.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use domain::id::SourceId;

use crate::office::{tenant, vault};

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keys");
    group.throughput(Throughput::Elements(1));
    let salon = tenant("salon-7");
    group.bench_function("of_a_new_tenant", |b| {
        b.iter_batched_ref(vault, |vault| vault.tenant(&salon), BatchSize::SmallInput);
    });
    for tenants in [10, 1_000] {
        let vault = vault();
        for number in 0..tenants {
            drop(vault.tenant(&tenant(&format!("salon-{number}"))));
        }
        let id = BenchmarkId::new("of_a_known_tenant_among", tenants);
        group.bench_function(id, |b| b.iter(|| vault.tenant(&salon)));
    }
    // With every delivery that a messenger or a signature proves.
    let (vault, source) = (vault(), SourceId::parse("salon-bot").expect("it is a slug"));
    let sealed = vault.seal_secret(&source, b"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    group.bench_function("open_the_secret_of_a_source", |b| b.iter(|| vault.open_secret(&source, &sealed)));
    group.finish();
}
