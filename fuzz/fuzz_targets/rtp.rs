//! RTP: header, sources, extension, payload and padding make up the datagram.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| wire::rtp::check(bytes));
