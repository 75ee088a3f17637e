//! What a person means by a port: `420`, `420/udp`, `:8080`, `5000-5010`, `ssh`.

use std::ops::RangeInclusive;

use model::Transport;
use registry::Paper;

/// One port or several, of one transport or each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// First and last port; the same for one port.
    pub(crate) ports: RangeInclusive<u16>,
    /// The transport, where one was named.
    pub(crate) transport: Option<Transport>,
}

/// Reads a range or a number.
pub(crate) fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let number = |text: &str| {
        // `+5` would parse as a number, and is none that a person writes for a port.
        (text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty())
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    match text.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(first..=last)
        }
        None => number(text).map(|port| port..=port),
    }
}

/// Reads one target. The error says what would be understood.
pub(crate) fn parse(text: &str, paper: &Paper) -> Result<Vec<Target>, String> {
    let shown = crate::sanitise::line(text).into_owned();
    let trimmed = text.strip_prefix(':').unwrap_or(text);
    let (first, second) = match trimmed.split_once('/') {
        Some((first, second)) => (first, Some(second)),
        None => (trimmed, None),
    };
    let (name, transport) = match second {
        None => (first, None),
        // Both orders are in use among people: 420/tcp and tcp/420.
        Some(second) => match (Transport::from_name(second), Transport::from_name(first)) {
            (Some(transport), _) => (first, Some(transport)),
            (None, Some(transport)) => (second, Some(transport)),
            (None, None) => {
                return Err(format!(
                    "'{shown}' names no transport that has ports; write {first}/tcp, /udp, /sctp or /dccp"
                ));
            }
        },
    };
    if let Some(ports) = ports(name) {
        return Ok(vec![Target { ports, transport }]);
    }
    if name.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Err(format!("'{shown}' is no port: ports go from 0 to 65535, and a range from low to high"));
    }
    let mut targets: Vec<Target> = Vec::new();
    for assignment in paper.by_name(name) {
        let (Some(first), Some(last)) = (assignment.first, assignment.last) else { continue };
        if transport.is_some() && assignment.transport != transport {
            continue;
        }
        let target = Target { ports: first..=last, transport };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    if targets.is_empty() {
        return Err(format!(
            "'{shown}' is no port, no service of the registry and no command; a port is written 420, 420/udp or \
             5000-5010 (search for a service: portreeve registry search TEXT; commands: portreeve --help)"
        ));
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Target {
        let targets = parse(text, &Paper::builtin()).unwrap();
        assert_eq!(targets.len(), 1, "{text}");
        targets[0].clone()
    }

    #[test]
    fn ports_are_read_as_people_write_them() {
        assert_eq!(one("420"), Target { ports: 420..=420, transport: None });
        assert_eq!(one(":8080"), Target { ports: 8080..=8080, transport: None });
        assert_eq!(one("420/UDP"), Target { ports: 420..=420, transport: Some(Transport::Udp) });
        assert_eq!(one("tcp/420"), Target { ports: 420..=420, transport: Some(Transport::Tcp) });
        assert_eq!(one("5000-5010"), Target { ports: 5000..=5010, transport: None });
    }

    #[test]
    fn what_is_no_port_is_refused_with_what_would_be() {
        for text in ["65536", "10-5", "-1", "1-", "420/icmp", "+5", "no-such-service-there", "", "\u{1b}[m"] {
            let error = parse(text, &Paper::builtin()).unwrap_err();
            assert!(error.contains("port"), "{text}: {error}");
            assert!(!error.contains('\u{1b}'));
        }
    }
}
