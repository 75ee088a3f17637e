//! Blocks and tables of iptables: a match only takes packets away, forwards are ordered and of the table's family.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::iptables::check(bytes));
