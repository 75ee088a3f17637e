//! RTSP: messages are made of their bytes, and what is overheard of a connection does not hang on how it was cut.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::rtsp::check(bytes));
