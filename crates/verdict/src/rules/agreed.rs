//! Sockets against what was agreed: group-without-session.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Code, Confidence, Transport};

use super::media::is_of_the_network;
use crate::docket::{Cause, Docket};
use crate::judge::{Bench, Listener, say, usual};

/// From here on ports are agreed upon, not assigned (RFC 6335 §6).
const DYNAMIC_PORTS: u16 = 49_152;

/// A socket that joined a group which no session names; and, where sessions are known, one on a port that somebody
/// chose among those that are agreed upon.
pub(crate) fn judge<'a>(
    bench: &Bench<'a>,
    listener: &Listener<'_, 'a>,
    groups: &BTreeMap<(u32, u64), Vec<IpAddr>>,
    docket: &mut Docket<'a>,
) {
    let agreed = bench.facts.agreed;
    if listener.transport != Transport::Udp {
        return;
    }
    let joined = groups.get(&(listener.socket.netns, listener.socket.inode)).map_or(&[][..], Vec::as_slice);
    let code = Code::GroupWithoutSession;
    for group in joined.iter().filter(|group| !is_of_the_network(**group) && !agreed.names(**group)) {
        let cause = Cause::Text(group.to_string());
        docket.raise(code, (usual(code), Confidence::Medium), cause, listener.subject(), || {
            say(
                format!("No session names the group {group}, joined by "),
                "",
                vec![(
                    format!("A socket on UDP port {} joined {group}.", listener.port),
                    "the memberships of this machine".to_owned(),
                )],
                "give the session's description with --sdp or --nmos, or a [[session]] of policy; else leave the group",
            )
        });
    }
    // Where the kernel may have chosen the number nobody agreed upon it, and nobody else hears the loopback.
    let chosen = listener.port >= DYNAMIC_PORTS && !listener.is_ephemeral() && listener.is_beyond_loopback();
    let known = agreed.sessions.len();
    if known > 0 && joined.is_empty() && chosen && agreed.sessions_of(listener.index).is_empty() {
        docket.raise(code, (usual(code), Confidence::Low), listener.cause(), listener.subject(), || {
            say(
                "No session names ",
                ", a port of those that are agreed upon",
                vec![(
                    format!(
                        "Ports from {DYNAMIC_PORTS} on are for agreement; {known} known here speak of others."
                    ),
                    "RFC 6335 §6".to_owned(),
                )],
                "ask its holder what it waits for, and give the session's description with --sdp or --nmos",
            )
        });
    }
}
