//! What several observers saw of those who knock is, together, what one would have seen.

use super::*;

fn address(number: u64) -> Address {
    Address { high: 0, low: 0xffff_0a00_0000 | number }
}

fn who(number: u64) -> Who {
    Who { version: Version::V4, address: address(number), transport: Transport::Tcp }
}

fn knock(client: u64, door: u64, port: u16, answer: Answer) -> Knock {
    let at = When::at(i64::try_from(door).unwrap());
    Knock {
        who: who(client),
        address: address(door),
        port,
        answer,
        first: at,
        last: at,
        frame: 1 + client * 10_000 + door,
    }
}

fn knocks() -> Knocks {
    Knocks::new(Seed::new(7), 1 << 20)
}

/// Tells two observers, each its half, and one everything.
fn told(tell: impl Fn(&mut dyn FnMut(usize, &dyn Fn(&mut Knocks)))) -> [(Vec<Scan>, Vec<Touch>); 3] {
    let (mut alone, mut one, mut other) = (knocks(), knocks(), knocks());
    tell(&mut |which, what| {
        what(&mut alone);
        what(if which == 0 { &mut one } else { &mut other });
    });
    let (mut forth, mut back) = (one.clone(), other.clone());
    forth.merge(other);
    back.merge(one);
    [alone.judge(), forth.judge(), back.judge()]
}

#[test]
fn who_talks_at_one_and_knocks_at_the_other_is_judged_by_both() {
    for (talks, scans) in [(39, true), (40, true), (41, false), (200, false)] {
        let all = told(|tell| {
            for _ in 0..talks {
                tell(0, &|knocks| knocks.conversed(who(1)));
            }
            for door in 0..40 {
                tell(1, &|knocks| _ = knocks.knocked(&knock(1, door, 80, Answer::Silence)));
            }
        });
        for (found, _) in all {
            assert_eq!(found.len(), usize::from(scans), "{talks} conversations");
        }
    }
}

#[test]
fn conversations_at_both_are_added_whether_somebody_knocks_or_not() {
    // Nobody knocks before they are joined: then the sum counts.
    let (mut one, mut other) = (knocks(), knocks());
    (0..30).for_each(|_| one.conversed(who(1)));
    (0..30).for_each(|_| other.conversed(who(1)));
    one.merge(other);
    for door in 0..59 {
        one.knocked(&knock(1, door, 80, Answer::Silence));
    }
    assert!(one.clone().judge().0.is_empty());
    one.knocked(&knock(1, 59, 80, Answer::Silence));
    assert_eq!(one.judge().0.len(), 1);
}

#[test]
fn few_doors_and_many_join_in_any_order() {
    for (ours, theirs) in [(3, 4), (20, 20), (100, 4), (4, 100), (100, 100)] {
        let [alone, forth, back] = told(|tell| {
            for door in 0..ours {
                tell(0, &|knocks| _ = knocks.knocked(&knock(1, door, 80, Answer::Refusal)));
            }
            for door in 1000..1000 + theirs {
                tell(1, &|knocks| _ = knocks.knocked(&knock(1, door, 443, Answer::Silence)));
                // The same door from both sides is one door.
                tell(1, &|knocks| _ = knocks.knocked(&knock(1, 0, 80, Answer::Silence)));
            }
        });
        assert_eq!(alone, forth, "{ours} and {theirs}");
        assert_eq!(alone, back, "{ours} and {theirs}");
        assert_eq!(alone.0.len(), usize::from(ours + theirs > 24));
    }
}

#[test]
fn chance_is_judged_alike_by_one_and_by_two() {
    let mut state = 0x0bad_cafe_u64;
    let mut chance = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) % below
    };
    let mut steps = Vec::new();
    for _ in 0..20_000 {
        // Half of them know few doors.
        let client = chance(300);
        let doors = if client % 2 == 0 { 40 } else { 3 };
        steps.push([client, chance(doors), chance(5), chance(4), chance(2)]);
    }
    let [alone, forth, back] = told(|tell| {
        for [client, door, port, answer, which] in &steps {
            let port = 20 + u16::try_from(*port).unwrap();
            let which = usize::try_from(*which).unwrap();
            let answer = match answer {
                0 => Answer::Silence,
                1 => Answer::Refusal,
                2 => Answer::Open,
                _ => {
                    tell(which, &|knocks| knocks.conversed(who(*client)));
                    continue;
                }
            };
            tell(which, &|knocks| _ = knocks.knocked(&knock(*client, *door, port, answer)));
        }
    });
    assert!(!alone.0.is_empty() && !alone.1.is_empty());
    assert_eq!(alone, forth);
    assert_eq!(alone, back);
}

#[test]
fn where_counts_find_no_room_those_who_talked_most_stay() {
    // One place, for four clients.
    let mut ours = Conversations::new(1);
    let mut theirs = ours.clone();
    for (client, count) in [(1, 50), (2, 40), (3, 30), (4, 20)] {
        ours.add(client, count);
    }
    for (client, count) in [(1, 5), (5, 60), (6, 10), (7, 25)] {
        theirs.add(client, count);
    }
    ours.merge(&theirs);
    let counts: Vec<u64> = (1..=7).map(|client| ours.take(client)).collect();
    assert_eq!(counts, [55, 40, 30, 0, 60, 0, 0]);
    // Whoever comes anew begins with one, and has to find a place all the same.
    let mut busy = Conversations::new(1);
    (1..=4).for_each(|client| busy.add(client, 9));
    busy.add(5, 1);
    assert_eq!(busy.take(5), 1);
    // Nothing is left where everything was taken.
    assert_eq!((1..=4).map(|client| busy.take(client)).filter(|count| *count == 9).count(), 3);
    assert_eq!(busy.each().count(), 0);
}
