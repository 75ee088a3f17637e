//! Fast metadata made: data items whose contents tell the frame (ST 2110-41).

use super::Batch;
use super::ancillary::header;
use crate::metadata::write_item;

/// Makes data items by the number of their frame.
#[derive(Debug, Clone)]
pub struct MetadataMaker {
    kinds: Vec<u32>,
    payload_type: u8,
    ssrc: u32,
    sequence: u16,
}

impl MetadataMaker {
    /// A maker of items of these types; of packets without any where there are none.
    pub fn new(kinds: &[u32], payload_type: u8, ssrc: u32) -> MetadataMaker {
        // What a packet has room for.
        let kinds = kinds.iter().copied().take(32).collect();
        MetadataMaker { kinds, payload_type, ssrc, sequence: 0 }
    }

    /// The number of the first packet.
    pub fn begin_at(&mut self, sequence: u16) {
        self.sequence = sequence;
    }

    /// Makes the packet of a frame, of its second field where `second`; `frame` is counted from the SMPTE epoch.
    pub fn frame(&mut self, frame: i64, second: bool, timestamp: u32, batch: &mut Batch) {
        let Self { kinds, payload_type, ssrc, sequence } = self;
        batch.add(|to| {
            // The marker is never set.
            header(false, *payload_type, *sequence, timestamp, *ssrc, to);
            for kind in kinds {
                let field = if second { " second field" } else { "" };
                write_item(*kind, false, format!("frame {frame}{field}").as_bytes(), to);
            }
        });
        *sequence = sequence.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Measure, parse};
    use model::Timestamp;

    #[test]
    fn what_is_made_is_measured_without_a_fault() {
        let kinds = [0x3f_f000, 0x00_0100];
        let mut maker = MetadataMaker::new(&kinds, 99, 7);
        maker.begin_at(65_535);
        let (mut measure, mut batch) = (Measure::new(&kinds), Batch::default());
        for frame in 0..50_i64 {
            batch.clear();
            maker.frame(frame, frame % 2 == 1, 0, &mut batch);
            let rtp = wire::rtp::parse(batch.packet(0).unwrap()).unwrap();
            let contents: Vec<_> = parse(rtp.payload).unwrap().map(|it| it.contents.to_vec()).collect();
            assert!(contents[0].starts_with(format!("frame {frame}").as_bytes()) && contents.len() == 2);
            measure.handle(&crate::Packet {
                time: Some(Timestamp::from_ns(frame * 20_000_000)),
                frame: 1,
                udp_bytes: 100,
                rtp,
            });
        }
        assert!(measure.faults().is_empty());
        assert_eq!((measure.facts().packets, measure.facts().kinds.len()), (50, 2));
        let mut empty = MetadataMaker::new(&[], 99, 7);
        batch.clear();
        empty.frame(1, false, 0, &mut batch);
        assert_eq!(batch.packet(0).unwrap().len(), 12);
    }
}
