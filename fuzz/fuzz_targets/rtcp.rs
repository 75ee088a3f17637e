//! RTCP: the packets of a compound make up the datagram, and their blocks and items make up the packets.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| wire::rtcp::check(bytes));
