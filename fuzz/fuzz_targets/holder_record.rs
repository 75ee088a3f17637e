//! Records of the kernel program: a short one is none, and what follows a record changes nothing in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::holder_record::parse;

fuzz_target!(|bytes: &[u8]| {
    let record = parse(bytes);
    if bytes.len() < 46 {
        assert_eq!(record, None);
    }
    if record.is_some() {
        let mut longer = bytes.to_vec();
        longer.extend_from_slice(&[0xff; 64]);
        assert_eq!(parse(&longer), record);
    }
});
