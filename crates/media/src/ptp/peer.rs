//! How long the link to a neighbour is, from requests and responses that pass (IEEE 1588-2008 §11.4).

use model::media::ptp::PortIdentity;

use super::message::{Header, Time};

/// Exchanges that wait for their end.
const MOST_EXCHANGES: usize = 64;

/// A request, and its response where a follow-up is to come.
#[derive(Debug, Clone, Copy)]
struct Exchange {
    requester: PortIdentity,
    sequence: u16,
    asked_ns: i64,
    /// Who answered, when the request came to it by its own clock, and how long all took less what corrections say.
    answered: Option<(PortIdentity, Time, i64)>,
}

/// Exchanges that have begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchanges {
    open: Vec<Exchange>,
}

impl Exchanges {
    fn find(&mut self, requester: PortIdentity, sequence: u16) -> Option<usize> {
        self.open.iter().position(|it| (it.requester, it.sequence) == (requester, sequence))
    }

    /// A request passed here.
    pub(super) fn asked(&mut self, header: &Header, now_ns: i64) {
        if self.open.len() >= MOST_EXCHANGES {
            self.open.remove(0);
        }
        let (requester, sequence) = (header.source, header.sequence);
        self.open.push(Exchange { requester, sequence, asked_ns: now_ns, answered: None });
    }

    /// A response passed here; nanoseconds from here to who sent it, where no follow-up is to come.
    pub(super) fn answered(
        &mut self,
        header: &Header,
        received: Time,
        requester: PortIdentity,
        now_ns: i64,
    ) -> Option<i64> {
        let at = self.find(requester, header.sequence)?;
        let exchange = self.open.get_mut(at)?;
        let took_ns = now_ns.saturating_sub(exchange.asked_ns).saturating_sub(header.correction_ns());
        if header.two_step() {
            exchange.answered = Some((header.source, received, took_ns));
            return None;
        }
        // Of one step the correction holds how long the neighbour took.
        self.open.swap_remove(at);
        half(took_ns)
    }

    /// A follow-up of a response passed here; nanoseconds from here to who sent it.
    pub(super) fn followed(&mut self, header: &Header, sent: Time, requester: PortIdentity) -> Option<i64> {
        let at = self.find(requester, header.sequence)?;
        let (source, received, took_ns) = self.open.get(at)?.answered?;
        if source != header.source {
            return None;
        }
        self.open.swap_remove(at);
        let stayed_ns = i64::try_from(sent.as_ns() - received.as_ns()).ok()?;
        half(took_ns.saturating_sub(stayed_ns).saturating_sub(header.correction_ns()))
    }
}

/// One way of two; none where clocks contradict each other by more than their own error.
fn half(both_ns: i64) -> Option<i64> {
    Some(both_ns / 2).filter(|one| (-1_000_000..1_000_000_000).contains(one))
}
