//! The fields of lines and attributes: origin, connection, medium, source filter, groups (RFC 8866 §5, RFC 4570, RFC 5888).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A number in digits only: neither sign nor space.
pub fn number<T: core::str::FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Who made the session, and which version of it this is (RFC 8866 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The user's name, or `-`.
    pub user: String,
    /// The session's number, in digits.
    pub id: String,
    /// The version's number, in digits.
    pub version: String,
    /// `IN`.
    pub network: String,
    /// `IP4` or `IP6`.
    pub family: String,
    /// The maker's address or name.
    pub address: String,
}

impl Origin {
    /// An origin of ours.
    pub fn new(id: u64, version: u64, address: IpAddr) -> Origin {
        Origin {
            user: "-".into(),
            id: id.to_string(),
            version: version.to_string(),
            network: "IN".into(),
            family: family(address).into(),
            address: address.to_string(),
        }
    }

    /// From what stands after `o=`. Numbers and families are not looked at: the fields are what others know it by.
    pub fn parse(value: &str) -> Option<Origin> {
        let mut words = value.split_whitespace().map(str::to_owned);
        let origin = Origin {
            user: words.next()?,
            id: words.next()?,
            version: words.next()?,
            network: words.next()?,
            family: words.next()?,
            address: words.next()?,
        };
        words.next().is_none().then_some(origin)
    }

    /// What tells the session from others, whatever its version.
    pub fn identity(&self) -> String {
        format!("{} {} {} {} {}", self.user, self.id, self.network, self.family, self.address)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { user, id, version, network, family, address } = self;
        write!(f, "{user} {id} {version} {network} {family} {address}")
    }
}

/// `IP4` or `IP6`.
pub fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IP4" } else { "IP6" }
}

/// An address, or a name that somebody would have to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(String),
}

impl Host {
    /// From a word that stands after `IP4` or `IP6`; `None` where it is an address of the other family, or no name.
    pub fn parse(family: &str, word: &str) -> Option<Host> {
        let address = match family {
            "IP4" => word.parse::<Ipv4Addr>().map(IpAddr::from).ok(),
            "IP6" => word.parse::<Ipv6Addr>().map(IpAddr::from).ok(),
            _ => return None,
        };
        if let Some(address) = address {
            return Some(Host::Address(address));
        }
        // Digits and dots alone are an address that failed.
        let is_name = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
            && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        is_name.then(|| Host::Name(word.to_owned()))
    }

    /// The address, where it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Host::Address(address) => Some(*address),
            Host::Name(_) => None,
        }
    }
}

/// Where the packets go (RFC 8866 §5.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// The first address.
    pub host: Host,
    /// Time to live of IPv4 multicast, where said.
    pub ttl: Option<u8>,
    /// How many addresses, one after the other.
    pub count: u32,
}

impl Connection {
    /// From what stands after `c=`.
    pub fn parse(value: &str) -> Option<Connection> {
        let mut words = value.split_whitespace();
        let (network, family, word) = (words.next()?, words.next()?, words.next()?);
        if network != "IN" || words.next().is_some() {
            return None;
        }
        let mut parts = word.split('/');
        let host = Host::parse(family, parts.next()?)?;
        let mut rest = parts.map(number::<u32>);
        let ttl = match family {
            "IP4" => rest.next(),
            _ => None,
        };
        let ttl = match ttl {
            Some(ttl) => Some(u8::try_from(ttl?).ok()?),
            None => None,
        };
        let count = match rest.next() {
            Some(count) => count.filter(|count| *count > 0)?,
            None => 1,
        };
        rest.next().is_none().then_some(Connection { host, ttl, count })
    }

    /// The address number `index` of those it names.
    pub fn address(&self, index: u32) -> Option<IpAddr> {
        if index >= self.count {
            return None;
        }
        match self.host.address()? {
            IpAddr::V4(first) => first.to_bits().checked_add(index).map(|bits| Ipv4Addr::from(bits).into()),
            IpAddr::V6(first) => {
                first.to_bits().checked_add(index.into()).map(|bits| Ipv6Addr::from(bits).into())
            }
        }
    }
}

/// A medium: kind, port, transport, formats (RFC 8866 §5.14).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MediaLine {
    /// `video`, `audio`, `application`.
    pub kind: String,
    /// The first port; 0 for a medium that is not in use.
    pub port: u16,
    /// How many pairs of ports.
    pub count: u16,
    /// `RTP/AVP`.
    pub protocol: String,
    /// Payload types, or the names of formats.
    pub formats: Vec<String>,
}

impl MediaLine {
    /// From what stands after `m=`.
    pub fn parse(value: &str) -> Option<MediaLine> {
        let mut words = value.split_whitespace();
        let kind = words.next()?.to_owned();
        let ports = words.next()?;
        let (port, count) = match ports.split_once('/') {
            Some((port, count)) => (number(port)?, number(count).filter(|count| *count > 0)?),
            None => (number(ports)?, 1),
        };
        let protocol = words.next()?.to_owned();
        let formats: Vec<String> = words.map(str::to_owned).collect();
        (!formats.is_empty()).then_some(MediaLine { kind, port, count, protocol, formats })
    }

    /// Whether the packets are RTP.
    pub fn is_rtp(&self) -> bool {
        self.protocol.contains("RTP/")
    }

    /// The payload types, where it is RTP.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        let formats = if self.is_rtp() { self.formats.as_slice() } else { &[] };
        formats.iter().filter_map(|word| number::<u8>(word).filter(|number| *number < 128))
    }
}

/// Who may send to a destination, or must not (RFC 4570 §3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceFilter {
    /// Whether these may send; else these must not.
    pub included: bool,
    /// The destination it is about; `None` for every one (`*`).
    pub destination: Option<Host>,
    /// The sources.
    pub sources: Vec<Host>,
}

impl SourceFilter {
    /// From what stands after `a=source-filter:`.
    pub fn parse(value: &str) -> Option<SourceFilter> {
        let mut words = value.split_whitespace();
        let included = match words.next()? {
            "incl" => true,
            "excl" => false,
            _ => return None,
        };
        let (network, family, destination) = (words.next()?, words.next()?, words.next()?);
        let any_family = family == "*";
        if network != "IN" {
            return None;
        }
        let host = |word: &str| match any_family {
            // A name that has addresses of both families.
            true => Host::parse("IP4", word).or_else(|| Host::parse("IP6", word)),
            false => Host::parse(family, word),
        };
        let destination = if destination == "*" { None } else { Some(host(destination)?) };
        let sources = words.map(host).collect::<Option<Vec<_>>>()?;
        (!sources.is_empty()).then_some(SourceFilter { included, destination, sources })
    }

    /// Whether it is about this destination.
    pub fn is_about(&self, destination: IpAddr) -> bool {
        self.destination.as_ref().is_none_or(|host| host.address() == Some(destination))
    }
}

/// What belongs together, and why: `DUP` and the marks of two media (RFC 5888 §5), or of two sources (RFC 5576 §4.2).
pub fn group(value: &str) -> Option<(&str, Vec<&str>)> {
    let mut words = value.split_whitespace();
    Some((words.next()?, words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_keep_their_words() {
        let origin = Origin::parse("ali 1122334455 1122334466 IN IP4 dup.example.com").unwrap();
        assert_eq!(origin.identity(), "ali 1122334455 IN IP4 dup.example.com");
        assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
        assert_eq!(Origin::parse("- 1 1 IN IP4"), None);
        assert_eq!(Origin::parse("a b 1 1 IN IP4 192.0.2.1"), None);
        assert_eq!(Origin::new(1, 2, "2001:db8::1".parse().unwrap()).to_string(), "- 1 2 IN IP6 2001:db8::1");
    }

    #[test]
    fn connections_count_their_addresses() {
        let connection = Connection::parse("IN IP4 233.252.0.1/127/3").unwrap();
        assert_eq!((connection.ttl, connection.count), (Some(127), 3));
        assert_eq!(connection.address(2), "233.252.0.3".parse().ok());
        assert_eq!(connection.address(3), None);
        let six = Connection::parse("IN IP6 ff00::db8:0:101/3").unwrap();
        assert_eq!((six.ttl, six.address(1)), (None, "ff00::db8:0:102".parse().ok()));
        assert_eq!(Connection::parse("IN IP4 example.com").unwrap().host, Host::Name("example.com".into()));
        let last = Connection::parse("IN IP4 255.255.255.255/1/2").unwrap();
        assert_eq!(last.address(1), None);
        for bad in [
            "IN IP4 239.1.1.1/256",
            "IN IP4 239.1.1.1/1/0",
            "IN IP4 239.1.1.1/1/2/3",
            "IN IP4 239.1.1",
            "IN IP4 ff00::1",
            "IN IP6 ff00::1/64/2",
            "IN IP6 239.1.1.1",
            "IN IP4 239.1.1.1/-1",
            "ATM NSAP 47",
            "IN IP4",
            "IN IP4 {{ dst_ip }}/32",
        ] {
            assert_eq!(Connection::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn media_name_ports_and_payload_types() {
        let medium = MediaLine::parse("video 49170/2 RTP/AVP 31 96 200").unwrap();
        assert_eq!((medium.port, medium.count), (49_170, 2));
        assert_eq!(medium.payload_types().collect::<Vec<_>>(), [31, 96]);
        let other = MediaLine::parse("application 9 UDP/BFCP 96").unwrap();
        assert_eq!(other.payload_types().count(), 0);
        for bad in
            ["video 65536 RTP/AVP 96", "video 1/0 RTP/AVP 96", "video 1 RTP/AVP", "video +1 RTP/AVP 96", ""]
        {
            assert_eq!(MediaLine::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn source_filters_say_who_and_where() {
        let filter = SourceFilter::parse(" incl IN IP4 232.3.4.5 192.0.2.10 192.0.2.11").unwrap();
        assert!(filter.included && filter.is_about("232.3.4.5".parse().unwrap()));
        assert!(!filter.is_about("232.3.4.6".parse().unwrap()));
        assert_eq!(filter.sources.len(), 2);
        let star = SourceFilter::parse("excl IN IP6 * 2001:db8::1").unwrap();
        assert!(!star.included && star.is_about("ff02::1".parse().unwrap()));
        let names = SourceFilter::parse("incl IN * dst.example.com src.example.com").unwrap();
        assert_eq!(names.sources, [Host::Name("src.example.com".into())]);
        // Every destination, and names that have addresses of both families (RFC 4570 §3.1).
        let every = SourceFilter::parse("incl IN * * src.example.com").unwrap();
        assert!(every.is_about("ff02::1".parse().unwrap()) && every.is_about("239.1.1.1".parse().unwrap()));
        for bad in
            ["incl IN IP4 232.3.4.5", "only IN IP4 232.3.4.5 192.0.2.1", "incl IN IP4 232.3.4.5 ::1", "incl"]
        {
            assert_eq!(SourceFilter::parse(bad), None, "{bad}");
        }
    }
}
