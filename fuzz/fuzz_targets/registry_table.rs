//! Any bytes as a stored table, with its hash made right: refused, or answering for every port with rows for it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| registry::table::assert_any(bytes, false));
