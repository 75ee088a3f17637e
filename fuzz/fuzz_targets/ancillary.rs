//! Ancillary data: packets lie in their payload, words survive being packed again, and what is measured adds up.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::ancillary::check(bytes));
