//! How the API is set: the section `[api]` of the service's settings.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

/// How the API is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file with the tokens that are known; only their hashes stand in it.
    pub tokens: PathBuf,
    /// Our certificate with its chain (PEM); together with `key` it turns TLS on.
    pub certificate: Option<PathBuf>,
    /// The certificate's key (PEM).
    pub key: Option<PathBuf>,
    /// Names under which browsers may reach us, beside the address itself and `localhost`.
    pub hosts: Vec<String>,
    /// Whether processes of our own user, and root's, need no token on this machine.
    pub same_user: bool,
    /// Whether to listen beyond this machine without TLS.
    pub plain_beyond_loopback: bool,
    /// Requests a second that one peer may make for long; four times as many at once.
    pub requests_per_second: u32,
    /// Connections at a time.
    pub connections: u32,
    /// The largest capture that may be handed in, in MiB.
    pub capture_mib: u32,
    /// How much memory reading a capture may take, in MiB.
    pub capture_memory_mib: u32,
}

impl Default for ApiSettings {
    fn default() -> ApiSettings {
        ApiSettings {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7420),
            tokens: PathBuf::from("/var/lib/portreeve/tokens.json"),
            certificate: None,
            key: None,
            hosts: Vec::new(),
            same_user: true,
            plain_beyond_loopback: false,
            requests_per_second: 50,
            connections: 512,
            capture_mib: 256,
            capture_memory_mib: 256,
        }
    }
}

impl ApiSettings {
    /// Whether they can be meant so; else what to do.
    pub fn check(&self) -> Result<(), ApiError> {
        let wrong = |what: &str| Err(ApiError::Settings(what.to_owned()));
        if self.certificate.is_some() != self.key.is_some() {
            return wrong("`certificate` and `key` go together: name both, or neither");
        }
        if !self.listen.ip().is_loopback() && self.certificate.is_none() && !self.plain_beyond_loopback {
            return wrong(
                "`listen` is reachable from other machines, and without TLS everybody between can read tokens: \
                 name `certificate` and `key`, or say `plain-beyond-loopback = true` where a proxy adds TLS",
            );
        }
        if !(1..=100_000).contains(&self.requests_per_second) {
            return wrong("`requests-per-second` is from 1 to 100000");
        }
        if !(4..=65_536).contains(&self.connections) {
            return wrong("`connections` is from 4 to 65536");
        }
        if !(1..=65_536).contains(&self.capture_mib) || !(16..=65_536).contains(&self.capture_memory_mib) {
            return wrong("`capture-mib` is from 1 to 65536, and `capture-memory-mib` from 16 to 65536");
        }
        if let Some(host) = self.hosts.iter().find(|host| !is_host(host)) {
            return wrong(&format!("`hosts` has names without port or path, and {host:?} is none"));
        }
        Ok(())
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// Why the API could not begin.
#[derive(Debug)]
pub enum ApiError {
    /// The settings say what cannot be.
    Settings(String),
    /// The address cannot be listened at.
    Listen(SocketAddr, io::Error),
    /// A file of tokens cannot be used.
    File(PathBuf, String),
    /// The certificate or its key cannot be used, or this processor cannot.
    Tls(String),
    /// The system gave no thread or timer.
    System(io::Error),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApiError::Settings(what) => write!(f, "[api]: {what}"),
            ApiError::Listen(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "{address} is taken already: see who has it with `portreeve {}`, or set `listen` in [api]",
                address.port()
            ),
            ApiError::Listen(address, error) => write!(f, "cannot listen at {address}: {error}"),
            ApiError::File(path, what) => write!(f, "{}: {what}", path.display()),
            ApiError::Tls(what) => write!(f, "[api] certificate, key: {what}"),
            ApiError::System(error) => write!(f, "the server could not begin: {error}"),
        }
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_give_tokens_away_is_refused() {
        let settings = |change: &dyn Fn(&mut ApiSettings)| {
            let mut settings = ApiSettings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.to_string())
        };
        assert_eq!(settings(&|_| {}), Ok(()));
        let open = |it: &mut ApiSettings| it.listen = "0.0.0.0:7420".parse().unwrap();
        assert!(settings(&open).unwrap_err().contains("plain-beyond-loopback"));
        assert_eq!(
            settings(&|it| {
                open(it);
                it.plain_beyond_loopback = true;
            }),
            Ok(())
        );
        assert!(settings(&|it| it.key = Some(PathBuf::from("k"))).unwrap_err().contains("go together"));
        assert!(settings(&|it| it.hosts = vec![String::from("a:1")]).unwrap_err().contains("hosts"));
        assert!(settings(&|it| it.connections = 1).is_err());
    }
}
