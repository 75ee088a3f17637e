//! The built-in table answers as the registry does, for every port, and quickly.

use core::hint::black_box;

use model::Transport::{Dccp, Sctp, Tcp, Udp};

use super::*;

#[test]
fn the_built_in_table_passes_every_check_and_says_the_same_after_it() {
    let builtin = Paper::builtin();
    let saved = Paper::from_table(builtin.table().to_vec()).unwrap();
    // The usage is decided anew by the check: the same bytes mean that the map did not change since.
    assert!(saved.table() == builtin.table(), "the program map changed: run `cargo xtask registry`");
    let tables = [include_str!("../data/misuse.table"), include_str!("../data/netbase.txt")];
    assert!(builtin.table().len() + tables.map(str::len).iter().sum::<usize>() <= 2_000_000);
}

#[test]
fn every_port_of_every_transport_has_one_status() {
    let paper = Paper::builtin();
    for transport in Transport::ALL {
        for port in 0..=u16::MAX {
            let standing = paper.standing(transport, port);
            // By the rows themselves, without the index.
            if let Some(row) = standing.assignment {
                assert!(row.first.unwrap() <= port && port <= row.last.unwrap());
                assert!(row.transport.is_none_or(|only| only == transport));
            }
            match port {
                0 => assert_eq!(standing.status, Status::Reserved),
                49_152.. => assert_eq!(standing.status, Status::Dynamic),
                _ => assert_ne!(standing.status, Status::Dynamic),
            }
            assert_eq!(standing.usage == Usage::NotAssigned, standing.status != Status::Assigned);
        }
    }
}

#[test]
fn the_index_finds_what_a_walk_through_the_rows_finds() {
    let paper = Paper::builtin();
    for transport in Transport::ALL {
        let mut by_port: Vec<Vec<Assignment<'_>>> = vec![Vec::new(); 65_536];
        for row in paper.rows().filter(|row| row.transport.is_none_or(|only| only == transport)) {
            if let (Some(first), Some(last)) = (row.first, row.last) {
                (first..=last).for_each(|port| by_port[usize::from(port)].push(row));
            }
        }
        for port in 0..=u16::MAX {
            let standing = paper.standing(transport, port);
            let found: Vec<_> = standing.assignment.into_iter().chain(standing.more()).collect();
            let walked = &by_port[usize::from(port)];
            assert_eq!(found.len(), walked.len(), "{transport:?} {port}");
            assert!(found.iter().all(|row| walked.contains(row)), "{transport:?} {port}");
        }
    }
}

#[test]
fn tcp_and_udp_have_no_port_that_the_registry_passes_over() {
    let paper = Paper::builtin();
    for transport in [Tcp, Udp] {
        let silent: Vec<u16> =
            (0..=u16::MAX).filter(|port| paper.standing(transport, *port).assignment.is_none()).collect();
        // A few ports were given back since the older state, and the newer leaves out rows that name no transport.
        assert!(silent.len() < 40, "{} ports without a row, from {:?}", silent.len(), silent.first());
    }
}

#[test]
fn known_ports_are_as_iana_has_them() {
    let paper = Paper::builtin();
    for transport in [Tcp, Udp] {
        let smpte = paper.standing(transport, 420);
        assert_eq!(smpte.status, Status::Assigned);
        let row = smpte.assignment.unwrap();
        assert_eq!((row.name, row.description), ("smpte", "SMPTE"));
        assert_eq!((row.assignee, row.contact), ("[Si_Becker]", "[Si_Becker]"));
        assert!(matches!(smpte.usage, Usage::Silent(reason) if reason.contains("netbase 6.4")));
        assert_eq!(paper.part(smpte.provenance.row.unwrap()).unwrap().name, "port-numbers");
        assert_eq!(paper.part(smpte.provenance.details.unwrap()).unwrap().date, "2015-07-30");
        assert_eq!(paper.standing(transport, 1023).status, Status::Reserved);
        assert_eq!(paper.standing(transport, 1024).status, Status::Reserved);
        assert_eq!(paper.standing(transport, 4).status, Status::Unassigned);
    }
    let name = |transport, port| paper.standing(transport, port).assignment.unwrap().name;
    assert_eq!(
        (name(Tcp, 22), name(Tcp, 80), name(Tcp, 443), name(Tcp, 631)),
        ("ssh", "http", "https", "ipp")
    );
    assert_eq!((name(Sctp, 80), name(Tcp, 465), name(Tcp, 6010)), ("http", "submissions", "x11"));
    assert_eq!(name(Dccp, 9), "discard");
    assert_eq!(name(Tcp, 4317), "opentelemetry", "younger than 2015");
    let web = paper.standing(Tcp, 80);
    assert!(matches!(web.usage, Usage::Ordinary(_)));
    assert_eq!(web.more().map(|row| row.name).collect::<Vec<_>>(), ["www", "www-http"]);
    assert_eq!(paper.standing(Tcp, 2).status, Status::Reserved, "assigned in 2015, reserved since");
    assert_eq!(paper.standing(Tcp, 50_000).status, Status::Dynamic);
    assert_eq!(paper.standing(Tcp, 50_000).provenance, Provenance { row: None, details: None });
    let nats = paper.standing(Tcp, 4222);
    assert_eq!(nats.assignment.unwrap().name, "vrml-multi-use");
    assert!(matches!(nats.usage, Usage::Ordinary(reason) if reason.contains("nats-server")));
    assert!(matches!(paper.standing(Tcp, 4223).usage, Usage::Silent(_)), "the rest of the range");
    let silent = paper.standing(Tcp, 4197).usage;
    assert!(matches!(silent, Usage::Silent(_)), "{silent:?}");
}

#[test]
fn no_port_is_both_silent_and_commonly_seen() {
    let paper = Paper::builtin();
    for transport in Transport::ALL {
        for port in 0..=u16::MAX {
            let usage = paper.standing(transport, port).usage;
            let seen = crate::program::commonly_seen(transport, port).is_some()
                || crate::program::first_on(transport, port).is_some();
            assert!(!(seen && matches!(usage, Usage::Silent(_))), "{transport:?} {port}: {usage:?}");
        }
    }
}

#[test]
fn names_ranges_and_texts_are_found() {
    let paper = Paper::builtin();
    let ssh: Vec<_> = paper.by_name("SSH").collect();
    assert!(ssh.iter().any(|row| row.first == Some(22) && row.transport == Some(Tcp)));
    assert!(ssh.iter().all(|row| row.name == "ssh"));
    assert_eq!(paper.by_name("").count(), 0);
    assert_eq!(paper.by_name("no-such-service").count(), 0);
    assert!(paper.by_name("nfs-domainroot").all(|row| row.first.is_none()), "a service without a port");
    // Each named row is found by its name.
    let named = paper.rows().filter(|row| !row.name.is_empty());
    assert!(named.step_by(97).all(|row| paper.by_name(row.name).any(|found| found == row)));

    let names: Vec<_> = paper.range(Tcp, 416..=431).map(|row| row.name).collect();
    assert!(names.contains(&"silverplatter") && names.contains(&"smpte"));
    assert!(paper.range(Udp, 6001..=6002).any(|row| row.name == "x11"));
    assert_eq!(paper.range(Tcp, 0..=u16::MAX).filter(|row| row.transport == Some(Udp)).count(), 0);
    #[expect(clippy::reversed_empty_ranges, reason = "a range that a user typed the wrong way round")]
    let backwards = paper.range(Tcp, 431..=416).count();
    assert_eq!(backwards, 0);

    assert!(paper.search("si_BECKER").any(|row| row.first == Some(420)));
    assert!(paper.search("rfc6335").count() > 1);
    assert_eq!(paper.search("").count(), 0);
    assert_eq!(paper.search("zzzz-nothing").count(), 0);
}

#[test]
fn the_source_is_stated() {
    let paper = Paper::builtin();
    let source = paper.source();
    assert!(source.title.starts_with("IANA"));
    assert!(source.versions.contains("port-numbers 8.0.35") && !source.imported);
    assert_eq!((source.sha256.len(), source.date), (64, "2026-07"));
    assert_eq!(source.rows, paper.rows().count());
    let sources = include_str!("../data/SOURCES.toml");
    assert_eq!(source.parts().count(), 2);
    assert!(source.parts().all(|part| sources.contains(part.sha256) && !part.gave.is_empty()));
}

#[test]
fn a_damaged_table_is_refused_wherever_it_is_damaged() {
    let small = small();
    let paper = Paper::from_table(small.clone()).unwrap();
    assert_eq!(paper.standing(Tcp, 10).assignment.unwrap().name, "ten");
    for length in 0..small.len() {
        assert!(Paper::from_table(small[..length].to_vec()).is_err(), "cut at {length}");
    }
    for at in 0..small.len() {
        let mut damaged = small.clone();
        damaged[at] ^= 0x01;
        if let Ok(paper) = Paper::from_table(damaged) {
            // Only words of the header that nothing depends on can change unseen.
            assert!(at < paper.layout.body_at, "byte {at}");
        }
    }
}

#[test]
fn any_bytes_behind_a_right_hash_are_harmless() {
    let small = small();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..3000 {
        let mut damaged = small.clone();
        for _ in 0..1 + next() % 3 {
            let at = usize::try_from(next() % small.len() as u64).unwrap();
            damaged[at] = u8::try_from(next() % 128).unwrap();
        }
        table::assert_any(&damaged, false);
    }
    table::assert_any(&small, true);
}

/// A small table with a range, a reserved port, an alias and a service without a port.
pub(crate) fn small() -> Vec<u8> {
    let draft = |name: &str, ports, transport, description: &str| table::Draft {
        name: name.into(),
        ports,
        transport,
        description: description.into(),
        ..table::Draft::default()
    };
    let rows = vec![
        draft("ten", Some((10, 10)), Some(Tcp), "Ten"),
        draft("zehn", Some((10, 10)), Some(Tcp), "Ten again"),
        draft("wide", Some((5, 400)), None, "Wide"),
        draft("", Some((20, 20)), Some(Udp), "Reserved"),
        draft("loose", None, Some(Udp), "Without a port, höflich"),
    ];
    let part = ["test", "1", "2026-11-01", "", "all"].map(String::from);
    let recipe = table::Recipe { title: "Test".into(), parts: vec![part], rows, ..table::Recipe::default() };
    table::make(recipe).unwrap().into_bytes()
}

#[test]
fn ranges_that_lie_over_each_other_without_end_are_refused() {
    let rows = (0..3000u16)
        .map(|nth| table::Draft {
            name: "x".into(),
            ports: Some((nth, 40_000 - nth)),
            ..table::Draft::default()
        })
        .collect();
    let recipe = table::Recipe { rows, ..table::Recipe::default() };
    assert_eq!(table::make(recipe), Err(table::MakeFault::TooManyOverlaps));
}

#[test]
fn a_lookup_does_no_work_that_grows_with_the_table() {
    // The time itself is measured by the benchmark; here only that no lookup misses.
    let paper = Paper::builtin();
    let mut named = 0;
    for port in 0..=u16::MAX {
        named += usize::from(
            black_box(paper.standing(Tcp, port)).assignment.is_some_and(|row| !row.name.is_empty()),
        );
    }
    assert!(named > 5000);
}
