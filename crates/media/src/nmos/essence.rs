//! What a flow carries, as IS-04 says it, in the words of ST 2110.

use model::media::{
    AncillaryFormat, AudioFormat, Colorimetry, CompressedFormat, Depth, Essence, Format, Packing, Range,
    Ratio, Sampling, Scan, SenderType, Transfer, VideoFormat,
};

use super::resource::{Component, Flow, Sender, Source};

/// The payload type of a format that comes from a flow: IS-04 says none, and no packet can have this one
/// (RFC 3550 §5.1: seven bits).
pub const PAYLOAD_TYPE_NOT_SAID: u8 = 0xff;

/// The format of a flow; `None` where the flow says no media type (v1.0).
pub(super) fn format(flow: &Flow, source: Option<&Source>, sender: Option<&Sender>) -> Option<Format> {
    let media_type = flow.media_type.as_deref()?;
    let (kind, name) = media_type.split_once('/')?;
    let rate = flow.grain_rate.or(source.and_then(|source| source.grain_rate));
    let pacing = sender.and_then(|sender| SenderType::from_token(sender.sender_type.as_deref()?));
    let essence = match (kind, name) {
        ("video", "raw") => {
            video(flow, rate, pacing).map_or_else(|| Essence::RawVideo(said(flow)), Essence::Video)
        }
        ("video", "jxsv") => Essence::Compressed(compressed(flow, rate, pacing)),
        ("video", "smpte291") => Essence::Ancillary(AncillaryFormat {
            frame_rate: rate,
            kinds: flow.ancillary.clone(),
            low_latency: false,
            vpid_code: None,
        }),
        ("video", "SMPTE2022-6") => Essence::Sdi,
        ("video", "MP2T") => Essence::TransportStream,
        ("application", "ttml+xml") => Essence::TimedText,
        ("audio", name) => return audio(flow, source, name),
        (_, name) => Essence::Other(name.to_owned()),
    };
    Some(Format { payload_type: PAYLOAD_TYPE_NOT_SAID, clock_rate: 90_000, essence })
}

fn audio(flow: &Flow, source: Option<&Source>, name: &str) -> Option<Format> {
    let rate = flow.sample_rate.filter(|rate| rate.denominator() == 1)?.numerator();
    let bits = name.strip_prefix('L').and_then(|bits| bits.parse().ok());
    let channels = source.and_then(|source| u16::try_from(source.channels.len()).ok());
    let essence = match (bits, name) {
        (Some(bits @ (8 | 16 | 20 | 24)), _) => linear(bits, false, rate, channels),
        (_, "AM824") => linear(32, true, rate, channels),
        _ => Essence::Other(name.to_owned()),
    };
    Some(Format { payload_type: PAYLOAD_TYPE_NOT_SAID, clock_rate: rate, essence })
}

fn linear(bits: u8, am824: bool, sample_rate: u32, channels: Option<u16>) -> Essence {
    Essence::Audio(AudioFormat {
        bits,
        am824,
        sample_rate,
        channels: channels.filter(|channels| *channels != 0).unwrap_or(1),
        packet_time_ns: None,
        channel_order: String::new(),
    })
}

fn scan(flow: &Flow) -> Scan {
    match flow.interlace.as_deref() {
        Some("interlaced_tff" | "interlaced_bff") => Scan::Interlaced,
        Some("interlaced_psf") => Scan::Segmented,
        _ => Scan::Progressive,
    }
}

fn video(flow: &Flow, rate: Option<Ratio>, sender_type: Option<SenderType>) -> Option<VideoFormat> {
    let (sampling, depth) = components(&flow.components)?;
    Some(VideoFormat {
        sampling,
        depth,
        width: flow.width?.try_into().ok()?,
        height: flow.height?.try_into().ok()?,
        frame_rate: rate?,
        scan: scan(flow),
        colorimetry: flow
            .colorspace
            .as_deref()
            .and_then(Colorimetry::from_token)
            .unwrap_or(Colorimetry::Unspecified),
        // IS-04 v1.3, flow_video: SDR where it is left out.
        transfer: flow.transfer.as_deref().map_or(Some(Transfer::Sdr), Transfer::from_token)?,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1)?,
    })
}

/// Sampling and depth from the parts of a signal.
fn components(parts: &[Component]) -> Option<(Sampling, Depth)> {
    let named = |name: &str| parts.iter().find(|part| part.name == name);
    let (first, second, samplings) = if let (Some(y), Some(cb)) = (named("Y"), named("Cb")) {
        (y, cb, [Sampling::YCbCr444, Sampling::YCbCr422, Sampling::YCbCr420])
    } else if let (Some(i), Some(ct)) = (named("I"), named("Ct")) {
        (i, ct, [Sampling::ICtCp444, Sampling::ICtCp422, Sampling::ICtCp420])
    } else if let (Some(r), Some(g)) = (named("R"), named("G")) {
        (r, g, [Sampling::Rgb; 3])
    } else if let (Some(key), 1) = (named("A"), parts.len()) {
        (key, key, [Sampling::Key; 3])
    } else {
        return None;
    };
    let depth = match first.bits {
        8 => Depth::Eight,
        10 => Depth::Ten,
        12 => Depth::Twelve,
        16 => Depth::Sixteen,
        _ => return None,
    };
    let [full, half, quarter] = samplings;
    let halved = |whole: u32, part: u32| whole.div_ceil(2) == part;
    let sampling = match (first.width == second.width, first.height == second.height) {
        (true, true) => full,
        (false, true) if halved(first.width, second.width) => half,
        (false, false) if halved(first.width, second.width) && halved(first.height, second.height) => quarter,
        _ => return None,
    };
    Some((sampling, depth))
}

fn compressed(flow: &Flow, frame_rate: Option<Ratio>, sender_type: Option<SenderType>) -> CompressedFormat {
    let parts = components(&flow.components);
    CompressedFormat {
        width: flow.width.and_then(|width| width.try_into().ok()),
        height: flow.height.and_then(|height| height.try_into().ok()),
        frame_rate,
        scan: scan(flow),
        slices: false,
        sequential: true,
        sampling: parts.map(|(sampling, _)| sampling),
        depth: parts.map(|(_, depth)| depth),
        sender_type,
        burst_packets: None,
        colorimetry: None,
        transfer: None,
        range: None,
        profile: String::new(),
        level: String::new(),
        sublevel: String::new(),
        bandwidth_kbps: flow.bit_rate,
    }
}

/// What was said of a video whose description is not whole.
fn said(flow: &Flow) -> String {
    let number = |name: &str, value: Option<u32>| value.map(|value| format!("{name}={value}"));
    let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}={value}"));
    let all = [
        number("width", flow.width),
        number("height", flow.height),
        text("interlace_mode", &flow.interlace),
        text("colorspace", &flow.colorspace),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
