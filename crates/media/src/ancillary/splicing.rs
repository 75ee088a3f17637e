//! Messages of automation to splicers, in ancillary data (SCTE 104, ST 2010).
//!
//! Neither text was read; the places are those on which public notes agree.

use wire::Fault;
use wire::cursor::{array, be16, be32};

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "SCTE 104", at, what }
}

/// How one packet of ancillary data takes part in a message (ST 2010): the octet before the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor(pub u8);

impl Descriptor {
    /// Whether it is of the version that is known (ST 2010:2008 §5).
    pub const fn is_known(self) -> bool {
        self.0 & 0xf8 == 8
    }

    /// Whether the message began in an earlier packet.
    pub const fn continues(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether more follows in the next packet.
    pub const fn is_followed(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether the message was sent before.
    pub const fn is_duplicate(self) -> bool {
        self.0 & 1 != 0
    }
}

/// When a message is to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// At this time of GPS or UTC.
    At {
        /// Seconds.
        seconds: u32,
        /// Microseconds.
        microseconds: u16,
    },
    /// At this label of the time code.
    Label {
        /// Hours.
        hours: u8,
        /// Minutes.
        minutes: u8,
        /// Seconds.
        seconds: u8,
        /// Frames.
        frames: u8,
    },
    /// When this contact closes or opens.
    Contact {
        /// Which.
        number: u8,
        /// Which edge.
        edge: u8,
    },
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Whether it is a message of several operations.
    pub is_multiple: bool,
    /// `messageSize`: octets as it says.
    pub size_bytes: u16,
    /// Version of the protocol.
    pub version: u8,
    /// Which automation system.
    pub automation: u8,
    /// Counts messages.
    pub number: u8,
    /// Which programme's splices.
    pub index: u16,
    /// When, where it has several operations.
    pub when: Option<When>,
    /// How many operations there are, as it says.
    pub count: u8,
    /// The operation of a single one.
    single: u16,
    body: &'a [u8],
}

/// One operation of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation<'a> {
    /// `opID`.
    pub code: u16,
    /// Whether it stood in a message of several.
    pub is_multiple: bool,
    /// Its data.
    pub data: &'a [u8],
}

/// Reads a message, which begins behind the descriptor.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let ends = fault(bytes.len(), "the message ends in its header");
    let first = be16(bytes, 0).ok_or(ends)?;
    let size_bytes = be16(bytes, 2).ok_or(ends)?;
    let whole = bytes.get(..usize::from(size_bytes).min(bytes.len())).unwrap_or_default();
    let is_multiple = first == 0xffff;
    // A single operation has two results in front of the version.
    let at = if is_multiple { 4 } else { 8 };
    let [version, automation, number] = array(whole, at).ok_or(ends)?;
    let index = be16(whole, at + 3).ok_or(ends)?;
    let (mut when, mut count, mut body_at) = (None, 1, at + 5);
    if is_multiple {
        let [_, kind] = array(whole, at + 5).ok_or(ends)?;
        let time = at + 7;
        let (said, length) = match kind {
            0 => (When::Now, 0),
            1 => {
                let seconds = be32(whole, time).ok_or(ends)?;
                (When::At { seconds, microseconds: be16(whole, time + 4).ok_or(ends)? }, 6)
            }
            2 => {
                let [hours, minutes, seconds, frames] = array(whole, time).ok_or(ends)?;
                (When::Label { hours, minutes, seconds, frames }, 4)
            }
            3 => {
                let [number, edge] = array(whole, time).ok_or(ends)?;
                (When::Contact { number, edge }, 2)
            }
            _ => return Err(fault(time - 1, "a kind of time that does not exist")),
        };
        when = Some(said);
        [count] = array(whole, time + length).ok_or(ends)?;
        body_at = time + length + 1;
    }
    let body = whole.get(body_at..).ok_or(ends)?;
    Ok(Message {
        is_multiple,
        size_bytes,
        version,
        automation,
        number,
        index,
        when,
        count,
        single: first,
        body,
    })
}

impl<'a> Message<'a> {
    /// What it claims of itself that is not so, where so many octets came.
    pub fn contradiction(&self, came: usize) -> Option<String> {
        if usize::from(self.size_bytes) != came {
            return Some(format!("{} octets claimed, {came} there", self.size_bytes));
        }
        let count = self.operations().count();
        if count != usize::from(self.count) {
            return Some(format!("{count} operations of {}", self.count));
        }
        let short = self.operations().find(Operation::is_short)?;
        Some(format!("a {} of {} octets", short.name(), short.data.len()))
    }

    /// Its operations, as many as it says; what is not there ends them.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'a>> + use<'a> {
        let Message { is_multiple, single, count, mut body, .. } = *self;
        (0..count).map_while(move |_| {
            if !is_multiple {
                return Some(Operation { code: single, is_multiple, data: body });
            }
            let (code, length) = (be16(body, 0)?, usize::from(be16(body, 2)?));
            let data = body.get(4..4 + length)?;
            body = body.get(4 + length..).unwrap_or_default();
            Some(Operation { code, is_multiple, data })
        })
    }
}

/// What a splice request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpliceRequest {
    /// Its kind: 1 and 2 start, 3 and 4 end, 5 cancels.
    pub kind: u8,
    /// Which event.
    pub event: u32,
    /// Which programme.
    pub programme: u16,
    /// How long before the splice, in milliseconds.
    pub pre_roll_ms: u16,
    /// How long the break is, in tenths of a second.
    pub break_tenths: u16,
    /// Whether the break ends by itself.
    pub returns: bool,
}

impl Operation<'_> {
    /// Whether it has less than what it asks for needs.
    pub fn is_short(&self) -> bool {
        let needed = match (self.is_multiple, self.code) {
            (true, 0x0101) => 14,
            (true, 0x0104) => 2,
            // Up to the type, behind a name of so many octets.
            (true, 0x010b) => 10 + self.data.get(8).map_or(0, |length| usize::from(*length)),
            _ => 0,
        };
        self.data.len() < needed
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match (self.is_multiple, self.code) {
            (true, 0x0100) => "inject section",
            (true, 0x0101) => "splice request",
            (true, 0x0102) => "splice null",
            (true, 0x0103) => "start schedule download",
            (true, 0x0104) => "time signal",
            (true, 0x0105) => "transmit schedule",
            (true, 0x0106) => "component mode",
            (true, 0x0107) => "encrypted",
            (true, 0x0108) => "insert descriptor",
            (true, 0x0109) => "insert DTMF descriptor",
            (true, 0x010a) => "insert avail descriptor",
            (true, 0x010b) => "insert segmentation descriptor",
            (true, 0x010c) => "proprietary command",
            (true, 0x010d) => "schedule component mode",
            (true, 0x010e) => "schedule definition",
            (true, 0x010f) => "insert tier",
            (true, 0x0110) => "insert time descriptor",
            (true, 0x0300) => "delete control word",
            (true, 0x0301) => "update control word",
            (false, 0x0000) => "general response",
            (false, 0x0001) => "init request",
            (false, 0x0002) => "init response",
            (false, 0x0003) => "alive request",
            (false, 0x0004) => "alive response",
            (false, 0x0007) => "inject response",
            (false, 0x0008) => "inject complete response",
            (false, 0x0009) => "configuration request",
            (false, 0x000a) => "configuration response",
            (false, 0x000b) => "provisioning request",
            (false, 0x000c) => "provisioning response",
            (_, 0xc000..=0xfffe) => "private operation",
            _ => "another operation",
        }
    }

    /// What it asks for, where it is a splice request.
    pub fn splice_request(&self) -> Option<SpliceRequest> {
        if !self.is_multiple || self.code != 0x0101 {
            return None;
        }
        let [kind] = array(self.data, 0)?;
        let [returns] = array(self.data, 13)?;
        Some(SpliceRequest {
            kind,
            event: be32(self.data, 1)?,
            programme: be16(self.data, 5)?,
            pre_roll_ms: be16(self.data, 7)?,
            break_tenths: be16(self.data, 9)?,
            returns: returns != 0,
        })
    }

    /// In one line.
    pub fn text(&self) -> String {
        let Some(splice) = self.splice_request() else {
            return match (self.code, self.is_multiple, self.data) {
                (0x0104, true, data) => match be16(data, 0) {
                    Some(ms) => format!("{}, {ms} ms ahead", self.name()),
                    None => self.name().into(),
                },
                (0x010b, true, data) => match (be32(data, 0), data.get(8).map(|length| usize::from(*length)))
                {
                    (Some(event), Some(length)) => {
                        let kind = data.get(9 + length).copied().unwrap_or(0);
                        format!("{}, event {event}, type {kind:#04x}", self.name())
                    }
                    _ => self.name().into(),
                },
                _ => self.name().into(),
            };
        };
        let kind = match splice.kind {
            1 => "start",
            2 => "start at once",
            3 => "end",
            4 => "end at once",
            5 => "cancel",
            _ => "reserved",
        };
        let (seconds, tenths) = (splice.break_tenths / 10, splice.break_tenths % 10);
        format!(
            "splice {kind}, event {}, {} ms ahead, break {seconds}.{tenths} s",
            splice.event, splice.pre_roll_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLICE: &[u8] = b"\xff\xff\0\x20\0\x02\x03\0\x04\0\x02\x0a\x0b\x0c\x0d\x01\x01\x01\0\x0e\x01\0\0\0\x2a\0\x07\x1f\x40\x01\x2c\0\0\x01";

    #[test]
    fn a_splice_request_is_read() {
        let mut bytes = SPLICE.to_vec();
        bytes[3] = bytes.len().try_into().unwrap();
        let message = parse(&bytes).unwrap();
        assert_eq!((message.automation, message.number, message.index, message.count), (2, 3, 4, 1));
        assert_eq!(message.when, Some(When::Label { hours: 10, minutes: 11, seconds: 12, frames: 13 }));
        let operations: Vec<_> = message.operations().collect();
        assert_eq!(operations.len(), 1);
        assert_eq!(operations[0].text(), "splice start, event 42, 8000 ms ahead, break 30.0 s");
        assert!(operations[0].splice_request().unwrap().returns);
    }

    #[test]
    fn single_operations_and_prefixes() {
        let alive = b"\0\x03\0\x0d\0\0\xff\xff\0\x01\x02\0\0";
        let message = parse(alive).unwrap();
        assert_eq!(message.operations().map(|it| it.name()).collect::<Vec<_>>(), ["alive request"]);
        for sample in [SPLICE, alive] {
            for end in 0..sample.len() {
                if let Ok(message) = parse(&sample[..end]) {
                    assert!(message.operations().count() <= usize::from(message.count));
                }
            }
        }
        assert!(parse(b"\xff\xff\0\x10\0\0\0\0\0\0\x04\0\0\0\0\0").is_err());
    }
}
