//! The parameters of a connection as they are in force: IS-05's active endpoints and transport files (IS-05 v1.1).

use std::net::{IpAddr, SocketAddr};

use model::media::{Leg as SessionLeg, Sources};
use model::{Tai, Timestamp};

use super::reading::{self, Object};
use super::{Fault, Faults, Id, Side};

/// Legs that are kept of one end.
pub(super) const MOST_LEGS: usize = 8;

/// A transport file longer than this is not kept.
const MOST_FILE_BYTES: usize = 64 << 10;

/// Where the port is not said (IS-05 v1.1, `destination_port`).
const DEFAULT_PORT: u16 = 5004;

/// One leg of an end: the transport parameters of RTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leg {
    /// Who sends.
    pub source: Option<IpAddr>,
    /// A sender's destination, a receiver's multicast group.
    pub destination: Option<IpAddr>,
    /// The interface that a receiver takes it from; the destination of unicast.
    pub interface: Option<IpAddr>,
    /// The port from which a sender sends.
    pub source_port: Option<u16>,
    /// The port to which packets go.
    pub destination_port: Option<u16>,
    /// Whether the leg is in use.
    pub enabled: bool,
    /// Where RTCP goes, where it is used.
    pub rtcp: Option<(Option<IpAddr>, Option<u16>)>,
    /// Parameters that still say `auto`, which must not be in force (IS-05 v1.1, "Behaviour").
    pub automatic: Vec<String>,
}

impl Leg {
    /// Where the packets go, as far as it is settled; `None` where the leg is off or nothing was said.
    pub fn endpoint(&self) -> Option<SessionLeg> {
        let ip = self.destination.or(self.interface).filter(|ip| self.enabled && !ip.is_unspecified())?;
        let port = self.destination_port.unwrap_or(DEFAULT_PORT);
        let sources = self.source.filter(|source| !source.is_unspecified());
        let rtcp = self.rtcp.map(|(to, rtcp_port)| {
            SocketAddr::new(to.unwrap_or(ip), rtcp_port.unwrap_or(port.saturating_add(1)))
        });
        Some(SessionLeg {
            destination: SocketAddr::new(ip, port),
            sources: sources.map_or(Sources::Any, |source| Sources::Only(vec![source])),
            rtcp,
            ttl: None,
        })
    }
}

/// A transport file as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransportFile {
    /// Its text.
    pub text: Vec<u8>,
}

impl TransportFile {
    /// Keeps a file that is not too long.
    pub fn of(text: &[u8]) -> Option<TransportFile> {
        (!text.trim_ascii().is_empty() && text.len() <= MOST_FILE_BYTES)
            .then(|| TransportFile { text: text.to_vec() })
    }
}

/// What is in force at one end: an `active` (or `staged`) document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Active {
    /// Whether the end works at all.
    pub enabled: bool,
    /// The other end, where it is one that NMOS knows.
    pub peer: Option<Id>,
    /// Since when it is in force.
    pub activated: Option<Timestamp<Tai>>,
    /// The legs.
    pub legs: Vec<Leg>,
    /// What a receiver was given.
    pub file: Option<TransportFile>,
}

/// Reads an `active` or `staged` document.
pub fn parse_active(side: Side, body: &[u8]) -> (Option<Active>, Vec<Fault>) {
    let mut faults = Faults::default();
    let active = read(side, body, &mut faults);
    (active, faults.list())
}

fn read(side: Side, body: &[u8], faults: &mut Faults) -> Option<Active> {
    let document = reading::document(body, faults)?;
    let object = Object::of(&document, String::new(), faults)?;
    if !object.has("transport_params") && !object.has("master_enable") {
        faults.note("no parameters of a transport", String::new);
        return None;
    }
    let file = object.object("transport_file", faults);
    let text = file.and_then(|file| file.whole_text("data", faults));
    let peer = match side {
        Side::Sender => object.id("receiver_id", faults),
        Side::Receiver => object.id("sender_id", faults),
    };
    let activation = object.object("activation", faults);
    let mut legs = object.objects("transport_params", faults, |it, faults| Some(leg(side, &it, faults)));
    if legs.len() > MOST_LEGS {
        faults.note("more legs than are kept", || "/transport_params".into());
        legs.truncate(MOST_LEGS);
    }
    Some(Active {
        enabled: object.flag("master_enable", faults).unwrap_or(false),
        peer,
        activated: activation.and_then(|it| it.time("activation_time", faults)),
        legs,
        file: text.and_then(|text| TransportFile::of(text.as_bytes())),
    })
}

fn leg(side: Side, object: &Object<'_>, faults: &mut Faults) -> Leg {
    let mut leg = Leg::default();
    for name in object.names() {
        // Only texts can say it.
        if object.whole_text(name, &mut Faults::default()) == Some("auto") && leg.automatic.len() < 32 {
            leg.automatic.push(name.chars().take(64).collect());
        }
    }
    let settled = |name: &str| !leg.automatic.iter().any(|automatic| automatic == name);
    let address = |name: &str, faults: &mut Faults| {
        let text = settled(name).then(|| object.text(name, faults)).flatten()?;
        let address = text.parse().ok();
        if address.is_none() {
            faults.note("not an address", || format!("/transport_params/{name}"));
        }
        address
    };
    let port = |name: &str, faults: &mut Faults| settled(name).then(|| object.number(name, faults)).flatten();
    let source = address("source_ip", faults);
    let (destination, interface) = match side {
        Side::Sender => (address("destination_ip", faults), None),
        Side::Receiver => (address("multicast_ip", faults), address("interface_ip", faults)),
    };
    let (source_port, destination_port) = (port("source_port", faults), port("destination_port", faults));
    let rtcp = object
        .flag("rtcp_enabled", faults)
        .unwrap_or(false)
        .then(|| (address("rtcp_destination_ip", faults), port("rtcp_destination_port", faults)));
    // What is not said is on: receivers of other transports than RTP have no such member.
    let enabled = object.flag("rtp_enabled", faults).unwrap_or(true);
    Leg {
        source,
        destination,
        interface,
        source_port,
        destination_port,
        enabled,
        rtcp,
        automatic: leg.automatic,
    }
}
