//! Errors of ICMP, counted at the flow that they quote (RFC 792, RFC 4443).

use model::Transport;
use wire::packet::{Detail, Packet, Version};
use wire::protocol::Protocol as Carried;

use super::Observer;
use crate::entry::Marks;
use crate::key::{self, Key};

impl Observer {
    /// What has no ports: an error of ICMP is counted at the flow that it quotes.
    #[cold]
    pub(super) fn portless(&mut self, packet: &Packet<'_>) {
        let Detail::Icmp(icmp) = packet.detail else { return };
        let Ok(Some(quote)) = icmp.quote(packet.payload) else { return };
        let (Some((source, destination)), Some(transport)) = (quote.ports, transport(quote.protocol)) else {
            return;
        };
        let realm = key::realm(packet, self.seed);
        let from = (quote.source, source);
        let (key, end) = Key::of(quote.version, transport, realm, from, (quote.destination, destination));
        let Ok(place) = self.table.find(&key) else { return };
        let Some(entry) = self.table.entry_mut(place) else { return };
        entry.icmp_errors = entry.icmp_errors.saturating_add(1);
        // Unreachable (RFC 792, RFC 4443 §3.1): somebody says that nobody is there.
        let unreachable = matches!((icmp.version, icmp.kind), (Version::V4, 3) | (Version::V6, 1));
        if unreachable && end == entry.client && !entry.marks.has(Marks::ANSWERED) && !entry.is_over() {
            entry.marks.set(Marks::REFUSED);
            self.table.closes(place);
        }
    }
}

/// The transport of a packet that has ports.
#[inline]
pub(super) fn transport(protocol: Carried) -> Option<Transport> {
    match protocol {
        Carried::TCP => Some(Transport::Tcp),
        Carried::UDP | Carried::UDP_LITE => Some(Transport::Udp),
        Carried::SCTP => Some(Transport::Sctp),
        Carried::DCCP => Some(Transport::Dccp),
        _ => None,
    }
}
