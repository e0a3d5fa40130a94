//! How fast dialogue text is redacted on one core: talk with nothing to find in it, the golden sentences, half of each, and
//! messages that are nothing but contacts.
//!
//! ```sh
//! cargo bench -p redaction
//! ```
//!
//! In processor time of the one thread, so that what else the machine does counts little.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

/// What most messages are like.
const SMALL_TALK: &str = "Здравствуйте! Подскажите, пожалуйста, сколько стоит стрижка с укладкой и есть ли окошко на субботу после обеда?
Добрый день! Стрижка с укладкой от 2 300 рублей, в субботу свободно в 14:30 и в 17:00. Какое время вам удобнее?
Тогда на половину пятого, если можно. А краситься у вас долго? Часа три, наверное, волосы ниже плеч, тон тёмный.
Да, около трёх часов: сначала посмотрим структуру, потом подберём оттенок, в конце уход. Оплата картой или наличными.
хорошо, спасибо большое, тогда ещё подумаю насчёт цвета и напишу завтра утром, ничего страшного?
Конечно, ничего страшного. Запись можно перенести или отменить за сутки. Хорошего вечера, ждём вас!
I would like to know whether you have anything free next week, preferably in the afternoon, and how long it takes.
";

/// What comes when a form is typed into a chat.
const CONTACTS: &str = "Анна Сергеевна Кузнецова, +7 (913) 123-45-67
запишите Марию, 8 913 765 43 21, и Игоря Петровича, 89231112233
мой телефон восемь девятьсот тринадцать двести двадцать два тридцать три сорок четыре, Ольга
olga.petrova85@mail.ru, Ольга Петрова, для мастера Светланы
Дмитрий Волков, 03.04.1987, паспорт 5004 123456, г. Новосибирск, ул. Ленина, д. 12, кв. 45
перезвоните мужу Павлу на 383 222-33-44 или +79139998877
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

fn speed(criterion: &mut Criterion<ProcessorTime>) {
    let golden = golden();
    let as_long = |text: &str| text.repeat(golden.len() / text.len() + 1);
    let small_talk = as_long(SMALL_TALK);
    let half_of_each = format!("{golden}{small_talk}");
    let texts = [
        ("small talk", small_talk),
        ("half of each", half_of_each),
        ("contacts", as_long(CONTACTS)),
        ("golden sentences", golden),
    ];
    let mut group = criterion.benchmark_group("redact");
    // Samples as long as they can be: the kernel counts a thread's time when it looks, some milliseconds apart.
    group.sampling_mode(SamplingMode::Flat).sample_size(20).measurement_time(Duration::from_secs(6));
    for (name, text) in &texts {
        let messages: Vec<&str> = text.lines().collect();
        let bytes = u64::try_from(text.len()).expect("a text of some kilobytes");
        group.throughput(Throughput::BytesDecimal(bytes));
        group.bench_function(*name, |bench| {
            bench.iter(|| {
                for message in &messages {
                    black_box(redaction::redact(black_box(message)));
                }
            });
        });
    }
    group.finish();
}

/// The time this thread was on a processor.
struct ProcessorTime;

impl ProcessorTime {
    fn now() -> Duration {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
        let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
        Duration::from_nanos(nanoseconds.expect("it begins with nanoseconds"))
    }
}

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        Self::now()
    }

    fn end(&self, started: Duration) -> Duration {
        Self::now().saturating_sub(started)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime);
    targets = speed
}
criterion_main!(benches);
