//! Headers below and beside IP: each ends within its input, and what follows is the rest.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::link::check(bytes));
