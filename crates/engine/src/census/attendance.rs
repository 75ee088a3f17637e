//! Who came to which port: the use that a census counts, from a look at the machine and from what is remembered.

use std::collections::BTreeMap;

use model::{Code, Finding, Seen, Subject, Timestamp, Transport, Utc};

use registry::Paper;
use verdict::is_at_home;

use crate::view::{Row, View};

/// Holders that are named per port; what is more is counted by the look itself.
const MOST_HOLDERS: usize = 8;
/// Protocols that are named per port.
const MOST_SPOKEN: usize = 8;

/// How a use stands to what the port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fit {
    /// Nothing speaks against it.
    Fitting,
    /// The port's service is not in ordinary use, and what is there is not known to be that service.
    Unexplained,
    /// The holder, or the protocol, is another than the one that the port is for.
    Squatted,
}

impl Fit {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Fit::Fitting => "fitting",
            Fit::Unexplained => "unexplained",
            Fit::Squatted => "squatted",
        }
    }

    /// What a finding says of it; `None` where the finding is about something else.
    pub fn of(code: Code) -> Option<Fit> {
        match code {
            Code::UnexpectedHolder | Code::ProtocolMismatch | Code::ForeignBytes => Some(Fit::Squatted),
            Code::SilentPortInUse | Code::SilentPortTraffic => Some(Fit::Unexplained),
            _ => None,
        }
    }
}

/// The use of one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Whether something is there now.
    pub now: bool,
    /// When something was last there before, where that is remembered.
    pub earlier: Option<Timestamp<Utc>>,
    /// How it stands to what the port is for.
    pub fit: Fit,
    /// Programs that hold it, in order, as they were seen.
    pub holders: Vec<String>,
    /// Protocols that its servers spoke, by their bytes, in order.
    pub spoken: Vec<&'static str>,
}

impl Use {
    fn new() -> Use {
        Use { now: false, earlier: None, fit: Fit::Fitting, holders: Vec::new(), spoken: Vec::new() }
    }

    fn hold(&mut self, name: &str) {
        if let Err(place) = self.holders.binary_search_by(|known| known.as_str().cmp(name))
            && self.holders.len() < MOST_HOLDERS
        {
            self.holders.insert(place, name.to_owned());
        }
    }
}

/// A use that is remembered of an earlier time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The transport.
    pub transport: Transport,
    /// The port.
    pub port: u16,
    /// When it was last in use.
    pub last: Timestamp<Utc>,
    /// The program that held it, where it is known.
    pub holder: Option<String>,
    /// How it stood to what the port is for.
    pub fit: Fit,
    /// The name of the protocol that a server spoke there, where its bytes said so.
    pub spoken: Option<String>,
}

/// Every port that is or was used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attendance {
    /// Since when it is remembered; `None` where only the present was looked at.
    pub since: Option<Timestamp<Utc>>,
    uses: BTreeMap<(Transport, u16), Use>,
}

impl Attendance {
    /// From a look at the machine: everything that waits for peers, in all its namespaces, and every port that address
    /// translation publishes.
    pub fn of(view: &View) -> Attendance {
        let mut attendance = Attendance::default();
        for row in &view.rows {
            attendance.note_row(view, row);
        }
        // What policy accepts is accepted; the chair is still another's.
        let accepted = view.accepted.iter().map(|accepted| &accepted.finding);
        for finding in view.findings.iter().chain(accepted) {
            attendance.note_finding(view, finding);
        }
        attendance
    }

    fn note_row(&mut self, view: &View, row: &Row) {
        if let Some(socket) = view.socket(row).filter(|socket| socket.is_listener()) {
            let (Some(transport), Some(port)) = (socket.kind.transport(), socket.port()) else { return };
            let seat = self.seat(transport, port);
            seat.now = true;
            for holder in &socket.holders {
                if let Some(process) = view.snapshot.process(holder.pid) {
                    seat.hold(process.program());
                }
            }
        } else if let Some(forward) = view.forward(row) {
            for port in forward.first..=forward.last {
                let seat = self.seat(forward.transport, port);
                seat.now = true;
                if let Some(container) = &forward.container {
                    seat.hold(match &container.name {
                        Seen::Value(name) => name,
                        Seen::Absent | Seen::Hidden(_) => &container.id,
                    });
                }
            }
        }
    }

    fn note_finding(&mut self, view: &View, finding: &Finding) {
        let Some(fit) = Fit::of(finding.code) else { return };
        for subject in &finding.subjects {
            let Subject::Socket(index) = subject else { continue };
            let Some(socket) = view.snapshot.sockets.get(*index).filter(|socket| socket.is_listener()) else {
                continue;
            };
            if let (Some(transport), Some(port)) = (socket.kind.transport(), socket.port()) {
                let seat = self.seat(transport, port);
                seat.fit = seat.fit.max(fit);
            }
        }
    }

    /// Adds what is remembered since then. Bytes that are not what the paper promises there speak for themselves, whether
    /// or not somebody was told of them.
    pub fn remember(
        &mut self,
        paper: &Paper,
        since: Timestamp<Utc>,
        uses: impl IntoIterator<Item = Remembered>,
    ) {
        self.since = Some(self.since.map_or(since, |known| known.min(since)));
        for remembered in uses {
            let seat = self.seat(remembered.transport, remembered.port);
            seat.earlier = seat.earlier.max(Some(remembered.last));
            seat.fit = seat.fit.max(remembered.fit);
            if let Some(holder) = &remembered.holder {
                seat.hold(holder);
            }
            if let Some(protocol) = remembered.spoken.as_deref().and_then(traffic::protocol::by_name) {
                let standing = paper.standing(remembered.transport, remembered.port);
                if !is_at_home(protocol, &standing, remembered.transport, remembered.port) {
                    seat.fit = Fit::Squatted;
                }
                if let Err(place) = seat.spoken.binary_search(&protocol.name)
                    && seat.spoken.len() < MOST_SPOKEN
                {
                    seat.spoken.insert(place, protocol.name);
                }
            }
        }
    }

    /// The use of one port; `None` where nobody came.
    pub fn at(&self, transport: Transport, port: u16) -> Option<&Use> {
        self.uses.get(&(transport, port))
    }

    fn seat(&mut self, transport: Transport, port: u16) -> &mut Use {
        self.uses.entry((transport, port)).or_insert_with(Use::new)
    }
}
