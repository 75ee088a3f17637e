//! Records that say whose a socket is: what is read is all that was written.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::owner_record::check(bytes));
