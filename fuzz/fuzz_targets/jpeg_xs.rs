//! JPEG XS: headers are written as read, and no octet of a codestream is given twice.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::jpeg_xs::check::check(bytes));
