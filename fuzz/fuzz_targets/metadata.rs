//! Fast metadata: data items make up the payload, and are written as they were.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::metadata::check(bytes));
