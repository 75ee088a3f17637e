//! What a payload type means: `rtpmap` and `fmtp` as formats, and formats as both (RFC 8866 §6.6, §6.15; ST 2110).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::media::{
    AncillaryFormat, AudioFormat, Colorimetry, CompressedFormat, Depth, Essence, Format, Packing, Range,
    Ratio, Sampling, Scan, SenderType, Transfer, VideoFormat,
};

use super::document::{Line, Section};
use super::fields::number;

/// Kinds of ancillary data, or types of metadata, that one format announces.
pub const MAX_KINDS: usize = 256;

/// Encoding name, clock rate and channels of a payload type (RFC 8866 §6.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Map {
    /// Payload type.
    pub payload_type: u8,
    /// Encoding name.
    pub name: String,
    /// Ticks a second.
    pub clock_rate: u32,
    /// What stands after the second slash: channels, for audio.
    pub parameters: Option<String>,
}

impl Map {
    /// From what stands after `a=rtpmap:`.
    pub fn parse(value: &str) -> Option<Map> {
        let (payload_type, encoding) = value.trim().split_once([' ', '\t'])?;
        let mut parts = encoding.trim().splitn(3, '/');
        let map = Map {
            payload_type: number(payload_type).filter(|number| *number < 128)?,
            name: parts.next()?.to_owned(),
            clock_rate: number(parts.next()?).filter(|rate| *rate > 0)?,
            parameters: parts.next().map(str::to_owned),
        };
        // A subtype of a media type: nothing that would be something else in another line.
        let is_name = !map.name.is_empty() && map.name.bytes().all(|byte| byte.is_ascii_graphic());
        is_name.then_some(map)
    }

    /// The channels of audio: one, where nothing is said.
    pub fn channels(&self) -> Option<u16> {
        self.parameters.as_deref().map_or(Some(1), number).filter(|channels| *channels > 0)
    }

    /// What a payload type means without a word (RFC 3551 §6).
    pub fn fixed(payload_type: u8) -> Option<Map> {
        let (name, clock_rate, channels) = match payload_type {
            0 => ("PCMU", 8_000, 1),
            3 => ("GSM", 8_000, 1),
            4 => ("G723", 8_000, 1),
            5 => ("DVI4", 8_000, 1),
            6 => ("DVI4", 16_000, 1),
            7 => ("LPC", 8_000, 1),
            8 => ("PCMA", 8_000, 1),
            9 => ("G722", 8_000, 1),
            10 => ("L16", 44_100, 2),
            11 => ("L16", 44_100, 1),
            12 => ("QCELP", 8_000, 1),
            13 => ("CN", 8_000, 1),
            14 => ("MPA", 90_000, 1),
            15 => ("G728", 8_000, 1),
            16 => ("DVI4", 11_025, 1),
            17 => ("DVI4", 22_050, 1),
            18 => ("G729", 8_000, 1),
            25 => ("CelB", 90_000, 1),
            26 => ("JPEG", 90_000, 1),
            28 => ("nv", 90_000, 1),
            31 => ("H261", 90_000, 1),
            32 => ("MPV", 90_000, 1),
            33 => ("MP2T", 90_000, 1),
            34 => ("H263", 90_000, 1),
            _ => return None,
        };
        let parameters = (channels > 1).then(|| channels.to_string());
        Some(Map { payload_type, name: name.into(), clock_rate, parameters })
    }
}

/// The parameters of a format, in their order: `key=value`, or a key alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters<'a> {
    /// What was said, without its payload type.
    pub text: &'a str,
    /// Keys and values.
    pub entries: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Parameters<'a> {
    /// Payload type and parameters from what stands after `a=fmtp:`.
    pub fn parse(value: &'a str) -> Option<(u8, Parameters<'a>)> {
        let value = value.trim();
        let (payload_type, text) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        let text = text.trim();
        let entries = text.split(';').map(str::trim).filter(|entry| !entry.is_empty());
        let entries = entries.map(|entry| match entry.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (entry, None),
        });
        Some((number(payload_type)?, Parameters { text, entries: entries.collect() }))
    }

    fn payload_type(value: &str) -> Option<u8> {
        let value = value.trim();
        number(value.split_once([' ', '\t']).map_or(value, |(first, _)| first))
    }

    /// The value of a key; empty for a key alone.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.entries.iter().find(|(found, _)| *found == key)?;
        Some(value.unwrap_or_default())
    }

    /// Whether a flag is set: the key alone, or, as some write it, with a value other than 0 and false.
    pub fn flag(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| !matches!(value, "0" | "false"))
    }

    fn token<T>(&self, key: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        self.value(key).and_then(read)
    }

    fn scan(&self) -> Scan {
        match (self.flag("segmented"), self.flag("interlace")) {
            (true, _) => Scan::Segmented,
            (_, true) => Scan::Interlaced,
            _ => Scan::Progressive,
        }
    }
}

/// A rate or an aspect: `25`, `60000/1001`.
pub fn ratio(text: &str, sign: char) -> Option<Ratio> {
    let (above, below) = text.split_once(sign).unwrap_or((text, "1"));
    Ratio::new(number(above)?, number(below)?)
}

/// A rate as people write it in `a=framerate:`: `25`, `59.94`, `30000/1001`. Rates of NTSC are meant where they are rounded.
pub fn decimal_rate(text: &str) -> Option<Ratio> {
    let text = text.trim();
    let Some((whole, fraction)) = text.split_once('.') else { return ratio(text, '/') };
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Ratio::new(number(whole)?, 1);
    }
    let (whole, digits): (u32, u32) = (number(whole)?, u32::try_from(fraction.len()).ok()?);
    let below = 10_u32.checked_pow(digits).filter(|_| digits <= 6)?;
    let above = whole.checked_mul(below)?.checked_add(number(fraction)?)?;
    // 29.97 is 30000/1001: nominal times 1000/1001, to the digits given.
    let nominal = whole.checked_add(1)?;
    let exact = u64::from(nominal) * 1000 * u64::from(below) * 2 / 1001;
    if exact.div_ceil(2) == u64::from(above) {
        return Ratio::new(nominal.checked_mul(1000)?, 1001);
    }
    Ratio::new(above, below)
}

/// Nanoseconds of a packet time in milliseconds: `1`, `0.125`.
pub fn packet_time(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let whole: u64 = if whole.is_empty() { 0 } else { number(whole)? };
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let below = if fraction.is_empty() { 0 } else { number::<u64>(fraction)? };
    let scale = 10_u64.checked_pow(6_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    whole.checked_mul(1_000_000)?.checked_add(below * scale).filter(|ns| *ns > 0 && *ns <= 10_000_000_000)
}

/// The packet time that is meant: a whole number of samples, for the texts round (0.12 ms is six samples of 48 kHz).
pub fn whole_samples(ns: u64, rate: u32) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let rate = u64::from(rate);
    if rate == 0 || rate > 1_000_000 {
        return ns;
    }
    let samples = (ns * rate + SECOND / 2) / SECOND;
    let exact = (samples * SECOND + rate / 2) / rate;
    if samples > 0 && exact.abs_diff(ns) * 20 <= ns { exact } else { ns }
}

/// A packet time as the texts write it: the shortest that means the same number of samples.
pub fn packet_time_text(ns: u64, audio: &AudioFormat) -> String {
    let places = |places: u32| {
        let unit = 10_u64.pow(6 - places);
        // 0.125 is 0.12 in ST 2110-31:2022: half goes down.
        let rounded = (ns + (unit - 1) / 2) / unit;
        let scale = 10_u64.pow(places);
        let text = format!("{}.{:0width$}", rounded / scale, rounded % scale, width = places as usize);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let same = |text: &String| {
        let read = packet_time(text);
        read.is_some_and(|read| whole_samples(read, audio.sample_rate) == ns)
    };
    let exact = ns.is_multiple_of(1_000) && !audio.am824;
    let tries = if exact { [places(3), places(2)] } else { [places(2), places(3)] };
    tries.into_iter().find(same).unwrap_or_else(|| places(6))
}

/// What a medium says of its payload types, the first of each.
pub struct Explained<'a> {
    medium: &'a Section,
    maps: BTreeMap<u8, Map>,
    parameters: BTreeMap<u8, Parameters<'a>>,
}

impl<'a> Explained<'a> {
    /// Of this medium.
    pub fn of(medium: &'a Section) -> Explained<'a> {
        let mut explained = Explained { medium, maps: BTreeMap::new(), parameters: BTreeMap::new() };
        for map in medium.attributes("rtpmap").filter_map(|(_, value)| Map::parse(value)) {
            explained.maps.entry(map.payload_type).or_insert(map);
        }
        for line in medium.all('a') {
            // A payload type that was explained is not taken apart again, however often it stands there.
            let Some(("fmtp", value)) = line.attribute() else { continue };
            let Some(of) = Parameters::payload_type(value) else { continue };
            if let (Entry::Vacant(place), Some((_, parameters))) =
                (explained.parameters.entry(of), Parameters::parse(value))
            {
                place.insert(parameters);
            }
        }
        explained
    }

    /// The format of a payload type; `None` where nothing is said of it and the number alone means nothing.
    pub fn format(&self, payload_type: u8) -> Option<Format> {
        let fixed = || Map::fixed(payload_type);
        let map = self.maps.get(&payload_type).cloned().or_else(fixed)?;
        let none = Parameters::default();
        let parameters = self.parameters.get(&payload_type).unwrap_or(&none);
        let essence = essence(&map, parameters, self.medium);
        Some(Format { payload_type, clock_rate: map.clock_rate, essence })
    }
}

/// What an encoding and its parameters mean, where no document says them: `L24/48000/2` and `channel-order=…`.
pub fn written(payload_type: u8, encoding: &str, parameters: &str) -> Option<Format> {
    let mut medium = Section::default();
    medium.add(Line::new('a', &format!("rtpmap:{payload_type} {encoding}")));
    medium.add(Line::new('a', &format!("fmtp:{payload_type} {parameters}")));
    Explained::of(&medium).format(payload_type)
}

/// What a description of uncompressed video that leaves something out (the frame rate, as FFmpeg's do) means for a stream in
/// which this was found. `None` where what it says is not understood.
pub fn completed(said: &str, found: &VideoFormat) -> Option<VideoFormat> {
    let whole = format!("96 {said}");
    let (_, parameters) = Parameters::parse(&whole)?;
    let mut text = said.trim_end_matches([' ', ';']).to_owned();
    let mut add = |key: &str, value: String| {
        if parameters.value(key).is_none() {
            text.push_str(&format!("; {key}={value}"));
        }
    };
    add("sampling", found.sampling.token().to_owned());
    add("depth", found.depth.token().to_owned());
    add("width", found.width.to_string());
    add("height", found.height.to_string());
    add("exactframerate", found.frame_rate.to_string());
    for (flag, holds) in
        [("interlace", found.scan != Scan::Progressive), ("segmented", found.scan == Scan::Segmented)]
    {
        if holds && !parameters.flag(flag) {
            text.push_str(&format!("; {flag}"));
        }
    }
    match written(96, "raw/90000", &text)?.essence {
        Essence::Video(format) => Some(format),
        _ => None,
    }
}

fn essence(map: &Map, parameters: &Parameters<'_>, medium: &Section) -> Essence {
    // Names of encodings are compared without regard to case (RFC 4855 §3).
    match map.name.to_ascii_lowercase().as_str() {
        "raw" => video(parameters, medium)
            .map_or_else(|| Essence::RawVideo(parameters.text.to_owned()), Essence::Video),
        "jxsv" => Essence::Compressed(compressed(parameters, medium)),
        "l8" => audio(8, false, map, parameters, medium),
        "l16" => audio(16, false, map, parameters, medium),
        "l20" => audio(20, false, map, parameters, medium),
        "l24" => audio(24, false, map, parameters, medium),
        "am824" => audio(32, true, map, parameters, medium),
        "smpte291" => Essence::Ancillary(ancillary(parameters, medium)),
        "st2110-41" => Essence::FastMetadata(
            parameters
                .value("DIT")
                .unwrap_or_default()
                .split(',')
                .filter_map(hexadecimal)
                .take(MAX_KINDS)
                .collect(),
        ),
        "ttml+xml" => Essence::TimedText,
        "smpte2022-6" => Essence::Sdi,
        "mp2t" => Essence::TransportStream,
        _ => Essence::Other(map.name.clone()),
    }
}

fn hexadecimal(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len() <= 6;
    if digits { u32::from_str_radix(text, 16).ok() } else { None }
}

fn frame_rate(parameters: &Parameters<'_>, medium: &Section) -> Option<Ratio> {
    match parameters.value("exactframerate") {
        Some(rate) => ratio(rate, '/'),
        None => medium.attribute("framerate").and_then(decimal_rate),
    }
}

fn side(text: &str) -> Option<u16> {
    number(text).filter(|side| (1..=32_767).contains(side))
}

/// The names of ST 2110-20, and those of RFC 4175 §6.1 that GStreamer writes.
fn colorimetry(token: &str) -> Option<Colorimetry> {
    match token {
        "BT601-5" => Some(Colorimetry::Bt601),
        "BT709-2" => Some(Colorimetry::Bt709),
        "SMPTE240M" => Some(Colorimetry::Unspecified),
        _ => Colorimetry::from_token(token),
    }
}

/// What is said must be understood; what is not said has a default where receivers can do with one.
fn video(said: &Parameters<'_>, medium: &Section) -> Option<VideoFormat> {
    fn or<T>(said: &Parameters<'_>, key: &str, read: fn(&str) -> Option<T>, default: T) -> Option<T> {
        said.value(key).map_or(Some(default), read)
    }
    Some(VideoFormat {
        sampling: said.token("sampling", Sampling::from_token)?,
        depth: said.token("depth", Depth::from_token)?,
        width: said.token("width", side)?,
        height: said.token("height", side)?,
        frame_rate: frame_rate(said, medium)?,
        scan: said.scan(),
        colorimetry: or(said, "colorimetry", colorimetry, Colorimetry::Unspecified)?,
        transfer: or(said, "TCS", Transfer::from_token, Transfer::Sdr)?,
        range: or(said, "RANGE", Range::from_token, Range::Narrow)?,
        packing: or(said, "PM", Packing::from_token, Packing::General)?,
        max_udp_bytes: or(said, "MAXUDP", number, 1460)?,
        sender_type: said.token("TP", SenderType::from_token),
        offset_us: said.token("TROFF", number),
        burst_packets: said.token("CMAX", number),
        pixel_aspect: or(said, "PAR", |text| ratio(text, ':'), Ratio::new(1, 1)?)?,
    })
}

fn compressed(said: &Parameters<'_>, medium: &Section) -> CompressedFormat {
    let text = |key| said.value(key).unwrap_or_default().to_owned();
    CompressedFormat {
        width: said.token("width", side),
        height: said.token("height", side),
        frame_rate: frame_rate(said, medium),
        scan: said.scan(),
        slices: said.value("packetmode") == Some("1"),
        // In order is what is assumed (RFC 9134 §7.1).
        sequential: said.value("transmode") != Some("0"),
        sampling: said.token("sampling", Sampling::from_token),
        depth: said.token("depth", Depth::from_token),
        colorimetry: said.token("colorimetry", colorimetry),
        transfer: said.token("TCS", Transfer::from_token),
        range: said.token("RANGE", Range::from_token),
        profile: text("profile"),
        level: text("level"),
        sublevel: text("sublevel"),
        sender_type: said.token("TP", SenderType::from_token),
        burst_packets: said.token("CMAX", number),
        bandwidth_kbps: bandwidth(medium),
    }
}

/// `b=AS:`, in kbit/s.
pub fn bandwidth(medium: &Section) -> Option<u64> {
    medium.all('b').find_map(|line| number(line.value.trim().strip_prefix("AS:")?))
}

fn audio(bits: u8, am824: bool, map: &Map, said: &Parameters<'_>, medium: &Section) -> Essence {
    let Some(channels) = map.channels() else { return Essence::Other(map.name.clone()) };
    let order = said.value("channel-order").unwrap_or_default();
    let inner = order.strip_prefix("SMPTE2110.(").and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.filter(|inner| !inner.contains('.'));
    let time = medium.attribute("ptime").and_then(packet_time);
    Essence::Audio(AudioFormat {
        bits,
        am824,
        sample_rate: map.clock_rate,
        channels,
        packet_time_ns: time.map(|ns| whole_samples(ns, map.clock_rate)),
        channel_order: inner.unwrap_or(order).trim().to_owned(),
    })
}

/// `{0x61,0x02}`.
pub fn kind_of_data(text: &str) -> Option<(u8, u8)> {
    let (first, second) = text.strip_prefix('{')?.strip_suffix('}')?.split_once(',')?;
    let octet = |text: &str| {
        let digits = text.trim().strip_prefix("0x").or_else(|| text.trim().strip_prefix("0X"))?;
        hexadecimal(digits).and_then(|number| u8::try_from(number).ok())
    };
    Some((octet(first)?, octet(second)?))
}

fn ancillary(said: &Parameters<'_>, medium: &Section) -> AncillaryFormat {
    let kinds = said.entries.iter().filter(|(key, _)| *key == "DID_SDID");
    AncillaryFormat {
        frame_rate: frame_rate(said, medium),
        kinds: kinds.filter_map(|(_, value)| kind_of_data((*value)?)).take(MAX_KINDS).collect(),
        low_latency: said.value("TM") == Some("LLTM"),
        vpid_code: said.token("VPID_Code", number),
    }
}
