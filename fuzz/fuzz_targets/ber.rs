//! BER: elements lie inside their bytes, and only more bytes are lacking where an element is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| wire::ber::check(bytes));
