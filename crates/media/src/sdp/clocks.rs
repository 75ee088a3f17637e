//! What a sender's clock follows, and how its RTP clock hangs on it (RFC 7273 §4, §5; ST 2110-10:2022 §8).

use model::media::{MediaClock, Ratio, ReferenceClock};

use super::fields::number;

/// Eight octets in hexadecimal pairs: `39-A7-94-FF-FE-07-CB-D0`; with colons, too, as some write them.
pub fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    let mut pairs = text.split(['-', ':']);
    for octet in &mut octets {
        let pair = pairs.next().filter(|pair| pair.len() == 2)?;
        if !pair.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(octets)
}

/// Octets in upper-case pairs with hyphens.
pub fn pairs(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join("-")
}

/// A domain: a bare number, as ST 2110 has it, or `domain-nmbr=`, as RFC 7273 §4.8 has it.
pub fn domain(text: &str) -> Option<u8> {
    number(text.strip_prefix("domain-nmbr=").unwrap_or(text))
}

/// From what stands after `a=ts-refclk:`. What is not understood is kept as it was said.
pub fn reference(value: &str) -> ReferenceClock {
    let value = value.trim();
    known(value).unwrap_or_else(|| ReferenceClock::Other(value.to_owned()))
}

fn known(value: &str) -> Option<ReferenceClock> {
    if let Some(address) = value.strip_prefix("localmac=") {
        return octets(address).map(ReferenceClock::LocalMac);
    }
    let clock = value.strip_prefix("ptp=")?;
    // The first edition of ST 2110-10 showed it without a version, which RFC 7273 §4.8 has not.
    if clock == "traceable" {
        return Some(ReferenceClock::Ptp { version: String::new(), grandmaster: None, domain: None });
    }
    let (version, server) = clock.split_once(':')?;
    if server == "traceable" {
        return Some(ReferenceClock::Ptp { version: version.to_owned(), grandmaster: None, domain: None });
    }
    let (master, domain) = server.split_at_checked(23).unwrap_or((server, ""));
    let grandmaster = Some(octets(master)?);
    let domain = match domain.strip_prefix(':') {
        Some(text) if text.starts_with("domain-name=") => None,
        Some(text) => Some(self::domain(text)?),
        None if domain.is_empty() => None,
        None => return None,
    };
    Some(ReferenceClock::Ptp { version: version.to_owned(), grandmaster, domain })
}

/// What stands after `a=ts-refclk:`, in the form of ST 2110.
pub fn reference_text(clock: &ReferenceClock) -> String {
    match clock {
        ReferenceClock::Ptp { version, grandmaster, domain } => {
            let version = if version.is_empty() { "IEEE1588-2008" } else { version };
            let server = grandmaster.map_or_else(|| "traceable".to_owned(), |octets| pairs(&octets));
            match domain {
                Some(domain) if grandmaster.is_some() => format!("ptp={version}:{server}:{domain}"),
                _ => format!("ptp={version}:{server}"),
            }
        }
        ReferenceClock::LocalMac(address) => format!("localmac={}", pairs(address)),
        ReferenceClock::Other(text) => text.clone(),
    }
}

/// From what stands after `a=mediaclk:`; `None` for what is neither `direct` nor `sender`.
pub fn media(value: &str) -> Option<MediaClock> {
    let mut words = value.split_whitespace().skip_while(|word| word.starts_with("id="));
    let (kind, offset) = match words.next()? {
        "sender" => return Some(MediaClock::Sender),
        word => word.split_once('=').map_or((word, None), |(kind, offset)| (kind, Some(offset))),
    };
    if kind != "direct" {
        return None;
    }
    let offset = match offset {
        Some(offset) => number(offset)?,
        None => 0,
    };
    // `rate=90000`, which many write, names the nominal rate and multiplies nothing.
    let rate = words.find_map(|word| word.strip_prefix("rate=")).and_then(|rate| {
        let (above, below) = rate.split_once('/')?;
        Ratio::new(number(above)?, number(below)?)
    });
    Some(MediaClock::Direct { offset, rate })
}

/// What stands after `a=mediaclk:`.
pub fn media_text(clock: &MediaClock) -> String {
    match clock {
        MediaClock::Direct { offset, rate: None } => format!("direct={offset}"),
        MediaClock::Direct { offset, rate: Some(rate) } => {
            format!("direct={offset} rate={}/{}", rate.numerator(), rate.denominator())
        }
        MediaClock::Sender => "sender".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ptp(grandmaster: Option<[u8; 8]>, domain: Option<u8>) -> ReferenceClock {
        ReferenceClock::Ptp { version: "IEEE1588-2008".into(), grandmaster, domain }
    }

    #[test]
    fn every_way_to_name_a_grandmaster() {
        let master = Some([0x39, 0xa7, 0x94, 0xff, 0xfe, 0x07, 0xcb, 0xd0]);
        for (text, expected) in [
            ("ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37", ptp(master, Some(37))),
            ("ptp=IEEE1588-2008:39-a7-94-ff-fe-07-cb-d0:domain-nmbr=37", ptp(master, Some(37))),
            ("ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0", ptp(master, None)),
            ("ptp=IEEE1588-2008:39:A7:94:FF:FE:07:CB:D0:4", ptp(master, Some(4))),
            ("ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:domain-name=studio", ptp(master, None)),
            ("ptp=IEEE1588-2008:traceable", ptp(None, None)),
            ("localmac=40-a3-6b-a0-2b-d2", ReferenceClock::LocalMac([0x40, 0xa3, 0x6b, 0xa0, 0x2b, 0xd2])),
        ] {
            assert_eq!(reference(text), expected, "{text}");
            assert_eq!(reference(&reference_text(&expected)), expected, "{text}");
        }
        let bare = ReferenceClock::Ptp { version: String::new(), grandmaster: None, domain: None };
        assert_eq!(reference("ptp=traceable"), bare);
        for odd in [
            "local",
            "ntp=/traceable/",
            "ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:",
            "ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:256",
            "ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB",
            "localmac=40-a3",
            "private:traceable",
            "ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-é",
        ] {
            assert_eq!(reference(odd), ReferenceClock::Other(odd.into()));
        }
    }

    #[test]
    fn every_way_to_hang_on_it() {
        let direct = |offset, rate| Some(MediaClock::Direct { offset, rate });
        assert_eq!(media("direct=0"), direct(0, None));
        assert_eq!(media("direct"), direct(0, None));
        assert_eq!(media("direct=1970351840 rate=48000"), direct(1_970_351_840, None));
        assert_eq!(media("direct=7 rate=1000/1001"), direct(7, Ratio::new(1000, 1001)));
        assert_eq!(media("id=MDA6NjA=src:abc direct=3"), direct(3, None));
        assert_eq!(media("sender"), Some(MediaClock::Sender));
        for odd in ["", "direct=", "direct=-1", "offset=3", "IEEE1722=38-D6-6D-8E-D2-78-13-2F"] {
            assert_eq!(media(odd), None, "{odd}");
        }
        for clock in [MediaClock::Sender, direct(5, Ratio::new(3, 4)).unwrap(), direct(0, None).unwrap()] {
            assert_eq!(media(&media_text(&clock)), Some(clock));
        }
    }
}
