//! Reception, timing, shaping and the merge of legs: what they count adds up, whatever comes and whenever.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::reception::check::check(bytes));
