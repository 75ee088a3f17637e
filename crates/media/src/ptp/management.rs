//! Management of clocks: what is read, set and answered (IEEE 1588-2008 §15).

use wire::cursor::{array, be16};

use super::message::port_identity;

/// What is done to an item.
pub const fn action(code: u8) -> &'static str {
    match code {
        0 => "read",
        1 => "set",
        2 => "answer",
        3 => "command",
        4 => "acknowledgement",
        _ => "reserved",
    }
}

/// What an item is called.
pub fn name(item: u16) -> String {
    let known = match item {
        0x0000 => "nothing",
        0x0001 => "clock description",
        0x0002 => "user description",
        0x0003 => "saving",
        0x0004 => "reset",
        0x0005 => "initialisation",
        0x0006 => "fault log",
        0x0007 => "fault log reset",
        0x2000 => "default data set",
        0x2001 => "current data set",
        0x2002 => "parent data set",
        0x2003 => "time properties",
        0x2004 => "port data set",
        0x2005 => "priority 1",
        0x2006 => "priority 2",
        0x2007 => "domain",
        0x2008 => "slave only",
        0x2009 => "announce interval",
        0x200a => "announce receipt timeout",
        0x200b => "sync interval",
        0x200c => "version",
        0x200d => "port enabled",
        0x200e => "port disabled",
        0x200f => "time",
        0x2010 => "clock accuracy",
        0x2011 => "UTC properties",
        0x2012 => "traceability",
        0x2013 => "timescale",
        0x2014 => "unicast negotiation",
        0x2015 => "path trace list",
        0x2016 => "path trace",
        0x2017 => "grandmaster cluster",
        0x2018 => "unicast masters",
        0x2019 => "unicast master table size",
        0x201a => "acceptable masters",
        0x201b => "acceptable masters enabled",
        0x201c => "acceptable master table size",
        0x201d => "alternate master",
        0x201e => "alternate time offset",
        0x201f => "alternate time name",
        0x2020 => "alternate time table size",
        0x2021 => "alternate time properties",
        0x3000 => "external port configuration",
        0x3001 => "master only",
        0x3002 => "holdover upgrade",
        0x3003 => "external port state",
        0x4000 => "transparent clock default data set",
        0x4001 => "transparent clock port data set",
        0x4002 => "primary domain",
        0x6000 => "delay mechanism",
        0x6001 => "peer delay interval",
        0xc000..=0xdfff => return format!("private item {item:#06x}"),
        _ => return format!("item {item:#06x}"),
    };
    known.into()
}

/// Why an item was refused.
pub const fn refusal(code: u16) -> &'static str {
    match code {
        1 => "the answer is too long",
        2 => "no such item",
        3 => "a wrong length",
        4 => "a wrong value",
        5 => "it cannot be set",
        6 => "it is not supported",
        0xfffe => "a general error",
        _ => "another reason",
    }
}

/// What state a port is in.
const fn state(code: u8) -> &'static str {
    match code {
        1 => "initialising",
        2 => "faulty",
        3 => "disabled",
        4 => "listening",
        5 => "about to be master",
        6 => "master",
        7 => "passive",
        8 => "uncalibrated",
        9 => "slave",
        _ => "in a state that does not exist",
    }
}

/// The content of an item in one line, where we can read it.
pub fn text(item: u16, data: &[u8]) -> Option<String> {
    let interval = |at: usize| -> Option<i64> { array(data, at).map(i64::from_be_bytes).map(|it| it >> 16) };
    let signed = |at: usize| array(data, at).map(i8::from_be_bytes);
    Some(match item {
        0x2000 => {
            let [flags, _] = array(data, 0)?;
            let [priority1, class, accuracy] = array(data, 4)?;
            let [priority2] = array(data, 9)?;
            let clock = port_identity(data, 10)?.clock;
            let [domain] = array(data, 18)?;
            let steps = if flags & 1 != 0 { "two-step" } else { "one-step" };
            let only = if flags & 2 != 0 { ", slave only" } else { "" };
            let ports = be16(data, 2)?;
            format!(
                "{clock}, {ports} ports, domain {domain}, priorities {priority1} and {priority2}, class {class}, \
                 accuracy {accuracy:#04x}, {steps}{only}"
            )
        }
        0x2001 => {
            let (steps, offset, delay) = (be16(data, 0)?, interval(2)?, interval(10)?);
            format!("{steps} steps removed, {offset} ns from the master, path delay {delay} ns")
        }
        0x2002 => {
            let parent = port_identity(data, 0)?;
            let [priority1, class, accuracy] = array(data, 18)?;
            let [priority2] = array(data, 23)?;
            let grandmaster = model::media::ptp::ClockIdentity(array(data, 24)?);
            format!(
                "parent {parent}, grandmaster {grandmaster}, priorities {priority1} and {priority2}, class {class}, \
                 accuracy {accuracy:#04x}"
            )
        }
        0x2003 => {
            let offset = array(data, 0).map(i16::from_be_bytes)?;
            let [flags, source] = array(data, 2)?;
            format!("TAI − UTC {offset} s, flags {flags:#04x}, time source {source:#04x}")
        }
        0x2004 => {
            let port = port_identity(data, 0)?;
            let [code] = array(data, 10)?;
            let (request, delay) = (signed(11)?, interval(12)?);
            let (announce, sync) = (signed(20)?, signed(22)?);
            format!(
                "{port} is {}, intervals of announce 2^{announce}, sync 2^{sync}, requests 2^{request} s, \
                 path delay {delay} ns",
                state(code)
            )
        }
        0x2005 | 0x2006 | 0x2007 | 0x200a | 0x2010 => data.first()?.to_string(),
        0x2009 | 0x200b | 0x6001 => format!("2^{} s", signed(0)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_put_into_words() {
        let mut data = vec![1, 0, 0, 1, 128, 248, 0xfe, 0xff, 0xff, 127];
        data.extend_from_slice(&[1, 2, 3, 0xff, 0xfe, 4, 5, 6, 127, 0]);
        assert_eq!(
            text(0x2000, &data).unwrap(),
            "01-02-03-FF-FE-04-05-06, 1 ports, domain 127, priorities 128 and 127, class 248, accuracy 0xfe, two-step"
        );
        assert_eq!(text(0x200b, &[0xfd]).unwrap(), "2^-3 s");
        for item in 0..=u16::MAX {
            assert!(!name(item).is_empty());
        }
        for end in 0..data.len() {
            for item in 0x2000..0x2010 {
                text(item, &data[..end]);
            }
        }
    }
}
