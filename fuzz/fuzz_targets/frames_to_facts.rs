//! Frames through an observer to facts: each packet is counted once, however many look, and nothing stops.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| traffic::check_frames(bytes));
