//! What must hold of any frames: every packet is counted once, whatever the order, the split and the memory given.

use model::{Flow, Timestamp, Traffic};
use wire::{Frame, LinkType};

use super::Observer;
use crate::config::Config;
use crate::part::merge;
use crate::shard::shard_of;

/// A frame out of the beginning of `bytes`: either as they are, or TCP or UDP between few machines, so that flows come
/// about. Gives what is left.
fn frame<'a>(bytes: &'a [u8], made: &mut Vec<u8>) -> Option<(u8, &'a [u8])> {
    let ([kind, time, length], rest) = bytes.split_first_chunk()?;
    let (payload, rest) = rest.split_at_checked(usize::from(*length)).unwrap_or((rest, &[]));
    made.clear();
    let ([ends, ports, flags, sequence, more @ ..], payload) = match payload.split_first_chunk::<6>() {
        Some((head, payload)) if kind & 3 != 0 => (*head, payload),
        _ => {
            made.extend_from_slice(payload);
            return Some((*time, rest));
        }
    };
    let size = u16::try_from(payload.len()).unwrap_or(0);
    let (protocol, header) = if kind & 3 == 1 { (17, 8) } else { (6, 20) };
    made.extend_from_slice(&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 8, 0, 0x45, 0]);
    made.extend_from_slice(&(20 + header + size).to_be_bytes());
    // Some come in pieces.
    let piece = if kind & 0xf0 == 0x10 { [more[0] & 0x20, more[1] & 3] } else { [0, 0] };
    made.extend_from_slice(&[0, 1, piece[0], piece[1], 64, protocol, 0, 0]);
    made.extend_from_slice(&[10, 0, 0, ends & 3, 10, 0, 0, ends >> 4 & 3]);
    made.extend_from_slice(&[0, ports & 7, 0, ports >> 4 & 7]);
    if protocol == 17 {
        made.extend_from_slice(&(8 + size).to_be_bytes());
        made.extend_from_slice(&[0, 0]);
    } else {
        // Close to the wrap of sequence numbers.
        made.extend_from_slice(&0xffff_ff80_u32.wrapping_add(u32::from(sequence)).to_be_bytes());
        made.extend_from_slice(&[0, 0, 0, more[0], 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    }
    made.extend_from_slice(payload);
    Some((*time, rest))
}

fn packets(flows: &[Flow]) -> u64 {
    flows.iter().map(|flow| flow.tally.packets()).sum()
}

fn laws(traffic: &Traffic, frames: u64, flows: &[Flow]) {
    let volume = &traffic.volume;
    let unread: u64 = traffic.unread_links.iter().map(|(_, frames)| frames).sum();
    let others = volume.not_ip + volume.portless + volume.damaged + volume.fragments + unread;
    assert_eq!(volume.frames, frames, "frames counted are frames given");
    assert_eq!(packets(flows) + others, frames, "each frame is at a flow, or counted as what it is");
    assert_eq!(flows.len() as u64, volume.flows, "each flow comes out once");
    let served: u64 = traffic.services.iter().map(|service| service.tally.packets()).sum();
    assert!(served <= packets(flows), "services have no packets of their own");
    let knocks: u64 = traffic.scans.iter().map(|scan| scan.probes).sum();
    let touches: u64 = traffic.touches.iter().map(|touch| touch.flows).sum();
    assert!(knocks + touches <= volume.flows, "a knock is a flow");
    for flow in flows {
        assert!(flow.tally.client_packets > 0 || flow.tally.server_packets > 0);
        assert!(flow.first <= flow.last && flow.frame >= 1 && flow.frame <= frames);
    }
    for service in &traffic.services {
        assert!(service.flows >= 1 && service.clients >= 1 && !service.frames.is_empty());
    }
    for scan in &traffic.scans {
        assert!(scan.lowest_port <= scan.highest_port && scan.open + scan.refused <= scan.probes);
    }
    for beacon in &traffic.beacons {
        let scores = [
            beacon.interval_score,
            beacon.size_score,
            beacon.duration_score,
            beacon.histogram_score,
            beacon.score,
        ];
        assert!(scores.into_iter().all(|score| (0.0..=1.0).contains(&score)), "{beacon:?}");
    }
}

/// What must hold of any frames; used by the fuzz target and the seeded test.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    checked(bytes);
}

/// The same, and the flows that it was said of.
fn checked(bytes: &[u8]) -> Vec<Flow> {
    let Some(([link, memory], mut rest)) = bytes.split_first_chunk() else { return Vec::new() };
    let memory_bytes = 1 << (12 + (memory & 15));
    let odd_times = memory & 0x10 != 0;
    let config = Config { memory_bytes, seed: u64::from(*memory), flows: true, ..Config::default() };
    let mut alone = Observer::new(config);
    // Without flows for others, facts are taken as soon as a flow is over.
    let mut early = Observer::new(Config { flows: false, ..config });
    let mut shards = [Observer::new(config), Observer::new(config)];
    let (mut flows, mut frames, mut now, mut made) =
        (Vec::new(), 0_u64, 1_790_000_000_000_000_000_i64, Vec::new());
    while let Some((time, left)) = frame(rest, &mut made) {
        rest = left;
        frames += 1;
        // Up to minutes go by, and sometimes a little back.
        now += i64::from(time).pow(4) * 100 - if odd_times { 1_000_000 } else { 0 };
        let link = if link & 1 == 0 { LinkType::ETHERNET } else { LinkType(u16::from(*link)) };
        let frame = Frame {
            time: (time != 1 || !odd_times).then(|| Timestamp::from_ns(now)),
            link,
            interface: 0,
            wire_bytes: u32::try_from(made.len()).unwrap_or(0) + u32::from(time == 2),
            bytes: &made,
        };
        alone.handle(&frame, frames);
        early.handle(&frame, frames);
        flows.extend(std::iter::from_fn(|| alone.poll()));
        if let Some(observer) = shards.get_mut(shard_of(&frame, 2)) {
            observer.handle(&frame, frames);
        }
    }
    let before = alone.snapshot();
    alone.end();
    flows.extend(std::iter::from_fn(|| alone.poll()));
    let traffic = alone.finish();
    laws(&traffic, frames, &flows);
    assert_eq!(before.volume, traffic.volume, "a snapshot counts what the end counts");
    let before = early.snapshot();
    let early = early.finish();
    // Who serves in a flow without an opening may be known only when nothing more comes: services may differ.
    assert_eq!(before.volume, early.volume, "a snapshot counts what the end counts");
    assert_eq!((before.faults, before.unread_links), (early.faults.clone(), early.unread_links.clone()));
    let served: u64 = early.services.iter().map(|service| service.tally.packets()).sum();
    assert!(served <= packets(&flows), "services have no packets of their own");
    if early.gaps.is_empty() && traffic.gaps.is_empty() {
        assert_eq!(early.volume, traffic.volume);
    }
    let both = merge(shards.into_iter().map(Observer::part).collect());
    assert_eq!(both.volume.frames, frames);
    // Where no bound was reached, and time goes on steadily, it makes no difference how many looked.
    let roomy = memory_bytes >= 1 << 22 && frames < 500;
    if roomy && !odd_times && both.gaps.is_empty() && traffic.gaps.is_empty() {
        assert_eq!(both, traffic);
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::{check, checked};

    #[test]
    fn the_laws_hold_of_flows_that_others_agreed() {
        for seed in [
            &include_bytes!("../../../../fuzz/seeds/frames_to_facts/ftp")[..],
            include_bytes!("../../../../fuzz/seeds/frames_to_facts/tftp"),
        ] {
            for length in 0..=seed.len() {
                check(&seed[..length]);
            }
            // The fuzzer begins where an agreement is kept.
            let flows = checked(seed);
            let agreed = flows.iter().filter(|flow| flow.recognised.agreed_on().is_some()).count();
            assert!(agreed > 0, "{flows:#?}");
        }
    }

    #[test]
    fn the_laws_hold_of_frames_of_chance() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x5851_f42d_4c95_7f2d).to_be_bytes()
        };
        for round in 0..400 {
            let mut bytes = vec![next()[0] & if round % 4 == 0 { 0xff } else { 0xfe }, next()[0]];
            for _ in 0..next()[0] {
                let [kind, time, length, ..] = next();
                bytes.extend_from_slice(&[kind, time & 0x3f, 6 + length % 40]);
                (0..6 + length % 40).for_each(|_| bytes.push(next()[0]));
                if round % 2 == 0
                    && let Some(place) = bytes.len().checked_sub(20)
                {
                    bytes[place..place + 8].copy_from_slice(b"SSH-2.0-");
                }
            }
            check(&bytes);
        }
    }
}
