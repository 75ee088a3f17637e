//! Lists of ports: ranges come out ordered and apart, read back the same, and do not depend on the order of items.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::port_list::check(bytes));
