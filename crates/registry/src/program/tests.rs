//! The map agrees with itself and with the registry.

use std::collections::{HashMap, HashSet};

use model::Transport::{Tcp, Udp};

use super::*;
use crate::Paper;

#[test]
fn there_are_enough_programs_and_each_executable_is_in_one_place() {
    assert!(all().count() >= 150, "{} programs", all().count());
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (nth, program) in all().enumerate() {
        for name in program.names {
            assert!(!name.contains('/') && !name.is_empty());
            let before = seen.insert(name.to_ascii_lowercase(), nth);
            assert_eq!(before, None, "{name} stands twice");
        }
        assert!(program.units.iter().all(|unit| !unit.ends_with(".service")));
        let ports: HashSet<_> = program.ports.iter().collect();
        assert_eq!(ports.len(), program.ports.len(), "{:?} names a port twice", program.names);
    }
    let mut units = HashMap::new();
    for (nth, program) in all().enumerate() {
        for unit in program.units {
            assert_eq!(units.insert(*unit, nth), None, "unit {unit} stands twice");
        }
    }
}

#[test]
fn services_are_names_that_the_registry_or_debian_knows() {
    let paper = Paper::builtin();
    let debian: HashSet<&str> =
        include_str!("../../data/netbase.txt").lines().flat_map(|line| line.split(' ').skip(2)).collect();
    let unknown: Vec<&str> = all()
        .flat_map(|program| program.services)
        .copied()
        .filter(|name| paper.by_name(name).next().is_none() && !debian.contains(name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn executables_are_found_under_the_names_they_have() {
    let first = |name: &str| by_executable(name).map(|program| program.names[0]);
    for (name, program) in [
        ("sshd", "sshd"),
        ("SSHD.EXE", "sshd"),
        ("python3.11", "python"),
        ("python3", "python"),
        ("php-fpm8.2", "php-fpm"),
        ("php8.2-fpm", "php-fpm"),
        ("ruby3.1", "ruby"),
        ("nginx.old", "nginx"),
        (".nginx-wrapped", "nginx"),
        ("postgres", "postgres"),
        ("mysqld.bin", "mysqld"),
        ("systemd-resolved", "systemd-resolved"),
        ("beam.smp", "rabbitmq-server"),
        ("Plex Media Server", "Plex Media Server"),
    ] {
        assert_eq!(first(name), Some(program), "{name}");
    }
    for name in ["", ".", "8.2", "xmrig", "kdevtmpfsi", "sshd2x", "nginx2-backdoor", "é"] {
        assert_eq!(first(name), None, "{name}");
    }
}

#[test]
fn units_are_found_with_instance_and_version() {
    let first = |unit: &str| by_unit(unit).map(|program| program.names[0]);
    for (unit, program) in [
        ("ssh.service", "sshd"),
        ("ssh@3-10.0.0.1:22-10.0.0.2:5000.service", "sshd"),
        ("ssh.socket", "sshd"),
        ("postgresql@15-main.service", "postgres"),
        ("postgresql-15.service", "postgres"),
        ("php8.2-fpm.service", "php-fpm"),
        ("kafka.service", "java"),
        ("snap.lxd.daemon.service", "lxd"),
    ] {
        assert_eq!(first(unit), Some(program), "{unit}");
    }
    for unit in ["", ".service", "@.service", "backdoor.service"] {
        assert_eq!(first(unit), None, "{unit}");
    }
}

#[test]
fn a_program_serves_its_services_and_its_ports() {
    let sshd = by_executable("sshd").unwrap();
    assert!(serves(sshd, Tcp, 22, Some("ssh")));
    assert!(serves(sshd, Tcp, 2222, Some("EtherNet-IP-1")));
    assert!(!serves(sshd, Tcp, 80, Some("http")));
    assert!(!serves(sshd, Udp, 2222, None));
    assert!(on_port(Tcp, 3000).any(|program| program.names.contains(&"grafana")));
    assert_eq!(on_port(Tcp, 420).count(), 0);
    assert!(serving("ssh").count() >= 2);
}

#[test]
fn a_service_with_several_names_is_called_as_it_runs_and_no_script_as_another() {
    assert_eq!(called("redis-check-rdb", "redis-server"), "redis-server");
    assert_eq!(called("nginx", "nginx"), "nginx");
    assert_eq!(called("python3.11", "python3"), "python3.11");
    assert_eq!(called("python3.11", "sshd"), "python3.11");
    assert_eq!(called("sshd", "redis-server"), "sshd");
    assert_eq!(called("unheard-of", "other"), "unheard-of");
}
