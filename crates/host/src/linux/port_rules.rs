//! The rules for port numbers of the network namespace that the calling thread is in.

use std::fs;
use std::io::ErrorKind;

use model::{PortRules, Reason, Seen};
use wire::port_list;

/// Ports below this need a capability where the kernel has no setting for it (before Linux 4.11).
const FIRST_UNPRIVILEGED: u16 = 1024;

/// Reads them. `/proc/sys/net` shows the namespace of the thread that opens the file.
pub fn read() -> Seen<PortRules> {
    let unprivileged_start = match setting("ip_unprivileged_port_start") {
        Seen::Value(text) => match port_list::parse_one(&text) {
            Ok(port) => port,
            Err(_) => return Seen::Hidden(Reason::Damaged),
        },
        Seen::Absent => FIRST_UNPRIVILEGED,
        Seen::Hidden(reason) => return Seen::Hidden(reason),
    };
    let ephemeral = match setting("ip_local_port_range") {
        Seen::Value(text) => match port_list::parse_range(&text) {
            Ok(range) => range,
            Err(_) => return Seen::Hidden(Reason::Damaged),
        },
        Seen::Absent => return Seen::Absent,
        Seen::Hidden(reason) => return Seen::Hidden(reason),
    };
    let reserved = match setting("ip_local_reserved_ports") {
        Seen::Value(text) => match port_list::parse(&text) {
            (ranges, faults) if faults.is_empty() => ranges,
            _ => return Seen::Hidden(Reason::Damaged),
        },
        Seen::Absent => Vec::new(),
        Seen::Hidden(reason) => return Seen::Hidden(reason),
    };
    Seen::Value(PortRules { unprivileged_start, ephemeral, reserved })
}

fn setting(name: &str) -> Seen<Vec<u8>> {
    match fs::read(format!("/proc/sys/net/ipv4/{name}")) {
        Ok(text) => Seen::Value(text),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Seen::Absent,
            ErrorKind::PermissionDenied => Seen::Hidden(Reason::NoPermission),
            _ => Seen::Hidden(Reason::Unknown),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::sandbox;

    #[test]
    fn this_machine_has_rules() {
        let Seen::Value(rules) = read() else { panic!("{:?}", read()) };
        assert!(rules.ephemeral.start() < rules.ephemeral.end());
    }

    #[test]
    fn each_namespace_has_its_own() {
        let outside = read();
        sandbox::run("port rules of a namespace", || {
            let write =
                |name: &str, text: &str| fs::write(format!("/proc/sys/net/ipv4/{name}"), text).unwrap();
            write("ip_local_port_range", "20000 20999");
            write("ip_local_reserved_ports", "20010,20020-20029,420");
            write("ip_unprivileged_port_start", "80");
            assert_eq!(
                read(),
                Seen::Value(PortRules {
                    unprivileged_start: 80,
                    ephemeral: 20000..=20999,
                    reserved: vec![420..=420, 20010..=20010, 20020..=20029],
                })
            );
        });
        assert_eq!(read(), outside);
    }
}
