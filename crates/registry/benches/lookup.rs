//! How long a lookup takes: nanoseconds per call, median and worst of 31 rounds over ports in random order.

use std::hint::black_box;
use std::time::Instant;

use model::Transport;
use portreeve_registry::{Paper, misuse, program};

/// Calls in one round.
const CALLS: u32 = 200_000;

fn main() {
    let start = Instant::now();
    let paper = black_box(Paper::builtin());
    let first = paper.standing(Transport::Tcp, 420).status;
    line("first lookup in this process", &[start.elapsed().as_nanos() as f64], &format!("{first:?}"));

    measure("standing, any port", |port| {
        black_box(paper.standing(Transport::Tcp, port));
    });
    measure("standing, system ports", |port| {
        black_box(paper.standing(Transport::Udp, port & 1023));
    });
    measure("standing, imported table", {
        let imported = Paper::from_table(paper.table().to_vec()).unwrap_or_else(|_| Paper::builtin());
        move |port| {
            black_box(imported.standing(Transport::Tcp, port));
        }
    });
    measure("by_name", |port| {
        let name = if port % 2 == 0 { "ssh" } else { "xmpp-client" };
        black_box(paper.by_name(name).next());
    });
    measure("misuse, first entry", |port| {
        black_box(misuse(Transport::Tcp, port).next());
    });
    measure("program by executable", |port| {
        let name = if port % 2 == 0 { "sshd" } else { "python3.11" };
        black_box(program::by_executable(name));
    });
    measure("commonly seen", |port| {
        black_box(program::commonly_seen(Transport::Tcp, port));
    });
    let start = Instant::now();
    let found = paper.search("smpte").count();
    line("search of the whole table", &[start.elapsed().as_nanos() as f64], &format!("{found} rows"));
    let start = Instant::now();
    let taken = Paper::from_table(paper.table().to_vec()).is_ok();
    line("from_table", &[start.elapsed().as_nanos() as f64], &format!("{taken}"));
}

fn measure(what: &str, mut call: impl FnMut(u16)) {
    let mut rounds: Vec<f64> = Vec::new();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..31 {
        let start = Instant::now();
        for _ in 0..CALLS {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            call(u16::try_from(random >> 48).unwrap_or(0));
        }
        rounds.push(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    line(what, &rounds, "");
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn line(what: &str, rounds: &[f64], note: &str) {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(f64::total_cmp);
    let median = rounds.get(rounds.len() / 2).copied().unwrap_or(0.0);
    let worst = rounds.last().copied().unwrap_or(0.0);
    println!("{what:<32} median {median:>12.1} ns   worst {worst:>12.1} ns   {note}");
}
