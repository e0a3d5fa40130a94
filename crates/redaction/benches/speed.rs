//! How fast dialogue text is redacted on one core: the golden sentences, and talk with nothing to find in it.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// What most messages are like.
const SMALL_TALK: &str = "Здравствуйте! Подскажите, пожалуйста, сколько стоит стрижка с укладкой и есть ли окошко на субботу после обеда?
Добрый день! Стрижка с укладкой от 2 300 рублей, в субботу свободно в 14:30 и в 17:00. Какое время вам удобнее?
Тогда на половину пятого, если можно. А краситься у вас долго? Часа три, наверное, волосы ниже плеч, тон тёмный.
Да, около трёх часов: сначала посмотрим структуру, потом подберём оттенок, в конце уход. Оплата картой или наличными.
хорошо, спасибо большое, тогда ещё подумаю насчёт цвета и напишу завтра утром, ничего страшного?
Конечно, ничего страшного. Запись можно перенести или отменить за сутки. Хорошего вечера, ждём вас!
I would like to know whether you have anything free next week, preferably in the afternoon, and how long it takes.
";

/// The golden sentences without their marks.
fn golden() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut text = String::new();
    for part in ["dev", "first", "held-out"] {
        for file in std::fs::read_dir(folder.join(part)).expect("the golden files are beside the bench") {
            let file = file.expect("a readable folder").path();
            let lines = std::fs::read_to_string(file).expect("a readable file");
            for line in lines.lines().filter(|line| !line.starts_with('#')) {
                text.push_str(&without_marks(line));
                text.push('\n');
            }
        }
    }
    text
}

fn without_marks(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, marked)) = rest.split_once('{') {
        let (mark, after) = marked.split_once('}').unwrap_or((marked, ""));
        plain.push_str(before);
        plain.push_str(mark.split_once(':').map_or(mark, |(_, content)| content));
        rest = after;
    }
    plain + rest
}

fn speed(criterion: &mut Criterion) {
    let golden = golden();
    let small_talk = SMALL_TALK.repeat(golden.len() / SMALL_TALK.len() + 1);
    let dialogue = format!("{golden}{small_talk}");
    let mut group = criterion.benchmark_group("redact");
    for (name, text) in [("dialogue", &dialogue), ("golden sentences", &golden), ("small talk", &small_talk)]
    {
        let messages: Vec<&str> = text.lines().collect();
        group.throughput(Throughput::Bytes(u64::try_from(text.len()).expect("a text of some kilobytes")));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                for message in &messages {
                    black_box(redaction::redact(black_box(message)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, speed);
criterion_main!(benches);
