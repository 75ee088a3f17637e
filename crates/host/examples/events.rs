//! Tells what happens to sockets for as many seconds as its argument says, and what it took.

use std::io::Write;
use std::time::{Duration, Instant};

use portreeve_host::events::{EventRequest, Events};
use portreeve_host::{Look, Looker};

fn main() -> std::io::Result<()> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut events = Events::open(&EventRequest::default());
    let mut out = std::io::stdout().lock();
    for source in events.sources() {
        writeln!(out, "{source:?}")?;
    }
    events.reconcile(&Looker::new().snapshot(&Look::default()));
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let mut told = Vec::new();
        events.wait(Duration::from_secs(1), &mut |event| told.push(event))?;
        for event in told {
            let (exe, args, package) = event.holder.value().map_or((None, None, None), |process| {
                (process.exe.value(), process.cmdline.value(), process.package.value())
            });
            writeln!(
                out,
                "{} {} {} {} {} ns {} pid {:?} {exe:?} {args:?} {package:?} lived {:?} cgroup {:?} if {:?}",
                event.at.rfc3339_ns(),
                event.happened.name(),
                event.kind.name(),
                event.family.name(),
                event.local,
                event.netns,
                event.holder.value().map(|process| process.pid),
                event.lived_ns,
                event.cgroup,
                event.interface,
            )?;
        }
    }
    writeln!(out, "{:?}", events.counts())
}
