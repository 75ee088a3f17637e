//! One port that speaks: how often, with what gaps, and how far its time is from the capture's.

use model::media::ptp::{PortIdentity, PtpCadence, PtpPort, PtpSender};
use model::{Timestamp, Utc};

use super::message::{Header, Kind, Time};

/// A Sync or a Follow_Up that waits for the other.
#[derive(Debug, Clone, Copy)]
struct Half {
    sequence: u16,
    correction: i64,
    /// When a Sync came.
    came_ns: Option<i64>,
    /// When a Follow_Up says that the Sync left.
    origin: Time,
}

/// A Sync with all that is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When it left, with corrections, in the master's time.
    pub left_ns: i128,
    /// When it came, in the capture's time.
    pub came_ns: i64,
}

/// One port.
#[derive(Debug, Clone)]
pub struct Port {
    /// What is known of it.
    pub facts: PtpPort,
    /// Its last Sync.
    pub sample: Option<Sample>,
    /// When its last Announce came.
    pub announced: Option<Timestamp<Utc>>,
    /// When its last Sync came.
    pub synced: Option<Timestamp<Utc>>,
    requested: Option<Timestamp<Utc>>,
    sequences: [Option<u16>; 16],
    sync: Option<Half>,
    follow_up: Option<Half>,
}

impl Port {
    /// A port that was not heard of before.
    pub fn new(identity: PortIdentity, sender: PtpSender) -> Port {
        Port {
            facts: PtpPort {
                identity,
                sender,
                several_senders: false,
                announce: None,
                announce_changes: 0,
                announces: PtpCadence::default(),
                syncs: PtpCadence::default(),
                requests: PtpCadence::default(),
                responses: 0,
                request_log_interval: None,
                two_step: 0,
                one_step: 0,
                follow_ups: 0,
                follow_ups_missing: 0,
                sequence_gaps: 0,
                sync_delay_ns: Default::default(),
                most_correction_ns: 0,
            },
            sample: None,
            announced: None,
            synced: None,
            requested: None,
            sequences: [None; 16],
            sync: None,
            follow_up: None,
        }
    }

    /// How many numbers were left out before this message; `None` where it is a copy, or nothing can be said.
    pub fn sequence(&mut self, index: usize, header: &Header) -> Option<u16> {
        let slot = self.sequences.get_mut(index)?;
        let before = slot.replace(header.sequence)?;
        let step = header.sequence.wrapping_sub(before);
        if step == 0 {
            return None;
        }
        // Each receiver of unicast has numbers of its own, and answers repeat the numbers of others.
        let counts = matches!(
            header.kind,
            Kind::Sync | Kind::Announce | Kind::DelayRequest | Kind::PeerDelayRequest | Kind::FollowUp
        );
        // A great step is a new begin.
        let gap = if counts && !header.unicast() && step < 1000 { step - 1 } else { 0 };
        self.facts.sequence_gaps += u64::from(gap);
        Some(gap)
    }

    /// Takes the times between messages of a kind; `follows` where none was left out.
    pub fn cadence(&mut self, header: &Header, now: Option<Timestamp<Utc>>, follows: bool) {
        let (cadence, last) = match header.kind {
            Kind::Sync => (&mut self.facts.syncs, &mut self.synced),
            Kind::Announce => (&mut self.facts.announces, &mut self.announced),
            Kind::DelayRequest | Kind::PeerDelayRequest => (&mut self.facts.requests, &mut self.requested),
            _ => return,
        };
        cadence.count += 1;
        if header.log_interval != 127 {
            cadence.log_interval = Some(header.log_interval);
        }
        if let Some((now, before)) = now.zip(*last)
            && follows
            && !header.unicast()
        {
            cadence.interval_ns.add(now.since_ns(before));
        }
        *last = now;
    }

    /// Takes a Sync; the sample where it is complete, and whether the one before stayed without its Follow_Up.
    pub fn sync(
        &mut self,
        header: &Header,
        origin: Time,
        now: Option<Timestamp<Utc>>,
    ) -> (Option<Sample>, bool) {
        let came_ns = now.map(Timestamp::as_ns);
        let half = Half { sequence: header.sequence, correction: header.correction, came_ns, origin };
        if !header.two_step() {
            self.facts.one_step += 1;
            return (self.complete(half, origin, 0), self.sync.take().is_some());
        }
        self.facts.two_step += 1;
        let early = self.follow_up.take().filter(|it| it.sequence == header.sequence);
        if let Some(follow_up) = early {
            return (self.complete(half, follow_up.origin, follow_up.correction), self.sync.take().is_some());
        }
        let missing = self.sync.replace(half).is_some_and(|before| before.sequence != header.sequence);
        self.facts.follow_ups_missing += u64::from(missing);
        (None, missing)
    }

    /// Takes a Follow_Up; the sample where it completes a Sync.
    pub fn follow_up(&mut self, header: &Header, origin: Time) -> Option<Sample> {
        self.facts.follow_ups += 1;
        match self.sync.take_if(|it| it.sequence == header.sequence) {
            Some(sync) => self.complete(sync, origin, header.correction),
            None => {
                let correction = header.correction;
                self.follow_up = Some(Half { sequence: header.sequence, correction, came_ns: None, origin });
                None
            }
        }
    }

    fn complete(&mut self, sync: Half, origin: Time, correction: i64) -> Option<Sample> {
        let correction_ns = (i128::from(sync.correction) + i128::from(correction)) >> 16;
        let most = i64::try_from(correction_ns).unwrap_or(i64::MAX);
        self.facts.most_correction_ns = self.facts.most_correction_ns.max(most);
        let sample = Sample { left_ns: origin.as_ns() + correction_ns, came_ns: sync.came_ns? };
        if let Ok(delay) = i64::try_from(i128::from(sample.came_ns) - sample.left_ns) {
            self.facts.sync_delay_ns.add(delay);
        }
        self.sample = Some(sample);
        self.sample
    }
}
