//! Made-up dumps and walks, joined.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use model::{Area, Family, Scope};
use wire::holder_record::Open;
use wire::sock_diag::state;

use super::super::bpf::Asked;
use super::*;

const HERE: u32 = 100;
const ELSEWHERE: u32 = 200;

/// A listener without holders.
pub(in crate::linux) fn socket(kind: Kind, inode: u64, port: u16) -> Socket {
    Socket {
        kind,
        family: Family::V4,
        local: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port),
        peer: None,
        state: State::Listening,
        scope: Scope::Any,
        interface: None,
        netns: HERE,
        inode,
        cookie: inode + 1000,
        uid: Some(0),
        queued: None,
        backlog: None,
        holders: Vec::new(),
        holders_missing: None,
        activation: None,
        seen_by: Views::SOCK_DIAG,
        hidden_from: Views::default(),
    }
}

fn dumps(sockets: Vec<Socket>) -> Dumps {
    Dumps::from([(HERE, Ok(Found { sockets, ..Found::default() }))])
}

fn holder(pid: u32) -> Holder {
    Holder { pid, tid: None, fd: Some(3), how: How::BpfIterator }
}

/// What the kernel program tells of a TCP listener.
fn open(inode: u64, pid: u32, port: u16) -> Open {
    Open {
        inode,
        cookie: inode + 1000,
        pid,
        tid: pid,
        fd: 3,
        netns: HERE,
        interface: 0,
        family: 2,
        protocol: 6,
        port,
        peer_port: 0,
        state: state::LISTEN,
        kind: 1,
        address: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    }
}

fn by_kernel(open: Vec<Open>) -> Held {
    let entries = open.iter().map(|open| (open.inode, holder(open.pid))).collect();
    Held::made_up(entries, open, How::BpfIterator, 0)
}

/// The reason where every process could be read: in a PID namespace of our own there may be others.
fn or_elsewhere(reason: Reason) -> Reason {
    let all = holder_reasons(&by_kernel(Vec::new())).own_pid_namespace_is_first;
    if all { reason } else { Reason::OtherPidNamespace }
}

fn of(joined: &Joined, inode: u64) -> &Socket {
    let found: Vec<_> = joined.sockets.iter().filter(|socket| socket.inode == inode).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

fn pids(socket: &Socket) -> Vec<u32> {
    socket.holders.iter().map(|holder| holder.pid).collect()
}

#[test]
fn every_holder_goes_to_its_socket() {
    let held = by_kernel(vec![open(5, 1, 80), open(5, 9, 80), open(7, 2, 81)]);
    let joined = join(&mut dumps(vec![socket(Kind::Tcp, 7, 81), socket(Kind::Tcp, 5, 80)]), &held);
    assert_eq!(pids(of(&joined, 5)), [1, 9]);
    assert_eq!(pids(of(&joined, 7)), [2]);
    assert!(joined.doubtful.is_empty() && joined.gaps.is_empty());
    assert!(joined.sockets.iter().all(|socket| socket.seen_by.has(Views::BPF)));
}

#[test]
fn rows_with_one_inode_have_the_same_holders_and_no_inode_has_none() {
    let rows = vec![socket(Kind::Tcp, 5, 80), socket(Kind::Udp, 0, 81), socket(Kind::Udp, 0, 82)];
    let joined = join(&mut dumps(rows), &by_kernel(vec![open(5, 1, 80)]));
    assert_eq!(pids(of(&joined, 5)), [1]);
    let ends: Vec<_> = joined.sockets.iter().filter(|socket| socket.inode == 0).collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|s| s.holders_missing == Some(or_elsewhere(Reason::KernelOwned))), "{ends:?}");
    assert!(joined.doubtful.is_empty(), "there is nothing to look for again");
}

#[test]
fn a_listener_without_a_holder_is_looked_at_again_and_then_no_process_has_it() {
    let rows = || dumps(vec![socket(Kind::Tcp, 5, 80)]);
    let joined = join(&mut rows(), &by_kernel(Vec::new()));
    assert_eq!(joined.doubtful, FxHashSet::from_iter([5]));
    assert_eq!(of(&joined, 5).holders_missing, Some(or_elsewhere(Reason::Exited)));
    let again = join_again(rows(), &by_kernel(Vec::new()), &joined.doubtful);
    assert_eq!(of(&again, 5).holders_missing, Some(or_elsewhere(Reason::InFlight)));
    let found = join_again(rows(), &by_kernel(vec![open(5, 4, 80)]), &joined.doubtful);
    assert_eq!((pids(of(&found, 5)), of(&found, 5).holders_missing), (vec![4], None));
}

#[test]
fn a_connection_may_outlive_its_process() {
    let mut closing = socket(Kind::Tcp, 5, 80);
    closing.state = State::Closing;
    let joined = join(&mut dumps(vec![closing]), &by_kernel(Vec::new()));
    assert!(joined.doubtful.is_empty());
    assert_eq!(of(&joined, 5).holders_missing, None);
}

#[test]
fn what_only_the_walk_shows_twice_is_hidden_from_the_dump() {
    let held = by_kernel(vec![open(5, 1, 420)]);
    let joined = join(&mut dumps(Vec::new()), &held);
    assert!(joined.sockets.is_empty());
    assert_eq!(joined.doubtful, FxHashSet::from_iter([5]));
    let again = join_again(dumps(Vec::new()), &held, &joined.doubtful);
    let hidden = of(&again, 5);
    assert_eq!((hidden.hidden_from, hidden.seen_by), (Views::SOCK_DIAG, Views::BPF));
    assert_eq!((hidden.local.to_string(), pids(hidden)), ("127.0.0.1:420".to_owned(), vec![1]));
    assert!(again.unentered.is_empty());
}

#[test]
fn what_came_after_the_dump_is_late_and_not_hidden() {
    let again = join_again(dumps(Vec::new()), &by_kernel(vec![open(5, 1, 420)]), &FxHashSet::default());
    assert!(again.sockets.is_empty());
}

#[test]
fn a_bound_socket_that_the_dump_does_not_show_is_not_hidden() {
    let mut bound = open(5, 1, 7777);
    bound.state = state::CLOSE;
    let again = join_again(dumps(Vec::new()), &by_kernel(vec![bound]), &FxHashSet::from_iter([5]));
    let socket = of(&again, 5);
    assert_eq!((socket.state, socket.hidden_from), (State::Bound, Views::default()));
}

#[test]
fn a_namespace_without_a_way_in_hides_nothing() {
    let mut far = open(5, 1, 80);
    far.netns = ELSEWHERE;
    let held = by_kernel(vec![far]);
    let again = join_again(dumps(Vec::new()), &held, &FxHashSet::from_iter([5]));
    assert_eq!((of(&again, 5).netns, of(&again, 5).hidden_from), (ELSEWHERE, Views::default()));
    assert_eq!(again.unentered, BTreeSet::from([ELSEWHERE]));
    // One that we know and may not enter has its own gap.
    let mut refused = dumps(Vec::new());
    refused.insert(ELSEWHERE, Err(Reason::NoPermission));
    let again = join_again(refused, &held, &FxHashSet::from_iter([5]));
    assert_eq!((again.sockets.len(), again.unentered.len()), (1, 0));
    assert_eq!(of(&again, 5).hidden_from, Views::default());
}

#[test]
fn multipath_is_one_row_with_its_holder() {
    let mut multipath = open(5, 1, 80);
    multipath.protocol = 262;
    let held = by_kernel(vec![multipath]);
    let joined = join(&mut dumps(vec![socket(Kind::Mptcp, 5, 80)]), &held);
    assert_eq!(pids(of(&joined, 5)), [1]);
    let hidden = join_again(dumps(Vec::new()), &held, &FxHashSet::from_iter([5]));
    assert_eq!((of(&hidden, 5).kind, of(&hidden, 5).hidden_from), (Kind::Mptcp, Views::SOCK_DIAG));
}

#[test]
fn a_kind_that_is_not_dumped_is_not_missing() {
    let held = by_kernel(vec![open(5, 1, 80)]);
    let found = Found { not_dumped: vec![Kind::Tcp], ..Found::default() };
    let again = join_again(Dumps::from([(HERE, Ok(found))]), &held, &FxHashSet::from_iter([5]));
    assert_eq!(of(&again, 5).hidden_from, Views::default());
}

#[test]
fn processes_that_refuse_may_have_what_nobody_has() {
    let held = Held::made_up(vec![(7, holder(2))], Vec::new(), How::BpfIterator, 3);
    let rows = vec![socket(Kind::Tcp, 5, 80), socket(Kind::Udp, 6, 81), socket(Kind::Tcp, 7, 82)];
    let mut joined = join(&mut dumps(rows), &held);
    assert!(joined.doubtful.is_empty(), "looking again shows no more");
    assert_eq!(of(&joined, 5).holders_missing, Some(Reason::NoPermission));
    assert_eq!(of(&joined, 7).holders_missing, None);
    let gap = joined.gaps.pop().unwrap();
    assert_eq!((gap.area, gap.reason, gap.count), (Area::Holders, Reason::NoPermission, Some(2)));
    assert!(gap.what.contains("2 sockets") && gap.what.contains("3 processes"), "{}", gap.what);
}

#[test]
fn a_walk_through_proc_finds_holders_and_says_nothing_of_other_sockets() {
    let by_proc = |pid| Holder { how: How::ProcFd, ..holder(pid) };
    // 9 may be a socket of a family that has no ports.
    let held = Held::made_up(vec![(5, by_proc(1)), (9, by_proc(1))], Vec::new(), How::ProcFd, 0);
    let joined = join(&mut dumps(vec![socket(Kind::Tcp, 5, 80)]), &held);
    assert!(joined.doubtful.is_empty());
    assert_eq!((joined.views, of(&joined, 5).seen_by), (Views::SOCK_DIAG, Views::SOCK_DIAG));
    assert_eq!(pids(of(&joined, 5)), [1]);
}

#[test]
fn what_only_proc_tells_takes_the_doubt_away() {
    let rows = vec![socket(Kind::Tcp, 5, 80), socket(Kind::Tcp, 6, 81), socket(Kind::Tcp, 0, 82)];
    let joined = join(&mut dumps(rows), &by_kernel(Vec::new()));
    assert_eq!(joined.doubtful, FxHashSet::from_iter([5, 6]));
    let joined = with_untold(joined, &[(5, holder(9)), (5, holder(1)), (0, holder(1)), (77, holder(1))], 0);
    assert_eq!((pids(of(&joined, 5)), of(&joined, 5).holders_missing), (vec![1, 9], None));
    assert_eq!(joined.doubtful, FxHashSet::from_iter([6]));
    assert!(of(&joined, 0).holders.is_empty() && joined.gaps.is_empty());
}

#[test]
fn what_proc_refuses_is_a_gap_and_no_doubt() {
    let rows = vec![socket(Kind::Tcp, 5, 80), socket(Kind::Tcp, 6, 81)];
    let joined = join(&mut dumps(rows), &by_kernel(Vec::new()));
    let joined = with_untold(joined, &[(5, holder(1))], 1);
    assert_eq!(of(&joined, 5).holders_missing, None);
    assert_eq!(of(&joined, 6).holders_missing, Some(Reason::NoPermission));
    assert!(joined.doubtful.is_empty(), "looking again shows no more");
    assert_eq!(joined.gaps.iter().map(|gap| gap.count).collect::<Vec<_>>(), [Some(1)]);
}

#[test]
fn the_kernels_own_sockets_are_nobodys_secret() {
    let held = Held::made_up(Vec::new(), Vec::new(), How::BpfIterator, 1);
    let mut bound = socket(Kind::Tcp, 8, 83);
    bound.state = State::Bound;
    let rows = vec![
        socket(Kind::Udp, 5, 4789),
        socket(Kind::Udp, 6, 81),
        socket(Kind::Tcp, 7, 82),
        bound,
        socket(Kind::Udp, 9, 84),
    ];
    let mut joined = join(&mut dumps(rows), &held);
    assert_eq!(joined.unheld(Asked::Udp), BTreeMap::from([(HERE, vec![4789, 81, 84])]));
    assert_eq!(joined.unheld(Asked::Tcp), BTreeMap::from([(HERE, vec![82])]));
    let answer = FxHashMap::from_iter([(1005, true), (1006, false)]);
    joined.settle(Asked::Udp, ELSEWHERE, &answer);
    assert_eq!(of(&joined, 5).holders_missing, Some(Reason::NoPermission), "that was another namespace");
    joined.settle(Asked::Udp, HERE, &answer);
    assert_eq!(of(&joined, 5).holders_missing, Some(Reason::KernelOwned));
    for still in [6, 7, 8] {
        assert_eq!(of(&joined, still).holders_missing, Some(Reason::NoPermission));
    }
    assert_eq!(of(&joined, 9).holders_missing, Some(Reason::Exited), "it went before it was asked about");
    assert_eq!(joined.gaps.iter().map(|gap| gap.count).collect::<Vec<_>>(), [Some(3)]);
    assert_eq!(joined.unheld(Asked::Udp), BTreeMap::from([(HERE, vec![81, 84])]));
}

#[test]
fn many_sockets_are_not_gone_through_where_a_refusal_explains_enough() {
    let rows: Vec<Socket> = (1..=5000).map(|inode| socket(Kind::Udp, inode, 81)).collect();
    let held = |refused| {
        let entries = (2..=5000).map(|inode| (inode, holder(1))).collect();
        Held::made_up(entries, Vec::new(), How::BpfIterator, refused)
    };
    assert!(join(&mut dumps(rows.clone()), &held(1)).unheld(Asked::Udp).is_empty());
    let twice = join_again(dumps(rows), &held(0), &FxHashSet::from_iter([1]));
    assert_eq!(twice.unheld(Asked::Udp), BTreeMap::from([(HERE, vec![81])]));
}

#[test]
fn what_travels_in_a_message_need_not_be_anybodys() {
    let held = Held::made_up(Vec::new(), Vec::new(), How::BpfIterator, 1);
    let mut bound = socket(Kind::Tcp, 7, 82);
    bound.state = State::Bound;
    let rows = vec![socket(Kind::Udp, 5, 80), socket(Kind::Tcp, 6, 81), bound];
    let mut joined = join(&mut dumps(rows), &held);
    assert_eq!(joined.namespaces_of_unseen(), BTreeSet::from([HERE]));
    joined.travel(&FxHashSet::from_iter([1005, 1007, 99]));
    let reasons = [5, 6, 7].map(|inode| of(&joined, inode).holders_missing);
    assert_eq!(reasons, [Some(Reason::InFlight), Some(Reason::NoPermission), Some(Reason::InFlight)]);
    assert_eq!(joined.gaps.iter().map(|gap| gap.count).collect::<Vec<_>>(), [Some(1)]);
    joined.travel(&FxHashSet::from_iter([1006]));
    assert!(joined.gaps.is_empty() && joined.namespaces_of_unseen().is_empty());
}

#[test]
fn what_the_kernel_owns_need_not_be_looked_at_again() {
    let rows = vec![socket(Kind::Udp, 5, 4789), socket(Kind::Udp, 6, 81), socket(Kind::Tcp, 7, 80)];
    let mut joined = join(&mut dumps(rows), &by_kernel(Vec::new()));
    joined.settle(Asked::Udp, HERE, &FxHashMap::from_iter([(1005, true), (1006, false)]));
    assert_eq!(joined.doubtful, FxHashSet::from_iter([6, 7]));
    assert_eq!(of(&joined, 5).holders_missing, Some(Reason::KernelOwned));
    assert_eq!(of(&joined, 6).holders_missing, Some(or_elsewhere(Reason::Exited)));
}

#[test]
fn without_kernel_programs_nobody_is_asked_whose_a_socket_is() {
    let held = Held::made_up(Vec::new(), Vec::new(), How::ProcFd, 1);
    let joined = join(&mut dumps(vec![socket(Kind::Udp, 5, 4789)]), &held);
    assert!(joined.unheld(Asked::Udp).is_empty() && joined.unheld(Asked::Tcp).is_empty());
}
