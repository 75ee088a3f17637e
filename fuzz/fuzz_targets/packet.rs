//! Frames of every link type: payloads lie inside, and no length goes beyond what the headers claim.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::packet::check(bytes));
