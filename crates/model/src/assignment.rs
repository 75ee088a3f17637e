//! Paper: what the registry says a port is for.

/// A transport that has its own port numbers (RFC 6335 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// SCTP (RFC 9260).
    Sctp,
    /// DCCP (RFC 4340).
    Dccp,
}

impl Transport {
    /// Every transport, in the registry's order.
    pub const ALL: [Transport; 4] = [Transport::Tcp, Transport::Udp, Transport::Sctp, Transport::Dccp];

    /// The registry's name.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
            Transport::Dccp => "dccp",
        }
    }

    /// From the registry's name, in any case.
    pub fn from_name(name: &str) -> Option<Transport> {
        Transport::ALL.into_iter().find(|transport| transport.name().eq_ignore_ascii_case(name))
    }
}

/// The standing of a port number on paper (RFC 6335 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Given to a service.
    Assigned,
    /// Free to be asked for.
    Unassigned,
    /// Held back by IANA for later or for a special purpose.
    Reserved,
    /// 49152 to 65535: never assigned, for private and short-lived use.
    Dynamic,
}

impl Status {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Status::Assigned => "assigned",
            Status::Unassigned => "unassigned",
            Status::Reserved => "reserved",
            Status::Dynamic => "dynamic",
        }
    }
}

/// One row of the registry. Empty text means that the registry's field is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// Service name (RFC 6335 §5.1); empty for reserved and unassigned rows.
    pub name: &'a str,
    /// First port; `None` where a service name has no port.
    pub first: Option<u16>,
    /// Last port of a range; equal to `first` for a single port.
    pub last: Option<u16>,
    /// `None` where the row is for no particular transport.
    pub transport: Option<Transport>,
    /// Standing on paper.
    pub status: Status,
    /// What the registry says it is.
    pub description: &'a str,
    /// Who was given it.
    pub assignee: &'a str,
    /// Whom to ask.
    pub contact: &'a str,
    /// Date of registration, `YYYY-MM-DD` or as precise as the registry is.
    pub registered: &'a str,
    /// Date of last change.
    pub modified: &'a str,
    /// The document that defines it, as the registry cites it.
    pub reference: &'a str,
    /// Known unauthorised uses, in the registry's words.
    pub unauthorised: &'a str,
    /// Assignment notes.
    pub notes: &'a str,
}
