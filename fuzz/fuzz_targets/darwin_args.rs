//! A process's arguments on macOS: never more of them than counted, never more text than bytes, nothing past a NUL.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(started) = wire::darwin_args::parse(bytes) {
        let count = u32::from_ne_bytes(bytes[..4].try_into().unwrap());
        let expected = usize::try_from(count).unwrap().min(wire::darwin_args::LIMIT);
        assert_eq!(started.arguments.len(), expected);
        let text: usize = started.arguments.iter().map(String::len).sum();
        // A damaged byte becomes a replacement character, which is three bytes long.
        assert!(started.path.len() + text <= 3 * bytes.len());
        assert!(started.arguments.iter().all(|argument| !argument.contains('\0')));
    }
});
