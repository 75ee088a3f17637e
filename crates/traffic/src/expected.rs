//! Flows that others agreed: who waits where, for whom, until when, and on which flow that was said.

use std::collections::VecDeque;

use model::Transport;
use wire::address::Address;
use wire::packet::Version;

use crate::hash::{Map, Seed};
use crate::key::{End, Key};
use crate::when::When;

/// So many flows are expected at a time; where there are more, the one that was agreed first is not waited for.
const MOST: usize = 4096;
/// So long an agreed flow may be on its way, in nanoseconds: servers of FTP wait no longer for a connection.
const WAIT_NS: i64 = 60_000_000_000;

/// Where one side of an agreed flow waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Door {
    realm: u32,
    version: Version,
    transport: Transport,
    address: Address,
    port: u16,
}

impl Door {
    /// That end of a flow.
    pub(crate) fn of(key: &Key, end: End) -> Door {
        Door { port: *key.ports.at(end), ..Door::beside(key, end, 0) }
    }

    /// Another port of that end, for the same transport.
    pub(crate) fn beside(key: &Key, end: End, port: u16) -> Door {
        Door {
            realm: key.realm,
            version: key.version,
            transport: key.transport,
            address: *key.addresses.at(end),
            port,
        }
    }
}

/// What is agreed on the flow that agreed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// A data connection of FTP.
    FtpData,
    /// What a server of TFTP answers from a new port.
    TftpAnswer,
}

/// A flow that is expected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expectation {
    /// Who is to come.
    pub(crate) peer: Address,
    pub(crate) agreement: Agreement,
    /// The rule in a few words.
    pub(crate) rule: &'static str,
    /// The flow on which it was agreed, and its client.
    pub(crate) control: (Key, End),
    pub(crate) agreed: When,
}

/// Expected flows, within bounds.
#[derive(Debug)]
pub(crate) struct Expected {
    known: Map<Door, (u64, Expectation)>,
    /// In the order of their agreement; those that came, or were agreed anew, are still among them.
    order: VecDeque<(Door, u64)>,
    births: u64,
    /// Flows that were not waited for, because too many were agreed.
    pub(crate) left_out: u64,
}

impl Expected {
    pub(crate) fn new(seed: Seed) -> Expected {
        Expected { known: Map::with_hasher(seed), order: VecDeque::new(), births: 0, left_out: 0 }
    }

    /// Whether nothing is expected.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Waits for a flow to this door from now on.
    pub(crate) fn expect(&mut self, door: Door, expectation: Expectation) {
        self.forget(expectation.agreed);
        self.births += 1;
        self.known.insert(door, (self.births, expectation));
        self.order.push_back((door, self.births));
    }

    /// Lets those go that nobody waits for any more, and the oldest where there are too many.
    fn forget(&mut self, now: When) {
        while let Some((door, birth)) = self.order.front() {
            let waits = self.known.get(door).filter(|(known, _)| known == birth);
            let crowded = self.order.len() >= MOST;
            if let Some((_, expectation)) = waits {
                let late = now.since(expectation.agreed) > WAIT_NS;
                if !late && !crowded {
                    return;
                }
                self.left_out += u64::from(!late);
                self.known.remove(door);
            }
            self.order.pop_front();
        }
    }

    /// The expectation that a flow between this door and this peer meets; it is met once.
    pub(crate) fn take(&mut self, door: &Door, peer: Address, now: When) -> Option<Expectation> {
        let (_, expectation) = *self.known.get(door)?;
        // A packet may be a little earlier by its time than the one before it.
        if expectation.peer != peer || !(-WAIT_NS..=WAIT_NS).contains(&now.since(expectation.agreed)) {
            return None;
        }
        self.known.remove(door);
        Some(expectation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Address {
        Address { high: 0, low: 0x0a00_0000 | u64::from(last) }
    }

    fn key(port: u16) -> Key {
        let (client, server) = ((address(1), port), (address(2), 21));
        Key::of(Version::V4, Transport::Tcp, 0, client, server).0
    }

    fn door(port: u16) -> Door {
        Door::beside(&key(4000), End::High, port)
    }

    fn expectation(agreed: i64) -> Expectation {
        Expectation {
            peer: address(1),
            agreement: Agreement::FtpData,
            rule: "a rule",
            control: (key(4000), End::Low),
            agreed: When::at(agreed),
        }
    }

    #[test]
    fn it_is_met_once_by_whom_it_is_for_and_in_time() {
        let mut expected = Expected::new(Seed::new(1));
        assert!(expected.is_empty());
        expected.expect(door(7), expectation(0));
        assert!(expected.take(&door(8), address(1), When::at(1)).is_none());
        assert!(expected.take(&door(7), address(9), When::at(1)).is_none());
        assert!(expected.take(&door(7), address(1), When::at(WAIT_NS + 1)).is_none());
        assert!(expected.take(&door(7), address(1), When::at(WAIT_NS)).is_some());
        assert!(expected.take(&door(7), address(1), When::at(1)).is_none() && expected.is_empty());
        // A capture without times.
        expected.expect(door(7), Expectation { agreed: When::UNKNOWN, ..expectation(0) });
        assert!(expected.take(&door(7), address(1), When::UNKNOWN).is_some());
    }

    #[test]
    fn what_is_late_is_forgotten_and_the_oldest_goes_where_there_are_too_many() {
        let mut expected = Expected::new(Seed::new(1));
        for port in 1..=MOST {
            expected.expect(door(u16::try_from(port).unwrap()), expectation(0));
        }
        assert_eq!((expected.known.len(), expected.left_out), (MOST, 0));
        for port in 10_001..10_011 {
            expected.expect(door(port), expectation(5));
        }
        assert_eq!((expected.known.len(), expected.left_out), (MOST, 10));
        assert!(expected.take(&door(10), address(1), When::at(6)).is_none());
        assert!(expected.take(&door(11), address(1), When::at(6)).is_some());
        expected.expect(door(20_000), expectation(WAIT_NS + 3));
        assert_eq!(
            (expected.known.len(), expected.left_out),
            (11, 10),
            "those that were late are not counted"
        );
    }

    #[test]
    fn flows_that_come_leave_nothing_behind_for_long() {
        let mut expected = Expected::new(Seed::new(1));
        for round in 0..100_000 {
            expected.expect(door(7), expectation(round));
            // The same door, agreed again before anybody came.
            expected.expect(door(7), expectation(round));
            assert!(expected.take(&door(7), address(1), When::at(round)).is_some());
        }
        assert!(expected.is_empty() && expected.order.len() <= MOST && expected.left_out == 0);
    }
}
