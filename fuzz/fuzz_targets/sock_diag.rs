//! Answers of sock_diag: the fixed part decides, and addresses are of the family that is named.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::sock_diag::check(bytes));
