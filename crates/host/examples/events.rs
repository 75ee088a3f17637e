//! Tells what happens to sockets until its input ends. With `--count NAME` it only counts, for programs of that name:
//! how many sockets had a begin and an end with process, executable and port; that is what the benchmark asks.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::{Happened, Kind, SocketEvent};
use portreeve_host::events::{EventRequest, Events};
use portreeve_host::{Look, Looker};

/// What was told of one socket.
#[derive(Default)]
struct Life {
    begun: bool,
    ended: bool,
    lived_ns: u64,
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let counted = match arguments.as_slice() {
        [flag, name] if flag == "--count" => Some(name.as_str()),
        _ => None,
    };
    let mut events = Events::open(&EventRequest::default());
    let mut out = std::io::stdout().lock();
    for source in events.sources() {
        writeln!(out, "{}: {}", source.name, source.fault.as_deref().unwrap_or("works"))?;
    }
    events.reconcile(&Looker::new().snapshot(&Look::default()));
    writeln!(out, "ready")?;
    out.flush()?;
    let ended = Arc::new(AtomicBool::new(false));
    let at_end = Arc::clone(&ended);
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while std::io::stdin().read(&mut nothing).is_ok_and(|count| count > 0) {}
        at_end.store(true, Ordering::Relaxed);
    });
    let mut lives: HashMap<(Kind, u64), Life> = HashMap::new();
    let mut last = Instant::now();
    // What happened before the input ended is told soon after.
    while !ended.load(Ordering::Relaxed) || last.elapsed() < Duration::from_millis(300) {
        let mut told = Vec::new();
        events.wait(Duration::from_millis(200), &mut |event| told.push(event))?;
        for event in told {
            last = Instant::now();
            match counted {
                Some(name) => count(&mut lives, &event, name),
                None => writeln!(out, "{}", line(&event))?,
            }
        }
    }
    for kind in [Kind::Tcp, Kind::Udp].into_iter().filter(|_| counted.is_some()) {
        let of_kind = lives.iter().filter(|((of, _), _)| *of == kind).map(|(_, life)| life);
        let whole = of_kind.filter(|life| life.begun && life.ended);
        let mut lived: Vec<u64> = whole.map(|life| life.lived_ns).collect();
        lived.sort_unstable();
        let median = lived.get(lived.len() / 2).copied().unwrap_or(0);
        writeln!(out, "{} {} {}", kind.name(), lived.len(), median)?;
    }
    writeln!(out, "lost {}", events.counts().lost)
}

fn count(lives: &mut HashMap<(Kind, u64), Life>, event: &SocketEvent, name: &str) {
    let Some(process) = event.holder.value() else { return };
    let known = process.exe.value().is_some_and(|exe| exe.file_name() == name) && process.pid != 0;
    if !known || event.local.port() == 0 {
        return;
    }
    let life = lives.entry((event.kind, event.cookie)).or_default();
    match event.happened {
        Happened::Closed => {
            life.ended = true;
            life.lived_ns = event.lived_ns.unwrap_or(0);
        }
        Happened::Listening => life.begun = true,
        Happened::Bound | Happened::AutoBound => life.begun |= event.kind == Kind::Udp,
    }
}

fn line(event: &SocketEvent) -> String {
    let process = event.holder.value();
    format!(
        "{} {} {} {} {} net:[{}] {:?} {:?} {:?} lived {:?}",
        event.at.rfc3339_ns(),
        event.happened.name(),
        event.kind.name(),
        event.family.name(),
        event.local,
        event.netns,
        process.map(|process| process.pid),
        process.and_then(|process| process.exe.value()).map(|exe| &exe.path),
        process.and_then(|process| process.cmdline.value()),
        event.lived_ns,
    )
}
