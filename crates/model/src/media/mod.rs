//! Professional media: what was agreed (sessions) and what was measured (streams).

pub mod agreement;
pub mod ancillary;
pub mod audio;
pub mod format;
pub mod joined;
pub mod membership;
pub mod profile;
pub mod ptp;
pub mod receiving;
pub mod reception;
pub mod sending;
pub mod session;
pub mod shaping;
pub mod sound;
pub mod spread;
pub mod stream;
pub mod video;
pub mod whole;
mod words;

pub use agreement::{Agreement, Served, Tie};
pub use format::{
    AncillaryFormat, AudioFormat, Colorimetry, CompressedFormat, Depth, Essence, Format, Packing, Range,
    Ratio, Sampling, Scan, SenderType, Transfer, VideoFormat,
};
pub use joined::{Joined, JoinedSocket, Memberships};
pub use profile::Profile;
pub use receiving::{ReceivedLeg, ReceivingFacts};
pub use reception::ClockBasis;
pub use sending::{Effort, Lateness, Refusal, SendingFacts, SentLeg, SentStream};
pub use session::{Leg, MediaClock, ReferenceClock, Session, SessionSource, Sources};
pub use spread::{Histogram, LogHistogram, Spread};
pub use stream::{Basis, Occurrence, Stream, StreamFault, StreamLeg, StreamRule};
pub use whole::Media;
