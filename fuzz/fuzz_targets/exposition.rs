#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| exposition::fuzz::exposition(data));
