//! Extensions of messages: type, length, value (IEEE 1588-2008 §14).

use model::media::ptp::SynchronizationMetadata;
use wire::Fault;
use wire::cursor::{array, be16, be24, be32};

use super::management;

/// One extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Its type.
    pub kind: u16,
    /// Its value.
    pub value: &'a [u8],
}

/// The extensions of a message; a fault ends them.
#[derive(Debug, Clone)]
pub struct Tlvs<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Tlvs<'a> {
    /// The extensions in these octets.
    pub const fn new(rest: &'a [u8]) -> Tlvs<'a> {
        Tlvs { rest, at: 0 }
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Result<Tlv<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = core::mem::take(&mut self.rest);
        let fault = |what| Some(Err(Fault { layer: "PTP extension", at: self.at, what }));
        let Some((kind, length)) = be16(rest, 0).zip(be16(rest, 2)) else {
            return fault("an extension ends in its header (IEEE 1588-2008 §14.1)");
        };
        let end = 4 + usize::from(length);
        let Some(value) = rest.get(4..end) else {
            return fault("an extension is longer than the message (IEEE 1588-2008 §14.1)");
        };
        self.rest = rest.get(end..).unwrap_or_default();
        self.at += end;
        Some(Ok(Tlv { kind, value }))
    }
}

/// The organisation of SMPTE, as extensions name it.
const SMPTE: u32 = 0x68_97e8;
/// The organisation of the power profile.
const POWER: u32 = 0x1c_129d;

/// Whether this extension is of the power profile (IEEE C37.238).
pub fn is_power(tlv: Tlv<'_>) -> bool {
    tlv.kind == 3 && be24(tlv.value, 0) == Some(POWER)
}

impl Tlv<'_> {
    /// What it is, in words.
    pub fn text(&self) -> String {
        let message = |at: usize| {
            let bits = self.value.get(at).map_or(0, |octet| octet >> 4);
            super::Kind::from_bits(bits).name()
        };
        match self.kind {
            0x0001 => format!("management of {}", management::name(be16(self.value, 0).unwrap_or(0))),
            0x0002 => format!("refusal of {}", management::name(be16(self.value, 2).unwrap_or(0))),
            0x0003 | 0x4000 | 0x8000 => self.organisation(),
            0x0004 => format!("request of unicast {}", message(0)),
            0x0005 if be32(self.value, 2) == Some(0) => format!("denial of unicast {}", message(0)),
            0x0005 => format!("grant of unicast {}", message(0)),
            0x0006 => format!("cancellation of unicast {}", message(0)),
            0x0007 => format!("acknowledged cancellation of unicast {}", message(0)),
            0x0008 => "path trace".into(),
            0x0009 => "alternate time offset".into(),
            0x2000 | 0x8009 => "authentication".into(),
            0x2001 => "authentication challenge".into(),
            0x2002 => "security association".into(),
            0x2003 => "frequency offsets".into(),
            0x2004 | 0x4001 => "experiment".into(),
            0x8001 => "layer 1 synchronisation".into(),
            0x8002 => "port communication".into(),
            0x8003 => "protocol address".into(),
            0x8004..=0x8006 => "a slave's times".into(),
            0x8007 => "cumulative rate".into(),
            0x8008 => "padding".into(),
            other => format!("type {other:#06x}"),
        }
    }

    fn organisation(&self) -> String {
        let (organisation, subtype) = (be24(self.value, 0).unwrap_or(0), be24(self.value, 3).unwrap_or(0));
        match (organisation, subtype) {
            (SMPTE, 1) => "synchronisation metadata (ST 2059-2)".into(),
            (0x00_80c2, 1) => "rate of followers (IEEE 802.1AS)".into(),
            (0x00_80c2, 2) => "wanted intervals (IEEE 802.1AS)".into(),
            (POWER, 1 | 2) => "inaccuracies (IEEE C37.238)".into(),
            _ => format!("extension {organisation:06X}/{subtype}"),
        }
    }

    /// The synchronisation metadata, where it is that (ST 2059-2:2015 §9).
    pub fn metadata(&self) -> Option<SynchronizationMetadata> {
        let value = self.value;
        if self.kind != 3 || be24(value, 0)? != SMPTE || be24(value, 3)? != 1 {
            return None;
        }
        let seconds = |at: usize| -> Option<u64> {
            let [a, b, c, d, e, f] = array(value, at)?;
            Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
        };
        let signed = |at: usize| array(value, at).map(i32::from_be_bytes);
        let [locking, flags] = array(value, 14)?;
        let [daylight, leap] = array(value, 46)?;
        Some(SynchronizationMetadata {
            frame_rate: (be32(value, 6)?, be32(value, 10)?),
            locking,
            drop_frame: flags & 1 != 0,
            colour_frame: flags & 2 != 0,
            local_offset_s: signed(16)?,
            jump_s: signed(20)?,
            next_jump_s: seconds(24)?,
            next_jam_s: seconds(30)?,
            previous_jam_s: seconds(36)?,
            previous_jam_offset_s: signed(42)?,
            daylight,
            leap,
        })
    }
}

/// Writes synchronisation metadata as an extension.
pub fn write_metadata(metadata: &SynchronizationMetadata, to: &mut Vec<u8>) {
    let seconds = |value: u64, to: &mut Vec<u8>| {
        to.extend_from_slice(value.to_be_bytes().last_chunk::<6>().unwrap_or(&[0; 6]));
    };
    to.extend_from_slice(&[0, 3, 0, 48, 0x68, 0x97, 0xe8, 0, 0, 1]);
    to.extend_from_slice(&metadata.frame_rate.0.to_be_bytes());
    to.extend_from_slice(&metadata.frame_rate.1.to_be_bytes());
    to.push(metadata.locking);
    to.push(u8::from(metadata.drop_frame) | (u8::from(metadata.colour_frame) << 1));
    to.extend_from_slice(&metadata.local_offset_s.to_be_bytes());
    to.extend_from_slice(&metadata.jump_s.to_be_bytes());
    seconds(metadata.next_jump_s, to);
    seconds(metadata.next_jam_s, to);
    seconds(metadata.previous_jam_s, to);
    to.extend_from_slice(&metadata.previous_jam_offset_s.to_be_bytes());
    to.extend_from_slice(&[metadata.daylight, metadata.leap]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_read_as_they_are_written() {
        let metadata = SynchronizationMetadata {
            frame_rate: (30_000, 1001),
            locking: 4,
            drop_frame: true,
            colour_frame: false,
            local_offset_s: -3563,
            jump_s: 3600,
            next_jump_s: 1 << 40,
            next_jam_s: 2,
            previous_jam_s: 3,
            previous_jam_offset_s: -4,
            daylight: 2,
            leap: 1,
        };
        let mut bytes = Vec::new();
        write_metadata(&metadata, &mut bytes);
        assert_eq!(bytes.len(), 52);
        let tlv = Tlvs::new(&bytes).next().unwrap().unwrap();
        assert_eq!(tlv.metadata(), Some(metadata));
        assert_eq!(tlv.text(), "synchronisation metadata (ST 2059-2)");
        for end in 1..bytes.len() {
            assert!(Tlvs::new(&bytes[..end]).all(|it| it.is_err()));
        }
    }
}
