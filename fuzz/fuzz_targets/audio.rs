//! Packets of audio: counts agree, spreads are in order, what is detected can be; whatever the packets say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::audio::check(bytes));
