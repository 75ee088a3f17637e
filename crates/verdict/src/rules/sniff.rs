//! Who can read packets of others: packet-socket.

use model::{Code, Confidence, Kind, Reason, Severity, Socket, Subject};
use registry::program::Class;

use crate::docket::{Cause, Docket, protocol_name};
use crate::judge::{Bench, say};
use crate::known::{Known, shell, who, who_all};

/// What a raw or packet socket can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    Everything,
    /// One protocol that carries other programs' traffic: IP, TCP, UDP.
    Traffic,
    /// One protocol that machines use to find and check each other.
    Control,
    /// Nothing: it only sends.
    Nothing,
}

pub(crate) fn judge<'a>(
    _bench: &Bench<'a>,
    index: usize,
    socket: &Socket,
    holders: &[&Known<'a>],
    docket: &mut Docket<'a>,
) {
    let reads = reads(socket);
    let ordinary = holders.iter().any(|holder| holder.is(|program| program.class == Class::Sniffer));
    // A DHCP client, lldpd and ping cannot do without; the program of a package is what it says it is.
    let narrow = matches!(reads, Reads::Control | Reads::Nothing);
    let at_home = |holder: &&Known<'_>| {
        let package = holder.process.package.value();
        holder.odd.is_none()
            && package.is_some_and(|package| package.integrity != model::Integrity::Modified)
            && holder
                .is(|program| program.class == Class::Sniffer && (narrow || !program.services.is_empty()))
    };
    if !holders.is_empty() && holders.iter().all(at_home) {
        return;
    }
    let unseen = holders.is_empty()
        && socket.holders_missing.is_some_and(|reason| !matches!(reason, Reason::InFlight | Reason::Unknown));
    let odd = holders.iter().any(|holder| holder.odd.is_some());
    let weight = match reads {
        _ if odd => (Severity::Warning, Confidence::High),
        _ if ordinary => (Severity::Note, Confidence::High),
        Reads::Nothing | Reads::Control => (Severity::Note, Confidence::Medium),
        // Who it is could not be looked at: said once, and quietly.
        _ if unseen => (Severity::Note, Confidence::Low),
        Reads::Everything => (Severity::Warning, Confidence::High),
        Reads::Traffic => (Severity::Warning, Confidence::Medium),
    };
    let cause = match holders.first() {
        // Who pings and who reads everybody's packets are two matters, though both be scripts of one interpreter.
        Some(holder) => Cause::Text(format!("{} {reads:?}", holder.exe)),
        None => Cause::Text(format!("{unseen} {reads:?}")),
    };
    docket.raise(Code::PacketSocket, weight, cause, Subject::Socket(index), || {
        let what = match reads {
            Reads::Everything => "can read every packet of the interface",
            Reads::Traffic => "can read packets that are addressed to other programs",
            Reads::Control => "can read one protocol of network control",
            Reads::Nothing => "sends packets of its own making and reads none",
        };
        let who_text = holders
            .first()
            .map_or_else(|| who_all(holders, socket.holders_missing), |holder| who(holder.process));
        let place = socket.interface.as_ref().and_then(|interface| interface.name.as_deref());
        let fact = format!(
            "A {} socket for protocol {} on {}.",
            socket.kind.name(),
            protocol_name(socket),
            place.unwrap_or("every interface")
        );
        let mut facts = vec![(fact, "socket table".to_owned())];
        if ordinary {
            facts.push((
                "Programs of this name ordinarily have such sockets.".to_owned(),
                "program map".to_owned(),
            ));
        }
        let step = match holders.first() {
            Some(holder) => {
                let pid = holder.process.pid;
                match holder.process.unit.value().filter(|unit| unit.name.ends_with(".service")) {
                    Some(unit) => format!("systemctl status -- {}; cat /proc/net/packet", shell(&unit.name)),
                    None => format!("ps -o pid,ppid,user,lstart,args -p {pid}; ls -l /proc/{pid}/exe"),
                }
            }
            None => "run as root, then: ss -0 -w -a -p".to_owned(),
        };
        say(format!("{who_text} {what} ("), ")", facts, step)
    });
}

fn reads(socket: &Socket) -> Reads {
    let number = socket.local.port();
    match (socket.kind, number) {
        // packet(7): protocol 0 receives nothing, ETH_P_ALL everything.
        (Kind::Packet, 0) => Reads::Nothing,
        (Kind::Packet, 0x0003) => Reads::Everything,
        (Kind::Packet, 0x0800 | 0x86dd) => Reads::Traffic,
        // ARP, LLDP, EAPOL, LACP and their kin.
        (Kind::Packet, _) => Reads::Control,
        // raw(7): IPPROTO_RAW only sends.
        (Kind::Raw, 255) => Reads::Nothing,
        // TCP, UDP, SCTP, UDP-Lite; 4 and 41 carry whole packets.
        (Kind::Raw, 0 | 4 | 6 | 17 | 41 | 132 | 136) => Reads::Traffic,
        _ => Reads::Control,
    }
}
