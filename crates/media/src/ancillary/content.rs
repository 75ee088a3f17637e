//! What ancillary data say: time codes, captions, format descriptions, messages to splicers.

use model::media::ancillary::{
    AncillaryFacts, CaptionFacts, CaptionPacketFacts, FormatDescriptionFacts, SpliceFacts, TimeCodeFacts,
};
use model::media::{Occurrence, Ratio};

use super::digital::Digital;
use super::distribution::{self, Lane};
use super::format_description::{self, Bars, FormatDescription};
use super::line21::Line21;
use super::payload_identifier::{self, PayloadIdentifier};
use super::teletext::{self, Teletext};
use super::time_code::{self, Label, Origin, TimeCode};
use super::{kind, rules, splicing};
use crate::Tally;

/// Time codes that are followed: linear, two vertical ones, and one that should not be.
const MOST_TIME_CODES: usize = 4;
/// Caption services that are followed: four of line 21, and eight digital ones, or pages of teletext.
const MOST_CAPTIONS: usize = 12;
/// Messages to splicers that are listed.
const MOST_SPLICES: usize = 64;
/// Operations of one message that are listed.
const MOST_OPERATIONS: usize = 8;
/// The most octets of a message that comes in several packets.
const MOST_MESSAGE_BYTES: usize = 4096;
/// Ticks of a second.
const CLOCK_RATE: u64 = 90_000;

/// What was read of the contents so far.
#[derive(Debug, Clone, Default)]
pub struct Content {
    codes: Vec<FollowedCode>,
    captions: Option<Box<Captions>>,
    description: Option<(FormatDescription, u64)>,
    identifier: Option<PayloadIdentifier>,
    splices: Vec<SpliceFacts>,
    other_splices: u64,
    message: Vec<u8>,
}

#[derive(Debug, Clone)]
struct FollowedCode {
    origin: Origin,
    first: Label,
    last: TimeCode,
    timestamp: u32,
    packets: u64,
    jumps: u64,
    impossible: u64,
}

#[derive(Debug, Clone, Default)]
struct Captions {
    lines: [Line21; 2],
    digital: Digital,
    teletext: Teletext,
    services: Vec<CaptionFacts>,
    packets: CaptionPacketFacts,
    sequence: Option<u16>,
}

impl Content {
    /// Takes the user data of a packet whose checksum holds.
    pub fn handle(
        &mut self,
        kind: (u8, u8),
        values: &[u8],
        at: Occurrence,
        frame_rate: Option<Ratio>,
        tally: &mut Tally,
    ) {
        match kind {
            kind::TIME_CODE => self.time_code(values, at, frame_rate, tally),
            kind::CAPTIONS => {
                self.captions.get_or_insert_default().distribution(values, at, frame_rate, tally);
            }
            kind::SUBTITLES => self.captions.get_or_insert_default().subtitles(values, at, tally),
            kind::LINE_21 => {
                // The uppermost bit names the first field (ST 334-1).
                if let [place, one, two] = *values {
                    let lane = if place & 0x80 != 0 { Lane::First } else { Lane::Second };
                    self.captions.get_or_insert_default().pair(lane, [one, two]);
                }
            }
            kind::FORMAT_DESCRIPTION => {
                if let Some(description) = format_description::parse(values) {
                    let changes = self
                        .description
                        .map_or(0, |(before, changes)| changes + u64::from(before != description));
                    self.description = Some((description, changes));
                }
            }
            kind::PAYLOAD_IDENTIFIER => {
                self.identifier = payload_identifier::parse(values).or(self.identifier)
            }
            kind::SPLICING => self.splicing(values, at, tally),
            _ => {}
        }
    }

    fn time_code(&mut self, values: &[u8], at: Occurrence, frame_rate: Option<Ratio>, tally: &mut Tally) {
        let Some(code) = time_code::parse(values) else {
            tally.note(&rules::TIME_CODE_LABEL, at, || "a digit that is none".into());
            return;
        };
        let base = frame_rate.and_then(time_code::base_of).or(code.label.drop_frame.then_some(30));
        let impossible = !code.label.exists(base);
        if impossible {
            tally.note(&rules::TIME_CODE_LABEL, at, || code.label.to_string());
        }
        let Some(followed) = self.codes.iter_mut().find(|it| it.origin == code.origin) else {
            if self.codes.len() < MOST_TIME_CODES {
                self.codes.push(FollowedCode {
                    origin: code.origin,
                    first: code.label,
                    last: code,
                    timestamp: at.timestamp,
                    packets: 1,
                    jumps: 0,
                    impossible: u64::from(impossible),
                });
            }
            return;
        };
        followed.packets += 1;
        followed.impossible += u64::from(impossible);
        let step = at.timestamp.wrapping_sub(followed.timestamp);
        if step >= 1 << 31 {
            return;
        }
        if let Some((rate, base)) = frame_rate.zip(base)
            && !follows(followed.last.label, code.label, step, rate, base)
        {
            followed.jumps += 1;
            let (before, now) = (followed.last.label, code.label);
            tally.note(&rules::TIME_CODE, at, || format!("{} {before} then {now}", code.origin.name()));
        }
        followed.last = code;
        followed.timestamp = at.timestamp;
    }

    fn splicing(&mut self, values: &[u8], at: Occurrence, tally: &mut Tally) {
        let Some((head, message)) = values.split_first() else { return };
        let descriptor = splicing::Descriptor(*head);
        if !descriptor.is_known() {
            tally.note(&rules::SPLICE, at, || format!("a descriptor {head:#04x} that does not exist"));
        }
        if descriptor.is_duplicate() {
            return;
        }
        if !descriptor.continues() {
            self.message.clear();
        } else if self.message.is_empty() {
            tally.note(&rules::SPLICE, at, || "it goes on with what never began".into());
            return;
        }
        if self.message.len() + message.len() <= MOST_MESSAGE_BYTES {
            self.message.extend_from_slice(message);
        }
        if descriptor.is_followed() {
            return;
        }
        match splicing::parse(&self.message) {
            Ok(read) => {
                for (count, operation) in (1..).zip(read.operations()) {
                    if self.splices.len() < MOST_SPLICES && count <= MOST_OPERATIONS {
                        self.splices.push(SpliceFacts { at, text: operation.text() });
                    } else {
                        self.other_splices += 1;
                    }
                }
                if let Some(said) = read.contradiction(self.message.len()) {
                    tally.note(&rules::SPLICE, at, || said);
                }
            }
            Err(fault) => tally.note(&rules::SPLICE, at, || fault.to_string()),
        }
        self.message.clear();
    }

    /// Adds what was read to the facts.
    pub fn facts(&self, facts: &mut AncillaryFacts) {
        facts.time_codes = self
            .codes
            .iter()
            .map(|code| TimeCodeFacts {
                origin: code.origin.name(),
                packets: code.packets,
                first: code.first.to_string(),
                last: code.last.label.to_string(),
                drop_frame: code.last.label.drop_frame,
                user_bits: code.last.user_bits,
                jumps: code.jumps,
                impossible: code.impossible,
            })
            .collect();
        if let Some(captions) = &self.captions {
            facts.captions.clone_from(&captions.services);
            let packets = CaptionPacketFacts {
                line_parity_errors: captions.lines.iter().map(|it| it.parity_errors).sum(),
                digital_packets: captions.digital.packets,
                digital_gaps: captions.digital.gaps,
                ..captions.packets.clone()
            };
            facts.caption_packets = (packets.packets > 0).then_some(packets);
        }
        facts.format_description = self.description.map(|(description, changes)| FormatDescriptionFacts {
            code: description.code,
            wide: description.wide,
            meaning: format_description::meaning(description.code),
            bars: match description.bars {
                None => String::new(),
                Some(Bars::Horizontal { top, bottom }) => format!("lines {top} and {bottom}"),
                Some(Bars::Vertical { left, right }) => format!("pixels {left} and {right}"),
                Some(Bars::Unclear(flags)) => format!("flags {flags:04b}"),
            },
            changes,
        });
        facts.payload_identifier = self.identifier.map(|it| (it.0, it.text()));
        facts.splices.clone_from(&self.splices);
        facts.other_splices = self.other_splices;
    }
}

impl Captions {
    fn distribution(&mut self, values: &[u8], at: Occurrence, frame_rate: Option<Ratio>, tally: &mut Tally) {
        self.packets.packets += 1;
        let packet = match distribution::parse(values) {
            Ok(packet) => packet,
            Err(fault) => {
                self.packets.malformed += 1;
                tally.note(&rules::CAPTIONS, at, || fault.to_string());
                // It came, but nobody knows which it was.
                self.sequence = None;
                return;
            }
        };
        if let Some(said) = packet.contradiction(frame_rate) {
            tally.note(&rules::CAPTIONS, at, || said);
        }
        if !packet.checksum_holds {
            self.packets.checksum_errors += 1;
            tally.note(&rules::CAPTIONS, at, || "a wrong checksum".into());
        }
        let follows = self.sequence.is_none_or(|before| packet.sequence == before.wrapping_add(1));
        self.packets.sequence_gaps += u64::from(!follows);
        self.sequence = Some(packet.sequence);
        self.packets.frame_rate = packet.frame_rate();
        if let Some(label) = packet.time_code {
            self.packets.time_code = Some(label.to_string());
        }
        for (lane, pair) in packet.pairs() {
            self.pair(lane, pair);
        }
    }

    fn subtitles(&mut self, values: &[u8], at: Occurrence, tally: &mut Tally) {
        let packet = match teletext::parse(values) {
            Ok(packet) => packet,
            Err(fault) => return tally.note(&rules::SUBTITLES, at, || fault.to_string()),
        };
        if !packet.checksum_holds {
            return tally.note(&rules::SUBTITLES, at, || "a wrong checksum".into());
        }
        for packet in packet.packets() {
            if let Some((number, text)) = self.teletext.handle(packet) {
                self.shows(format_args!("page {number:X}"), text);
            }
        }
    }

    fn pair(&mut self, lane: Lane, pair: [u8; 2]) {
        let field = usize::from(lane == Lane::Second);
        match lane {
            Lane::First | Lane::Second => {
                let Some(line) = self.lines.get_mut(field) else { return };
                if let Some(channel) = line.handle(pair) {
                    let text = line.text(channel);
                    self.shows(format_args!("CC{}", field * 2 + channel + 1), text);
                }
            }
            Lane::Continues | Lane::Starts => {
                let mut heard = [None; 8];
                let mut slots = heard.iter_mut();
                self.digital.handle(lane == Lane::Starts, pair, |number| {
                    if let Some(slot) = slots.next() {
                        *slot = Some(number);
                    }
                });
                for number in heard.into_iter().flatten() {
                    let text = self.digital.text(number);
                    self.shows(format_args!("service {number}"), text);
                }
            }
        }
    }

    /// Notes what a service shows now; an empty screen leaves the last text.
    fn shows(&mut self, service: core::fmt::Arguments<'_>, text: String) {
        if text.is_empty() {
            return;
        }
        let name = service.to_string();
        let room = self.services.len() < MOST_CAPTIONS;
        match self.services.iter_mut().find(|it| it.service == name) {
            Some(known) if known.last != text => {
                known.changes += 1;
                known.last = text;
            }
            Some(_) => {}
            None if room => {
                self.services.push(CaptionFacts { service: name, changes: 1, last: text });
            }
            None => {}
        }
    }
}

/// Whether one label may follow another after so many ticks: exactly as many as whole frames have passed, and
/// either neighbour where half of one has.
fn follows(before: Label, now: Label, step: u32, rate: Ratio, base: u8) -> bool {
    let shared = if rate.numerator() > 30 * rate.denominator() { 2 } else { 1 };
    let ticks = CLOCK_RATE * u64::from(rate.denominator()) * shared;
    let halves = (u64::from(step) * u64::from(rate.numerator()) * 2 + ticks / 2) / ticks;
    let day = Label::per_day(base, now.drop_frame);
    let passed = (now.number(base) + day).saturating_sub(before.number(base)) % day;
    before.drop_frame == now.drop_frame && (passed == halves / 2 % day || passed == halves.div_ceil(2) % day)
}
