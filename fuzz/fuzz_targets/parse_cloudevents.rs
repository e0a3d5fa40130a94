#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| letopis_fuzz::parse_cloudevents(body));
