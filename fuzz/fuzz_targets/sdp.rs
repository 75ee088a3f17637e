//! Session descriptions: written as they are read, and described as they were agreed.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::sdp::check(bytes));
