//! Media on an interface, until the time is over or somebody says stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::{Reading, Watching};
use host::capture::{Capture, CaptureRequest};
use host::privilege;
use model::Traffic;

use crate::args::MediaLookArgs;
use crate::command::{Stop, until, watch};
use crate::output;

/// How long the kernel may keep frames before we look at them.
const WAIT: Duration = Duration::from_millis(50);

/// What came until the end. Ctrl-C ends it, and what was measured stays.
pub(super) fn watch(args: &MediaLookArgs, reading: &Reading) -> Result<Traffic, Stop> {
    let request = CaptureRequest {
        interfaces: watch::named(&args.interface),
        ring_bytes: usize::try_from(args.ring).unwrap_or(usize::MAX),
        snap_bytes: 262_144,
        promiscuous: false,
        filters: watch::kernel_filters(reading),
        netns: args.netns.clone(),
        workers: 1,
    };
    let mut capture = Capture::open(&request).map_err(|error| Stop::Failed(error.to_string()))?;
    if let Err(error) = privilege::give_up(0, privilege::invoker().as_ref())
        && cfg!(target_os = "linux")
    {
        output::complain(&format!("privileges were kept: {error}"));
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    until::on_interrupt(move || stop.store(true, Ordering::Relaxed))?;
    let names: Vec<String> = capture.interfaces().into_iter().map(|it| it.name).collect();
    let shown = if names.is_empty() { String::from("all interfaces") } else { names.join(", ") };
    if args.duration.is_none() {
        output::complain(&format!("measuring {shown}; Ctrl-C ends it and shows what was measured"));
    }
    let bar = until::spinner(args.no_progress);
    let mut watching = Watching::new(reading, Arc::default());
    let mut frames = 0_u64;
    let begun = Instant::now();
    while !stopped.load(Ordering::Relaxed) && args.duration.is_none_or(|end| begun.elapsed() < end) {
        capture
            .wait(WAIT, &mut |captured| frames += u64::from(watching.take(&captured.frame)))
            .map_err(|error| Stop::Failed(format!("cannot read the interface: {error}")))?;
        watching.pass(host::now());
        while watching.poll().is_some() {}
        if !bar.is_hidden() {
            bar.set_message(format!("{frames} packets"));
            bar.tick();
        }
    }
    let counts = capture
        .finish(&mut |captured| _ = watching.take(&captured.frame))
        .map_err(|error| Stop::Failed(format!("cannot read the interface to its end: {error}")))?;
    bar.finish_and_clear();
    watching.end();
    let mut traffic = Watching::together(&[&watching], counts.dropped);
    traffic.sources = names;
    if args.netns.is_none() {
        let own = host::memberships();
        traffic.media.joined = own.joined;
        traffic.gaps.extend(own.gaps);
    }
    Ok(traffic)
}
