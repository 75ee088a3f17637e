//! Limits that the texts and those who test by them set to audio.

use model::media::Profile;
use model::media::audio::{AudioFacts, AudioLimit, AudioQuantity, Grade, LatencyBasis};

/// A limit as a profile has it, in nanoseconds.
struct Bound {
    quantity: AudioQuantity,
    least: Option<i64>,
    /// Up to here all is well; more is tolerated.
    good: Option<i64>,
    most: Option<i64>,
}

const fn bound(quantity: AudioQuantity, least: Option<i64>, most: Option<i64>) -> Bound {
    Bound { quantity, least, good: None, most }
}

/// What a profile demands where packets last so long.
fn bounds(profile: Profile, packet_ns: i64) -> Vec<Bound> {
    use AudioQuantity::{
        DelayFactor, LeastLatency, MeanInterPacket, MeanLatency, MostInterPacket, MostLatency,
    };
    let times = |n: i64| Some(packet_ns.saturating_mul(n));
    let mut all = vec![
        bound(LeastLatency, Some(0), None),
        Bound { quantity: DelayFactor, least: None, good: times(1), most: times(17) },
    ];
    match profile {
        // A sender's jitter is below 17 packet times and below 17 ms (AES67-2018 §7.5).
        Profile::Standard => {
            let most = times(17).map(|most| most.min(17_000_000));
            all.truncate(1);
            all.push(bound(DelayFactor, None, most));
        }
        Profile::List => {}
        Profile::JtNm2020 => all.push(bound(MostLatency, None, Some(1_000_000))),
        Profile::JtNm2022 => {
            all.push(bound(MeanLatency, None, Some(2_500_000)));
            all.push(bound(MostLatency, None, times(20)));
            let percent = |n: i64| Some(packet_ns.saturating_mul(n) / 100);
            all.push(bound(MeanInterPacket, percent(99), percent(101)));
            all.push(bound(MostInterPacket, None, times(17)));
        }
        Profile::Cbc => {
            all.push(bound(MeanLatency, None, times(3)));
            all.push(bound(MostLatency, None, times(19)));
        }
    }
    all
}

/// What was measured of a quantity; `None` where it was not, or where the capture's clock makes it worth nothing.
fn measured(profile: Profile, facts: &AudioFacts, quantity: AudioQuantity) -> Option<i64> {
    let latency = facts.latency.filter(|_| facts.latency_basis == Some(LatencyBasis::Absolute));
    let window = if profile == Profile::Standard { facts.delay_factor_1s } else { facts.delay_factor_200ms };
    match quantity {
        AudioQuantity::LeastLatency => latency.map(|spread| spread.least_ns),
        AudioQuantity::MeanLatency => latency.map(|spread| spread.mean_ns),
        AudioQuantity::MostLatency => latency.map(|spread| spread.most_ns),
        AudioQuantity::DelayFactor => window.map(|spread| spread.most_ns),
        AudioQuantity::MeanInterPacket => facts.inter_packet.map(|spread| spread.mean_ns),
        AudioQuantity::MostInterPacket => facts.inter_packet.map(|spread| spread.most_ns),
    }
}

/// How what was measured stands to the limits of a profile. What could not be measured is left out.
pub fn judge(profile: Profile, facts: &AudioFacts) -> Vec<AudioLimit> {
    let Some(packet_ns) = facts.packet_time_ns.and_then(|ns| i64::try_from(ns).ok()) else {
        return Vec::new();
    };
    let stands = |bound: Bound| {
        let measured_ns = measured(profile, facts, bound.quantity)?;
        let within = bound.least.is_none_or(|least| measured_ns >= least)
            && bound.most.is_none_or(|most| measured_ns <= most);
        let grade = match (within, bound.good) {
            (false, _) => Grade::Beyond,
            (true, Some(good)) if measured_ns > good => Grade::Tolerated,
            (true, _) => Grade::Good,
        };
        let (least_ns, most_ns) = (bound.least, bound.most);
        Some(AudioLimit { profile, quantity: bound.quantity, measured_ns, least_ns, most_ns, grade })
    };
    bounds(profile, packet_ns).into_iter().filter_map(stands).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::media::audio::Spread;

    fn facts(latency: Spread, factor_ns: i64, basis: LatencyBasis) -> AudioFacts {
        let factor = Spread { count: 5, least_ns: 0, mean_ns: 0, most_ns: factor_ns };
        AudioFacts {
            packet_time_ns: Some(125_000),
            latency: Some(latency),
            latency_basis: Some(basis),
            delay_factor_200ms: Some(factor),
            delay_factor_1s: Some(factor),
            inter_packet: Some(Spread { count: 5, least_ns: 0, mean_ns: 125_000, most_ns: 300_000 }),
            ..AudioFacts::default()
        }
    }

    fn grade(limits: &[AudioLimit], quantity: AudioQuantity) -> Option<Grade> {
        limits.iter().find(|limit| limit.quantity == quantity).map(|limit| limit.grade)
    }

    #[test]
    fn each_profile_has_its_own_view() {
        let latency = Spread { count: 9, least_ns: 0, mean_ns: 400_000, most_ns: 2_400_000 };
        let facts = facts(latency, 130_000, LatencyBasis::Absolute);
        let of = |profile, quantity| grade(&judge(profile, &facts), quantity);
        let most = AudioQuantity::MostLatency;
        assert_eq!(of(Profile::Standard, most), None);
        assert_eq!(of(Profile::JtNm2020, most), Some(Grade::Beyond));
        assert_eq!(of(Profile::JtNm2022, most), Some(Grade::Good));
        assert_eq!(of(Profile::Cbc, most), Some(Grade::Beyond));
        assert_eq!(of(Profile::Cbc, AudioQuantity::MeanLatency), Some(Grade::Beyond));
        assert_eq!(of(Profile::List, AudioQuantity::DelayFactor), Some(Grade::Tolerated));
        assert_eq!(of(Profile::Standard, AudioQuantity::DelayFactor), Some(Grade::Good));
        assert_eq!(of(Profile::JtNm2022, AudioQuantity::MeanInterPacket), Some(Grade::Good));
    }

    #[test]
    fn a_latency_that_is_worth_nothing_is_not_judged() {
        let latency = Spread { count: 9, least_ns: -5, mean_ns: 0, most_ns: 9_000_000_000 };
        let facts = facts(latency, 17 * 125_000 + 1, LatencyBasis::Relative);
        for profile in Profile::ALL.iter().copied() {
            let limits = judge(profile, &facts);
            assert_eq!(grade(&limits, AudioQuantity::LeastLatency), None);
            assert_eq!(grade(&limits, AudioQuantity::MostLatency), None);
            assert_eq!(grade(&limits, AudioQuantity::DelayFactor), Some(Grade::Beyond));
        }
        assert_eq!(judge(Profile::Cbc, &AudioFacts::default()), []);
    }

    #[test]
    fn packets_before_their_time_are_beyond() {
        let latency = Spread { count: 9, least_ns: -1, mean_ns: 0, most_ns: 1 };
        let facts = facts(latency, 0, LatencyBasis::Absolute);
        assert_eq!(
            grade(&judge(Profile::Standard, &facts), AudioQuantity::LeastLatency),
            Some(Grade::Beyond)
        );
    }
}
