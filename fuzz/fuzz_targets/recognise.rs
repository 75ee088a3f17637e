//! Bytes of both sides against every recogniser: the same bytes say the same, and nobody is heard who said nothing.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| traffic::recognise::check(bytes));
