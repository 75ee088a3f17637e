//! Which groups this machine has joined: of sockets by a kernel program, of interfaces by /proc/net.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;

use model::media::{Joined, JoinedSocket, Memberships, Sources};
use model::{Area, Gap, Reason};
use wire::joined_record::Record;
use wire::memberships::{self, Filter, Group};

use super::bpf;
use super::namespaces::{self, Entrance};
use super::proc_fd;
use super::sockets::interface_name;

/// Memberships of every namespace that we may enter.
pub fn read() -> Memberships {
    let mut gaps = Vec::new();
    let records = match bpf::joined() {
        Ok((records, 0)) => records,
        Ok((records, left_out)) => {
            let what = "memberships of sockets".to_owned();
            gaps.push(Gap { area: Area::Sockets, reason: Reason::LimitReached, what, count: Some(left_out) });
            records
        }
        Err(error) => {
            let what = format!("which socket joined a group; the interfaces alone are told: {error}");
            gaps.push(Gap { area: Area::Sockets, reason: error.reason(), what, count: None });
            Vec::new()
        }
    };
    let mut joined = of_sockets(&records);
    let own = namespaces::own().unwrap_or(0);
    let (pairs, refused) = namespaces::from_proc(&proc_fd::pids());
    if refused > 0 {
        let what = "namespaces of other users' processes".to_owned();
        gaps.push(Gap { area: Area::Namespaces, reason: Reason::NoPermission, what, count: Some(refused) });
    }
    let mut all = namespaces::all(pairs.into_iter());
    all.entry(own).or_insert(Entrance { inode: own, pid: None, mount: None });
    for (netns, entrance) in all {
        let seen = if netns == own {
            Ok(of_namespace(netns, &mut joined))
        } else {
            namespaces::inside(&entrance, || of_namespace(netns, &mut joined))
        };
        match seen {
            Ok(more) => gaps.extend(more),
            // It went while we looked.
            Err(Reason::Exited) => {}
            Err(reason) => {
                let what = format!("groups joined in the network namespace {netns}");
                gaps.push(Gap { area: Area::Namespaces, reason, what, count: None });
            }
        }
    }
    Memberships { joined, gaps }
}

/// Memberships with their sources; records come in order, a membership before its sources.
fn of_sockets(records: &[Record]) -> Vec<Joined> {
    let key = |record: &Record| (record.netns, record.inode, record.interface, record.group);
    let same = records.chunk_by(|one, other| key(one) == key(other));
    let memberships = same.filter_map(|chunk| {
        let first = chunk.first()?;
        let list: Vec<IpAddr> = chunk.iter().filter_map(|record| record.source).collect();
        let sources = match (first.only, list.is_empty()) {
            (true, _) => Sources::Only(list),
            (false, true) => Sources::Any,
            (false, false) => Sources::AllBut(list),
        };
        Some(Joined {
            group: first.group,
            sources,
            interface: first.interface,
            interface_name: None,
            netns: first.netns,
            socket: Some(JoinedSocket {
                inode: first.inode,
                cookie: (first.cookie != 0).then_some(first.cookie),
                port: (first.port != 0).then_some(first.port),
            }),
            users: 1,
        })
    });
    memberships.collect()
}

/// Names the interfaces in the namespace that the thread is in, and adds what no known socket explains.
fn of_namespace(netns: u32, joined: &mut Vec<Joined>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut names: BTreeMap<u32, Option<String>> = BTreeMap::new();
    let mut name = |index: u32| names.entry(index).or_insert_with(|| interface_name(index)).clone();
    // How many sockets explain a group on an interface.
    let mut explained: BTreeMap<(u32, IpAddr), u32> = BTreeMap::new();
    for it in joined.iter_mut().filter(|it| it.netns == netns) {
        it.interface_name = name(it.interface);
        *explained.entry((it.interface, it.group)).or_default() += 1;
    }
    let mut table = |file: &str| match fs::read_to_string(format!("/proc/thread-self/net/{file}")) {
        Ok(text) => text,
        Err(error) => {
            // A kernel without IPv6 or without multicast has no such table.
            if error.kind() != ErrorKind::NotFound {
                let what = format!("/proc/net/{file}: {error}");
                let reason = match error.kind() {
                    ErrorKind::PermissionDenied => Reason::NoPermission,
                    _ => Reason::Unknown,
                };
                gaps.push(Gap { area: Area::Sockets, reason, what, count: None });
            }
            String::new()
        }
    };
    let (mut groups, mut faults) = memberships::parse_igmp(&table("igmp"));
    let mut filters = Vec::new();
    for (more, bad) in
        [memberships::parse_filters(&table("mcfilter")), memberships::parse_filters(&table("mcfilter6"))]
    {
        filters.extend(more);
        faults.extend(bad);
    }
    let (more, bad) = memberships::parse_igmp6(&table("igmp6"));
    groups.extend(more);
    faults.extend(bad);
    if let Some(fault) = faults.first() {
        let count = u64::try_from(faults.len()).ok();
        gaps.push(Gap { area: Area::Sockets, reason: Reason::Damaged, what: fault.to_string(), count });
    }
    for Group { interface, group, users } in groups {
        let known = explained.get(&(interface, group)).copied().unwrap_or(0);
        if users > known {
            joined.push(Joined {
                group,
                sources: sources(&filters, interface, group, users),
                interface,
                interface_name: name(interface),
                netns,
                socket: None,
                users: users - known,
            });
        }
    }
    gaps
}

/// What all users of a group on an interface want together: sources are only filtered if nobody wants all.
fn sources(filters: &[Filter], interface: u32, group: IpAddr, users: u32) -> Sources {
    let of_group: Vec<&Filter> =
        filters.iter().filter(|it| it.interface == interface && it.group == group).collect();
    let included: Vec<IpAddr> = of_group.iter().filter(|it| it.included > 0).map(|it| it.source).collect();
    let excluded: Vec<IpAddr> =
        of_group.iter().filter(|it| it.excluded >= users).map(|it| it.source).collect();
    if !excluded.is_empty() {
        Sources::AllBut(excluded)
    } else if !included.is_empty() && of_group.iter().all(|it| it.excluded == 0) {
        Sources::Only(included)
    } else {
        Sources::Any
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::linux::sandbox;

    fn inode(socket: &UdpSocket) -> u64 {
        fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap().ino()
    }

    /// Sets loopback up and gives it a route for groups; says why it cannot.
    fn loopback() -> Result<(), String> {
        for words in ["link set lo up multicast on", "route add 224.0.0.0/4 dev lo"] {
            let output = std::process::Command::new("ip").args(words.split(' ')).output();
            let output = output.map_err(|error| error.to_string())?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        Ok(())
    }

    #[test]
    fn groups_are_told_with_their_sockets_and_sources() {
        sandbox::run("memberships of a namespace", || {
            if let Err(why) = loopback() {
                return eprintln!("SKIPPED: memberships of a namespace: {why}");
            }
            let group = Ipv4Addr::new(239, 1, 2, 3);
            let one = UdpSocket::bind("0.0.0.0:5004").unwrap();
            one.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
            let other = UdpSocket::bind("[::]:5006").unwrap();
            let v6: Ipv6Addr = "ff15::420".parse().unwrap();
            other.join_multicast_v6(&v6, 1).unwrap();
            let chosen = Ipv4Addr::new(232, 0, 0, 1);
            let third = UdpSocket::bind("0.0.0.0:5008").unwrap();
            for source in [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)] {
                rustix::net::sockopt::set_ip_add_source_membership(
                    &third,
                    &chosen,
                    &Ipv4Addr::LOCALHOST,
                    &source,
                )
                .unwrap();
            }
            let netns = namespaces::own().unwrap();
            let all = read();
            let here: Vec<&Joined> = all.joined.iter().filter(|it| it.netns == netns).collect();
            let of = |group: IpAddr| here.iter().filter(|it| it.group == group).collect::<Vec<_>>();
            let only =
                Sources::Only(vec![Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into()]);
            for (group, sources, socket, port) in [
                (IpAddr::from(group), Sources::Any, &one, 5004),
                (v6.into(), Sources::Any, &other, 5006),
                (chosen.into(), only, &third, 5008),
            ] {
                let found = of(group);
                assert_eq!(found.len(), 1, "{group}: {here:#?}");
                assert_eq!((found[0].interface, found[0].interface_name.as_deref()), (1, Some("lo")));
                assert_eq!((&found[0].sources, found[0].users), (&sources, 1));
                match &found[0].socket {
                    Some(it) => assert_eq!((it.inode, it.port), (inode(socket), Some(port))),
                    None => {
                        assert!(all.gaps.iter().any(|gap| gap.what.starts_with("which socket")));
                        eprintln!("SKIPPED: sockets of memberships: {:?}", all.gaps);
                    }
                }
            }
            // The kernel itself joined all hosts.
            let own = of(Ipv4Addr::new(224, 0, 0, 1).into());
            assert_eq!((own.len(), own[0].socket.is_none()), (1, true));
        });
    }

    #[test]
    fn filters_of_an_interface_count_together() {
        let [group, source, other]: [IpAddr; 3] =
            [[232, 0, 0, 1], [192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        let filter = |source, included, excluded| Filter { interface: 1, group, source, included, excluded };
        let told = |filters: &[Filter], users| sources(filters, 1, group, users);
        assert_eq!(told(&[], 1), Sources::Any);
        assert_eq!(told(&[filter(source, 1, 0), filter(other, 2, 0)], 3), Sources::Only(vec![source, other]));
        assert_eq!(told(&[filter(source, 0, 2), filter(other, 0, 1)], 2), Sources::AllBut(vec![source]));
        // One of two wants all but it: together they want everything.
        assert_eq!(told(&[filter(source, 1, 1)], 2), Sources::Any);
        assert_eq!(sources(&[filter(source, 1, 0)], 2, group, 1), Sources::Any);
    }
}
