//! Real media captures beside the checkout: RTP where it is RTP, and nothing else called so.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use model::{Recognised, Transport};

use crate::recognise::recognise;
use crate::talk::{Said, Talk};

/// Datagrams of one direction, laid one behind the other.
#[derive(Default)]
struct Side {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Side {
    fn said(&self) -> Said<'_> {
        if self.ends.is_empty() { Said::default() } else { Said::datagrams(&self.bytes, &self.ends) }
    }
}

/// As many datagrams of a side as a flow keeps.
const KEPT: usize = 8;

/// UDP over IPv4 in an Ethernet capture: the payload, and both endpoints.
fn datagram(frame: &[u8]) -> Option<([u8; 6], [u8; 6], &[u8])> {
    let mut at = 14;
    let mut kind = frame.get(12..14)?;
    while kind == [0x81, 0x00] {
        kind = frame.get(at + 2..at + 4)?;
        at += 4;
    }
    let packet = frame.get(at..)?;
    let head = usize::from(packet.first()? & 15) * 4;
    if kind != [8, 0] || packet.get(9) != Some(&17) {
        return None;
    }
    let end = |address: usize, port: usize| -> Option<[u8; 6]> {
        [packet.get(address..address + 4)?, packet.get(head + port..head + port + 2)?]
            .concat()
            .try_into()
            .ok()
    };
    let length = usize::from(u16::from_be_bytes([*packet.get(head + 4)?, *packet.get(head + 5)?]));
    Some((end(12, 0)?, end(16, 2)?, packet.get(head + 8..head + length)?))
}

/// What is recognised in each flow of a capture.
fn flows(path: &str) -> Option<Vec<Recognised>> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../../shared/corpus/pcap", path].iter().collect();
    let Ok(file) = fs::read(&path) else {
        println!("SKIPPED: no corpus at {}", path.display());
        return None;
    };
    let word = |at: usize| file.get(at..at + 4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    assert!(matches!(word(0), Some(0xa1b2_c3d4 | 0xa1b2_3c4d)), "a capture of this byte order");
    let mut flows = BTreeMap::<_, ([u8; 6], [Side; 2])>::new();
    let mut at = 24;
    while let Some(length) = word(at + 8) {
        let frame = &file[at + 16..(at + 16 + length as usize).min(file.len())];
        at += 16 + length as usize;
        let Some((source, target, payload)) = datagram(frame) else { continue };
        let key = (source.min(target), source.max(target));
        let (client, sides) = flows.entry(key).or_insert_with(|| (source, Default::default()));
        let side = &mut sides[usize::from(*client != source)];
        if side.ends.len() < KEPT {
            side.bytes.extend_from_slice(payload);
            side.ends.push(u32::try_from(side.bytes.len()).unwrap());
        }
    }
    let settle = |(_, [client, server]): &([u8; 6], [Side; 2])| {
        let (client, server) = (client.said(), server.said());
        let talk = Talk { transport: Transport::Udp, client, server, ended: true, particulars: true };
        recognise(&talk).settle(&talk)
    };
    Some(flows.values().map(settle).collect())
}

fn is(path: &str, name: &str, looks: Option<&str>) {
    let Some(flows) = flows(path) else { return };
    let named = flows.iter().filter(|said| said.protocol.is_some_and(|protocol| protocol.name == name));
    let named: Vec<_> = named.collect();
    assert!(!named.is_empty(), "{path}: {flows:#?}");
    if let Some(looks) = looks {
        assert!(named.iter().all(|said| said.detail("looks_like") == Some(looks)), "{path}: {named:#?}");
    }
    // A media capture may hold PTP and the like beside; what it must not hold is another guess at its media.
    for said in &flows {
        let other = said.protocol.map_or("", |protocol| protocol.name);
        assert!(["", name, "ptp", "rtcp"].contains(&other), "{path}: {said:?}");
    }
}

#[test]
fn media_streams_are_rtp_and_look_like_what_they_are() {
    is("st2110-40/2110-40_5994i.pcap", "rtp", Some("ancillary data (RFC 8331)"));
    is("st2110-40/anc_with_some_rtp_padding.pcap", "rtp", Some("ancillary data (RFC 8331)"));
    is("st2110-22/125mbps-JPEGXS.pcap", "rtp", Some("JPEG XS (RFC 9134)"));
    is("st2110-30/l24_48000_8ch_0125.pcap", "rtp", None);
    is("st2022-7/ST2022-7-Audio.pcap", "rtp", None);
    is("nmos/rtp-audio-l24-2chan.pcap", "rtp", None);
}

#[test]
fn srt_is_not_rtp_and_clocks_are_ptp() {
    is("not-media/srt_stream_loss_of_5.pcap", "srt", None);
    is("ptp/ptp4l-veth-st2059-domain127-made-here.pcap", "ptp", None);
    for capture in ["ptp/ptpv2.pcap", "ptp/ptpv1.pcap", "ptp/PTP_clock.pcap"] {
        is(capture, "ptp", None);
    }
}
