//! Any bytes as IANA's CSV or XML: refused with a line that the document has, or a table that answers rightly.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| registry::import::assert_any(bytes));
