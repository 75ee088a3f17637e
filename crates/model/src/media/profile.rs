//! Whose limits a stream is held to: the texts alone, or those that plugfests and tools add to them.

/// Whose limits a stream is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// The texts of SMPTE, AES and IETF alone.
    #[default]
    Standard,
    /// The way EBU LIST computes, where it departs from the texts, with the limits of JT-NM 2022.
    List,
    /// The JT-NM tested programme of 2020.
    JtNm2020,
    /// The JT-NM tested programme of 2022.
    JtNm2022,
    /// Those of CBC/Radio-Canada.
    Cbc,
}

/// What a profile wants of video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VideoLimits {
    /// First packet of a frame after its RTP time, at least.
    pub latency_least_ns: i64,
    /// The same, at most.
    pub latency_most_ns: i64,
    /// RTP timestamp against the frame's alignment point in ticks, at least.
    pub offset_least_ticks: i64,
    /// How many ticks above the default read offset, rounded up, the RTP timestamp may be.
    pub offset_above_ticks: i64,
}

impl Profile {
    /// Every one.
    pub const ALL: &'static [Profile] =
        &[Profile::Standard, Profile::List, Profile::JtNm2020, Profile::JtNm2022, Profile::Cbc];

    /// The word people choose it by.
    pub const fn word(self) -> &'static str {
        match self {
            Profile::Standard => "standard",
            Profile::List => "list",
            Profile::JtNm2020 => "jt-nm-2020",
            Profile::JtNm2022 => "jt-nm-2022",
            Profile::Cbc => "cbc",
        }
    }

    /// From the word people choose it by.
    pub fn from_word(word: &str) -> Option<Profile> {
        Profile::ALL.iter().copied().find(|profile| profile.word() == word)
    }

    /// What it wants of video beside the texts.
    pub const fn video(self) -> Option<VideoLimits> {
        match self {
            Profile::Standard => None,
            _ => Some(VideoLimits {
                latency_least_ns: 0,
                latency_most_ns: 1_000_000,
                offset_least_ticks: -1,
                offset_above_ticks: 1,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(Profile::ALL.iter().all(|it| Profile::from_word(it.word()) == Some(*it)));
        assert_eq!(Profile::from_word("JT-NM"), None);
        assert_eq!(Profile::default().video(), None);
    }
}
