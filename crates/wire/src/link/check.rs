//! What must hold of every header below and beside IP; used by the fuzz target and the seeded test.

use super::{ethernet, ieee80211, llc, loopback, macsec, mpls, nflog, pktap, ppi, ppp, prism, radiotap, sll};
use crate::protocol::Protocol;
use crate::tunnel::{capwap, erspan, geneve, gre, gtp, gue, l2tp, nsh, teredo, vxlan};
use crate::{dccp, ipsec, ipv6, sctp, tcp, udp};

/// What a parser gives as the bytes behind its header is the end of its input, and the header is not empty.
fn follows(bytes: &[u8], payload: &[u8]) {
    assert!(payload.len() < bytes.len() && bytes.ends_with(payload));
    assert!(payload.is_empty() || payload.as_ptr_range().end == bytes.as_ptr_range().end);
}

/// What must hold of any input, whatever it is said to be.
pub fn check(bytes: &[u8]) {
    if let Ok(frame) = ethernet::parse(bytes) {
        follows(bytes, frame.payload);
        assert!(!ethernet::is_tag(frame.ether_type));
        let tags = (frame.vlan, frame.inner_vlan);
        assert!(matches!(tags, (None, None) | (Some(..=0x0fff), None | Some(..=0x0fff))));
        let header_bytes = bytes.len() - frame.payload.len();
        assert_eq!(frame.vlan.is_some(), header_bytes > ethernet::HEADER_BYTES);
    }
    for header in [sll::parse(bytes), sll::parse_2(bytes)].into_iter().flatten() {
        follows(bytes, header.payload);
    }
    if let Ok(header) = loopback::parse(bytes) {
        follows(bytes, header.payload);
        assert!(header.family <= header.family.swap_bytes());
    }
    if let Ok(header) = llc::parse(bytes) {
        follows(bytes, header.payload);
    }
    if let Ok(frame) = ppp::parse(bytes) {
        follows(bytes, frame.payload);
    }
    if let Some(frame) = ppp::parse_cisco(bytes) {
        follows(bytes, frame.payload);
    }
    if let Ok(stack) = mpls::parse(bytes) {
        follows(bytes, stack.payload);
        assert_eq!(bytes.len() - stack.payload.len(), stack.labels * 4);
        assert!(stack.label < 1 << 20);
    }
    if let Ok(header) = radiotap::parse(bytes) {
        assert!((8..=bytes.len()).contains(&header.header_bytes));
    }
    let before = [
        ppi::parse(bytes).map(|header| header.header_bytes),
        pktap::parse(bytes).map(|header| header.header_bytes),
        prism::parse(bytes),
        nflog::parse(bytes).map(|logged| logged.header_bytes),
        macsec::parse(bytes).map(|tag| tag.header_bytes),
    ];
    for header_bytes in before.into_iter().flatten() {
        assert!((6..=bytes.len()).contains(&header_bytes));
    }
    for is_padded in [false, true] {
        if let Ok(ieee80211::Ieee80211::Data { payload, .. }) = ieee80211::parse(bytes, is_padded) {
            follows(bytes, payload);
            assert!(bytes.len() - payload.len() >= 24);
        }
    }
    check_upper(bytes);
}

fn check_upper(bytes: &[u8]) {
    if let Ok(header) = gre::parse(bytes) {
        follows(bytes, header.payload);
    }
    // Each says how long its header is; where it needs all of it, all of it is there.
    let whole = [
        geneve::parse(bytes).map(|header| header.header_bytes),
        gtp::parse(bytes).map(|header| header.header_bytes),
        erspan::parse(bytes).map(|header| header.header_bytes),
        vxlan::parse(bytes).map(|_| vxlan::HEADER_BYTES),
        vxlan::parse_generic(bytes).map(|_| vxlan::HEADER_BYTES),
        nsh::parse(bytes).map(|header| header.header_bytes),
        capwap::parse(bytes).map(|header| header.header_bytes),
        teredo::parse(bytes).map(|at| at + ipv6::HEADER_BYTES),
        tcp::parse(bytes).map(|header| header.header_bytes()),
        udp::parse(bytes).map(|_| udp::HEADER_BYTES),
        sctp::parse(bytes).map(|_| sctp::HEADER_BYTES),
        dccp::parse(bytes).map(|header| header.header_bytes),
        ipsec::parse_authentication(bytes).map(|header| header.header_bytes),
        ipsec::parse_esp(bytes).map(|_| ipsec::ESP_HEADER_BYTES),
    ];
    let shorter = [
        gue::parse(bytes).map(|header| header.header_bytes),
        l2tp::parse_2(bytes).map(|header| header.header_bytes),
    ];
    for header_bytes in shorter.into_iter().flatten() {
        assert!((4..=bytes.len()).contains(&header_bytes));
    }
    for header_bytes in whole.into_iter().flatten() {
        assert!((8..=bytes.len()).contains(&header_bytes));
    }
    for first in [Protocol::HOP_BY_HOP, Protocol::ROUTING, Protocol::FRAGMENT, Protocol::DESTINATION_OPTIONS]
    {
        if let Ok(extensions) = ipv6::extensions(first, bytes) {
            assert!(extensions.header_bytes >= 8 && extensions.header_bytes <= bytes.len());
            assert!(extensions.fragment_at <= extensions.header_bytes);
            match extensions.fragment {
                None => assert!(!extensions.protocol.is_extension()),
                Some(fragment) => assert!(fragment.more || fragment.offset != 0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn every_prefix_suffix_and_many_damaged_copies_are_survived() {
        let mut seed = 23_u64;
        for sample in made::samples() {
            let bytes = &sample.bytes;
            for at in 0..bytes.len() {
                check(&bytes[..at]);
                check(&bytes[at..]);
            }
            for _ in 0..200 {
                let mut copy = bytes.clone();
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (at, from) = ((seed >> 33) as usize % copy.len(), (seed >> 20) as usize % copy.len());
                copy[at] = seed.to_le_bytes()[2];
                check(&copy[from..]);
            }
        }
    }
}
