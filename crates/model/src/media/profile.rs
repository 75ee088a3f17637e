//! Whose limits a stream is held to, where the texts leave them open.

/// Whose limits a stream is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// The texts themselves.
    #[default]
    Standard,
    /// EBU LIST, as it measures by itself.
    List,
    /// The JT-NM tests of 2020.
    JtNm2020,
    /// The JT-NM tests of 2022.
    JtNm2022,
    /// CBC/Radio-Canada.
    Cbc,
}

impl Profile {
    /// Every one.
    pub const ALL: [Profile; 5] =
        [Profile::Standard, Profile::List, Profile::JtNm2020, Profile::JtNm2022, Profile::Cbc];

    /// The word people type.
    pub const fn word(self) -> &'static str {
        match self {
            Profile::Standard => "standard",
            Profile::List => "list",
            Profile::JtNm2020 => "jt-nm-2020",
            Profile::JtNm2022 => "jt-nm-2022",
            Profile::Cbc => "cbc",
        }
    }

    /// From the word people type.
    pub fn from_word(word: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.word() == word)
    }
}
