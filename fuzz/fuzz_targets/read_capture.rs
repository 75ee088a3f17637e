//! The bytes of a capture through reading, judging and every face: frames are counted, text is harmless, JSON is JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portreeve::check_capture(bytes));
