//! Looks twice and says what each look cost: for whoever works on the speed of `host`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::Instant;

use portreeve_host as host;

fn main() {
    let mut looker = host::Looker::new();
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(3);
    for look in 0..rounds {
        let (start, cpu) = (Instant::now(), cpu_ms());
        let snapshot = looker.snapshot(&host::Look::default());
        let held = snapshot.sockets.iter().filter(|socket| !socket.holders.is_empty()).count();
        println!(
            "look {look}: {} sockets, {held} with holders, {} processes, {} namespaces, {:?} wall, {} ms CPU, gaps {:?}",
            snapshot.sockets.len(),
            snapshot.processes.len(),
            snapshot.namespaces.len(),
            start.elapsed(),
            cpu_ms() - cpu,
            snapshot.gaps,
        );
    }
}

fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0) / 1_000_000
}
