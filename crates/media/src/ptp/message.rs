//! Messages of PTP version 2 (IEEE 1588-2008 §13, IEEE 1588-2019 §13).

use model::media::ptp::{ClockIdentity, PortIdentity, PtpAnnounce};
use wire::Fault;
use wire::cursor::{array, be16, be32};

use super::tlv::Tlvs;

/// Octets of the header that every message has.
pub const HEADER_BYTES: usize = 34;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "PTP", at, what }
}

/// Types of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Sync.
    Sync,
    /// Delay_Req.
    DelayRequest,
    /// Pdelay_Req.
    PeerDelayRequest,
    /// Pdelay_Resp.
    PeerDelayResponse,
    /// Follow_Up.
    FollowUp,
    /// Delay_Resp.
    DelayResponse,
    /// Pdelay_Resp_Follow_Up.
    PeerDelayFollowUp,
    /// Announce.
    Announce,
    /// Signaling.
    Signaling,
    /// Management.
    Management,
    /// A reserved type.
    Reserved(u8),
}

impl Kind {
    /// Those that exist.
    pub const ALL: [Kind; 10] = [
        Kind::Sync,
        Kind::DelayRequest,
        Kind::PeerDelayRequest,
        Kind::PeerDelayResponse,
        Kind::FollowUp,
        Kind::DelayResponse,
        Kind::PeerDelayFollowUp,
        Kind::Announce,
        Kind::Signaling,
        Kind::Management,
    ];

    /// From its four bits.
    pub const fn from_bits(bits: u8) -> Kind {
        match bits & 0xf {
            0x0 => Kind::Sync,
            0x1 => Kind::DelayRequest,
            0x2 => Kind::PeerDelayRequest,
            0x3 => Kind::PeerDelayResponse,
            0x8 => Kind::FollowUp,
            0x9 => Kind::DelayResponse,
            0xa => Kind::PeerDelayFollowUp,
            0xb => Kind::Announce,
            0xc => Kind::Signaling,
            0xd => Kind::Management,
            bits => Kind::Reserved(bits),
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Sync => "Sync",
            Kind::DelayRequest => "Delay_Req",
            Kind::PeerDelayRequest => "Pdelay_Req",
            Kind::PeerDelayResponse => "Pdelay_Resp",
            Kind::FollowUp => "Follow_Up",
            Kind::DelayResponse => "Delay_Resp",
            Kind::PeerDelayFollowUp => "Pdelay_Resp_Follow_Up",
            Kind::Announce => "Announce",
            Kind::Signaling => "Signaling",
            Kind::Management => "Management",
            Kind::Reserved(_) => "reserved",
        }
    }

    /// Whether it is time-stamped when it leaves and comes.
    pub const fn is_event(self) -> bool {
        matches!(self, Kind::Sync | Kind::DelayRequest | Kind::PeerDelayRequest | Kind::PeerDelayResponse)
    }
}

/// A time of PTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time {
    /// Seconds, in 48 bits.
    pub seconds: u64,
    /// Spread.
    pub nanoseconds: u32,
}

impl Time {
    /// Spread since 1970 in the master's timescale.
    pub fn as_ns(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

/// The header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// `majorSdoId` (`transportSpecific` before 2019) and `minorSdoId`, as one number of twelve bits.
    pub sdo: u16,
    /// Which message.
    pub kind: Kind,
    /// Version and minor version.
    pub version: (u8, u8),
    /// Its length, as it says.
    pub length_bytes: u16,
    /// The domain.
    pub domain: u8,
    /// The flags, the first octet above.
    pub flags: u16,
    /// The correction, in 65,536ths of a nanosecond.
    pub correction: i64,
    /// Four octets whose meaning depends on the type (2019).
    pub type_specific: u32,
    /// Who sent it.
    pub source: PortIdentity,
    /// Counts messages of a type.
    pub sequence: u16,
    /// A number of version 1 for the type.
    pub control: u8,
    /// The mean interval, as a power of two of seconds; 127 where it means nothing.
    pub log_interval: i8,
}

impl Header {
    /// Whether the port is not the best master of its own choice.
    pub const fn alternate_master(&self) -> bool {
        self.flags & 0x0100 != 0
    }

    /// Whether a follow-up completes it.
    pub const fn two_step(&self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// Whether it was sent to one receiver.
    pub const fn unicast(&self) -> bool {
        self.flags & 0x0400 != 0
    }

    /// The correction in whole nanoseconds, rounded down.
    pub const fn correction_ns(&self) -> i64 {
        self.correction >> 16
    }
}

/// What a master announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announce {
    /// When it left, roughly; often zero.
    pub origin: Time,
    /// The data set, with what the header's flags say of it.
    pub data: PtpAnnounce,
}

/// What a message holds behind its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// When it left: exactly, where no follow-up comes.
    Sync(Time),
    /// When it left, roughly.
    DelayRequest(Time),
    /// When it left, roughly.
    PeerDelayRequest(Time),
    /// When the request came.
    PeerDelayResponse {
        /// When.
        received: Time,
        /// Who asked.
        requester: PortIdentity,
    },
    /// When the Sync left.
    FollowUp(Time),
    /// When the request came.
    DelayResponse {
        /// When.
        received: Time,
        /// Who asked.
        requester: PortIdentity,
    },
    /// When the response left.
    PeerDelayFollowUp {
        /// When.
        sent: Time,
        /// Who asked.
        requester: PortIdentity,
    },
    /// What the master says of itself.
    Announce(Announce),
    /// Negotiation.
    Signaling {
        /// To whom.
        target: PortIdentity,
    },
    /// Management.
    Management {
        /// To whom.
        target: PortIdentity,
        /// How many boundaries it was to pass.
        starting_hops: u8,
        /// How many are left.
        hops: u8,
        /// 0 reads, 1 sets, 2 answers, 3 commands, 4 acknowledges.
        action: u8,
    },
    /// A reserved type.
    Reserved,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its header.
    pub header: Header,
    /// What it holds.
    pub body: Body,
    /// What follows, in extensions.
    pub suffix: &'a [u8],
}

impl<'a> Message<'a> {
    /// Its extensions.
    pub fn tlvs(&self) -> Tlvs<'a> {
        Tlvs::new(self.suffix)
    }
}

fn time(bytes: &[u8], at: usize) -> Option<Time> {
    let [a, b, c, d, e, f] = array(bytes, at)?;
    Some(Time { seconds: u64::from_be_bytes([0, 0, a, b, c, d, e, f]), nanoseconds: be32(bytes, at + 6)? })
}

/// The identity of a port at this place.
pub(super) fn port_identity(bytes: &[u8], at: usize) -> Option<PortIdentity> {
    Some(PortIdentity { clock: ClockIdentity(array(bytes, at)?), port: be16(bytes, at + 8)? })
}

/// Reads a message; what follows it in the datagram is left alone.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let ends = fault(bytes.len(), "the message ends in its header (IEEE 1588-2008 §13.3)");
    let [first, second] = array(bytes, 0).ok_or(ends)?;
    if second & 0xf != 2 {
        return Err(fault(1, "another version than 2 (IEEE 1588-2008 §13.3.2.3)"));
    }
    let length_bytes = be16(bytes, 2).ok_or(ends)?;
    let [domain, minor_sdo] = array(bytes, 4).ok_or(ends)?;
    let [control, log_interval] = array(bytes, 32).ok_or(ends)?;
    let header = Header {
        sdo: (u16::from(first >> 4) << 8) | u16::from(minor_sdo),
        kind: Kind::from_bits(first),
        version: (second & 0xf, second >> 4),
        length_bytes,
        domain,
        flags: be16(bytes, 6).ok_or(ends)?,
        correction: array(bytes, 8).map(i64::from_be_bytes).ok_or(ends)?,
        type_specific: be32(bytes, 16).ok_or(ends)?,
        source: port_identity(bytes, 20).ok_or(ends)?,
        sequence: be16(bytes, 30).ok_or(ends)?,
        control,
        log_interval: i8::from_be_bytes([log_interval]),
    };
    let whole = bytes
        .get(..usize::from(length_bytes))
        .ok_or(fault(2, "messageLength is more than there is (IEEE 1588-2008 §13.3.2.4)"))?;
    let short = fault(2, "messageLength is less than the type needs (IEEE 1588-2008 §13.3.2.4)");
    let (body, suffix_at) = body(whole, &header).ok_or(short)?;
    Ok(Message { header, body, suffix: whole.get(suffix_at..).ok_or(short)? })
}

/// What a message holds, and where its extensions begin; `None` where it is too short.
fn body(whole: &[u8], header: &Header) -> Option<(Body, usize)> {
    let at = HEADER_BYTES;
    Some(match header.kind {
        Kind::Sync => (Body::Sync(time(whole, at)?), 44),
        Kind::DelayRequest => (Body::DelayRequest(time(whole, at)?), 44),
        Kind::FollowUp => (Body::FollowUp(time(whole, at)?), 44),
        Kind::PeerDelayRequest => (Body::PeerDelayRequest(time(whole, at)?), 54),
        Kind::PeerDelayResponse => {
            let (received, requester) = (time(whole, at)?, port_identity(whole, at + 10)?);
            (Body::PeerDelayResponse { received, requester }, 54)
        }
        Kind::DelayResponse => {
            let (received, requester) = (time(whole, at)?, port_identity(whole, at + 10)?);
            (Body::DelayResponse { received, requester }, 54)
        }
        Kind::PeerDelayFollowUp => {
            let (sent, requester) = (time(whole, at)?, port_identity(whole, at + 10)?);
            (Body::PeerDelayFollowUp { sent, requester }, 54)
        }
        Kind::Announce => (Body::Announce(announce(whole, header.flags)?), 64),
        Kind::Signaling => (Body::Signaling { target: port_identity(whole, at)? }, 44),
        Kind::Management => {
            let [starting_hops, hops, action] = array(whole, at + 10)?;
            let target = port_identity(whole, at)?;
            (Body::Management { target, starting_hops, hops, action: action & 0xf }, 48)
        }
        Kind::Reserved(_) => (Body::Reserved, at),
    })
}

fn announce(whole: &[u8], flags: u16) -> Option<Announce> {
    let at = HEADER_BYTES;
    let [_, priority1, class, accuracy] = array(whole, at + 12)?;
    let [priority2] = array(whole, at + 18)?;
    let [time_source] = array(whole, at + 29)?;
    Some(Announce {
        origin: time(whole, at)?,
        data: PtpAnnounce {
            grandmaster: ClockIdentity(array(whole, at + 19)?),
            priority1,
            class,
            accuracy,
            variance: be16(whole, at + 16)?,
            priority2,
            steps_removed: be16(whole, at + 27)?,
            time_source,
            utc_offset_s: array(whole, at + 10).map(i16::from_be_bytes)?,
            utc_offset_valid: flags & 4 != 0,
            ptp_timescale: flags & 8 != 0,
            time_traceable: flags & 16 != 0,
            frequency_traceable: flags & 32 != 0,
            leap61: flags & 1 != 0,
            leap59: flags & 2 != 0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Announce of domain 127, with a path trace.
    pub fn sample() -> Vec<u8> {
        let mut bytes = b"\x0b\x02\0\x4c\x7f\0\0\x3c\0\0\0\0\0\x01\x80\0\0\0\0\0\x39\xa7\x94\xff\xfe\x07\xcb\xd0\0\x01\x12\x34\x05\xfe".to_vec();
        bytes.extend_from_slice(b"\0\0\x65\x00\0\0\0\0\0\x07\0\x25\0\x80\x06\x21\x4e\x5d\x81\x39\xa7\x94\xff\xfe\x07\xcb\xd0\0\0\x20");
        bytes.extend_from_slice(b"\0\x08\0\x08\x39\xa7\x94\xff\xfe\x07\xcb\xd0");
        bytes
    }

    #[test]
    fn an_announce_is_read() {
        let bytes = sample();
        let message = parse(&bytes).unwrap();
        let header = message.header;
        assert_eq!(
            (header.kind, header.domain, header.sequence, header.log_interval),
            (Kind::Announce, 127, 0x1234, -2)
        );
        assert_eq!((header.correction, header.correction_ns()), (0x1_8000, 1));
        assert_eq!(header.source.to_string(), "39-A7-94-FF-FE-07-CB-D0/1");
        let Body::Announce(Announce { origin, data }) = message.body else { panic!("{:?}", message.body) };
        assert_eq!(origin, Time { seconds: 0x6500_0000, nanoseconds: 7 });
        assert_eq!(
            (data.priority1, data.class, data.accuracy, data.variance, data.priority2),
            (128, 6, 0x21, 0x4e5d, 129)
        );
        assert_eq!((data.utc_offset_s, data.steps_removed, data.source_name()), (37, 0, "GNSS"));
        assert!(data.is_traceable() && data.utc_offset_valid && !data.leap61);
        let tlvs: Vec<_> = message.tlvs().map(|it| it.unwrap().kind).collect();
        assert_eq!(tlvs, [8]);
    }

    #[test]
    fn every_prefix_and_each_forbidden_value_is_refused() {
        let bytes = sample();
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end]).is_err());
        }
        let mut other = bytes.clone();
        other[1] = 1;
        assert_eq!(parse(&other).unwrap_err().at, 1);
        other = bytes.clone();
        other[3] = 63;
        assert_eq!(parse(&other).unwrap_err().at, 2);
        other[0] = 0x04;
        assert_eq!(parse(&other).unwrap().header.kind, Kind::Reserved(4));
    }
}
