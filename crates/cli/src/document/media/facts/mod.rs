//! What was measured, in JSON: each type of the model has one here with the same fields, so that a change of the one is
//! a decision about the other.

pub(super) mod ancillary;
pub(super) mod audio;
pub(super) mod membership;
pub(super) mod ptp;
pub(super) mod reception;
pub(super) mod shaping;
pub(super) mod video;

use std::net::{IpAddr, SocketAddr};

use model::media::{self, Ratio};
use model::{Timestamp, Utc};
use serde::Serialize;

use crate::document::traffic::moment;

/// How a value of the model is written for strangers.
pub(super) trait Show {
    /// The type that strangers read.
    type As;

    /// The value as they read it.
    fn show(&self) -> Self::As;
}

/// A type for strangers with the fields of one of the model.
macro_rules! shown {
    ($(#[doc = $about:literal])+ $name:ident from $model:path { $($(#[doc = $doc:literal])+ $field:ident: $shown:ty,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(deny_unknown_fields))]
        pub(crate) struct $name { $($(#[doc = $doc])+ $field: $shown,)+ }

        impl $crate::document::media::facts::Show for $model {
            type As = $name;

            fn show(&self) -> $name {
                $name { $($field: $crate::document::media::facts::Show::show(&self.$field),)+ }
            }
        }
    };
}
use shown;

macro_rules! as_it_is {
    ($($plain:ty),+) => { $(impl Show for $plain {
        type As = $plain;

        fn show(&self) -> $plain {
            *self
        }
    })+ };
}
as_it_is!(u64, u32, u16, u8, i64, i32, i16, i8, bool, usize, IpAddr, SocketAddr, &'static str);

impl Show for String {
    type As = String;

    fn show(&self) -> String {
        self.clone()
    }
}

impl<T: Show> Show for Option<T> {
    type As = Option<T::As>;

    fn show(&self) -> Option<T::As> {
        self.as_ref().map(Show::show)
    }
}

impl<T: Show> Show for Vec<T> {
    type As = Vec<T::As>;

    fn show(&self) -> Vec<T::As> {
        self.iter().map(Show::show).collect()
    }
}

impl<A: Show, B: Show> Show for (A, B) {
    type As = (A::As, B::As);

    fn show(&self) -> Self::As {
        (self.0.show(), self.1.show())
    }
}

impl<A: Show, B: Show, C: Show> Show for (A, B, C) {
    type As = (A::As, B::As, C::As);

    fn show(&self) -> Self::As {
        (self.0.show(), self.1.show(), self.2.show())
    }
}

impl Show for Timestamp<Utc> {
    type As = String;

    fn show(&self) -> String {
        moment(Some(*self)).unwrap_or_default()
    }
}

/// Octets in hexadecimal.
impl<const N: usize> Show for [u8; N] {
    type As = String;

    fn show(&self) -> String {
        self.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Show for [u16; 2] {
    type As = [u16; 2];

    fn show(&self) -> [u16; 2] {
        *self
    }
}

impl Show for [u64; 5] {
    type As = [u64; 5];

    fn show(&self) -> [u64; 5] {
        *self
    }
}

impl<T: Show> Show for [Option<T>; 2] {
    type As = [Option<T::As>; 2];

    fn show(&self) -> Self::As {
        [self[0].show(), self[1].show()]
    }
}

macro_rules! as_text {
    ($($named:ty),+) => { $(impl Show for $named {
        type As = String;

        fn show(&self) -> String {
            self.to_string()
        }
    })+ };
}
as_text!(Ratio, media::ptp::ClockIdentity, media::ptp::PortIdentity, media::ptp::PtpSender);

macro_rules! as_word {
    ($($named:path = $word:ident),+ $(,)?) => { $(impl Show for $named {
        type As = &'static str;

        fn show(&self) -> &'static str {
            self.$word()
        }
    })+ };
}
as_word!(
    media::Profile = word,
    media::SenderType = token,
    media::Packing = token,
    media::Scan = letter,
    media::reception::ClockBasis = word,
    media::reception::PathClass = word,
    media::reception::Protection = word,
    media::video::ExtendedSequence = word,
    media::audio::PacketTime = word,
    media::audio::AudioLevel = word,
    media::audio::LatencyBasis = word,
    media::audio::AudioQuantity = word,
    media::audio::Grade = word,
    media::audio::Emphasis = word,
    media::audio::ChannelMode = word,
    media::ptp::PtpProfile = name,
    media::ptp::DelayMechanism = word,
);

/// Many numbers in few.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Spread {
    /// How many.
    count: u64,
    /// The least; null where there were none.
    least: Option<i64>,
    /// The greatest.
    greatest: Option<i64>,
    /// The mean, rounded down.
    mean: Option<i64>,
}

impl Show for media::spread::Spread {
    type As = Spread;

    fn show(&self) -> Spread {
        let some = |value| (!self.is_empty()).then_some(value);
        Spread {
            count: self.count,
            least: some(self.least),
            greatest: some(self.greatest),
            mean: self.mean(),
        }
    }
}

impl Show for media::audio::Spread {
    type As = Spread;

    fn show(&self) -> Spread {
        let (least, greatest, mean) = (Some(self.least_ns), Some(self.most_ns), Some(self.mean_ns));
        Spread { count: self.count, least, greatest, mean }
    }
}

/// How often numbers of each magnitude came: from, up to, how often; bars without any are left out.
pub(crate) type LogHistogram = Vec<(u64, u64, u64)>;

impl Show for media::spread::LogHistogram {
    type As = LogHistogram;

    fn show(&self) -> LogHistogram {
        self.bars().collect()
    }
}

/// How often each number came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Histogram {
    /// Numbers below the first bar.
    below: u64,
    /// Numbers above the last bar.
    above: u64,
    /// How wide a bar is.
    width: i64,
    /// Where a bar begins, and how often; bars without any are left out.
    bars: Vec<(i64, u64)>,
}

impl Show for media::spread::Histogram {
    type As = Histogram;

    fn show(&self) -> Histogram {
        Histogram {
            below: self.below,
            above: self.above,
            width: self.width(),
            bars: self.bars().filter(|(_, count)| *count > 0).collect(),
        }
    }
}

/// Where in a stream something happened.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Occurrence {
    /// The number of the frame in the capture, from 1.
    frame: u64,
    /// The RTP sequence number.
    sequence: u16,
    /// The RTP timestamp.
    timestamp: u32,
}

impl Show for media::Occurrence {
    type As = Occurrence;

    fn show(&self) -> Occurrence {
        Occurrence { frame: self.frame, sequence: self.sequence, timestamp: self.timestamp }
    }
}

/// A rule that was broken.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct StreamFault {
    /// The rule's name.
    rule: &'static str,
    /// Its clause.
    clause: &'static str,
    /// What was seen.
    text: &'static str,
    /// How often.
    count: u64,
    /// Where first.
    first: Occurrence,
    /// Particulars of the first; empty where there are none.
    detail: String,
}

impl Show for media::StreamFault {
    type As = StreamFault;

    fn show(&self) -> StreamFault {
        StreamFault {
            rule: self.rule.name,
            clause: self.rule.clause,
            text: self.rule.text,
            count: self.count,
            first: self.first.show(),
            detail: self.detail.clone(),
        }
    }
}
