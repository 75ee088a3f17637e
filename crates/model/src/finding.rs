//! Coded judgements with severity, confidence, evidence and the next step.

use alloc::{string::String, vec::Vec};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth looking at soon.
    Warning,
    /// Worth looking at now.
    Alert,
}

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Alert];

    /// The word used in output and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Alert => "alert",
        }
    }
}

/// How sure we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// A hint; other explanations are likely.
    Low,
    /// More likely than not.
    Medium,
    /// Seen directly.
    High,
}

impl Confidence {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $severity:ident;)+) => {
        /// The closed set of finding codes. Each has a page in docs/findings/.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The stable name: the name of its page in docs/findings/.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $code,)+ }
            }

            /// One sentence: what was seen.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }

            /// The severity that it has unless the evidence says more or less.
            pub fn default_severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// A port that is assigned but not in ordinary use has a listener.
    SilentPortInUse = "silent-port-in-use", Warning;
    /// A system port that nobody was assigned has a listener.
    UnassignedPortInUse = "unassigned-port-in-use", Warning;
    /// A system port that IANA holds back has a listener.
    ReservedPortInUse = "reserved-port-in-use", Warning;
    /// The holder is not a program that ordinarily serves what this port is for.
    UnexpectedHolder = "unexpected-holder", Warning;
    /// The executable of the holder was deleted while it runs.
    ExeDeleted = "exe-deleted", Warning;
    /// Another file has taken the place of the holder's executable.
    ExeReplaced = "exe-replaced", Note;
    /// The holder runs from memory and never was a file.
    ExeMemfd = "exe-memfd", Alert;
    /// The executable of the holder lies where everybody can write, or in a place for temporary files.
    ExeWritablePlace = "exe-writable-place", Warning;
    /// A system service listens with an executable that no package owns.
    UnpackagedService = "unpackaged-service", Note;
    /// The executable of the holder is not as its package delivered it.
    PackageFileModified = "package-file-modified", Alert;
    /// A database, debugger or administration port can be reached from beyond this machine.
    ExposedService = "exposed-service", Warning;
    /// A privileged port is held with every privilege of root, without need.
    NeedlessPrivilege = "needless-privilege", Note;
    /// The holder of a listener could not be named.
    HolderUnknown = "holder-unknown", Note;
    /// One way of looking shows a socket that another hides.
    HiddenSocket = "hidden-socket", Alert;
    /// A process holds a socket and is hidden from /proc.
    HiddenHolder = "hidden-holder", Alert;
    /// A process can read packets that are not addressed to it.
    PacketSocket = "packet-socket", Warning;
    /// The port has a history of misuse, and its holder no ordinary explanation.
    MisuseHistory = "misuse-history", Warning;
    /// A library is put into the holder of a listener from outside.
    PreloadedLibrary = "preloaded-library", Warning;
    /// A listener is here that the baseline does not have.
    BaselineNew = "baseline-new", Warning;
    /// A listener that the baseline has is gone.
    BaselineGone = "baseline-gone", Note;
    /// A listener of the baseline has another holder now.
    BaselineChanged = "baseline-changed", Warning;
    /// A listener breaks what the policy says.
    PolicyViolation = "policy-violation", Alert;
    /// A policy entry matched nothing.
    PolicyUnmatched = "policy-unmatched", Note;
    /// A policy entry has passed its expiry date.
    PolicyExpired = "policy-expired", Warning;
    /// The bytes on a port are of another protocol than the one it is for.
    ProtocolMismatch = "protocol-mismatch", Warning;
    /// A client tried a protocol on a port that is not for it.
    ProtocolAttempt = "protocol-attempt", Note;
    /// A server answers on a well-known port with bytes that are not of the port's protocol, nor of any that we know.
    ForeignBytes = "foreign-bytes", Warning;
    /// Packets go to a system port that is assigned but not in ordinary use.
    SilentPortTraffic = "silent-port-traffic", Warning;
    /// Packets go to a system port that nobody was assigned.
    UnassignedPortTraffic = "unassigned-port-traffic", Warning;
    /// Packets go to a system port that IANA holds back.
    ReservedPortTraffic = "reserved-port-traffic", Warning;
    /// A server was seen on a port where it was not seen before.
    ServiceNew = "service-new", Note;
    /// Connections to a server come as regularly as only a machine makes them.
    Beacon = "beacon", Warning;
    /// One source knocks at many doors.
    Scan = "scan", Note;
    /// A protocol that carries passwords in the clear was spoken on the wire.
    CleartextCredentials = "cleartext-credentials", Warning;
    /// A TLS server showed a certificate that was not valid at that time.
    TlsExpired = "tls-expired", Note;
    /// A TLS server showed a certificate that it signed itself.
    TlsSelfSigned = "tls-self-signed", Note;
    /// Packets, or the capture itself, are not what they claim.
    DamagedTraffic = "damaged-traffic", Note;
    /// Frames are of a link type that we do not read.
    UnreadLink = "unread-link", Warning;
    /// Media comes to a port that no session agreed.
    StreamWithoutSession = "stream-without-session", Warning;
    /// A session was agreed, and nothing of it came.
    SessionWithoutStream = "session-without-stream", Note;
    /// A group was joined that no session names.
    GroupWithoutSession = "group-without-session", Note;
    /// Media comes from a source that its session does not allow.
    SourceNotAgreed = "source-not-agreed", Alert;
    /// Media comes in another format than its session says.
    FormatNotAgreed = "format-not-agreed", Warning;
    /// Several senders send to one group and port.
    SeveralSenders = "several-senders", Alert;
    /// Packets of a stream never came.
    StreamLoss = "stream-loss", Warning;
    /// One leg lost packets that the other had, or both do not carry the same.
    LegsDiffer = "legs-differ", Warning;
    /// A stream began anew: another source, a jump of its sequence or of its clock.
    StreamReset = "stream-reset", Note;
    /// A sender sends less evenly than it promises.
    PacingNotKept = "pacing-not-kept", Warning;
    /// The clock of a stream does not follow the rule.
    TimestampsNotKept = "timestamps-not-kept", Warning;
    /// The payload of a stream is not what its format demands.
    EssenceFault = "essence-fault", Warning;
    /// Clocks on the wire disagree with each other, or with what a session says.
    ClockDisagreement = "clock-disagreement", Warning;
    /// Somebody came to a port where nobody is.
    DecoyTouched = "decoy-touched", Note;
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A socket: its index in the snapshot.
    Socket(usize),
    /// A forward: its index in the snapshot.
    Forward(usize),
    /// A line of policy or baseline, by the name people can find it by (`policy.toml:12`).
    Entry(String),
    /// A service on the wire: its index in the traffic.
    Service(usize),
    /// A scan: its index in the traffic.
    Scan(usize),
    /// A beacon: its index in the traffic.
    Beacon(usize),
    /// Knocks at a door where nobody spoke: their index in the traffic.
    Touch(usize),
    /// The capture as a whole.
    Capture,
    /// A session: its index among the sessions.
    Session(usize),
    /// A stream: its index among the streams.
    Stream(usize),
    /// A multicast group that somebody joined.
    Group(core::net::IpAddr),
    /// A clock domain of PTP.
    Clock(u8),
    /// Who came to a decoy.
    Visitor(core::net::IpAddr),
}

/// One fact that a judgement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// What was seen, in one sentence.
    pub fact: String,
    /// Where it was seen or read: `IANA registry`, `/proc/812/exe`, `policy.toml:12`.
    pub source: String,
}

/// A coded judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which judgement.
    pub code: Code,
    /// How much it matters here.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// What it is about: one cause may touch several sockets.
    pub subjects: Vec<Subject>,
    /// One sentence with the particulars.
    pub title: String,
    /// What it rests on; never empty.
    pub evidence: Vec<Evidence>,
    /// What to do next: a command or a decision.
    pub next_step: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_kebab_case() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        assert!(Code::ALL.iter().all(|code| code.summary().ends_with('.')));
    }
}
