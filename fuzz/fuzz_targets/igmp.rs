//! IGMP and MLD: records and sources lie in their message.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| wire::igmp::check(bytes));
