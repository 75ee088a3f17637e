//! Seeing PTP as it passes: domains, masters, intervals, offsets (IEEE 1588, ST 2059-2).

use model::media::Occurrence;
use model::media::ptp::{PtpFacts, PtpOldMaster, PtpSender, TaiOffset};
use model::{Timestamp, Utc};

use super::domain::Domain;
use super::message::{self, Kind};
use super::{rules, version1};
use crate::Tally;

/// Domains that are followed.
const MOST_DOMAINS: usize = 16;
/// Masters of version 1 that are followed.
const MOST_OLD: usize = 64;

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// From whom.
    pub source: PtpSender,
    /// When; `None` where the capture has no times.
    pub time: Option<Timestamp<Utc>>,
    /// The number of its frame in the capture, from 1.
    pub frame: u64,
    /// Whether it came to the port of event messages; `None` where there are no ports.
    pub event_port: Option<bool>,
}

/// Follows all PTP that it is given.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    messages: u64,
    version1_messages: u64,
    malformed: u64,
    left_out: u64,
    domains: Vec<Domain>,
    version1: Vec<PtpOldMaster>,
    tally: Tally,
}

impl Observer {
    /// Takes a message: the payload of UDP to port 319 or 320, or of Ethernet.
    pub fn handle(&mut self, bytes: &[u8], arrival: &Arrival) {
        let nowhere = Occurrence { frame: arrival.frame, sequence: 0, timestamp: 0 };
        // Version 1 begins with two octets of version; in version 2 the second octet's lower half is 2.
        if bytes.first_chunk() == Some(&[0, 1]) {
            match version1::parse(bytes) {
                Ok(message) => self.handle_old(&message),
                Err(fault) => {
                    self.malformed += 1;
                    self.tally.note(&rules::MALFORMED, nowhere, || fault.to_string());
                }
            }
            return;
        }
        let message = match message::parse(bytes) {
            Ok(message) => message,
            Err(fault) => {
                self.malformed += 1;
                self.tally.note(&rules::MALFORMED, nowhere, || fault.to_string());
                return;
            }
        };
        self.messages += 1;
        let header = message.header;
        let at = Occurrence { sequence: header.sequence, ..nowhere };
        let reserved = matches!(header.kind, Kind::Reserved(_));
        if arrival.event_port.is_some_and(|event| event != header.kind.is_event()) && !reserved {
            let name = header.kind.name();
            self.tally.note(&rules::PORT, at, || format!("{name} from {}", arrival.source));
        }
        let key = (header.domain, header.sdo);
        let known = self.domains.iter().position(|it| (it.number, it.sdo) == key);
        if known.is_none() && self.domains.len() >= MOST_DOMAINS {
            self.left_out += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            self.domains.push(Domain::new(header.domain, header.sdo, at));
            self.domains.len() - 1
        });
        if let Some(domain) = self.domains.get_mut(index) {
            domain.handle(&message, arrival, at, &mut self.tally);
        }
    }

    fn handle_old(&mut self, message: &version1::Message<'_>) {
        self.version1_messages += 1;
        let known = self.version1.iter().position(|it| (it.uuid, it.port) == (message.uuid, message.port));
        if known.is_none() && self.version1.len() >= MOST_OLD {
            self.left_out += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            self.version1.push(PtpOldMaster {
                subdomain: message.subdomain.escape_ascii().to_string(),
                uuid: message.uuid,
                port: message.port,
                counts: [0; 5],
                grandmaster: None,
                stratum: None,
                log_sync_interval: None,
                utc_offset_s: None,
            });
            self.version1.len() - 1
        });
        let Some(master) = self.version1.get_mut(index) else { return };
        if let Some(count) = master.counts.get_mut(message.kind.index()) {
            *count += 1;
        }
        if let Some(sync) = message.sync.filter(|_| message.kind == version1::Kind::Sync) {
            master.grandmaster = Some(sync.grandmaster);
            master.stratum = Some(sync.stratum);
            master.log_sync_interval = Some(sync.log_interval);
            master.utc_offset_s = Some(sync.utc_offset_s);
        }
    }

    /// The capture's clock against TAI; from the domain that says it best, where one does.
    pub fn tai_offset_ns(&self) -> Option<TaiOffset> {
        let offsets = self.domains.iter().filter_map(Domain::tai);
        offsets.max_by_key(|it| {
            (it.traceable, it.path_delay_known, it.samples, core::cmp::Reverse(it.spread_ns))
        })
    }

    /// What was seen so far.
    pub fn facts(&self) -> PtpFacts {
        let mut tally = self.tally.clone();
        let mut domains: Vec<_> = self.domains.iter().map(|domain| domain.facts(&mut tally)).collect();
        domains.sort_by_key(|domain| (domain.number, domain.sdo));
        PtpFacts {
            messages: self.messages,
            version1_messages: self.version1_messages,
            malformed: self.malformed,
            left_out: self.left_out + self.domains.iter().map(|domain| domain.left_out).sum::<u64>(),
            domains,
            version1: self.version1.clone(),
            tai: self.tai_offset_ns(),
            faults: tally.faults().to_vec(),
        }
    }
}
