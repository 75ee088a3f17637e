//! Which of two announced clocks is better (IEEE 1588-2008 §9.3.4).

use core::cmp::Ordering;

use model::media::ptp::{PortIdentity, PtpAnnounce};

/// `Less` where the first is better: its grandmaster's data set, then how near it is, then its own identity.
pub fn compare(one: (&PtpAnnounce, PortIdentity), other: (&PtpAnnounce, PortIdentity)) -> Ordering {
    let ((a, from_a), (b, from_b)) = (one, other);
    if a.grandmaster != b.grandmaster {
        let key = |it: &PtpAnnounce| {
            (it.priority1, it.class, it.accuracy, it.variance, it.priority2, it.grandmaster)
        };
        return key(a).cmp(&key(b));
    }
    a.steps_removed.cmp(&b.steps_removed).then(from_a.cmp(&from_b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::media::ptp::ClockIdentity;

    const CLOCK: PtpAnnounce = PtpAnnounce {
        grandmaster: ClockIdentity([1; 8]),
        priority1: 128,
        class: 248,
        accuracy: 0xfe,
        variance: 0xffff,
        priority2: 128,
        steps_removed: 0,
        time_source: 0xa0,
        utc_offset_s: 37,
        utc_offset_valid: false,
        ptp_timescale: true,
        time_traceable: false,
        frequency_traceable: false,
        leap61: false,
        leap59: false,
    };

    #[test]
    fn each_member_decides_where_those_before_it_agree() {
        let other = ClockIdentity([0; 8]);
        let better = [
            PtpAnnounce { priority1: 127, class: 255, ..CLOCK },
            PtpAnnounce { class: 6, accuracy: 0xff, ..CLOCK },
            PtpAnnounce { accuracy: 0x21, ..CLOCK },
            PtpAnnounce { variance: 0x4e5d, priority2: 255, ..CLOCK },
            PtpAnnounce { priority2: 1, steps_removed: 9, ..CLOCK },
            PtpAnnounce { steps_removed: 9, ..CLOCK },
        ];
        let port = |octet| PortIdentity { clock: ClockIdentity([octet; 8]), port: 1 };
        for it in better {
            let it = PtpAnnounce { grandmaster: other, ..it };
            assert_eq!(compare((&it, port(9)), (&CLOCK, port(1))), Ordering::Less, "{it:?}");
            assert_eq!(compare((&CLOCK, port(1)), (&it, port(9))), Ordering::Greater);
        }
        let far = PtpAnnounce { steps_removed: 1, ..CLOCK };
        assert_eq!(compare((&CLOCK, port(2)), (&far, port(1))), Ordering::Less);
        assert_eq!(compare((&CLOCK, port(1)), (&CLOCK, port(2))), Ordering::Less);
    }
}
