//! Streams made into captures on a virtual clock, with descriptions of them.

use std::net::{IpAddr, SocketAddr};

use media::clock::Alignment;
use media::make::Batch;
use media::make::faults::{Departure, Faults, Fields};
use media::make::schedule::VideoSchedule;
use media::make::video::{Head, Signal, VideoMaker};
use media::sdp;
use media::shaping::Raster;
use model::media::{
    Colorimetry, Depth, Essence, Format, Leg, MediaClock, Packing, Range, Ratio, ReferenceClock, Sampling,
    Scan, SenderType, Session, SessionSource, Sources, Transfer, VideoFormat,
};
use model::{Tai, Timestamp};
use wire::capture::Writer;
use wire::{Frame, LinkType};

/// TAI less UTC: captures keep UTC.
const LEAP_NS: i64 = 37_000_000_000;

/// A capture while it is made.
pub struct Studio {
    bytes: Vec<u8>,
    writer: Writer,
    interface: u32,
    packets: Vec<(i64, Vec<u8>)>,
    /// So much of each packet is kept.
    most_bytes: usize,
}

impl Studio {
    pub fn new() -> Studio {
        Studio::cut(usize::MAX)
    }

    /// One whose capture keeps only so much of each packet.
    pub fn cut(most_bytes: usize) -> Studio {
        let mut bytes = Vec::new();
        let mut writer = Writer::new("test", &mut bytes);
        let interface = writer.interface(None, LinkType::IPV4, 65_535, &mut bytes);
        Studio { bytes, writer, interface, packets: Vec::new(), most_bytes }
    }

    /// One datagram.
    pub fn datagram(&mut self, at: Timestamp<Tai>, source: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let (IpAddr::V4(from), IpAddr::V4(group)) = (source.ip(), to.ip()) else { panic!("IPv4 here") };
        let udp = u16::try_from(payload.len() + 8).unwrap();
        let mut packet = vec![0x45, 0];
        packet.extend_from_slice(&(udp + 20).to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0x40, 0, 64, 17, 0, 0]);
        packet.extend_from_slice(&from.octets());
        packet.extend_from_slice(&group.octets());
        packet.extend_from_slice(&source.port().to_be_bytes());
        packet.extend_from_slice(&to.port().to_be_bytes());
        packet.extend_from_slice(&udp.to_be_bytes());
        packet.extend_from_slice(&[0, 0]);
        packet.extend_from_slice(payload);
        self.packets.push((at.as_ns() - LEAP_NS, packet));
    }

    /// Takes the datagrams of another one, up to so many joined as kernels join them: of one length, and one that is less.
    pub fn join(&mut self, other: &Studio, most: usize) {
        const HEADERS: usize = 28;
        let mut rest = other.packets.as_slice();
        while let Some((at, first)) = rest.first() {
            let same = rest.iter().take_while(|(_, packet)| packet.len() == first.len()).count().min(most);
            let shorter = rest.get(same).is_some_and(|(_, packet)| same < most && packet.len() < first.len());
            let (now, later) = rest.split_at(same + usize::from(shorter));
            let mut packet = first.clone();
            now.iter().skip(1).for_each(|(_, next)| packet.extend_from_slice(&next[HEADERS..]));
            let bytes = u16::try_from(packet.len()).unwrap();
            packet[2..4].copy_from_slice(&bytes.to_be_bytes());
            packet[24..26].copy_from_slice(&(bytes - 20).to_be_bytes());
            self.packets.push((*at, packet));
            rest = later;
        }
    }

    /// The capture, in the order of time.
    pub fn finish(mut self) -> Vec<u8> {
        self.packets.sort_by_key(|(at, _)| *at);
        for (at, packet) in &self.packets {
            let frame = Frame {
                time: Some(Timestamp::from_ns(*at)),
                link: LinkType::IPV4,
                interface: 0,
                wire_bytes: u32::try_from(packet.len()).unwrap(),
                bytes: &packet[..packet.len().min(self.most_bytes)],
            };
            self.writer.frame(self.interface, &frame, None, &mut self.bytes);
        }
        self.bytes
    }
}

/// Pictures that keep every rule.
pub fn format() -> VideoFormat {
    VideoFormat {
        sampling: Sampling::YCbCr422,
        depth: Depth::Ten,
        width: 1280,
        height: 720,
        frame_rate: Ratio::new(50, 1).unwrap(),
        scan: Scan::Progressive,
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: Some(SenderType::NarrowLinear),
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1).unwrap(),
    }
}

/// A session of them, from one source to these legs.
pub fn session(source: &str, legs: &[&str]) -> Session {
    session_of(format(), source, legs)
}

/// A session of any pictures.
pub fn session_of(format: VideoFormat, source: &str, legs: &[&str]) -> Session {
    let leg = |to: &&str| Leg {
        destination: to.parse().unwrap(),
        sources: Sources::Only(vec![source.parse().unwrap()]),
        rtcp: None,
        ttl: Some(32),
    };
    Session {
        name: "Bars".into(),
        identity: "1".into(),
        source: SessionSource::File("made".into()),
        formats: vec![Format { payload_type: 96, clock_rate: 90_000, essence: Essence::Video(format) }],
        legs: legs.iter().map(leg).collect(),
        reference: Some(ReferenceClock::Ptp {
            version: "IEEE1588-2008".into(),
            grandmaster: Some([0x39, 0xa7, 0x94, 0xff, 0xfe, 7, 0xcb, 0xd0]),
            domain: Some(127),
        }),
        media_clock: Some(MediaClock::Direct { offset: 0, rate: None }),
        first: None,
        last: None,
        ended: None,
    }
}

/// Its description.
pub fn description(session: Session) -> String {
    let origin = sdp::Origin::new(1, 1, [192, 0, 2, 10].into());
    sdp::write(&sdp::describe(&[session], &origin))
}

/// Sends so many frames, harmed as told (as in `loss=1%`; empty for not), on one leg.
pub fn send(studio: &mut Studio, frames: u64, harm: &str, source: &str, to: &str, ssrc: u32) {
    let head = Head { payload_type: 96, ssrc, sequence: 0 };
    send_as(studio, &format(), SenderType::NarrowLinear, (frames, 1, harm), (source, to, head));
}

/// The same with any pictures, and in bursts of so many packets.
pub fn send_as(
    studio: &mut Studio,
    format: &VideoFormat,
    sender_type: SenderType,
    (frames, burst, harm): (u64, u32, &str),
    (source, to, head): (&str, &str, Head),
) {
    let mut maker = VideoMaker::new(format, Signal::Bars, false, head).unwrap();
    let raster = Raster {
        frame_rate: format.frame_rate,
        scan: format.scan,
        width: Some(format.width),
        height: Some(format.height),
        offset_us: None,
        max_udp_bytes: format.max_udp_bytes,
    };
    let schedule = VideoSchedule::new(raster, sender_type).unwrap().in_bursts_of(burst);
    let alignment = Alignment::new(format.frame_rate);
    let parts = schedule.model().parts();
    let mut faults = Faults::parse(harm, 7).unwrap().of(Some(Fields::OfRows)).unwrap();
    let (source, to): (SocketAddr, SocketAddr) = (source.parse().unwrap(), to.parse().unwrap());
    let first = alignment.number(Timestamp::from_ns(1_790_000_000_000_000_000));
    let mut batch = Batch::default();
    for number in first..first + i64::try_from(frames).unwrap() {
        batch.clear();
        let timestamps = match format.scan {
            Scan::Interlaced => {
                let fields = Alignment::fields(format.frame_rate).unwrap();
                [fields.rtp(2 * number, 90_000), fields.rtp(2 * number + 1, 90_000)]
            }
            _ => [alignment.rtp(number, 90_000); 2],
        };
        maker.frame(u64::try_from(number).unwrap(), timestamps, &mut batch);
        let count = u32::try_from(batch.len() as u64 / parts).unwrap();
        let departures = (0..parts).flat_map(|part| schedule.departures(number, part == 1, count));
        let mut departures: Vec<Departure> =
            departures.enumerate().map(|(packet, at)| Departure { at, packet }).collect();
        faults.apply(&mut batch, &mut departures);
        for departure in departures {
            studio.datagram(departure.at, source, to, batch.packet(departure.packet).unwrap());
        }
    }
}
