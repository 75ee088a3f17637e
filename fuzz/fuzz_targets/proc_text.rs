//! `/proc` text and `/etc/passwd`: what is read is in the bytes, and what a process calls itself moves nothing else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{mountinfo, passwd, proc_stat, proc_status};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stat) = proc_stat::parse(bytes) {
        assert!(stat.comm.len() + 2 <= bytes.len());
        assert!(!bytes[bytes.iter().rposition(|b| *b == b')').unwrap() + 1..].contains(&b')'));
        // Any name at all may stand there: the other fields stay what they are.
        let rest = &bytes[bytes.iter().rposition(|b| *b == b')').unwrap()..];
        let mut renamed = format!("{} (", stat.pid).into_bytes();
        renamed.extend_from_slice(b") S 1 (\n");
        renamed.extend_from_slice(rest);
        let again = proc_stat::parse(&renamed).unwrap();
        assert_eq!((again.pid, again.parent, again.start_ticks), (stat.pid, stat.parent, stat.start_ticks));
        assert_eq!((again.state, again.flags, again.arg_start), (stat.state, stat.flags, stat.arg_start));
        assert_eq!(again.comm, b") S 1 (\n");
    }
    if let Ok(status) = proc_status::parse(bytes) {
        assert!(bytes.windows(4).any(|line| line == b"Uid:"));
        // What follows the capability sets is not read.
        if status.capabilities.is_some() {
            let mut longer = bytes.to_vec();
            longer.extend_from_slice(b"\nCapBnd:\tnonsense\nUid:\tnonsense\n");
            assert_eq!(proc_status::parse(&longer), Ok(status));
        }
    }
    for account in passwd::accounts(bytes) {
        assert!(
            !account.name.is_empty()
                && !account.name.contains([':', '\n'])
                && !account.home.contains([':', '\n'])
        );
    }
    if let Some(found) = mountinfo::container(bytes) {
        assert!(!found.id.is_empty() && !found.id.contains('/'));
        assert!(found.pod.is_none_or(|pod| pod.len() >= 32 && !pod.contains('/')));
    }
});
