//! Type information of the kernel: types that refer to each other in circles end, and every member is found by its name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::btf::check(bytes));
