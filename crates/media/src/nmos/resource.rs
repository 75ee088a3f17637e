//! The resources of IS-04, of any version from 1.0 to 1.3.

use model::media::Ratio;
use model::{Tai, Timestamp};
use serde_json::Value;

use super::reading::{self, Object};
use super::{Fault, Faults, Id, Kind};

/// One resource longer than this is left out.
const MOST_BYTES: usize = 1 << 20;

/// What all resources have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// Its number.
    pub id: Id,
    /// When it last changed; the larger one is the later.
    pub version: Option<Timestamp<Tai>>,
    /// Its name. Strangers choose it, as everything here.
    pub label: String,
    /// What people say of it.
    pub description: String,
    /// Tags: groups among them (`urn:x-nmos:tag:grouphint/v1.0`).
    pub tags: Vec<(String, Vec<String>)>,
}

/// What a node's clock follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockReference {
    /// Itself.
    Internal,
    /// PTP.
    Ptp {
        /// `IEEE1588-2008`.
        version: String,
        /// The grandmaster.
        grandmaster: Option<[u8; 8]>,
        /// Whether it leads back to a common time.
        traceable: bool,
        /// Whether the clock is locked to it.
        locked: bool,
    },
}

/// A clock of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// `clk0`.
    pub name: String,
    /// What it follows.
    pub reference: ClockReference,
}

/// A network interface of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The name that `interface_bindings` use.
    pub name: String,
    /// Its hardware address, `74-26-96-db-87-31`.
    pub port_id: String,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What all resources have.
    pub core: Core,
    /// Where its Node API is (v1.0; later versions say it in endpoints, too).
    pub href: String,
    /// Host and port of its Node API.
    pub endpoints: Vec<(String, u16)>,
    /// Its clocks.
    pub clocks: Vec<Clock>,
    /// Its network interfaces (from v1.2).
    pub interfaces: Vec<Interface>,
}

/// An interface by which a device is controlled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Where.
    pub href: String,
    /// Which: `urn:x-nmos:control:sr-ctrl/v1.1`.
    pub kind: String,
    /// Whether it asks who one is.
    pub authorization: bool,
}

/// A part of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What all resources have.
    pub core: Core,
    /// The machine.
    pub node: Option<Id>,
    /// How it is controlled (from v1.1).
    pub controls: Vec<Control>,
    /// Its senders, where it says so.
    pub senders: Vec<Id>,
    /// Its receivers, where it says so.
    pub receivers: Vec<Id>,
}

/// Where essence comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What all resources have.
    pub core: Core,
    /// `urn:x-nmos:format:video`.
    pub format: String,
    /// The device.
    pub device: Option<Id>,
    /// Which of the node's clocks it follows (from v1.1).
    pub clock: Option<String>,
    /// Grains a second (from v1.1).
    pub grain_rate: Option<Ratio>,
    /// Symbols of audio channels, empty text where a channel has none (from v1.1).
    pub channels: Vec<String>,
}

/// A part of a video signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// `Y`, `Cb`.
    pub name: String,
    /// Samples of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bits of a sample.
    pub bits: u32,
}

/// A form of a source's essence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What all resources have.
    pub core: Core,
    /// `urn:x-nmos:format:video`.
    pub format: String,
    /// The source.
    pub source: Option<Id>,
    /// The device (from v1.1).
    pub device: Option<Id>,
    /// `video/raw` (from v1.1).
    pub media_type: Option<String>,
    /// Grains a second, where they differ from the source's (from v1.1).
    pub grain_rate: Option<Ratio>,
    /// Pixels of a row.
    pub width: Option<u32>,
    /// Rows of a frame.
    pub height: Option<u32>,
    /// `progressive`, `interlaced_tff`.
    pub interlace: Option<String>,
    /// `BT709`.
    pub colorspace: Option<String>,
    /// `SDR`.
    pub transfer: Option<String>,
    /// The parts of a raw video signal.
    pub components: Vec<Component>,
    /// Audio samples a second.
    pub sample_rate: Option<Ratio>,
    /// Bits of an audio sample.
    pub bits: Option<u32>,
    /// Kinds of ancillary data, as DID and SDID (from v1.3).
    pub ancillary: Vec<(u8, u8)>,
    /// kbit/s of coded essence.
    pub bit_rate: Option<u64>,
}

/// What puts a flow on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// What all resources have.
    pub core: Core,
    /// The flow.
    pub flow: Option<Id>,
    /// `urn:x-nmos:transport:rtp.mcast`.
    pub transport: String,
    /// The device.
    pub device: Option<Id>,
    /// Where its transport file is.
    pub manifest: Option<String>,
    /// The interfaces it uses, one for each leg (from v1.2).
    pub interfaces: Vec<String>,
    /// Whether it sends (from v1.2).
    pub active: Option<bool>,
    /// The receiver it is connected to, where it is one.
    pub receiver: Option<Id>,
    /// `2110TPW`, where it says so.
    pub sender_type: Option<String>,
}

/// What takes a flow from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// What all resources have.
    pub core: Core,
    /// `urn:x-nmos:format:video`.
    pub format: String,
    /// `urn:x-nmos:transport:rtp`.
    pub transport: String,
    /// The device.
    pub device: Option<Id>,
    /// Media types that it takes (from v1.1).
    pub media_types: Vec<String>,
    /// The interfaces it uses, one for each leg (from v1.2).
    pub interfaces: Vec<String>,
    /// Whether it receives (from v1.2).
    pub active: Option<bool>,
    /// The sender it is connected to, where it is one.
    pub sender: Option<Id>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as its type")]
pub enum Resource {
    Node(Node),
    Device(Device),
    Source(Source),
    Flow(Flow),
    Sender(Sender),
    Receiver(Receiver),
}

impl Resource {
    /// What all resources have.
    pub fn core(&self) -> &Core {
        match self {
            Resource::Node(it) => &it.core,
            Resource::Device(it) => &it.core,
            Resource::Source(it) => &it.core,
            Resource::Flow(it) => &it.core,
            Resource::Sender(it) => &it.core,
            Resource::Receiver(it) => &it.core,
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Resource::Node(_) => Kind::Node,
            Resource::Device(_) => Kind::Device,
            Resource::Source(_) => Kind::Source,
            Resource::Flow(_) => Kind::Flow,
            Resource::Sender(_) => Kind::Sender,
            Resource::Receiver(_) => Kind::Receiver,
        }
    }
}

/// Reads a list of resources of one kind, or a single one.
pub fn parse_page(kind: Kind, body: &[u8]) -> (Vec<Resource>, Vec<Fault>) {
    let mut all = Vec::new();
    let faults = each(kind, body, |resource, _| all.push(resource));
    (all, faults)
}

/// The same, one by one, each with the length of its text.
pub(super) fn each(kind: Kind, body: &[u8], mut take: impl FnMut(Resource, usize)) -> Vec<Fault> {
    let mut faults = Faults::default();
    let mut index = 0_usize;
    reading::each_element(body, &mut faults, |text, faults| {
        let at = format!("/{index}");
        index += 1;
        let text = text.get();
        if text.len() > MOST_BYTES {
            return faults.note("too long a resource", || at);
        }
        match serde_json::from_str(text) {
            Ok(value) => {
                if let Some(resource) = parse(kind, &value, at, faults) {
                    take(resource, text.len());
                }
            }
            Err(_) => faults.note("not JSON", || at),
        }
    });
    faults.list()
}

/// Reads one resource that stands at `at`.
pub(super) fn parse(kind: Kind, value: &Value, at: String, faults: &mut Faults) -> Option<Resource> {
    let object = Object::of(value, at, faults)?;
    let core = core(&object, faults)?;
    Some(match kind {
        Kind::Node => Resource::Node(node(&object, core, faults)),
        Kind::Device => Resource::Device(device(&object, core, faults)),
        Kind::Source => Resource::Source(source(&object, core, faults)),
        Kind::Flow => Resource::Flow(flow(&object, core, faults)),
        Kind::Sender => Resource::Sender(sender(&object, core, faults)),
        Kind::Receiver => Resource::Receiver(receiver(&object, core, faults)),
    })
}

fn core(object: &Object<'_>, faults: &mut Faults) -> Option<Core> {
    let tags = object.object("tags", faults);
    let names = tags.iter().flat_map(Object::names).take(64);
    let tags_read: Vec<(String, Vec<String>)> = names
        .filter_map(|name| Some((reading::shortened(name), tags.as_ref()?.texts(name, faults))))
        .collect();
    Some(Core {
        id: object.own_id(faults)?,
        version: object.time("version", faults),
        label: object.text("label", faults).unwrap_or_default(),
        description: object.text("description", faults).unwrap_or_default(),
        tags: tags_read,
    })
}

fn node(object: &Object<'_>, core: Core, faults: &mut Faults) -> Node {
    let api = object.object("api", faults);
    let endpoints = api.map(|api| {
        api.objects("endpoints", faults, |it, faults| {
            Some((it.text("host", faults)?, it.number("port", faults)?))
        })
    });
    Node {
        core,
        href: object.text("href", faults).unwrap_or_default(),
        endpoints: endpoints.unwrap_or_default(),
        clocks: object.objects("clocks", faults, |it, faults| clock(&it, faults)),
        interfaces: object.objects("interfaces", faults, |it, faults| {
            Some(Interface {
                name: it.text("name", faults)?,
                port_id: it.text("port_id", faults).unwrap_or_default(),
            })
        }),
    }
}

fn clock(object: &Object<'_>, faults: &mut Faults) -> Option<Clock> {
    let name = object.text("name", faults)?;
    let reference = match object.text("ref_type", faults)?.as_str() {
        "ptp" => ClockReference::Ptp {
            version: object.text("version", faults).unwrap_or_default(),
            grandmaster: object.text("gmid", faults).and_then(|text| eui64(&text)),
            traceable: object.flag("traceable", faults).unwrap_or(false),
            locked: object.flag("locked", faults).unwrap_or(false),
        },
        _ => ClockReference::Internal,
    };
    Some(Clock { name, reference })
}

/// `08-00-11-ff-fe-21-e1-b0`.
fn eui64(text: &str) -> Option<[u8; 8]> {
    let mut octets = [0; 8];
    let mut parts = text.split('-');
    for octet in &mut octets {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(octets)
}

fn device(object: &Object<'_>, core: Core, faults: &mut Faults) -> Device {
    Device {
        core,
        node: object.id("node_id", faults),
        controls: object.objects("controls", faults, |it, faults| {
            Some(Control {
                href: it.text("href", faults)?,
                kind: it.text("type", faults)?,
                authorization: it.flag("authorization", faults).unwrap_or(false),
            })
        }),
        senders: object.ids("senders", faults),
        receivers: object.ids("receivers", faults),
    }
}

fn source(object: &Object<'_>, core: Core, faults: &mut Faults) -> Source {
    Source {
        core,
        format: object.text("format", faults).unwrap_or_default(),
        device: object.id("device_id", faults),
        clock: object.text("clock_name", faults),
        grain_rate: object.ratio("grain_rate", faults),
        channels: object
            .objects("channels", faults, |it, faults| Some(it.text("symbol", faults).unwrap_or_default())),
    }
}

fn flow(object: &Object<'_>, core: Core, faults: &mut Faults) -> Flow {
    Flow {
        core,
        format: object.text("format", faults).unwrap_or_default(),
        source: object.id("source_id", faults),
        device: object.id("device_id", faults),
        media_type: object.text("media_type", faults),
        grain_rate: object.ratio("grain_rate", faults),
        width: object.number("frame_width", faults),
        height: object.number("frame_height", faults),
        interlace: object.text("interlace_mode", faults),
        colorspace: object.text("colorspace", faults),
        transfer: object.text("transfer_characteristic", faults),
        components: object.objects("components", faults, |it, faults| {
            Some(Component {
                name: it.text("name", faults)?,
                width: it.number("width", faults)?,
                height: it.number("height", faults)?,
                bits: it.number("bit_depth", faults)?,
            })
        }),
        sample_rate: object.ratio("sample_rate", faults),
        bits: object.number("bit_depth", faults),
        ancillary: object.objects("DID_SDID", faults, |it, faults| {
            let number = |text: String| u8::from_str_radix(text.strip_prefix("0x")?, 16).ok();
            Some((number(it.text("DID", faults)?)?, number(it.text("SDID", faults)?)?))
        }),
        bit_rate: object.number("bit_rate", faults),
    }
}

fn sender(object: &Object<'_>, core: Core, faults: &mut Faults) -> Sender {
    let subscription = object.object("subscription", faults);
    let subscription = subscription.as_ref();
    Sender {
        core,
        flow: object.id("flow_id", faults),
        transport: object.text("transport", faults).unwrap_or_default(),
        device: object.id("device_id", faults),
        manifest: object.text("manifest_href", faults),
        interfaces: object.texts("interface_bindings", faults),
        active: subscription.and_then(|it| it.flag("active", faults)),
        receiver: subscription.and_then(|it| it.id("receiver_id", faults)),
        sender_type: object.text("st2110_21_sender_type", faults),
    }
}

fn receiver(object: &Object<'_>, core: Core, faults: &mut Faults) -> Receiver {
    let subscription = object.object("subscription", faults);
    let subscription = subscription.as_ref();
    let caps = object.object("caps", faults);
    Receiver {
        core,
        format: object.text("format", faults).unwrap_or_default(),
        transport: object.text("transport", faults).unwrap_or_default(),
        device: object.id("device_id", faults),
        media_types: caps.map(|caps| caps.texts("media_types", faults)).unwrap_or_default(),
        interfaces: object.texts("interface_bindings", faults),
        active: subscription.and_then(|it| it.flag("active", faults)),
        sender: subscription.and_then(|it| it.id("sender_id", faults)),
    }
}
