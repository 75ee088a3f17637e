//! Doors and their holders: from a look at the machine, and from what happened to sockets.

use std::collections::HashMap;

use model::{Happened, Seen, Snapshot, SocketEvent, State, Witness};

use crate::desk::Desk;
use crate::fault::StoreError;
use crate::identity::{self, MOST_TEXT, beginning};
use crate::row::{SocketRow, SpanRow, WhatRow};

use super::sums::{Sums, Use};
use super::{record, span};

/// What a namespace is called that the last look did not have.
const ANOTHER: &str = "another";

/// What a namespace is called in keys: nothing for our own, its name where it has a lasting one. Inode numbers and
/// process numbers are others after the next start.
fn class(own: bool, name: &str) -> String {
    if own {
        String::new()
    } else if name.is_empty() || name.starts_with("pid ") {
        String::from(ANOTHER)
    } else {
        beginning(name, MOST_TEXT)
    }
}

/// The class of the namespace with this inode number.
pub(super) fn class_of(namespaces: &HashMap<u32, String>, inode: u32) -> String {
    match namespaces.get(&inode) {
        Some(class) => class.clone(),
        // Where no number is known, or nothing was looked at yet, there is only ours.
        None if inode == 0 || namespaces.is_empty() => String::new(),
        None => String::from(ANOTHER),
    }
}

/// What waits on this machine now, and who holds it.
pub(super) fn look(desk: &Desk<'_>, look: &Snapshot, namespaces: &mut HashMap<u32, String>, sums: &mut Sums) {
    *namespaces = look
        .namespaces
        .iter()
        .map(|namespace| (namespace.inode, class(namespace.own, &namespace.name)))
        .collect();
    let span = span(desk, look.taken);
    let mut known: HashMap<u32, [u8; 8]> = HashMap::new();
    for socket in &look.sockets {
        if !(socket.is_listener() || socket.state == State::Bound && socket.peer.is_none()) {
            continue;
        }
        let netns = class_of(namespaces, socket.netns);
        let door =
            identity::of_door(socket.kind, socket.local.port(), &netns, socket.local.ip(), socket.family);
        for holder in &socket.holders {
            let Some(process) = look.process(holder.pid) else { continue };
            let id = *known.entry(holder.pid).or_insert_with(|| {
                let (id, row) = identity::of_holder(process, span);
                sums.holder(id, row);
                id
            });
            sums.held(&door, id, span, holder.pid);
        }
        sums.door(door, span);
        if let Some(transport) = socket.kind.transport().filter(|_| socket.is_listener()) {
            sums.port(identity::of_port(transport, socket.local.port()), Use::Held, span);
        }
    }
}

/// What happened to a socket.
pub(super) fn event(
    desk: &mut Desk<'_>,
    event: &SocketEvent,
    namespaces: &HashMap<u32, String>,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let begins = event.happened != Happened::Closed;
    // An end is no second time, and moves only what the beginning made.
    let span = SpanRow { times: u64::from(begins), ..span(desk, event.at) };
    let netns = class_of(namespaces, event.netns);
    let (address, port) = (event.local.ip(), event.local.port());
    let door = identity::of_door(event.kind, port, &netns, address, event.family);
    let process = match &event.holder {
        Seen::Value(process) => Some(process),
        Seen::Absent | Seen::Hidden(_) => None,
    };
    let holder = process.map(|process| {
        let (id, row) = identity::of_holder(process, span);
        sums.holder(id, row);
        id
    });
    // A port that the kernel chose says nothing of the door: each client would leave one.
    if event.happened != Happened::AutoBound && port != 0 {
        if let (Some(id), Some(process)) = (holder, process) {
            sums.held(&door, id, span, process.pid);
        }
        sums.door(door, span);
    }
    let key = event.kind.transport().map(|transport| identity::of_port(transport, port));
    if let Some(key) = key.filter(|_| port != 0) {
        sums.port(key, Use::Held, span);
    }
    let row = SocketRow {
        happened: match event.happened {
            Happened::Bound => 0,
            Happened::AutoBound => 1,
            Happened::Listening => 2,
            Happened::Closed => 3,
        },
        kernel: event.witness == Witness::Kernel,
        kind: identity::of_kind(event.kind),
        address,
        port,
        netns,
        uid: event.uid,
        pid: process.map(|process| process.pid),
        holder,
        cgroup: event.cgroup.as_deref().map(|cgroup| beginning(cgroup, MOST_TEXT)),
        lived_ns: event.lived_ns,
    };
    record(desk, event.at, key, WhatRow::Socket(row))
}
