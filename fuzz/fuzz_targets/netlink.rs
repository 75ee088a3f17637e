//! Netlink messages and attributes: offsets grow, payloads lie inside the input, what we build reads back the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::netlink::check(bytes));
