//! `[[alert]]`: the ways by which findings are told, as people set them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use host::client::Trust;
use host::deliver::Route;
use model::{Code, Severity};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::rules::Rules;
use crate::glob;
use crate::settings::Span;

/// One way: what goes by it, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct AlertSettings {
    /// Its name, by which it is tested and counted.
    pub name: String,
    /// What goes by it.
    pub rules: Rules,
    /// Where it leads.
    pub way: Way,
    /// The address of a page about a code, with `{code}` in its place.
    pub page: Option<String>,
}

/// Where a way leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// To syslog (RFC 5424).
    Syslog {
        /// How it gets there.
        route: Route,
        /// The number of the facility (RFC 5424 §6.2.1).
        facility: u8,
    },
    /// To the journal of systemd.
    Journal {
        /// Its socket, where it is another than the system's.
        socket: Option<PathBuf>,
    },
    /// To a server that takes JSON.
    Webhook {
        /// Its address.
        url: String,
        /// The file with the key that signs.
        secret_file: Option<PathBuf>,
        /// The file with the token that is shown.
        token_file: Option<PathBuf>,
        /// Whom to believe.
        trust: Trust,
    },
    /// To people, by the system's mailer.
    Mail {
        /// To whom.
        to: Vec<String>,
        /// From whom; the mailer's choice where none is.
        from: Option<String>,
        /// The mailer.
        sendmail: PathBuf,
    },
    /// To a program.
    Command {
        /// Its path and its arguments.
        command: Vec<String>,
        /// How long it may take.
        limit: Duration,
    },
    /// To a file in the form of EVE.
    Eve {
        /// The file.
        path: PathBuf,
    },
    /// To a collector of OpenTelemetry, as logs.
    Otlp {
        /// The address for logs.
        url: String,
        /// The file with the token that is shown.
        token_file: Option<PathBuf>,
        /// Whom to believe.
        trust: Trust,
    },
}

impl Way {
    /// The word in settings and output.
    pub fn kind(&self) -> &'static str {
        match self {
            Way::Syslog { .. } => "syslog",
            Way::Journal { .. } => "journal",
            Way::Webhook { .. } => "webhook",
            Way::Mail { .. } => "mail",
            Way::Command { .. } => "command",
            Way::Eve { .. } => "eve",
            Way::Otlp { .. } => "otlp",
        }
    }

    /// Where it leads, in a few words.
    pub fn target(&self) -> String {
        match self {
            Way::Syslog { route: Route::Local(path), .. } => path.display().to_string(),
            Way::Syslog { route: Route::Udp(to), .. } => format!("udp {to}"),
            Way::Syslog { route: Route::Tcp(to), .. } => format!("tcp {to}"),
            Way::Syslog { route: Route::Tls(to, _), .. } => format!("tls {to}"),
            Way::Journal { socket: Some(path) } => path.display().to_string(),
            Way::Journal { socket: None } => "systemd-journald".into(),
            Way::Webhook { url, .. } | Way::Otlp { url, .. } => url.clone(),
            Way::Mail { to, .. } => to.join(", "),
            Way::Command { command, .. } => command.join(" "),
            Way::Eve { path } => path.display().to_string(),
        }
    }

    /// What to look at where it does not work.
    pub fn advice(&self) -> &'static str {
        match self {
            Way::Syslog { route: Route::Local(_), .. } => {
                "is a logger running on this machine (ls -l /dev/log)?"
            }
            Way::Syslog { route: Route::Udp(_), .. } => {
                "does the server listen for UDP there, and does a firewall let it through?"
            }
            Way::Syslog { .. } => {
                "does the server listen there, and does a firewall let it through? TCP and TLS usually have ports of \
                 their own (514, 6514)"
            }
            Way::Journal { .. } => "is systemd-journald running here (systemctl status systemd-journald)?",
            Way::Webhook { .. } | Way::Otlp { .. } => {
                "look at the address and at the log of the server; a proxy of the environment is not used"
            }
            Way::Mail { .. } => {
                "is a mailer installed (postfix, exim, msmtp-mta), and does `sendmail -t` work for this user?"
            }
            Way::Command { .. } => {
                "run it by hand as the user of the service, with an empty environment (env -i) and the document of \
                 docs/alerts.md on its input"
            }
            Way::Eve { .. } => {
                "may the user of the service write there, and is it a regular file or not there yet?"
            }
        }
    }

    /// The program that it starts, where it starts one.
    pub fn program(&self) -> Option<&Path> {
        match self {
            Way::Mail { sendmail, .. } => Some(sendmail),
            Way::Command { command, .. } => command.first().map(Path::new),
            _ => None,
        }
    }

    /// The files that it reads each time.
    pub fn files_read(&self) -> Vec<&Path> {
        let (secrets, trust) = match self {
            Way::Webhook { secret_file, token_file, trust, .. } => {
                ([secret_file.as_ref(), token_file.as_ref()], Some(trust))
            }
            Way::Otlp { token_file, trust, .. } => ([None, token_file.as_ref()], Some(trust)),
            Way::Syslog { route: Route::Tls(_, trust), .. } => ([None, None], Some(trust)),
            _ => ([None, None], None),
        };
        let identity = trust.and_then(|trust| trust.identity.as_ref());
        let authorities = trust.and_then(|trust| trust.ca_file.as_ref());
        let own = identity.into_iter().flat_map(|(certificate, key)| [certificate, key]);
        secrets.into_iter().flatten().chain(authorities).chain(own).map(PathBuf::as_path).collect()
    }

    /// The file that it writes, where it writes one.
    pub fn file_written(&self) -> Option<&Path> {
        if let Way::Eve { path } = self { Some(path) } else { None }
    }

    /// Whether each finding is a record of its own, for programs rather than for people.
    pub fn is_record(&self) -> bool {
        matches!(self, Way::Syslog { .. } | Way::Journal { .. } | Way::Eve { .. } | Way::Otlp { .. })
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Syslog,
    Journal,
    Webhook,
    Mail,
    Command,
    Eve,
    Otlp,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Least {
    Note,
    Warning,
    Alert,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Transport {
    Local,
    Udp,
    Tcp,
    Tls,
}

/// An entry as it is written: every key of every kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    name: String,
    kind: Kind,
    min_severity: Option<Least>,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    group_for: Option<Span>,
    repeat_every: Option<Span>,
    resolved: Option<bool>,
    most_per_minute: Option<u32>,
    page: Option<String>,
    server: Option<String>,
    transport: Option<Transport>,
    socket: Option<PathBuf>,
    facility: Option<String>,
    url: Option<String>,
    secret_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    insecure: Option<bool>,
    to: Option<Vec<String>>,
    from: Option<String>,
    sendmail: Option<PathBuf>,
    command: Option<Vec<String>>,
    limit: Option<Span>,
    path: Option<PathBuf>,
}

/// The facilities by name (RFC 5424 §6.2.1).
const FACILITIES: [(&str, u8); 13] = [
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("authpriv", 10),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

const DAY: Duration = Duration::from_secs(86_400);

impl TryFrom<Written> for AlertSettings {
    type Error = String;

    fn try_from(mut written: Written) -> Result<AlertSettings, String> {
        let name = written.name.clone();
        let faulty = |why: String| format!("alert {name:?}: {why}");
        let proper = !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
        if !proper {
            return Err(faulty("a name has letters, digits, - _ and . only, and no more than 64".into()));
        }
        let way = way(&mut written).map_err(faulty)?;
        if let Some(key) = left_over(&written) {
            return Err(faulty(format!("`{key}` is not a key of kind {:?}", way.kind())));
        }
        let rules = rules(&written, &way).map_err(faulty)?;
        let page = written.page;
        if page.as_ref().is_some_and(|page| !is_web(page)) {
            return Err(faulty("`page` is an address that begins with http:// or https://".into()));
        }
        Ok(AlertSettings { name, rules, way, page })
    }
}

fn rules(written: &Written, way: &Way) -> Result<Rules, String> {
    let records = way.is_record();
    for pattern in written.codes.iter().chain(&written.except) {
        if !Code::ALL.iter().any(|code| glob::matches(pattern, code.name())) {
            return Err(format!("{pattern:?} is no code of a finding (see: portreeve explain)"));
        }
    }
    let group_for = match written.group_for {
        Some(_) if records => {
            return Err("`group-for` is for people: by this kind each finding is told by itself".into());
        }
        Some(Span(span)) if span > DAY => return Err("`group-for` is at most 1d".into()),
        Some(Span(span)) => span,
        None if records => Duration::ZERO,
        None => Duration::from_secs(5),
    };
    let repeat_every = match written.repeat_every {
        Some(Span(span)) if span < Duration::from_secs(60) => {
            return Err("`repeat-every` is at least 1m".into());
        }
        span => span.map(|Span(span)| span),
    };
    let least = match (written.min_severity, records) {
        (Some(Least::Note), _) | (None, true) => Severity::Note,
        (Some(Least::Warning), _) | (None, false) => Severity::Warning,
        (Some(Least::Alert), _) => Severity::Alert,
    };
    Ok(Rules {
        least,
        codes: written.codes.clone(),
        except: written.except.clone(),
        group_for,
        repeat_every,
        resolved: written.resolved.unwrap_or(records),
        most_per_minute: written.most_per_minute.unwrap_or(if records { 6000 } else { 10 }),
    })
}

/// Takes what the kind needs; what is left afterwards does not belong to it.
fn way(written: &mut Written) -> Result<Way, String> {
    Ok(match written.kind {
        Kind::Syslog => {
            let facility = written.facility.take().unwrap_or_else(|| "daemon".into());
            let known = FACILITIES.iter().find(|(name, _)| *name == facility);
            let names: Vec<&str> = FACILITIES.iter().map(|(name, _)| *name).collect();
            let (_, facility) =
                known.ok_or_else(|| format!("{facility:?} is no facility; one of {}", names.join(", ")))?;
            Way::Syslog { route: route(written)?, facility: *facility }
        }
        Kind::Journal => Way::Journal { socket: absolute("socket", written.socket.take())? },
        Kind::Webhook => Way::Webhook {
            url: web(written)?,
            secret_file: absolute("secret-file", written.secret_file.take())?,
            token_file: absolute("token-file", written.token_file.take())?,
            trust: trust(written)?,
        },
        Kind::Otlp => {
            let url = web(written)?;
            // The path for logs, where only the collector is named (OTLP 1.0, OTLP/HTTP request).
            let bare =
                url.split_once("://").is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'));
            let url = if bare { format!("{}/v1/logs", url.trim_end_matches('/')) } else { url };
            let token_file = absolute("token-file", written.token_file.take())?;
            Way::Otlp { url, token_file, trust: trust(written)? }
        }
        Kind::Mail => {
            let to = written.to.take().unwrap_or_default();
            let from = written.from.take();
            if to.is_empty() || to.len() > 50 {
                return Err("`to` is needed: a list of 1 to 50 addresses".into());
            }
            if let Some(wrong) = to.iter().chain(&from).find(|it| !is_address(it)) {
                return Err(format!("{wrong:?} is no address of the form name@host"));
            }
            let sendmail = absolute("sendmail", written.sendmail.take())?;
            Way::Mail { to, from, sendmail: sendmail.unwrap_or_else(|| "/usr/sbin/sendmail".into()) }
        }
        Kind::Command => {
            let command = written.command.take().unwrap_or_default();
            if !command.first().is_some_and(|program| PathBuf::from(program).is_absolute()) {
                return Err("`command` is needed: a list that begins with the whole path of a program".into());
            }
            if command.iter().any(|word| word.contains('\0')) {
                return Err("`command` has a zero byte in it".into());
            }
            let Span(limit) = written.limit.take().unwrap_or(Span(Duration::from_secs(10)));
            if !(Duration::from_millis(100)..=Duration::from_secs(300)).contains(&limit) {
                return Err("`limit` is from 100ms to 5m".into());
            }
            Way::Command { command, limit }
        }
        Kind::Eve => {
            let path = absolute("path", written.path.take())?;
            Way::Eve { path: path.ok_or("`path` is needed: the file to append to")? }
        }
    })
}

fn route(written: &mut Written) -> Result<Route, String> {
    let socket = absolute("socket", written.socket.take())?;
    let server = written.server.take();
    let transport = written.transport.take();
    let server_is = |server: Option<String>| {
        let server = server.ok_or("`server` is needed: host or host:port")?;
        let plain = server.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_:[]%".contains(&it));
        let number = server.rsplit(':').next().is_some_and(|it| it.parse::<u16>().is_ok());
        let proper = plain && !server.is_empty() && (number || server.matches(':').count() != 1);
        if proper {
            Ok(server)
        } else {
            Err(format!("{server:?} is no server of the form host or host:port"))
        }
    };
    match (transport, socket) {
        (Some(Transport::Local), socket) | (None, socket) if server.is_none() => {
            Ok(Route::Local(socket.unwrap_or_else(|| "/dev/log".into())))
        }
        (Some(Transport::Local), _) => Err("`server` does not go with the transport \"local\"".into()),
        (_, Some(_)) => Err("`socket` goes with the transport \"local\" only".into()),
        (Some(Transport::Udp) | None, None) => Ok(Route::Udp(server_is(server)?)),
        (Some(Transport::Tcp), None) => Ok(Route::Tcp(server_is(server)?)),
        (Some(Transport::Tls), None) => Ok(Route::Tls(server_is(server)?, trust(written)?)),
    }
}

fn trust(written: &mut Written) -> Result<Trust, String> {
    let ca_file = absolute("ca-file", written.ca_file.take())?;
    let certificate = absolute("certificate", written.certificate.take())?;
    let identity = match (certificate, absolute("key", written.key.take())?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("`certificate` and `key` go together".into()),
    };
    let insecure = written.insecure.take().unwrap_or(false);
    if insecure && ca_file.is_some() {
        return Err("`insecure` believes everybody: `ca-file` does not go with it".into());
    }
    Ok(Trust { ca_file, identity, insecure })
}

fn web(written: &mut Written) -> Result<String, String> {
    let url = written.url.take().ok_or("`url` is needed")?;
    if is_web(&url) {
        Ok(url)
    } else {
        Err("`url` begins with http:// or https://, and has no name and password in it".into())
    }
}

fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    url.len() <= 2048
        && url.bytes().all(|it| it.is_ascii_graphic())
        && rest
            .is_some_and(|rest| !rest.split('/').next().unwrap_or_default().contains('@') && !rest.is_empty())
}

/// Whether it can stand in a header and in a list as it is (RFC 5322 §3.4.1, without comments and quotes).
fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&it))
    };
    // A mailer on this machine also takes the name of a user.
    let (local, host) = text.split_once('@').unwrap_or((text, "localhost"));
    text.len() <= 254 && plain(local) && plain(host) && !text.starts_with('-')
}

fn absolute(key: &str, path: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    match &path {
        Some(path) if !path.is_absolute() => {
            Err(format!("`{key}` is a path from the root, and not {}", path.display()))
        }
        _ => Ok(path),
    }
}

/// A key that no part of this kind has taken.
fn left_over(written: &Written) -> Option<&'static str> {
    let keys = [
        ("server", written.server.is_some()),
        ("transport", written.transport.is_some()),
        ("socket", written.socket.is_some()),
        ("facility", written.facility.is_some()),
        ("url", written.url.is_some()),
        ("secret-file", written.secret_file.is_some()),
        ("token-file", written.token_file.is_some()),
        ("ca-file", written.ca_file.is_some()),
        ("certificate", written.certificate.is_some()),
        ("key", written.key.is_some()),
        ("insecure", written.insecure.is_some()),
        ("to", written.to.is_some()),
        ("from", written.from.is_some()),
        ("sendmail", written.sendmail.is_some()),
        ("command", written.command.is_some()),
        ("limit", written.limit.is_some()),
        ("path", written.path.is_some()),
    ];
    keys.into_iter().find(|(_, there)| *there).map(|(key, _)| key)
}

/// Reads the list of entries: no two have one name.
pub(crate) fn entries<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<AlertSettings>, D::Error> {
    let entries = Vec::<AlertSettings>::deserialize(from)?;
    check(&entries).map_err(D::Error::custom)?;
    Ok(entries)
}

/// Whether the entries go together: each has a name of its own.
pub fn check(entries: &[AlertSettings]) -> Result<(), String> {
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        Some(name) => Err(format!("two alerts have the name {name:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[cfg(unix)]
#[path = "settings_tests.rs"]
mod tests;
