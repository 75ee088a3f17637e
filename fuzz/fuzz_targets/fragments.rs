//! Pieces in any order: memory is bounded, and the whole is what a plain byte map makes of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fragments::check(bytes));
