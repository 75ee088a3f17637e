//! Session announcements: written as they are read, heard once, and ended by silence.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::sap::check(bytes));
