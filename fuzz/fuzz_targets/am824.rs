//! AES3 subframes: parity is what it is, blocks are no more than their frames, status is read from its own octets.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::am824::check(bytes));
