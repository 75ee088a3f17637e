//! What datagrams carry of other packets: told from their bytes, never by port.

use super::Next;
use crate::link::{EtherType, ethernet, ieee80211, llc, ppp};
use crate::packet::TunnelKind;
use crate::protocol::Protocol;
use crate::rest::Rest;
use crate::tunnel::nsh::{self, Follows};
use crate::tunnel::{capwap, geneve, gtp, gue, ip_bytes, l2tp, teredo, vxlan};

/// Whether a look at all of a datagram's payload is worth it: its first bytes decide for nearly all.
#[inline]
pub(in crate::packet) fn may_be_tunnel(payload: &[u8]) -> bool {
    match payload {
        // VXLAN, and the one that says what it holds.
        [0x08, 0, 0, 0, ..] | [0x0c | 0x0e, 0, 0, 1..=4, ..] => true,
        [0x88, policy, ..] => policy & 0xb7 == 0,
        // GTP, and IPv4 without anything before it.
        [0x30..=0x37, 0xff, ..] | [0x45, ..] => true,
        // Teredo: IPv6, or what a server puts before it.
        [0x60..=0x6f, ..] | [0, 0, _, _, _, _, _, _, 0x60..=0x6f, ..] | [0, 1, 0, 0, ..] => true,
        // L2TP of version 2, and of version 3; GUE.
        [flags, 2, ..] if flags & 0xb4 == 0 => true,
        [0, 3, 0, 0, ..] | [..=7, 4 | 41, ..] => true,
        // CAPWAP with a whole frame.
        [0, 0x10..=0x5f, b2, b3, ..] if b2 & 0x3e == 2 && b3 & 0xcf == 0 => true,
        // GENEVE.
        [0..=0x3f, _, high, low, ..] => {
            matches!(
                EtherType(u16::from_be_bytes([*high, *low])),
                EtherType::BRIDGED | EtherType::IPV4 | EtherType::IPV6
            )
        }
        _ => false,
    }
}

/// What a datagram is: which tunnel, its number, and what stands in it.
type Inside<'a> = (TunnelKind, u32, Next, Rest<'a>);

/// The packet that a datagram carries, where every byte says that it does: the header is strict, and the packet in it
/// is exactly as long as its place.
#[cold]
pub(super) fn udp_tunnel(payload: Rest<'_>) -> Option<Inside<'_>> {
    if let Ok(header) = vxlan::parse(payload.bytes) {
        let inside = payload.after(vxlan::HEADER_BYTES);
        return is_ethernet(inside).then_some((TunnelKind::Vxlan, header.network, Next::Ethernet, inside));
    }
    if let Ok((header, follows)) = vxlan::parse_generic(payload.bytes) {
        let inside = payload.after(vxlan::HEADER_BYTES);
        let inside = (TunnelKind::Vxlan, header.network, Next::following(follows), inside);
        return fits(follows, inside.3).then_some(inside);
    }
    if let Ok(header) = gtp::parse(payload.bytes) {
        let inside = payload.after(header.header_bytes);
        let fits = header.total_bytes == payload.wire_bytes && is_ip(inside);
        return fits.then_some((TunnelKind::Gtp, header.endpoint, Next::Ip, inside));
    }
    bare(payload).or_else(|| l2tp(payload)).or_else(|| access_point(payload)).or_else(|| geneve(payload))
}

fn geneve(payload: Rest<'_>) -> Option<Inside<'_>> {
    let header = geneve::parse(payload.bytes).ok()?;
    let inside = payload.after(header.header_bytes);
    let (fits, next) = match header.protocol {
        EtherType::BRIDGED => (is_ethernet(inside), Next::Ethernet),
        EtherType::IPV4 | EtherType::IPV6 => (is_ip(inside), Next::EtherType(header.protocol)),
        _ => (false, Next::Ip),
    };
    fits.then_some((TunnelKind::Geneve, header.network, next, inside))
}

/// IP with little or nothing before it: GUE and Teredo.
fn bare(payload: Rest<'_>) -> Option<Inside<'_>> {
    if payload.bytes.first() == Some(&0x45) {
        return is_ip(payload).then_some((TunnelKind::Gue, 0, Next::Ip, payload));
    }
    if let Ok(at) = teredo::parse(payload.bytes) {
        let inside = payload.after(at);
        // What is only to open the way has nothing in it (RFC 4380 §5.2.8).
        let next = Next::EtherType(EtherType::IPV6);
        return (ip_bytes(inside.bytes) == Some(inside.wire_bytes)).then_some((
            TunnelKind::Teredo,
            0,
            next,
            inside,
        ));
    }
    let header = gue::parse(payload.bytes).ok()?;
    let inside = payload.after(header.header_bytes);
    let version = match header.next {
        Protocol::IPV4 => 4,
        Protocol::IPV6 => 6,
        _ => return None,
    };
    let fits = inside.bytes.first().is_some_and(|first| first >> 4 == version) && is_ip(inside);
    fits.then_some((TunnelKind::Gue, 0, Next::Ip, inside))
}

fn l2tp(payload: Rest<'_>) -> Option<Inside<'_>> {
    if payload.bytes.starts_with(&[0, 3, 0, 0]) {
        let (session, frame) = l2tp_frame(payload.after(4))?;
        return Some((TunnelKind::L2tp, session, Next::Ethernet, frame));
    }
    let header = l2tp::parse_2(payload.bytes).ok()?;
    if header.total_bytes.is_some_and(|total| total != payload.wire_bytes) {
        return None;
    }
    let inside = payload.after(header.header_bytes);
    let frame = ppp::parse(inside.bytes).ok()?;
    let carries_ip = matches!(frame.ether_type()?, EtherType::IPV4 | EtherType::IPV6);
    let fits = carries_ip && is_ip(inside.behind(frame.payload));
    fits.then_some((TunnelKind::L2tp, header.session, Next::Ppp, inside))
}

/// The frame of Ethernet in a message of L2TP version 3, and its session: how long the cookie is, nobody says, so what
/// fits to the last byte tells it (RFC 3931 §4.1).
pub(super) fn l2tp_frame(rest: Rest<'_>) -> Option<(u32, Rest<'_>)> {
    let (session, places) = l2tp::parse_3(rest.bytes).ok()?;
    let frame = places.into_iter().map(|at| rest.after(at)).find(|frame| is_ethernet(*frame))?;
    Some((session, frame))
}

fn access_point(payload: Rest<'_>) -> Option<Inside<'_>> {
    let header = capwap::parse(payload.bytes).ok()?;
    let inside = payload.after(header.header_bytes);
    let radio = u32::from(header.radio);
    if !header.is_wireless {
        return is_ethernet(inside).then_some((TunnelKind::Capwap, radio, Next::Ethernet, inside));
    }
    let frames = [ieee80211::parse(inside.bytes, false), ieee80211::parse_swapped(inside.bytes)];
    let payload = frames.into_iter().find_map(|frame| match frame {
        Ok(ieee80211::Ieee80211::Data { payload, claimed_bytes: None }) => {
            Some(inside.behind(payload)).filter(|payload| is_llc(*payload))
        }
        _ => None,
    })?;
    Some((TunnelKind::Capwap, radio, Next::Llc, payload))
}

/// Whether exactly what is announced is there.
fn fits(follows: Follows, rest: Rest<'_>) -> bool {
    match follows {
        Follows::V4 | Follows::V6 => is_ip(rest),
        Follows::Ethernet => is_ethernet(rest),
        Follows::Services => nsh::parse(rest.bytes).is_ok_and(|header| {
            let inside = rest.after(header.header_bytes);
            match header.follows {
                Some(Follows::V4 | Follows::V6) => is_ip(inside),
                Some(Follows::Ethernet) => is_ethernet(inside),
                _ => false,
            }
        }),
        Follows::Mpls => false,
    }
}

/// Whether there is exactly one packet of IP.
fn is_ip(rest: Rest<'_>) -> bool {
    ip_bytes(rest.bytes) == Some(rest.wire_bytes)
}

/// Whether there is exactly one frame of LLC with a packet of IP.
fn is_llc(rest: Rest<'_>) -> bool {
    llc::parse(rest.bytes).is_ok_and(|header| {
        matches!(header.ether_type, Some(EtherType::IPV4 | EtherType::IPV6))
            && is_ip(rest.behind(header.payload))
    })
}

/// Whether there is exactly one frame of Ethernet with a packet of IP, perhaps padded to the least length.
fn is_ethernet(rest: Rest<'_>) -> bool {
    const LEAST_WITH_TAG: usize = 64;
    let Ok(frame) = ethernet::parse(rest.bytes) else { return false };
    if !matches!(frame.ether_type, EtherType::IPV4 | EtherType::IPV6) {
        return false;
    }
    let inside = rest.behind(frame.payload);
    ip_bytes(inside.bytes).is_some_and(|length| {
        length == inside.wire_bytes || (length < inside.wire_bytes && rest.wire_bytes <= LEAST_WITH_TAG)
    })
}
