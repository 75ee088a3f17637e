//! Ports that the namespace's address translation publishes, with no socket behind them.
//!
//! Both rule sets of the kernel are asked: nftables, where today's iptables writes as well, and the old tables of
//! iptables. Asking nftables may let the kernel load `nf_tables`, as `nft list ruleset` does; an old table that
//! nobody made is not asked for, because that would make it.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use model::{Area, Forward, Gap, Reason};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use wire::iptables;
use wire::nftables::{self, Ask, Ruleset};
use wire::published::Published;

use super::netlink::{Error, Socket};
use super::socket_option;

/// How often the rules are read anew because they changed meanwhile.
const ATTEMPTS: u32 = 6;
/// How long they get to come to rest, the more the later.
const REST: Duration = Duration::from_millis(10);

/// Reads them in the network namespace of the calling thread, whose inode number is `netns`.
pub fn read(netns: u32) -> (Vec<Forward>, Vec<Gap>) {
    let mut forwards = Vec::new();
    let mut gaps = Vec::new();
    let mut keep = |what: &str, found: Result<Published, Reason>| {
        let mut gap =
            |reason, count| gaps.push(Gap { area: Area::Forwards, reason, what: what.to_owned(), count });
        match found {
            Ok(published) => {
                if published.dropped > 0 {
                    gap(Reason::LimitReached, None);
                }
                if published.damaged > 0 {
                    gap(Reason::Damaged, Some(published.damaged));
                }
                forwards.extend(published.list);
            }
            Err(reason) => gap(reason, None),
        }
    };
    keep("nftables rules", from_nftables(netns));
    keep("old iptables rules for IPv4", from_iptables(false, netns));
    keep("old iptables rules for IPv6", from_iptables(true, netns));
    (forwards, gaps)
}

fn from_nftables(netns: u32) -> Result<Published, Reason> {
    let ruleset = match collect() {
        Ok(ruleset) => ruleset,
        // Neither this protocol nor nf_tables is there: there are no rules.
        Err(Error::Refused(Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT | Errno::INVAL | Errno::OPNOTSUPP)) => {
            return Ok(Published::default());
        }
        Err(Error::Refused(Errno::PERM | Errno::ACCESS)) => return Err(Reason::NoPermission),
        Err(Error::Lost | Error::Damaged(_)) => return Err(Reason::Damaged),
        Err(Error::Refused(_)) => return Err(Reason::Unknown),
    };
    let mut published = nftables::forwards(&ruleset, netns);
    let (dropped, damaged) = ruleset.left_out();
    published.dropped += dropped + u64::from(ruleset.changed());
    published.damaged += damaged;
    Ok(published)
}

/// Reads the rules until they are one state, or too often.
fn collect() -> Result<Ruleset, Error> {
    let mut socket = Socket::open(Some(rustix::net::netlink::NETFILTER))?;
    let mut attempt = 1;
    loop {
        match collect_once(&mut socket) {
            // A table or set that is gone by now.
            Err(Error::Refused(Errno::NOENT)) if attempt < ATTEMPTS => {}
            Ok(ruleset) if ruleset.changed() && attempt < ATTEMPTS => {}
            answer => return answer,
        }
        std::thread::park_timeout(REST * attempt);
        attempt += 1;
    }
}

fn collect_once(socket: &mut Socket) -> Result<Ruleset, Error> {
    let mut ruleset = Ruleset::default();
    let mut ask = |ruleset: &mut Ruleset, what: Ask<'_>| {
        socket
            .dump(&mut what.request(), ruleset, Ruleset::spoil, |ruleset, message| ruleset.take(message))
            .map(|_| ())
    };
    ask(&mut ruleset, Ask::Tables)?;
    if ruleset.is_empty() {
        return Ok(ruleset);
    }
    ask(&mut ruleset, Ask::Chains)?;
    for (family, table) in ruleset.tables() {
        ask(&mut ruleset, Ask::Rules(family, &table))?;
        ask(&mut ruleset, Ask::Sets(family, &table))?;
    }
    for (family, table, set) in ruleset.wanted_sets() {
        ask(&mut ruleset, Ask::Elements(family, &table, &set))?;
    }
    Ok(ruleset)
}

fn from_iptables(v6: bool, netns: u32) -> Result<Published, Reason> {
    let list = if v6 { "ip6_tables_names" } else { "ip_tables_names" };
    // Not /proc/net: that is the namespace of the process, not of this thread.
    match fs::read(format!("/proc/thread-self/net/{list}")) {
        Ok(names) if iptables::has_nat(&names) => {}
        Ok(_) => return Ok(Published::default()),
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound => Ok(Published::default()),
                ErrorKind::PermissionDenied => Err(Reason::NoPermission),
                _ => Err(Reason::Unknown),
            };
        }
    }
    let reason = |errno| match errno {
        Errno::PERM | Errno::ACCESS => Reason::NoPermission,
        _ => Reason::Unknown,
    };
    let family = if v6 { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None).map_err(reason)?;
    for _ in 0..ATTEMPTS {
        let mut head = vec![0; iptables::INFO_BYTES];
        name_table(&mut head);
        socket_option::read(&socket, v6, socket_option::Ask::Info, &mut head).map_err(reason)?;
        let info = iptables::parse_info(&head).map_err(|_| Reason::Damaged)?;
        let mut table = vec![0; iptables::ENTRIES_AT.saturating_add(info.size as usize)];
        name_table(&mut table);
        if let Some(size) = table.get_mut(32..36) {
            size.copy_from_slice(&info.size.to_ne_bytes());
        }
        match socket_option::read(&socket, v6, socket_option::Ask::Entries, &mut table) {
            Ok(()) => {
                let entries = table.get(iptables::ENTRIES_AT..).unwrap_or_default();
                return Ok(iptables::forwards(&info, entries, v6, netns));
            }
            // The table has another size by now.
            Err(Errno::AGAIN | Errno::INVAL) => {}
            Err(errno) => return Err(reason(errno)),
        }
    }
    Err(Reason::LimitReached)
}

fn name_table(request: &mut [u8]) {
    request.iter_mut().zip(b"nat\0").for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests;
