//! Fast metadata and timed text: what is read is written as it was, and what is kept is bounded.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    media::metadata::check(bytes);
    media::timed_text::check(bytes);
});
