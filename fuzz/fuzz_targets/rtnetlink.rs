//! Interfaces and addresses over netlink: the fixed part decides, names and addresses lie inside the input.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::rtnetlink::check(bytes));
