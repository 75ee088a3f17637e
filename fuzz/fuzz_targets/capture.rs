//! Captures in both formats: frames lie inside, the position is right, parts give what the whole gives, what we write is read back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::capture::check(bytes));
