//! Records of DTLS, and its handshake messages put together from fragments (RFC 6347 §4.1, RFC 6347 §4.2.3).

use alloc::{borrow::Cow, vec::Vec};

use super::{content, fault};
use crate::Fault;
use crate::cursor::be16;

/// One record of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatagramRecord<'a> {
    /// One of [`content`].
    pub kind: u8,
    /// The version that the record layer claims.
    pub version: u16,
    /// Zero as long as nothing is encrypted.
    pub epoch: u16,
    /// What it carries.
    pub fragment: &'a [u8],
}

/// Reads a record with its header in the clear, which is whole: datagrams are.
pub fn datagram_record(bytes: &[u8]) -> Result<DatagramRecord<'_>, Fault> {
    let (header, rest) =
        bytes.split_first_chunk::<13>().ok_or(fault(bytes.len(), "shorter than a record's header"))?;
    let [kind, v1, v2, e1, e2, .., l1, l2] = *header;
    let version = u16::from_be_bytes([v1, v2]);
    if !(content::CHANGE_CIPHER_SPEC..=26).contains(&kind) {
        return Err(fault(0, "no content type (RFC 9147 §4)"));
    }
    // 0x0100 is what OpenSSL spoke before the standard.
    if !matches!(version, 0xfeff | 0xfefd | 0x0100) {
        return Err(fault(1, "no version of a record"));
    }
    let fragment = rest
        .get(..usize::from(u16::from_be_bytes([l1, l2])))
        .filter(|fragment| !fragment.is_empty())
        .ok_or(fault(11, "the record ends early, or holds nothing"))?;
    Ok(DatagramRecord { kind, version, epoch: u16::from_be_bytes([e1, e2]), fragment })
}

/// The longest message that is put together: chains of certificates are shorter.
const MOST_MESSAGE: usize = 1 << 17;

/// A message of which fragments were seen.
struct Partly<'a> {
    sequence: u16,
    kind: u8,
    length: usize,
    /// What is known from the beginning on without a hole.
    body: Cow<'a, [u8]>,
}

fn number24(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) << 16 | usize::from(be16(bytes, at + 1)?))
}

/// A whole handshake message: its kind, and its body.
pub type Whole<'a> = (u8, Cow<'a, [u8]>);

/// The whole handshake messages of the datagrams with their kinds, and whether a part of another was seen.
///
/// Fragments are joined where they come in order; what is missing between two is not waited for.
pub fn datagram_handshakes<'a>(datagrams: impl Iterator<Item = &'a [u8]>) -> (Vec<Whole<'a>>, bool) {
    let mut messages = Vec::new();
    for mut rest in datagrams {
        while let Ok(record) = datagram_record(rest) {
            rest = rest.get(13 + record.fragment.len()..).unwrap_or_default();
            if record.kind == content::HANDSHAKE && record.epoch == 0 {
                take(&mut messages, record.fragment);
            }
        }
    }
    let seen = messages.len();
    let whole: Vec<_> = messages
        .into_iter()
        .filter(|message: &Partly<'_>| message.body.len() == message.length)
        .map(|message| (message.kind, message.body))
        .collect();
    let partly = whole.len() < seen;
    (whole, partly)
}

fn take<'a>(messages: &mut Vec<Partly<'a>>, mut rest: &'a [u8]) {
    while let (Some(kind), Some(length), Some(sequence)) = (rest.first(), number24(rest, 1), be16(rest, 4)) {
        let (Some(offset), Some(size)) = (number24(rest, 6), number24(rest, 9)) else { return };
        let Some(part) = rest.get(12..12 + size) else { return };
        if length > MOST_MESSAGE || offset + size > length || messages.len() > 16 || *kind > 32 {
            return;
        }
        let known = messages.iter_mut().find(|known| known.sequence == sequence && known.kind == *kind);
        match known {
            Some(known) if known.length == length => {
                // A repeated fragment adds nothing; one behind a hole is not waited for.
                let have = known.body.len();
                if let Some(new) = have.checked_sub(offset).and_then(|skip| part.get(skip..))
                    && !new.is_empty()
                {
                    known.body.to_mut().extend_from_slice(new);
                }
            }
            Some(_) => return,
            None if offset == 0 => {
                messages.push(Partly { sequence, kind: *kind, length, body: Cow::Borrowed(part) });
            }
            None => {}
        }
        rest = rest.get(12 + size..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(offset: u8, part: &[u8]) -> Vec<u8> {
        let size = u8::try_from(part.len()).unwrap();
        let mut bytes = Vec::from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12 + size]);
        bytes.extend_from_slice(&[11, 0, 0, 6, 0, 1, 0, 0, offset, 0, 0, size]);
        bytes.extend_from_slice(part);
        bytes
    }

    #[test]
    fn fragments_are_joined_in_order() {
        let (one, two) = (fragment(0, b"abcd"), fragment(3, b"def"));
        assert_eq!(
            datagram_handshakes([&one[..], &two].into_iter()),
            (Vec::from([(11, Cow::Borrowed(&b"abcdef"[..]))]), false)
        );
        assert_eq!(datagram_handshakes([&one[..], &one].into_iter()), (Vec::new(), true));
        let both = [one, two].concat();
        assert_eq!(datagram_handshakes([&both[..]].into_iter()).0.len(), 1);
        for length in 0..both.len() {
            let (whole, _) = datagram_handshakes([&both[..length]].into_iter());
            assert!(whole.is_empty());
        }
    }

    #[test]
    fn forbidden_headers_are_faults() {
        let good = fragment(0, b"abcdef");
        assert!(datagram_record(&good).is_ok());
        for (at, value) in [(0, 19), (0, 27), (1, 3), (2, 0xfa), (11, 1), (12, 0)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(datagram_record(&bad).is_err(), "{at}");
        }
    }
}
