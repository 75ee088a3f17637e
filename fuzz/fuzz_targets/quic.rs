//! Packets of QUIC: they lie behind each other inside the input, and so do the parts of their handshake.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::quic::check(bytes));
