//! Sockets to JSON by the shortest way: a machine may have tens of thousands, and every look writes them all.

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;

use engine::{Row, View};
use model::Socket;

use super::rows::Names;

/// As much as stays in the processor's cache; and a pipe takes no more at once anyway.
const PIECE: usize = 128 << 10;

/// Writes the sockets of the rows, with commas between.
pub(super) fn sockets(to: &mut (impl io::Write + ?Sized), view: &View, rows: &[&Row]) -> io::Result<()> {
    let mut out = Vec::with_capacity((rows.len() * 512).min(PIECE + 4096));
    let mut first = true;
    for row in rows {
        let Some(socket) = view.socket(row) else { continue };
        if !first {
            out.push(b',');
        }
        first = false;
        write(&mut out, view, row, socket);
        if out.len() >= PIECE {
            to.write_all(&out)?;
            out.clear();
        }
    }
    to.write_all(&out)
}

fn write(out: &mut Vec<u8>, view: &View, row: &Row, socket: &Socket) {
    let port = socket.local.port();
    word(out, "{\"kind\":", socket.kind.name());
    number(out, ",\"port\":", u64::from(port));
    out.extend_from_slice(b",\"addr\":");
    if socket.family == model::Family::Link {
        out.extend_from_slice(b"null");
    } else {
        address(out, socket.local.ip());
    }
    word(out, ",\"family\":", socket.family.name());
    word(out, ",\"scope\":", socket.scope.name());
    word(out, ",\"state\":", socket.state.name());
    if let Some(peer) = socket.peer {
        out.extend_from_slice(b",\"peer\":{\"addr\":");
        address(out, peer.ip());
        number(out, ",\"port\":", u64::from(peer.port()));
        out.push(b'}');
    }
    if let Some(interface) = &socket.interface {
        number(out, ",\"interface\":{\"index\":", u64::from(interface.index));
        text_or_null(out, ",\"name\":", interface.name.as_deref());
        out.push(b'}');
    }
    number(out, ",\"netns\":", u64::from(socket.netns));
    number(out, ",\"inode\":", socket.inode);
    number(out, ",\"cookie\":", socket.cookie);
    number_or_null(out, ",\"uid\":", socket.uid);
    number_or_null(out, ",\"queued\":", socket.queued);
    number_or_null(out, ",\"backlog\":", socket.backlog);
    out.extend_from_slice(b",\"holders\":[");
    for (index, holder) in socket.holders.iter().enumerate() {
        number(out, if index > 0 { ",{\"pid\":" } else { "{\"pid\":" }, u64::from(holder.pid));
        if let Some(tid) = holder.tid {
            number(out, ",\"tid\":", u64::from(tid));
        }
        number_or_null(out, ",\"fd\":", holder.fd);
        word(out, ",\"how\":", holder.how.code());
        out.push(b'}');
    }
    word_or_null(out, "],\"holders_missing\":", socket.holders_missing.map(model::Reason::code));
    if let Some(activation) = &socket.activation {
        text_or_null(out, ",\"activation\":{\"socket_unit\":", Some(&activation.socket_unit));
        text_or_null(out, ",\"service\":", Some(&activation.service));
        text_or_null(out, ",\"program\":", activation.program.as_deref());
        out.push(b'}');
    }
    let names = Names::of(&view.paper, socket.kind.transport(), port);
    word_or_null(out, ",\"status\":", names.status);
    text_or_null(out, ",\"registered\":", names.registered);
    out.extend_from_slice(match names.silent {
        Some(true) => b",\"silent\":true",
        Some(false) => b",\"silent\":false",
        None => b",\"silent\":null",
    });
    text_or_null(out, ",\"commonly_seen\":", names.commonly_seen);
    out.extend_from_slice(b",\"recognised\":null");
    if let Some((index, ..)) = view.session_of(row) {
        out.extend_from_slice(b",\"session\":");
        digits(out, index);
    }
    word(out, ",\"verdict\":", row.verdict.name());
    out.extend_from_slice(b",\"seen_by\":[");
    words(out, socket.seen_by.names());
    if socket.hidden_from != model::Views::default() {
        out.extend_from_slice(b"],\"hidden_from\":[");
        words(out, socket.hidden_from.names());
    }
    out.extend_from_slice(b"]}");
}

/// A key and a word of ours, which needs no escapes.
#[inline(always)]
fn word(out: &mut Vec<u8>, key: &str, value: &'static str) {
    out.extend_from_slice(key.as_bytes());
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

#[inline(always)]
fn word_or_null(out: &mut Vec<u8>, key: &str, value: Option<&'static str>) {
    match value {
        Some(value) => word(out, key, value),
        None => null(out, key),
    }
}

fn words(out: &mut Vec<u8>, values: impl Iterator<Item = &'static str>) {
    for (index, value) in values.enumerate() {
        word(out, if index > 0 { "," } else { "" }, value);
    }
}

#[inline(always)]
fn null(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"null");
}

/// A key and text of others.
#[inline(always)]
fn text_or_null(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    let Some(value) = value else { return null(out, key) };
    out.extend_from_slice(key.as_bytes());
    if value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory does not fail, and text is always valid JSON once escaped.
        let _ = serde_json::to_writer(out, value);
    }
}

#[inline(always)]
fn number_or_null(out: &mut Vec<u8>, key: &str, value: Option<u32>) {
    match value {
        Some(value) => number(out, key, u64::from(value)),
        None => null(out, key),
    }
}

#[inline(always)]
fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    out.extend_from_slice(key.as_bytes());
    digits(out, value);
}

fn digits(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

struct Sink<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn address(out: &mut Vec<u8>, addr: IpAddr) {
    out.push(b'"');
    match addr {
        IpAddr::V4(v4) => {
            for (index, octet) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                digits(out, octet);
            }
        }
        IpAddr::V6(v6) if v6.is_unspecified() => out.extend_from_slice(b"::"),
        IpAddr::V6(v6) => {
            let _ = write!(Sink(out), "{v6}");
        }
    }
    out.push(b'"');
}
