//! Messages of PTP version 1 (IEEE 1588-2002), which Dante still speaks.

use wire::Fault;
use wire::cursor::{array, be16, be32};

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "PTP version 1", at, what }
}

/// Types of messages, by `control`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sync.
    Sync,
    /// Delay_Req.
    DelayRequest,
    /// Follow_Up.
    FollowUp,
    /// Delay_Resp.
    DelayResponse,
    /// Management.
    Management,
}

impl Kind {
    /// Its number.
    pub const fn index(self) -> usize {
        match self {
            Kind::Sync => 0,
            Kind::DelayRequest => 1,
            Kind::FollowUp => 2,
            Kind::DelayResponse => 3,
            Kind::Management => 4,
        }
    }
}

/// What a Sync or Delay_Req says of its sender and its grandmaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sync {
    /// When it left, in seconds and nanoseconds.
    pub origin: (u32, u32),
    /// TAI − UTC in seconds.
    pub utc_offset_s: i16,
    /// The grandmaster.
    pub grandmaster: [u8; 6],
    /// Its stratum.
    pub stratum: u8,
    /// The interval of Sync, as a power of two of seconds.
    pub log_interval: i8,
    /// How many clocks lie between.
    pub steps_removed: u16,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its subdomain, without the zeros that fill it up.
    pub subdomain: &'a [u8],
    /// The sender.
    pub uuid: [u8; 6],
    /// The sender's port.
    pub port: u16,
    /// Counts messages.
    pub sequence: u16,
    /// Which message.
    pub kind: Kind,
    /// The flags.
    pub flags: u16,
    /// What a Sync or Delay_Req says.
    pub sync: Option<Sync>,
    /// The time of a Follow_Up or Delay_Resp, in seconds and nanoseconds.
    pub time: Option<(u32, u32)>,
}

/// Reads a message.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let ends = fault(bytes.len(), "the message ends too early (IEEE 1588-2002 §8.2)");
    if be16(bytes, 0).ok_or(ends)? != 1 {
        return Err(fault(0, "another version than 1 (IEEE 1588-2002 §8.2)"));
    }
    let name = bytes.get(4..20).ok_or(ends)?;
    let length = name.iter().position(|octet| *octet == 0).unwrap_or(name.len());
    let [control] = array(bytes, 32).ok_or(ends)?;
    let kind = match control {
        0 => Kind::Sync,
        1 => Kind::DelayRequest,
        2 => Kind::FollowUp,
        3 => Kind::DelayResponse,
        4 => Kind::Management,
        _ => return Err(fault(32, "a control that does not exist (IEEE 1588-2002 §8.2)")),
    };
    let pair = |at: usize| be32(bytes, at).zip(be32(bytes, at + 4)).ok_or(ends);
    let (mut sync, mut time) = (None, None);
    match kind {
        Kind::Sync | Kind::DelayRequest => {
            let [stratum] = array(bytes, 67).ok_or(ends)?;
            let [log_interval] = array(bytes, 83).ok_or(ends)?;
            sync = Some(Sync {
                origin: pair(40)?,
                utc_offset_s: array(bytes, 50).map(i16::from_be_bytes).ok_or(ends)?,
                grandmaster: array(bytes, 54).ok_or(ends)?,
                stratum,
                log_interval: i8::from_be_bytes([log_interval]),
                steps_removed: be16(bytes, 90).ok_or(ends)?,
            });
        }
        Kind::FollowUp => time = Some(pair(44)?),
        Kind::DelayResponse => time = Some(pair(40)?),
        Kind::Management => {}
    }
    Ok(Message {
        subdomain: name.get(..length).unwrap_or_default(),
        uuid: array(bytes, 22).ok_or(ends)?,
        port: be16(bytes, 28).ok_or(ends)?,
        sequence: be16(bytes, 30).ok_or(ends)?,
        kind,
        flags: be16(bytes, 34).ok_or(ends)?,
        sync,
        time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_and_its_prefixes() {
        let mut bytes = vec![0; 124];
        bytes[..8].copy_from_slice(b"\0\x01\0\x01_DFL");
        bytes[20..32].copy_from_slice(b"\x01\x01\x02\x03\x04\x05\x06\x07\0\x01\0\x2a");
        bytes[54..60].copy_from_slice(b"master");
        bytes[67] = 3;
        bytes[83] = 0xfe;
        let message = parse(&bytes).unwrap();
        assert_eq!((message.subdomain, message.uuid, message.port), (&b"_DFL"[..], [2, 3, 4, 5, 6, 7], 1));
        let sync = message.sync.unwrap();
        assert_eq!((&sync.grandmaster, sync.stratum, sync.log_interval), (b"master", 3, -2));
        for end in 0..92 {
            assert!(parse(&bytes[..end]).is_err());
        }
        bytes[32] = 5;
        assert_eq!(parse(&bytes).unwrap_err().at, 32);
        bytes[1] = 2;
        assert_eq!(parse(&bytes).unwrap_err().at, 0);
    }
}
