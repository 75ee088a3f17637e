//! systemd unit files: sections, keys and values (systemd.syntax(7)), and the few values that are of use here.

use alloc::{borrow::Cow, borrow::ToOwned, format, string::String, vec::Vec};
use core::net::{IpAddr, Ipv6Addr};

use crate::Fault;

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its section, without brackets.
    pub section: &'a str,
    /// Its key.
    pub key: &'a str,
    /// Its value, with continued lines joined by one space.
    pub value: Cow<'a, str>,
}

/// Most faults that one file reports.
const FAULTS_MAX: usize = 16;

/// Reads a file: what is readable is kept, the rest is reported.
pub fn parse(text: &[u8]) -> (Vec<Entry<'_>>, Vec<Fault>) {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut faults = Vec::new();
    let mut report = |at, what| {
        if faults.len() < FAULTS_MAX {
            faults.push(Fault { layer: "unit file", at, what });
        }
    };
    let mut section = "";
    // Whether the last entry's value goes on in the next line.
    let mut continued = false;
    for (index, line) in text.split(|b| *b == b'\n').enumerate() {
        let at = index + 1;
        let Ok(line) = core::str::from_utf8(line) else {
            report(at, "not UTF-8");
            continued = false;
            continue;
        };
        let line = line.trim_matches([' ', '\t', '\r']);
        // Comments may stand between continued lines.
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (body, goes_on) = match line.strip_suffix('\\') {
            Some(body) => (body.trim_end(), true),
            None => (line, false),
        };
        if continued {
            if let Some(last) = entries.last_mut() {
                let joined = last.value.to_mut();
                if !joined.is_empty() {
                    joined.push(' ');
                }
                joined.push_str(body);
            }
        } else if line.is_empty() {
            continue;
        } else if let Some(name) = line.strip_prefix('[') {
            match name.strip_suffix(']') {
                Some(name) => section = name,
                None => report(at, "section without closing bracket"),
            }
            continue;
        } else if let Some((key, value)) = body.split_once('=') {
            if section.is_empty() {
                report(at, "assignment before the first section");
            }
            entries.push(Entry { section, key: key.trim_end(), value: Cow::Borrowed(value.trim_start()) });
        } else {
            report(at, "neither section nor assignment");
            continue;
        }
        continued = goes_on;
    }
    (entries, faults)
}

/// The values of a list key over a file and its drop-ins, in order; an empty value empties the list.
pub fn values<'a>(entries: &'a [Entry<'_>], section: &str, key: &str) -> Vec<&'a str> {
    let mut out = Vec::new();
    for entry in entries.iter().filter(|entry| entry.section == section && entry.key == key) {
        if entry.value.is_empty() {
            out.clear();
        } else {
            out.push(entry.value.as_ref());
        }
    }
    out
}

/// The last value of a key, if it is not empty.
pub fn value<'a>(entries: &'a [Entry<'_>], section: &str, key: &str) -> Option<&'a str> {
    let last = entries.iter().rfind(|entry| entry.section == section && entry.key == key)?;
    Some(last.value.as_ref()).filter(|value| !value.is_empty())
}

/// Whether a value means yes (systemd.syntax(7)).
pub fn is_true(value: &str) -> bool {
    ["1", "yes", "y", "true", "t", "on"].iter().any(|yes| yes.eq_ignore_ascii_case(value))
}

/// An internet address to listen on (systemd.socket(5), `ListenStream=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address; `None` for a port alone, which listens on every address.
    pub addr: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// Reads an address to listen on; `None` where it is a path, an abstract name, a vsock or nothing of ours.
pub fn listen(value: &str) -> Option<Listen> {
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten().filter(|port| *port != 0)
    };
    // A scope may follow an IPv6 address: `[fe80::1]:80%eth0`.
    let value = value.split_once('%').map_or(value, |(before, _)| before);
    if let Some(only) = port(value) {
        return Some(Listen { addr: None, port: only });
    }
    if let Some(rest) = value.strip_prefix('[') {
        let (addr, after) = rest.split_once("]:")?;
        let addr: Ipv6Addr = addr.parse().ok()?;
        return Some(Listen { addr: Some(IpAddr::V6(addr)), port: port(after)? });
    }
    let (addr, after) = value.rsplit_once(':')?;
    Some(Listen { addr: Some(IpAddr::V4(addr.parse().ok()?)), port: port(after)? })
}

/// The program of an `ExecStart=` value: the first word, without the prefixes that change how it is run.
pub fn program(value: &str) -> Option<String> {
    let value = value.trim_start().trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let word = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split([' ', '\t']).next()?,
    };
    (!word.is_empty()).then(|| word.to_owned())
}

/// The parts of a unit name: `prefix@instance.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// Before `@`, or the whole stem.
    pub prefix: &'a str,
    /// Between `@` and the type: empty for a template, `None` for a plain unit.
    pub instance: Option<&'a str>,
    /// After the last dot.
    pub kind: &'a str,
}

/// Takes a unit name apart.
pub fn name(unit: &str) -> Option<Name<'_>> {
    let (stem, kind) = unit.rsplit_once('.')?;
    let (prefix, instance) = match stem.split_once('@') {
        Some((prefix, instance)) => (prefix, Some(instance)),
        None => (stem, None),
    };
    (!prefix.is_empty() && !kind.is_empty()).then_some(Name { prefix, instance, kind })
}

/// The template that an instance is made from: `a@b.socket` gives `a@.socket`.
pub fn template(unit: &str) -> Option<String> {
    let name = name(unit)?;
    name.instance.filter(|instance| !instance.is_empty())?;
    Some(format!("{}@.{}", name.prefix, name.kind))
}

/// Fills in the specifiers that follow from the unit's name alone; others stay as they are (systemd.unit(5)).
pub fn specifiers(value: &str, unit: &str) -> String {
    let Some(parts) = name(unit) else { return value.to_owned() };
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let mut letters = after.chars();
        let instance = parts.instance.unwrap_or("");
        match letters.next() {
            Some('%') => out.push('%'),
            Some('n') => out.push_str(unit),
            Some('N') => out.push_str(unit.rsplit_once('.').map_or(unit, |(stem, _)| stem)),
            Some('p') => out.push_str(parts.prefix),
            Some('P') => out.push_str(&unescape_path(parts.prefix)),
            Some('i') => out.push_str(instance),
            Some('I') => out.push_str(&unescape_path(instance)),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out
}

/// Undoes systemd-escape(1): `-` is a slash, `\x2d` is `-`.
fn unescape_path(text: &str) -> String {
    crate::cgroup::unescape(&text.replace('-', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] =
        b"# comment\n[Unit]\nDescription=A \\\n; in between\n   socket\n\n[Socket]\nListenStream=22\n\
ListenStream = [::1]:2222\nAccept=yes\n[Install]\nWantedBy=sockets.target\n";

    #[test]
    fn sections_comments_and_continuation() {
        let (entries, faults) = parse(FILE);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(value(&entries, "Unit", "Description"), Some("A socket"));
        assert_eq!(values(&entries, "Socket", "ListenStream"), ["22", "[::1]:2222"]);
        assert!(is_true(value(&entries, "Socket", "Accept").unwrap()) && !is_true("no"));
        assert_eq!(value(&entries, "Socket", "WantedBy"), None);
    }

    #[test]
    fn an_empty_value_empties_the_list() {
        let (entries, _) = parse(b"[Socket]\nListenStream=22\nListenStream=\nListenStream=2222\n");
        assert_eq!(values(&entries, "Socket", "ListenStream"), ["2222"]);
    }

    #[test]
    fn what_is_not_a_unit_file_is_reported_and_bounded() {
        let (entries, faults) = parse(b"a=1\n[Socket\nnothing\n\xff\n[S]\nb=2");
        assert_eq!(entries.len(), 2);
        assert_eq!(faults.iter().map(|fault| fault.at).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let (_, faults) = parse("x\n".repeat(1000).as_bytes());
        assert_eq!(faults.len(), FAULTS_MAX);
    }

    #[test]
    fn every_prefix_keeps_what_came_before() {
        let (whole, _) = parse(FILE);
        for cut in 0..FILE.len() {
            let (entries, _) = parse(&FILE[..cut]);
            assert!(entries.len() <= whole.len());
            for (entry, full) in entries.iter().zip(&whole).take(entries.len().saturating_sub(1)) {
                assert_eq!(entry, full);
            }
        }
    }

    #[test]
    fn addresses_to_listen_on() {
        let at = |addr: &str, port| Some(Listen { addr: Some(addr.parse().unwrap()), port });
        assert_eq!(listen("22"), Some(Listen { addr: None, port: 22 }));
        assert_eq!(listen("127.0.0.1:631"), at("127.0.0.1", 631));
        assert_eq!(listen("[::]:22"), at("::", 22));
        assert_eq!(listen("[fe80::1]:80%eth0"), at("fe80::1", 80));
        for none in
            ["/run/a.sock", "@abstract", "vsock::22", "0", "65536", "+22", "1.2.3:4", "[::1]22", "", ":22"]
        {
            assert_eq!(listen(none), None, "{none}");
        }
    }

    #[test]
    fn programs_and_names() {
        assert_eq!(program("-/usr/sbin/sshd -i $OPTS").as_deref(), Some("/usr/sbin/sshd"));
        assert_eq!(program("@!/bin/a argv0").as_deref(), Some("/bin/a"));
        assert_eq!(program("\"/opt/my app/run\" x").as_deref(), Some("/opt/my app/run"));
        assert_eq!(program("-"), None);
        assert_eq!(template("a@b.socket").as_deref(), Some("a@.socket"));
        assert_eq!(template("a@.socket"), None);
        assert_eq!(
            specifiers("/run/%p/%i-%I-%%-%n-%N-%t-%", "a-b@c-d.socket"),
            "/run/a-b/c-d-c/d-%-a-b@c-d.socket-a-b@c-d-%t-%"
        );
    }

    #[test]
    fn random_text_never_panics() {
        let pieces = ["[", "]", "=", "\\", "\n", "%", "é", "Listen", "#", "\"", "@", " "];
        let mut seed = 7u32;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(pieces[usize::try_from(seed >> 16).unwrap() % pieces.len()]);
            }
            let (entries, faults) = parse(text.as_bytes());
            assert!(entries.len() + faults.len() <= text.split('\n').count() * 2);
            for entry in &entries {
                assert!(
                    !entry.value.contains('\n') && program(&entry.value).is_none_or(|word| !word.is_empty())
                );
                let _ = (listen(&entry.value), specifiers(&entry.value, &text));
            }
        }
    }
}
