//! nftables over netlink (Linux `include/uapi/linux/netfilter/nf_tables.h`): tables, chains, rules and sets as the
//! kernel dumps them, and the ports that their address translation publishes.
//!
//! Every number in an attribute is big-endian; what registers hold is in the order of the packet.

mod evaluate;
mod ruleset;
mod state;

pub use evaluate::forwards;
pub use ruleset::{Chain, Element, Ruleset, Set, SetKey};

use crate::cursor::array;
use crate::netlink::{Attribute, DUMP, Request, attributes};

/// `NFNL_SUBSYS_NFTABLES`, in the upper byte of a message kind.
const SUBSYSTEM: u16 = 10 << 8;
/// Bytes of `struct nfgenmsg`, which begins every body.
const BODY_BYTES: usize = 4;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Every table.
    Tables,
    /// Every chain.
    Chains,
    /// The rules of one table.
    Rules(u8, &'a [u8]),
    /// The sets of one table, without their elements.
    Sets(u8, &'a [u8]),
    /// The elements of one set: family, table, set.
    Elements(u8, &'a [u8], &'a [u8]),
}

impl Ask<'_> {
    /// The request that asks for it.
    pub fn request(self) -> Request {
        // NFT_MSG_GETTABLE, GETCHAIN, GETRULE, GETSET, GETSETELEM
        let (kind, family) = match self {
            Ask::Tables => (1, 0),
            Ask::Chains => (4, 0),
            Ask::Rules(family, _) => (7, family),
            Ask::Sets(family, _) => (10, family),
            Ask::Elements(family, ..) => (13, family),
        };
        let request = Request::new(SUBSYSTEM | kind, DUMP).body(&[family, 0, 0, 0]);
        match self {
            Ask::Tables | Ask::Chains => request,
            Ask::Rules(_, table) | Ask::Sets(_, table) => request.attribute(1, &terminated(table)),
            Ask::Elements(_, table, set) => {
                request.attribute(1, &terminated(table)).attribute(2, &terminated(set))
            }
        }
    }
}

fn terminated(name: &[u8]) -> alloc::vec::Vec<u8> {
    [name, &[0]].concat()
}

/// The payload of the attribute of this kind; of the last one, if there are several, as the kernel itself reads them.
fn find(block: &[u8], kind: u16) -> Option<&[u8]> {
    readable(block).filter(|attribute| attribute.kind == kind).last().map(|attribute| attribute.payload)
}

/// The attributes up to the first damaged one.
fn readable(block: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    attributes(block).map_while(Result::ok)
}

fn number(block: &[u8], kind: u16) -> Option<u32> {
    find(block, kind).and_then(|payload| array(payload, 0)).map(u32::from_be_bytes)
}

/// A name without its final NUL.
fn name(block: &[u8], kind: u16) -> Option<&[u8]> {
    find(block, kind).map(|payload| payload.strip_suffix(&[0]).unwrap_or(payload))
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let (mut ruleset, mut turned) = (Ruleset::default(), Ruleset::default());
    let messages: alloc::vec::Vec<_> = crate::netlink::messages(bytes).map_while(Result::ok).collect();
    for message in &messages {
        ruleset.take(message);
    }
    // Chains and sets may come in any order around the rules; only rules are ordered among themselves.
    let rules = |message: &&crate::netlink::Message<'_>| message.kind & 0xff == 6;
    messages.iter().filter(rules).for_each(|message| turned.take(message));
    messages.iter().filter(|message| !rules(message)).for_each(|message| turned.take(message));
    let found = forwards(&ruleset, 7);
    assert_eq!(found, forwards(&turned, 7));
    assert!(found.list.len() <= crate::published::MAX_FORWARDS);
    for forward in &found.list {
        assert!(forward.first >= 1 && forward.first <= forward.last && forward.netns == 7);
        assert!(forward.rule.starts_with("nftables "));
    }
    assert!(found.list.is_sorted_by_key(|forward| (forward.transport, forward.first)));
}

#[cfg(test)]
mod tests;
