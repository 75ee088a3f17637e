//! What a protocol is called, and what was recognised in the bytes of a flow.

use alloc::{string::String, vec::Vec};

use crate::time::{Timestamp, Utc};

/// A protocol that is recognised from its bytes. Each is a constant beside its recogniser.
#[derive(Debug)]
pub struct Protocol {
    /// The stable name, in lower case: `ssh`, `dns`, `modbus`.
    pub name: &'static str,
    /// Its name as people write it: `SSH`, `DNS`, `Modbus/TCP`.
    pub title: &'static str,
    /// Where it is defined: `RFC 4253`.
    pub reference: &'static str,
    /// Names of the registry's services that it is at home in: at their ports nothing is odd about it.
    pub services: &'static [&'static str],
    /// How ordinary it is on a port of somebody else.
    pub wandering: Wandering,
    /// How it treats what is secret.
    pub secrecy: Secrecy,
}

impl PartialEq for Protocol {
    fn eq(&self, other: &Protocol) -> bool {
        self.name == other.name
    }
}

impl Eq for Protocol {}

/// How ordinary it is to see a protocol on a port that is not its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wandering {
    /// People put it anywhere: HTTP, TLS, SSH, RTP.
    Often,
    /// It has its ports; another one is a choice that somebody made.
    Seldom,
    /// It has no business elsewhere: SMB, RDP, Modbus.
    Never,
}

/// How a protocol treats what is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secrecy {
    /// It is encrypted from the start.
    Encrypted,
    /// It can turn to encryption, and may carry passwords before it does: SMTP, IMAP, LDAP.
    Optional,
    /// It carries passwords in the clear by design: Telnet, FTP, SNMPv2.
    CleartextCredentials,
    /// It is in the clear and carries no passwords by design.
    Cleartext,
}

/// How sure we are of a recognised protocol, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// Nothing decided.
    Unknown,
    /// Only a part was seen, or the rule that decided is weak.
    Partial,
    /// The client's bytes alone say so: somebody tried it here.
    Attempt,
    /// The server's bytes say so.
    Confirmed,
}

impl Certainty {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Confirmed => "confirmed",
            Certainty::Attempt => "attempt",
            Certainty::Partial => "partial",
            Certainty::Unknown => "unknown",
        }
    }
}

/// What bytes look like that no rule decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Appearance {
    /// No payload at all.
    Empty,
    /// Words of people or programs.
    Text,
    /// Structured binary data.
    Binary,
    /// As even as chance: encrypted or compressed.
    Encrypted,
}

impl Appearance {
    /// The words used in output.
    pub fn name(self) -> &'static str {
        match self {
            Appearance::Empty => "empty",
            Appearance::Text => "text",
            Appearance::Binary => "binary",
            Appearance::Encrypted => "looks encrypted",
        }
    }
}

/// What the bytes of a flow say of its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The protocol; `None` where nothing decided.
    pub protocol: Option<&'static Protocol>,
    /// How sure that is.
    pub certainty: Certainty,
    /// The rule that decided, in a few words: `server banner SSH-`. Empty where nothing decided.
    pub rule: &'static str,
    /// What the client alone spoke, where the server speaks something else.
    pub attempt: Option<&'static Protocol>,
    /// What the first bytes look like.
    pub appearance: Appearance,
    /// Particulars that the protocol says of itself, in the order they were read.
    pub details: Vec<Detail>,
    /// The server's certificate, where it was sent in the clear.
    pub certificate: Option<Certificate>,
}

impl Recognised {
    /// Nothing decided yet.
    pub const fn nothing(appearance: Appearance) -> Recognised {
        Recognised {
            protocol: None,
            certainty: Certainty::Unknown,
            rule: "",
            attempt: None,
            appearance,
            details: Vec::new(),
            certificate: None,
        }
    }

    /// The name of the particular that says on which flow this one was agreed.
    pub const AGREED_ON: &'static str = "agreed_on";

    /// The flow on which this one was agreed, where it was: the control connection of FTP, the request of TFTP.
    pub fn agreed_on(&self) -> Option<&str> {
        self.detail(Recognised::AGREED_ON)
    }

    /// The first particular with this name.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|detail| detail.name == name).map(|detail| detail.value.as_str())
    }
}

/// A particular that a protocol says of itself. The value is a stranger's text: sanitise before showing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Detail {
    /// What it is, in `snake_case`: `sni`, `alpn`, `version`, `software`, `host`, `user_agent`, `ja4`.
    pub name: &'static str,
    /// What was said.
    pub value: String,
}

/// What matters of an X.509 certificate (RFC 5280).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The subject, as a distinguished name.
    pub subject: String,
    /// The issuer, as a distinguished name.
    pub issuer: String,
    /// Subject alternative names: DNS names and addresses.
    pub names: Vec<String>,
    /// Valid from.
    pub not_before: Timestamp<Utc>,
    /// Valid until.
    pub not_after: Timestamp<Utc>,
    /// Whether subject and issuer are the same.
    pub self_signed: bool,
}
