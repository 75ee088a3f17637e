//! The sessions that a port was agreed upon for, on the page of the port.

use std::fmt::Write as _;

use engine::View;
use model::Transport;
use model::media::{Leg, Session, Sources};

use super::paper::{field, heading};
use super::{Form, cells};
use crate::document::{media_clock, reference};
use crate::sanitise;
use crate::style::Paint;

/// So many sockets of one session are named.
const MOST_SOCKETS: usize = 8;

/// Writes the sessions of a port, with a heading; nothing where there are none.
pub(super) fn write(out: &mut String, view: &View, port: u16, only: Option<Transport>, form: Form) {
    if only.is_some_and(|only| only != Transport::Udp) {
        return;
    }
    let on_port =
        |leg: &Leg| [Some(leg.destination), leg.rtcp].into_iter().flatten().any(|it| it.port() == port);
    let sessions = view.agreed.sessions.iter().enumerate();
    let mut first = true;
    for (index, session) in sessions.filter(|(_, session)| session.legs.iter().any(on_port)) {
        if first {
            heading(out, "Sessions", form);
            first = false;
        }
        one(out, view, (index, session), form);
    }
}

fn one(out: &mut String, view: &View, (index, session): (usize, &Session), form: Form) {
    let name = form.style.paint(Paint::Bold, format!("'{}'", sanitise::line(&session.name)));
    let ended = if session.ended.is_some() { ", ended" } else { "" };
    let _ = writeln!(out, "  {name} ({}{ended})", session.source.word());
    field(out, "known from", &session.source.to_string(), form);
    for format in &session.formats {
        // A format whose payload type was not said has no number.
        let number = if format.payload_type > 127 {
            String::new()
        } else {
            format!(", payload type {}", format.payload_type)
        };
        field(out, "format", &format!("{}{number}", format.essence), form);
    }
    for leg in &session.legs {
        field(out, "leg", &leg_words(leg), form);
    }
    if let Some(clock) = &session.reference {
        field(out, "clock", &reference(clock), form);
    }
    if let Some(clock) = &session.media_clock {
        field(out, "media clock", &media_clock(clock), form);
    }
    let mut count = 0;
    for served in view.agreed.served.iter().filter(|served| served.session == index) {
        count += 1;
        let Some(socket) = view.snapshot.sockets.get(served.socket).filter(|_| count <= MOST_SOCKETS) else {
            continue;
        };
        let peer = socket.peer.map(|peer| format!(" to {peer}")).unwrap_or_default();
        let namespace = match cells::namespace(view, socket.netns) {
            name if name.is_empty() => name,
            name => format!(" in {name}"),
        };
        let text = format!(
            "{} on {}{peer}{namespace}, {} ({})",
            cells::port(socket),
            cells::address(socket),
            cells::holders(view, socket),
            served.tie.words()
        );
        field(out, "served by", &text, form);
    }
    if count == 0 {
        let seen = if view.is_partial() { ", as far as we could look" } else { "" };
        field(out, "served by", &format!("no socket of this machine{seen}"), form);
    } else if count > MOST_SOCKETS {
        field(out, "", &format!("… and {} more (--json has all)", count - MOST_SOCKETS), form);
    }
}

fn leg_words(leg: &Leg) -> String {
    let list =
        |list: &[std::net::IpAddr]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let sources = match &leg.sources {
        Sources::Any => String::from("from anybody"),
        Sources::Only(only) => format!("only from {}", list(only)),
        Sources::AllBut(not) => format!("from anybody but {}", list(not)),
    };
    let rtcp = leg.rtcp.map(|rtcp| format!(", RTCP to {rtcp}")).unwrap_or_default();
    format!("{}, {sources}{rtcp}", leg.destination)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::style::Style;

    const FORM: Form = Form { width: Some(100), style: Style::PLAIN, headings: true };

    fn of_port(view: &View, port: u16, only: Option<Transport>) -> String {
        let mut out = String::new();
        write(&mut out, view, port, only, FORM);
        out
    }

    #[test]
    fn a_port_tells_its_sessions_and_who_serves_them() {
        let view = fixture::agreed();
        let text = of_port(&view, 5004, None);
        for expected in [
            "Sessions",
            "'Camera\\x1b 1' (sdp)",
            "camera1.sdp",
            "239.9.9.9:5004, only from 192.0.2.1, RTCP to 239.9.9.9:5005",
            "5004/udp on 0.0.0.0",
            "(joined the group)",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert_eq!(of_port(&view, 5005, Some(Transport::Udp)), text);
        assert_eq!(of_port(&view, 5004, Some(Transport::Tcp)), "");
        assert_eq!(of_port(&view, 5006, None), "");
    }

    #[test]
    fn a_session_without_a_socket_is_told_too() {
        let mut view = fixture::agreed();
        view.agreed.served.clear();
        let text = of_port(&view, 5004, None);
        assert!(text.contains("no socket of this machine"), "{text}");
    }

    #[test]
    fn a_list_has_a_column_for_sessions_only_where_there_is_one() {
        let list = |view: &View| {
            let rows: Vec<_> = view.rows.iter().collect();
            let mut out = String::new();
            crate::text::list(&mut out, view, &rows, Form { width: None, ..FORM });
            out
        };
        let text = list(&fixture::agreed());
        assert!(text.contains("SESSION") && text.contains("'Camera\\x1b 1' (sdp)"), "{text}");
        assert!(!list(&fixture::view()).contains("SESSION"));
    }
}
