//! `portreeve media send`: test streams, until the time is over or somebody says stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::sending::{self, Content, Sending, StreamRequest, Watch};
use host::transmit::{TransmitRequest, UrgencyRequest};
use media::audio::packet_time::{ns_of, packet_time, samples_of};
use model::media::{
    AncillaryFormat, AudioFormat, Colorimetry, Ratio, ReferenceClock, SendingFacts, Session, VideoFormat,
};

use crate::args::sending::{
    ContentKind, Encoding, SendAncillaryArgs, SendArgs, SendAudioArgs, SendCommand, SendMetadataArgs,
    SendVideoArgs,
};
use crate::command::{Status, Stop, until, write_json};
use crate::document::SendingDocument;
use crate::{output, text};

/// Payload types that senders commonly have for these.
const VIDEO_TYPE: u8 = 96;
const AUDIO_TYPE: u8 = 97;
const ANCILLARY_TYPE: u8 = 100;
const METADATA_TYPE: u8 = 101;

/// What a command would send, described; nothing is sent.
pub(super) fn description(command: &SendCommand) -> Result<String, Stop> {
    let (args, requests) = requests(command)?;
    let planned = requests.into_iter().map(|request| sending::plan(request).map_err(Stop::Usage));
    let sessions = planned.map(|planned| planned.map(|it| it.session)).collect::<Result<Vec<_>, _>>()?;
    Ok(describe(&sessions, args))
}

fn requests(command: &SendCommand) -> Result<(&SendArgs, Vec<StreamRequest>), Stop> {
    let (args, mut requests) = match command {
        SendCommand::Video(args) => (&args.common, vec![video(args)?]),
        SendCommand::Audio(args) => (&args.common, vec![audio(args)]),
        SendCommand::Ancillary(args) => (&args.common, vec![ancillary(args)]),
        SendCommand::Metadata(args) => (&args.common, vec![metadata(args)]),
    };
    // What belongs to a picture has its rate.
    let raster = match command {
        SendCommand::Video(args) => Some(args.raster),
        _ => None,
    };
    for (kind, to) in &args.with {
        let beside = beside(args, *to);
        let request = match kind {
            ContentKind::Video => SendVideoArgs::usual(beside).map(|args| video(&args)).transpose()?,
            ContentKind::Audio => SendAudioArgs::usual(beside).map(|args| audio(&args)),
            ContentKind::Ancillary => SendAncillaryArgs::usual(beside).map(|mut args| {
                args.raster = raster.unwrap_or(args.raster);
                ancillary(&args)
            }),
            ContentKind::Metadata => SendMetadataArgs::usual(beside).map(|mut args| {
                args.raster = raster.unwrap_or(args.raster);
                metadata(&args)
            }),
        };
        requests.extend(request);
    }
    Ok((args, requests))
}

pub(super) fn run(command: &SendCommand) -> Status {
    let (args, requests) = requests(command)?;
    let mut streams = Vec::new();
    let mut sessions = Vec::new();
    for request in requests {
        let planned = sending::plan(request).map_err(Stop::Usage)?;
        streams.push(planned.plan);
        sessions.push(planned.session);
    }
    let description = describe(&sessions, args);
    if let Some(path) = &args.sdp {
        write_description(path, &description)?;
    }
    if args.sap {
        // On every leg: who listens on the other network only has to hear it, too.
        for stream in streams.iter_mut().take(1) {
            let legs = stream.legs.clone();
            stream.chores.extend(legs.iter().map(|leg| sending::announce(&description, leg, address(args))));
        }
    }
    let urgency = UrgencyRequest { cpu: args.cpu, real_time: !args.modest, steady: !args.modest };
    let spin = args.spin.map(Duration::from_micros);
    let sending = Sending { streams, urgency, spin, duration: args.duration };
    let facts = send(sending, args)?;
    if args.json {
        write_json(serde_json::to_vec(&SendingDocument::of(&facts))?, output::is_terminal())?;
    } else {
        let mut out = String::new();
        text::media_sent(&mut out, &facts);
        output::write(out.as_bytes())?;
    }
    Ok(0)
}

/// Sends, and shows how it goes.
fn send(sending: Sending, args: &SendArgs) -> Result<SendingFacts, Stop> {
    let watch = Arc::new(Watch::default());
    let stop = Arc::clone(&watch);
    until::on_interrupt(move || stop.stop.store(true, Ordering::Relaxed))?;
    if args.duration.is_none() {
        output::complain(&format!("sending to {}; Ctrl-C ends it and shows what was sent", args.to));
    }
    let how = || {
        let packets = watch.packets.load(Ordering::Relaxed);
        let late_us = watch.latest_ns.load(Ordering::Relaxed) / 1000;
        format!("{packets} packets, {late_us} µs late at most")
    };
    until::told(args.no_progress, &how, || sending::send(sending, &watch))
        .map_err(|error| Stop::Failed(error.to_string()))
}

fn video(args: &SendVideoArgs) -> Result<StreamRequest, Stop> {
    let raster = args.raster;
    let usual = if raster.height < 720 { Colorimetry::Bt601 } else { Colorimetry::Bt709 };
    let format = VideoFormat {
        sampling: args.sampling,
        depth: args.depth,
        width: raster.width,
        height: raster.height,
        frame_rate: raster.rate,
        scan: raster.scan,
        colorimetry: args.colorimetry.unwrap_or(usual),
        transfer: args.transfer,
        range: args.range,
        packing: args.packing.packing(),
        max_udp_bytes: args.max_udp,
        sender_type: Some(args.sender_type.sender_type()),
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1).ok_or_else(|| Stop::Failed("one by one is no ratio".to_owned()))?,
    };
    let content =
        Content::Video { format, signal: args.signal.clone(), with_time: !args.no_time, burst: args.burst };
    Ok(request(&args.common, content, VIDEO_TYPE, "video"))
}

fn audio(args: &SendAudioArgs) -> StreamRequest {
    let (bits, am824) = match args.encoding {
        Encoding::L16 => (16, false),
        Encoding::L24 => (24, false),
        Encoding::Am824 => (32, true),
    };
    let usual = match args.channels {
        1 => "M".to_owned(),
        2 => "ST".to_owned(),
        count => format!("U{count:02}"),
    };
    let format = AudioFormat {
        bits,
        am824,
        sample_rate: args.rate,
        channels: args.channels,
        packet_time_ns: Some(packet_time_of(args.packet_time, args.rate)),
        channel_order: args.channel_order.clone().unwrap_or(usual),
    };
    let content =
        Content::Audio { format, signal: args.signal.clone(), hertz: args.hertz, level_cdb: args.level };
    request(&args.common, content, AUDIO_TYPE, "audio")
}

/// The packet time that is meant: at 44.1 kHz packets have as many samples as at 48 kHz, and last longer (AES67 §7.2).
fn packet_time_of(wanted_ns: u64, sample_rate: u32) -> u64 {
    let at_48_khz = samples_of(wanted_ns, 48_000).filter(|samples| packet_time(*samples, 48_000).is_some());
    match at_48_khz.filter(|_| sample_rate == 44_100) {
        Some(samples) => ns_of(samples.into(), sample_rate).unsigned_abs(),
        None => wanted_ns,
    }
}

fn ancillary(args: &SendAncillaryArgs) -> StreamRequest {
    let usual = vec![(0x60, 0x60), (0x61, 0x01), (0x41, 0x05)];
    let format = AncillaryFormat {
        frame_rate: Some(args.raster.rate),
        kinds: if args.kind.is_empty() { usual } else { args.kind.clone() },
        low_latency: false,
        vpid_code: None,
    };
    let content = Content::Ancillary { format, scan: args.raster.scan, captions: args.captions.clone() };
    request(&args.common, content, ANCILLARY_TYPE, "ancillary")
}

fn metadata(args: &SendMetadataArgs) -> StreamRequest {
    let raster = args.raster;
    let content = Content::Metadata { kinds: args.item.clone(), frame_rate: raster.rate, scan: raster.scan };
    request(&args.common, content, METADATA_TYPE, "metadata")
}

fn request(args: &SendArgs, content: Content, payload_type: u8, kind: &str) -> StreamRequest {
    let leg = |destination: SocketAddr, interface: &Option<String>| TransmitRequest {
        destination,
        source: source(args, destination, interface.as_ref()).map(|source| SocketAddr::new(source, 0)),
        interface: interface.clone(),
        hops: Some(args.ttl),
        dscp: args.dscp,
        buffer_bytes: 4 << 20,
        segments: !args.no_segments,
        launch_times: true,
        own_frames: !args.modest,
    };
    let mut legs = vec![leg(args.to, &args.interface)];
    if let Some(also) = args.also {
        legs.push(leg(
            also,
            if args.also_interface.is_some() { &args.also_interface } else { &args.interface },
        ));
    }
    StreamRequest {
        name: format!("{}: {kind}", args.name),
        content,
        payload_type: args.payload_type.unwrap_or(payload_type),
        ssrc: args.ssrc.unwrap_or_else(|| chance(args.to)),
        legs,
        faults: args.fault.join(","),
        reports: args.rtcp,
        canonical_name: format!("portreeve@{}", address(args)),
        reference: reference(args),
    }
}

/// A number that is not the same twice: a synchronisation source is one by chance (RFC 3550 §8.1).
fn chance(to: SocketAddr) -> u32 {
    use std::hash::{BuildHasher, RandomState};
    let [_, _, _, _, a, b, c, d] = RandomState::new().hash_one(to).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The same ways, and another destination.
fn beside(args: &SendArgs, to: SocketAddr) -> SendArgs {
    SendArgs {
        to,
        also: None,
        also_interface: None,
        payload_type: None,
        ssrc: None,
        with: Vec::new(),
        ..args.clone()
    }
}

/// Where a leg is sent from, as far as it can be known beforehand: of an interface its first address, which a description
/// can name then (RFC 4570 §3). One of the link alone needs more than an address, and is left to the system.
fn source(args: &SendArgs, to: SocketAddr, interface: Option<&String>) -> Option<IpAddr> {
    let of_link = |address: IpAddr| matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    let found = || {
        let interfaces = host::interfaces().ok()?;
        let named = interfaces.iter().find(|each| Some(&each.name) == interface)?;
        let mut addresses = named.addresses.iter().map(|(address, _)| *address);
        addresses.find(|address| address.is_ipv4() == to.is_ipv4() && !of_link(*address))
    };
    args.source.or_else(found)
}

/// What the origin of a description is.
fn address(args: &SendArgs) -> IpAddr {
    source(args, args.to, args.interface.as_ref()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// What the clock follows: ours, by the address of the interface, where there is one (ST 2110-10:2022 §8.2).
fn reference(args: &SendArgs) -> ReferenceClock {
    let path = args.interface.as_ref().map(|name| format!("/sys/class/net/{name}/address"));
    let text = path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let octets: Vec<u8> =
        text.trim().split(':').filter_map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    match <[u8; 6]>::try_from(octets) {
        Ok(octets) => ReferenceClock::LocalMac(octets),
        Err(_) => ReferenceClock::Other("local".to_owned()),
    }
}

fn describe(sessions: &[Session], args: &SendArgs) -> String {
    let now = u64::try_from(host::now().as_seconds()).unwrap_or(0);
    sending::describe(sessions, now, address(args))
}

fn write_description(path: &Path, text: &str) -> Result<(), Stop> {
    if path == Path::new("-") {
        output::write(text.as_bytes())?;
        return Ok(());
    }
    std::fs::write(path, text)
        .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_44_khz_have_as_many_samples_as_the_texts_say() {
        let samples = |ms_millionths, rate| samples_of(packet_time_of(ms_millionths, rate), rate);
        for (wanted_ns, at_48, at_44) in
            [(1_000_000, 48, 48), (125_000, 6, 6), (333_000, 16, 16), (80_000, 4, 4)]
        {
            assert_eq!((samples(wanted_ns, 48_000), samples(wanted_ns, 44_100)), (Some(at_48), Some(at_44)));
        }
        // Another time than those of the texts is as it is said.
        assert_eq!(samples(2_000_000, 44_100), Some(88));
        assert_eq!(packet_time_of(1_000_000, 96_000), 1_000_000);
    }
}
