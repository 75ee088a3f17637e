//! PTP of both versions: messages and extensions lie in the octets, and what is seen of clocks adds up.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::ptp::check(bytes));
