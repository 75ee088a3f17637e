//! Compressed fields: few bytes never become many, and a shorter block says the beginning of the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::hpack::check(bytes));
