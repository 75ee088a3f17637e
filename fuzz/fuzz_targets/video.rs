//! Uncompressed video: both ways of unpacking agree, and what is measured and put together adds up.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::video::check::check(bytes));
