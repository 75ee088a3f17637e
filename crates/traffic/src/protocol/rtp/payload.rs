//! What the payload of an RTP stream is, by its bytes: told for static types, a likeness for dynamic ones.

use wire::rtp::Packet;

use crate::fields::{Part, Reader, must};

/// What the payload's own bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The static payload type says so (RFC 3551 §6), and the sizes fit.
    Told(&'static str),
    /// A dynamic type, whose payload has this structure in every packet.
    LooksLike(&'static str),
}

/// What the packets of one stream carry.
pub(super) fn payload(packets: &[Packet<'_>]) -> Option<Evidence> {
    let kind = packets.first()?.payload_type;
    if packets.iter().any(|packet| packet.payload_type != kind) {
        return None;
    }
    if kind < 96 {
        return fixed(kind, packets).map(Evidence::Told);
    }
    let all = |test: fn(&[u8]) -> bool| packets.iter().all(|packet| test(packet.payload));
    if all(transport_stream) {
        return Some(Evidence::LooksLike("MPEG-TS (RFC 2250)"));
    }
    if all(ancillary) {
        return Some(Evidence::LooksLike("ancillary data (RFC 8331)"));
    }
    if all(uncompressed) && extended_sequence(packets) {
        return Some(Evidence::LooksLike("uncompressed video (RFC 4175)"));
    }
    jpeg_xs(packets).then_some(Evidence::LooksLike("JPEG XS (RFC 9134)"))
}

/// A static type whose packets have the sizes that it demands.
fn fixed(kind: u8, packets: &[Packet<'_>]) -> Option<&'static str> {
    // Every packet but the last: how long it is, and how many ticks until the next.
    let steps = || {
        packets.iter().zip(packets.iter().skip(1)).filter_map(|(packet, next)| {
            let ticks = next.timestamp.wrapping_sub(packet.timestamp);
            (next.sequence == packet.sequence.wrapping_add(1))
                .then_some((packet.payload.len() as u64, u64::from(ticks)))
        })
    };
    // So many bytes for so many ticks. Silence is not sent, so that ticks may be missing bytes, once.
    let rate = |bytes: u64, ticks: u64| {
        let fitting = steps().filter(|(length, step)| length * ticks == step * bytes).count();
        fitting > 0 && fitting + 1 >= steps().count()
    };
    let all = |test: fn(&[u8]) -> bool| packets.iter().all(|packet| test(packet.payload));
    let fits = match kind {
        0 | 8 | 9 => rate(1, 1),
        3 => rate(33, 160),
        4 => rate(24, 240) || rate(20, 240),
        10 => rate(4, 1),
        11 => rate(2, 1),
        14 => all(|payload| {
            payload.starts_with(&[0, 0]) && matches!(payload.get(4..6), Some([0xff, 0xe0..=0xff]))
        }),
        18 => rate(10, 80),
        33 => all(transport_stream),
        _ => false,
    };
    let name = match kind {
        0 => "PCMU",
        3 => "GSM",
        4 => "G.723",
        8 => "PCMA",
        9 => "G.722",
        10 => "L16, 44.1 kHz, stereo",
        11 => "L16, 44.1 kHz, mono",
        14 => "MPEG audio",
        18 => "G.729",
        33 => "MPEG-TS",
        _ => return None,
    };
    fits.then_some(name)
}

/// Whole packets of 188 bytes, each with its sync byte (RFC 2250 §2).
fn transport_stream(payload: &[u8]) -> bool {
    !payload.is_empty()
        && payload.len().is_multiple_of(188)
        && payload.chunks(188).all(|packet| packet.first() == Some(&0x47))
}

/// The header of ancillary data: its length is that of the rest, its reserved bits are zero (RFC 8331 §2.1).
fn ancillary(payload: &[u8]) -> bool {
    let parse = |mut reader: Reader<'_>| -> Part<()> {
        reader.be16()?;
        let length = usize::from(reader.be16()?);
        let count = reader.u8()?;
        let flags = reader.be24()?;
        must(flags & 0x3f_ffff == 0 && flags >> 22 != 1)?;
        // A packet has ten bytes at least: 62 bits of header, and a checksum of ten.
        must(length == reader.left() && length.is_multiple_of(4) && length >= 12 * usize::from(count))?;
        must((count == 0) == (length == 0))
    };
    parse(Reader::new(payload)).is_ok()
}

/// The headers of lines: their lengths add up to the rest (RFC 4175 §4).
fn uncompressed(payload: &[u8]) -> bool {
    let parse = |mut reader: Reader<'_>| -> Part<()> {
        reader.be16()?;
        let mut total = 0;
        for _ in 0..64 {
            let (length, line, offset) = (reader.be16()?, reader.be16()?, reader.be16()?);
            must(length > 0 && line & 0x7fff < 8192)?;
            total += usize::from(length);
            if offset & 0x8000 == 0 {
                return must(total == reader.left());
            }
        }
        must(false)
    };
    parse(Reader::new(payload)).is_ok()
}

/// Whether the first 16 bits of the payloads are the upper half of the packets' numbers (RFC 4175 §4.3).
fn extended_sequence(packets: &[Packet<'_>]) -> bool {
    let upper =
        |packet: &Packet<'_>| packet.payload.first_chunk().copied().map(u16::from_be_bytes).unwrap_or(0);
    packets.iter().zip(packets.iter().skip(1)).all(|(before, after)| {
        let wrapped = after.sequence < before.sequence && before.sequence - after.sequence > 0x8000;
        upper(after) == upper(before).wrapping_add(u16::from(wrapped))
    })
}

/// The fields of a JPEG XS payload header (RFC 9134 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    sequential: bool,
    slices: bool,
    last: bool,
    frame: u32,
    counter: u32,
}

fn unit(packet: &Packet<'_>) -> Option<Unit> {
    let word = u32::from_be_bytes(*packet.payload.first_chunk()?);
    Some(Unit {
        sequential: word >> 31 == 1,
        slices: word >> 30 & 1 == 1,
        last: word >> 29 & 1 == 1,
        frame: word >> 22 & 0x1f,
        // In codestream mode the packet counter goes on into the 11 bits before it.
        counter: word & 0x3f_ffff,
    })
}

/// Whether the headers count as JPEG XS counts: packets within a picture, pictures from time to time.
fn jpeg_xs(packets: &[Packet<'_>]) -> bool {
    let mut chained = 0;
    for (before, after) in packets.iter().zip(packets.iter().skip(1)) {
        let (Some(one), Some(two)) = (unit(before), unit(after)) else { return false };
        if two.sequential != one.sequential || two.slices != one.slices || (one.slices && !one.sequential) {
            return false;
        }
        if after.sequence != before.sequence.wrapping_add(1) {
            continue;
        }
        let fits = if before.timestamp == after.timestamp && !before.marker {
            let next = one.counter & 0x7ff == two.counter.wrapping_sub(1) & 0x7ff;
            two.frame == one.frame && (next || (one.slices && one.last && two.counter & 0x7ff == 0))
        } else {
            two.counter & 0x7ff == 0
        };
        if !fits {
            return false;
        }
        chained += usize::from(two.counter != 0);
    }
    chained >= 3
}

#[cfg(test)]
mod tests {
    use super::super::tests::stream;
    use crate::protocol::testing::{confirmed, udp};

    fn like(kind: u8, ticks: u32, payloads: &[Vec<u8>]) -> (Option<String>, Option<String>) {
        let packets = stream(kind, ticks, payloads);
        let slices: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        let said = confirmed("rtp", &udp(&slices, &[]).talk());
        (said.detail("payload").map(str::to_owned), said.detail("looks_like").map(str::to_owned))
    }

    fn told(name: &str) -> (Option<String>, Option<String>) {
        (Some(name.to_owned()), None)
    }

    fn looks(name: &str) -> (Option<String>, Option<String>) {
        (None, Some(name.to_owned()))
    }

    #[test]
    fn static_types_need_their_sizes() {
        assert_eq!(like(8, 160, &vec![vec![0xd5; 160]; 5]), told("PCMA"));
        assert_eq!(like(8, 160, &vec![vec![0xd5; 161]; 5]), (None, None));
        assert_eq!(like(18, 160, &vec![vec![1; 20]; 5]), told("G.729"));
        assert_eq!(like(33, 3600, &vec![[&[0x47][..], &[0; 187]].concat(); 5]), told("MPEG-TS"));
        assert_eq!(like(33, 3600, &vec![vec![0; 188]; 5]), (None, None));
        // Nobody says what 34 with these bytes is.
        assert_eq!(like(34, 3600, &vec![vec![0x47; 188]; 5]), (None, None));
    }

    #[test]
    fn dynamic_types_only_look_like_something() {
        assert_eq!(like(96, 3600, &vec![[&[0x47][..], &[0; 187]].concat(); 5]), looks("MPEG-TS (RFC 2250)"));
        let empty = vec![0, 0, 0, 0, 0, 0, 0, 0];
        let full = [&[0, 0, 0, 16, 1, 0, 0, 0][..], &[0x21; 16]].concat();
        assert_eq!(
            like(100, 1501, &[empty.clone(), full, empty.clone(), empty]),
            looks("ancillary data (RFC 8331)")
        );
        let mut lines = Vec::new();
        for (upper, number) in [(0, 10), (0, 11), (1, 12), (1, 13)] {
            let head = [0, upper, 0, 40, 0, number, 0x80, 0, 0, 24, 0, number, 0, 100];
            lines.push([&head[..], &[0x99; 64]].concat());
        }
        assert_eq!(like(96, 0, &lines), looks("uncompressed video (RFC 4175)"));
        let units: Vec<Vec<u8>> = (5..10_u8).map(|number| vec![0x81, 0x40, 0, number, 9, 9]).collect();
        assert_eq!(like(96, 0, &units), looks("JPEG XS (RFC 9134)"));
        // L24 of an ordinary audio stream says nothing of itself.
        let sound: Vec<Vec<u8>> =
            (0..5_u8).map(|n| (0..144).map(|i| n.wrapping_mul(37) ^ i ^ 0x5a).collect()).collect();
        assert_eq!(like(97, 48, &sound), (None, None));
    }
}
