//! What two sides have said so far: all that a recogniser sees of a flow.

use model::Transport;

use crate::recognise::{By, Claim};

/// The first bytes of a flow, by side.
#[derive(Debug, Clone, Copy)]
pub struct Talk<'a> {
    /// The transport.
    pub transport: Transport,
    /// What the client said: who opened, or who is seen first.
    pub client: Said<'a>,
    /// What the server said.
    pub server: Said<'a>,
    /// Whether no more will come: the flow has ended, or as much was kept as is ever kept.
    pub ended: bool,
    /// Whether particulars are wanted: of a flow whose service finds no room, the name of its protocol is all that is.
    pub particulars: bool,
}

impl<'a> Talk<'a> {
    /// A claim without particulars. Those of a client's word are wanted once nothing more comes: until then it is not
    /// the last, and the talk is looked at again.
    pub fn claim(&self, by: By, bits: u8, rule: &'static str) -> Claim {
        Claim {
            by,
            bits,
            rule,
            particulars: self.particulars && (self.ended || by != By::Client),
            details: Vec::new(),
            certificate: None,
            more: false,
        }
    }

    /// Whether the transport keeps messages apart.
    pub fn is_datagrams(&self) -> bool {
        matches!(self.transport, Transport::Udp | Transport::Dccp)
    }

    /// The same with the sides exchanged.
    #[must_use]
    pub fn reversed(self) -> Talk<'a> {
        Talk { client: self.server, server: self.client, ..self }
    }
}

/// The first bytes of one side: a stream in order from its beginning, or a few datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    bytes: &'a [u8],
    /// Where each datagram ends in `bytes`; empty for a stream.
    ends: &'a [u32],
    /// How many bytes each datagram had beyond those that are here; empty where all are whole.
    missing: &'a [u32],
    /// Whether the first byte is really the first: the opening was seen and nothing before it is missing.
    pub from_start: bool,
}

impl<'a> Said<'a> {
    /// The beginning of a stream.
    pub fn stream(bytes: &'a [u8], from_start: bool) -> Said<'a> {
        Said { bytes, ends: &[], missing: &[], from_start }
    }

    /// Datagrams that lie one behind the other; `ends` is where each ends, in order.
    pub fn datagrams(bytes: &'a [u8], ends: &'a [u32]) -> Said<'a> {
        Said { bytes, ends, missing: &[], from_start: true }
    }

    /// The same, where datagrams were longer than what is here: by `missing` bytes each, in order.
    #[must_use]
    pub fn cut(self, missing: &'a [u32]) -> Said<'a> {
        Said { missing, ..self }
    }

    /// How many bytes the first datagram had beyond those that are here.
    pub fn missing(&self) -> usize {
        self.missing.first().map_or(0, |missing| *missing as usize)
    }

    /// Each datagram, and how many bytes it had beyond those that are here.
    pub fn cut_pieces(&self) -> impl Iterator<Item = (&'a [u8], usize)> + use<'a> {
        let missing = self.missing.iter().map(|missing| *missing as usize);
        self.pieces().zip(missing.chain(core::iter::repeat(0)))
    }

    /// Whether this side said nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The stream as far as it is known, or the first datagram.
    pub fn bytes(&self) -> &'a [u8] {
        match self.ends.first() {
            Some(end) => self.bytes.get(..*end as usize).unwrap_or(self.bytes),
            None => self.bytes,
        }
    }

    /// Each datagram, or the stream as one piece.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (bytes, ends) = (self.bytes, self.ends);
        let whole = (ends.is_empty() && !bytes.is_empty()).then_some(bytes);
        let mut start = 0;
        let each = ends.iter().filter_map(move |end| {
            let piece = bytes.get(start..*end as usize);
            start = *end as usize;
            piece
        });
        whole.into_iter().chain(each)
    }
}
