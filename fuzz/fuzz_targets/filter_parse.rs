//! Filter expressions: what is understood reads the same after it was written, and what is not says where.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::filter::check_parse(bytes));
