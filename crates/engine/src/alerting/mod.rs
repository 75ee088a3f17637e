//! Findings told to others: who is told what, when and how often, by which way, and whether it arrived.
//!
//! [`rules`] decide without I/O, [`form`] makes bytes without I/O, and each way has a thread of its own, so that one which
//! is dead slows nobody.

mod delivery;
pub mod form;
mod notice;
mod retry;
mod rules;
mod settings;
mod sink;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use host::deliver::Failure;
use store::Sighting;

pub use delivery::{Delivery, Receipt};
pub use notice::{Machine, Notice, State, Told};
pub use retry::{pause, retry_after};
pub use rules::{Rules, Sorter};
pub(crate) use settings::entries;
pub use settings::{AlertSettings, Way, check};
pub use sink::Counts;
use sink::{News, Sink};

/// All ways, at work.
#[derive(Debug)]
pub struct Alerting {
    sinks: Vec<Sink>,
}

impl Alerting {
    /// Starts a thread for each way. Nothing is opened before there is something to tell.
    pub fn begin(settings: &[AlertSettings], machine: &Machine) -> io::Result<Alerting> {
        Alerting::begin_with(settings, machine, |_| {})
    }

    /// The same; each thread does this before anything else, as to give up what its way does not need.
    pub fn begin_with(
        settings: &[AlertSettings],
        machine: &Machine,
        first: impl Fn(&Way) + Clone + Send + 'static,
    ) -> io::Result<Alerting> {
        check(settings).map_err(io::Error::other)?;
        let sinks = settings.iter().map(|settings| Sink::start(settings, machine.clone(), first.clone()));
        Ok(Alerting { sinks: sinks.collect::<Result<_, _>>()? })
    }

    /// A finding was seen, now or again; it may be told as often as it is seen. It never waits.
    pub fn tell(&self, sighting: &Sighting) {
        self.spread(News::Seen(Arc::new(sighting.clone())));
    }

    /// A finding is over.
    pub fn resolved(&self, sighting: &Sighting) {
        self.spread(News::Over(Arc::new(sighting.clone())));
    }

    /// A finding was told before this program began, and stands: it is not told as new.
    pub fn known(&self, sighting: &Sighting) {
        self.spread(News::Known(Arc::new(sighting.clone())));
    }

    fn spread(&self, news: News) {
        self.sinks.iter().for_each(|sink| sink.tell(news.clone()));
    }

    /// How each way is doing.
    pub fn counts(&self) -> Vec<Counts> {
        self.sinks.iter().map(Sink::counts).collect()
    }

    /// Ends all ways: what waits is tried until the time is over. Gives how they did.
    pub fn finish(self, within: Duration) -> Vec<Counts> {
        let end = Instant::now() + within;
        // All are told before one is waited for.
        let closed: Vec<_> = self.sinks.into_iter().map(|sink| sink.close(end)).collect();
        closed.into_iter().map(|sink| sink.wait(end)).collect()
    }
}

/// Tries each way once with a finding that is made up and says so, all at the same time, and gives what came of it, in
/// the same order.
pub fn trial(
    settings: &[AlertSettings],
    machine: &Machine,
    within: Duration,
) -> Vec<Result<Receipt, Failure>> {
    let end = Instant::now() + within;
    let attempts: Vec<_> = settings
        .iter()
        .map(|settings| {
            let (settings, machine) = (settings.clone(), machine.clone());
            let (said, heard) = sync_channel(1);
            let attempt = move || {
                let notice = Notice::test(host::now());
                let name = format!("test-{}-{}", machine.process, notice.at().as_ns());
                let mut delivery = Delivery::new(&settings, machine);
                let outcome = delivery.deliver(&notice, &name);
                let outcome = outcome.and_then(|receipt| delivery.regret().map_or(Ok(receipt), Err));
                let _ = said.send(outcome);
            };
            thread::Builder::new().name("alert test".into()).spawn(attempt).map(|_| heard)
        })
        .collect();
    let ended = attempts.into_iter().map(|heard| {
        let heard = heard.map_err(|error| Failure::later(format!("no thread: {error}")))?;
        let left = end.saturating_duration_since(Instant::now());
        let none = || Failure::later(format!("nothing came of it within {} s", within.as_secs()));
        heard.recv_timeout(left).map_err(|_| none())?
    });
    ended.collect()
}
