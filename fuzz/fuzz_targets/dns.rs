//! Messages of DNS: what a count promises is there, names end, a message without its records says the same questions.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::dns::check(bytes));
