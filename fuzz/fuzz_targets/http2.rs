//! Frames of HTTP/2: they lie inside the input, and settings keep their form.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::http2::check(bytes));
