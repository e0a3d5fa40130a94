#![no_main]

use domain::registry::SourceKind;

libfuzzer_sys::fuzz_target!(|body: &[u8]| letopis_fuzz::parse_channel(SourceKind::Vk, body));
