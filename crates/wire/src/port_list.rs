//! Lists of ports as the kernel writes them: `ip_local_reserved_ports` (`22,8080-8090`) and `ip_local_port_range`
//! (two numbers) (Linux `Documentation/networking/ip-sysctl.rst`).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::Fault;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "port list", at, what }
}

/// A port in decimal digits only: no sign, no space.
fn port(text: &[u8]) -> Option<u16> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// Parses a list of ports and ranges into ordered ranges that do not touch; items that are none are reported by offset.
pub fn parse(text: &[u8]) -> (Vec<RangeInclusive<u16>>, Vec<Fault>) {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    let mut faults = Vec::new();
    let mut at = 0;
    for item in text.trim_ascii_end().split(|byte| *byte == b',') {
        let bare = item.trim_ascii();
        let mut ends = bare.splitn(2, |byte| *byte == b'-');
        let first = ends.next().and_then(port);
        let last = ends.next().map_or(first, port);
        match (first, last) {
            _ if bare.is_empty() && at == 0 && item.len() == text.trim_ascii_end().len() => {}
            (Some(first), Some(last)) if first <= last => ranges.push((first, last)),
            (Some(_), Some(_)) => faults.push(fault(at, "a range ends before it begins")),
            _ => faults.push(fault(at, "neither a port nor a range of ports")),
        }
        at = at.saturating_add(item.len()).saturating_add(1);
    }
    ranges.sort_unstable();
    let mut merged: Vec<RangeInclusive<u16>> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if u32::from(first) <= u32::from(*before.end()) + 1 => {
                *before = *before.start()..=last.max(*before.end());
            }
            _ => merged.push(first..=last),
        }
    }
    (merged, faults)
}

/// Parses the two numbers of `ip_local_port_range`.
pub fn parse_range(text: &[u8]) -> Result<RangeInclusive<u16>, Fault> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(first), Some(last), None) = (words.next(), words.next(), words.next()) else {
        return Err(fault(0, "not two numbers"));
    };
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        (Some(_), Some(_)) => Err(fault(0, "the range ends before it begins")),
        _ => Err(fault(0, "not two port numbers")),
    }
}

/// Parses the one number of `ip_unprivileged_port_start`.
pub fn parse_one(text: &[u8]) -> Result<u16, Fault> {
    port(text.trim_ascii()).ok_or_else(|| fault(0, "not a port number"))
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(text: &[u8]) {
    let (ranges, faults) = parse(text);
    for pair in ranges.windows(2) {
        let [before, after] = pair else { continue };
        assert!(u32::from(*before.end()) + 1 < u32::from(*after.start()));
    }
    // What the kernel would write for these ranges reads back the same.
    let mut written = Vec::new();
    for range in &ranges {
        if !written.is_empty() {
            written.push(b',');
        }
        written.extend_from_slice(alloc::format!("{}-{}", range.start(), range.end()).as_bytes());
    }
    assert_eq!(parse(&written), (ranges, Vec::new()));
    assert!(faults.iter().all(|fault| fault.at <= text.len()));
    // The order of items does not matter.
    let mut items: Vec<&[u8]> = text.trim_ascii_end().split(|byte| *byte == b',').collect();
    if items.len() > 1 {
        items.reverse();
        let turned = parse(&items.join(&b','));
        assert_eq!((turned.0, turned.1.len()), (parse(text).0, faults.len()));
    }
    if let Ok(range) = parse_range(text) {
        assert!(range.start() <= range.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_text_is_read() {
        assert_eq!(parse(b"\n"), (Vec::new(), Vec::new()));
        assert_eq!(parse(b""), (Vec::new(), Vec::new()));
        assert_eq!(parse(b"1,2,4,10-12\n").0, [1..=2, 4..=4, 10..=12]);
        assert_eq!(parse(b"0-65535").0, [0..=65535]);
        assert_eq!(parse(b"10-12,1,11-20,21").0, [1..=1, 10..=21]);
        assert_eq!(parse_range(b"32768\t60999\n"), Ok(32768..=60999));
        assert_eq!(parse_one(b"1024\n"), Ok(1024));
        assert_eq!(parse_one(b"0\n"), Ok(0));
    }

    #[test]
    fn what_is_no_port_is_reported_and_the_rest_kept() {
        for (text, at) in [
            (&b"22,65536"[..], 3),
            (b"22,5-4", 3),
            (b"22,-", 3),
            (b"22,+1", 3),
            (b"22,1-2-3", 3),
            (b"22,", 3),
            (b",22", 0),
            (b"22,99999999999999999999", 3),
        ] {
            let (ranges, faults) = parse(text);
            assert_eq!(ranges, [22..=22], "{text:?}");
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].at, at, "{text:?}");
        }
        for text in [&b""[..], b"1", b"2 1", b"1 2 3", b"1 70000", b"a b"] {
            assert!(parse_range(text).is_err());
        }
        assert!(parse_one(b"65536").is_err() && parse_one(b"").is_err());
    }

    #[test]
    fn every_prefix_and_many_random_texts_are_survived() {
        let text = b"22,80-90,443,10000-65535,1-3\n";
        for end in 0..=text.len() {
            check(&text[..end]);
        }
        let letters = b"0123456789,,--\n 96";
        let mut seed = 5_u64;
        for length in 0..4000 {
            let random: Vec<u8> = (0..length % 40)
                .map(|_| {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    letters[(seed >> 33) as usize % letters.len()]
                })
                .collect();
            check(&random);
        }
    }
}
