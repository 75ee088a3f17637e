//! What must hold of any octets that claim to be PTP; for the fuzz target and the seeded test.

use model::Timestamp;
use model::media::ptp::PtpSender;

use super::message::{HEADER_BYTES, parse};
use super::tlv::write_metadata;
use super::{Arrival, Observer, version1};

/// What must hold of any input: messages with their extensions lie in the octets, and what is counted adds up.
pub fn check(bytes: &[u8]) {
    match parse(bytes) {
        Ok(message) => {
            let header = message.header;
            assert!(usize::from(header.length_bytes) <= bytes.len() && header.sdo < 0x1000);
            assert!(message.suffix.len() + HEADER_BYTES <= usize::from(header.length_bytes));
            let mut octets = 0;
            for tlv in message.tlvs().filter_map(Result::ok) {
                octets += 4 + tlv.value.len();
                assert!(!tlv.text().is_empty());
                if let Some(metadata) = tlv.metadata() {
                    let mut again = Vec::new();
                    write_metadata(&metadata, &mut again);
                    assert_eq!(again.get(4..18), tlv.value.get(..14));
                    assert_eq!(again.get(20..), tlv.value.get(16..48));
                }
            }
            assert!(octets <= message.suffix.len());
        }
        Err(fault) => assert!(fault.at <= bytes.len()),
    }
    if let Err(fault) = version1::parse(bytes) {
        assert!(fault.at <= bytes.len().max(32));
    }
    check_observer(bytes);
}

/// Observes messages that are cut out of the bytes, each with a length and a time in front.
fn check_observer(bytes: &[u8]) {
    let mut observer = Observer::default();
    let (mut rest, mut frame, mut now) = (bytes, 0_u64, 0_i64);
    while let [length, step, more @ ..] = rest {
        let (message, after) = more.split_at(more.len().min(usize::from(*length)));
        rest = after;
        frame += 1;
        now = now.saturating_add(i64::from(*step) * 10_000_000);
        let arrival = Arrival {
            source: PtpSender::Mac([0, 0, 0, 0, 0, step & 1]),
            time: (step & 2 == 0).then(|| Timestamp::from_ns(now)),
            frame,
            event_port: (step & 4 == 0).then_some(step & 8 == 0),
        };
        observer.handle(message, &arrival);
    }
    let facts = observer.facts();
    assert_eq!(facts.messages + facts.version1_messages + facts.malformed, frame);
    let counted: u64 = facts.domains.iter().flat_map(|it| &it.counts).map(|(_, count)| count).sum();
    assert!(counted <= facts.messages && facts.domains.len() <= 16 && facts.version1.len() <= 64);
    for domain in &facts.domains {
        assert!(domain.ports.len() <= 128 && domain.management.len() <= 64 && domain.extensions.len() <= 64);
        for port in &domain.ports {
            assert_eq!(port.two_step + port.one_step, port.syncs.count);
            assert!(port.follow_ups_missing <= port.two_step);
        }
    }
}
