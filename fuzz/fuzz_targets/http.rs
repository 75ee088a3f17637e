//! Heads of HTTP: what follows the head changes nothing in it, and every field has a token for a name.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::http::check(bytes));
