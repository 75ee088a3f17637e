//! Text tables of sockets: each line is read alone as among others, and what is read can be written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::proc_net::check(bytes));
