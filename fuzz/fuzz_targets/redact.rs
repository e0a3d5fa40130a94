#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    letopis_fuzz::redact(bytes);
    letopis_fuzz::protect(bytes);
});
