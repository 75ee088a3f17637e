//! The pcap format: one header, then records (draft-ietf-opsawg-pcap §4, §5).

use model::Timestamp;

use super::{Format, MOST_BLOCK_BYTES, Step};
use crate::{Fault, Frame, LinkType};

/// Bytes of the header of the file.
pub(super) const FILE_HEADER_BYTES: usize = 24;
/// Bytes of the header of a record.
const RECORD_HEADER_BYTES: usize = 16;
/// Bytes of the header of a record in Kuznetzov's variant: an interface index, a protocol and a packet type more.
const MODIFIED_HEADER_BYTES: usize = 24;

/// Microseconds.
const MAGIC: u32 = 0xa1b2_c3d4;
/// Nanoseconds.
const MAGIC_NS: u32 = 0xa1b2_3c4d;
/// Kuznetzov's variant.
const MAGIC_MODIFIED: u32 = 0xa1b2_cd34;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "pcap", at, what }
}

/// Neither pcap nor pcapng; what else people keep captures in, or pack them with, is named.
pub(super) fn unknown_magic(bytes: [u8; 4]) -> Fault {
    let what = match &bytes {
        b"snoo" => "neither pcap nor pcapng, but snoop of Solaris: editcap -F pcapng converts it",
        b"GMBU" | b"RTSS" => "neither pcap nor pcapng, but Network Monitor's: editcap -F pcapng converts it",
        b"TRSN" => "neither pcap nor pcapng, but a Sniffer's: editcap -F pcapng converts it",
        [0xfd, b'7', b'z', b'X'] => {
            "packed with xz, which is not unpacked here: xz -dc FILE | portreeve read -"
        }
        [b'B', b'Z', b'h', _] => {
            "packed with bzip2, which is not unpacked here: bzip2 -dc FILE | portreeve read -"
        }
        [4, 0x22, 0x4d, 0x18] => {
            "packed with lz4, which is not unpacked here: lz4 -dc FILE | portreeve read -"
        }
        b"PK\x03\x04" => "a zip archive: unpack it, and read what is in it",
        b"7z\xbc\xaf" => "a 7z archive: unpack it, and read what is in it",
        _ => "neither pcap nor pcapng: the first four bytes are no known magic",
    };
    Fault { layer: "capture", at: 0, what }
}

/// The byte order and the magic number of a file that begins so.
fn magic(bytes: [u8; 4]) -> Option<(bool, u32)> {
    [(false, u32::from_le_bytes(bytes)), (true, u32::from_be_bytes(bytes))]
        .into_iter()
        .find(|(_, magic)| [MAGIC, MAGIC_NS, MAGIC_MODIFIED].contains(magic))
}

/// Whether a file that begins so is a pcap.
pub(super) fn begins(bytes: [u8; 4]) -> bool {
    magic(bytes).is_some()
}

/// What the header of the file said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pcap {
    big_endian: bool,
    modified: bool,
    ns_per_tick: u32,
    link: LinkType,
}

impl Pcap {
    pub(super) fn parse(header: &[u8; FILE_HEADER_BYTES]) -> Result<(Pcap, Format), Fault> {
        let word = |at: usize, big_endian: bool| {
            let bytes = crate::cursor::array(header, at).unwrap_or_default();
            if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let begin = crate::cursor::array(header, 0).unwrap_or_default();
        let (big_endian, magic) = magic(begin).ok_or_else(|| unknown_magic(begin))?;
        let version = word(4, big_endian);
        let major = if big_endian { version >> 16 } else { version & 0xffff };
        if major != 2 {
            return Err(fault(4, "the version of the format is not 2 (draft-ietf-opsawg-pcap §4)"));
        }
        // The upper bits say whether frames end with a checksum; lengths of higher layers leave it out.
        let [low, high, ..] = word(20, big_endian).to_le_bytes();
        let link = LinkType(u16::from_le_bytes([low, high]));
        let (nanoseconds, modified) = (magic == MAGIC_NS, magic == MAGIC_MODIFIED);
        let snap_bytes = word(16, big_endian);
        let ns_per_tick = if nanoseconds { 1 } else { 1000 };
        Ok((
            Pcap { big_endian, modified, ns_per_tick, link },
            Format::Pcap { nanoseconds, big_endian, modified, link, snap_bytes },
        ))
    }

    fn number(&self, bytes: [u8; 4]) -> u32 {
        let number = u32::from_le_bytes(bytes);
        if self.big_endian { number.swap_bytes() } else { number }
    }

    fn header_bytes(&self) -> usize {
        if self.modified { MODIFIED_HEADER_BYTES } else { RECORD_HEADER_BYTES }
    }

    /// The next frame, where all of it is there.
    #[inline]
    pub(super) fn frame<'a>(&self, bytes: &'a [u8]) -> Option<(Frame<'a>, usize)> {
        let header = bytes.first_chunk::<RECORD_HEADER_BYTES>()?;
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, w0, w1, w2, w3] = *header;
        let captured = self.number([c0, c1, c2, c3]);
        if captured as usize > MOST_BLOCK_BYTES {
            return None;
        }
        let start = self.header_bytes();
        let end = start + captured as usize;
        let data = bytes.get(start..end)?;
        let seconds = i64::from(self.number([s0, s1, s2, s3]));
        // A fraction of more than a second is carried over; it cannot overflow 64 bits.
        let fraction = i64::from(self.number([f0, f1, f2, f3])) * i64::from(self.ns_per_tick);
        let frame = Frame {
            time: Some(Timestamp::from_ns(seconds * 1_000_000_000 + fraction)),
            link: self.link,
            interface: 0,
            wire_bytes: self.number([w0, w1, w2, w3]).max(captured),
            bytes: data,
        };
        Some((frame, end))
    }

    /// Why there is no frame: what more is needed, or what is wrong.
    pub(super) fn want<'a>(&self, bytes: &'a [u8]) -> Result<Step<'a>, Fault> {
        let header_bytes = self.header_bytes();
        let Some(captured) = crate::cursor::array(bytes, 8).filter(|_| bytes.len() >= header_bytes) else {
            return Ok(Step::NeedMore { at_least: header_bytes });
        };
        let captured = self.number(captured) as usize;
        if captured > MOST_BLOCK_BYTES {
            return Err(fault(8, "a record claims more than 16 MiB (draft-ietf-opsawg-pcap §5)"));
        }
        Ok(Step::NeedMore { at_least: header_bytes + captured })
    }
}
