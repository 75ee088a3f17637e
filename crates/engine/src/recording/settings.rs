//! The section `[history]` of the settings: where it is kept, and how much of it.

use std::path::PathBuf;

use serde::Deserialize;
use store::Limits;

/// How the history is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HistorySettings {
    /// The folder of the file.
    pub folder: PathBuf,
    /// Days that what happened is kept.
    pub keep_days: u32,
    /// Days that first and last seen of doors and holders are kept.
    pub keep_summaries_days: u32,
    /// The file becomes no longer than this.
    pub most_megabytes: u32,
    /// Most findings that are kept.
    pub most_findings: u32,
    /// A finding that was not seen for so many hours is resolved.
    pub resolve_after_hours: u32,
}

impl Default for HistorySettings {
    fn default() -> HistorySettings {
        HistorySettings {
            folder: PathBuf::from("/var/lib/portreeve"),
            keep_days: 90,
            keep_summaries_days: 730,
            most_megabytes: 256,
            most_findings: 20_000,
            resolve_after_hours: 24,
        }
    }
}

impl HistorySettings {
    /// Whether every value is one that can be; the error names the setting and what it may be.
    pub fn check(&self) -> Result<(), String> {
        let fits = |name: &str, value: u32, least: u32, most: u32| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("[history] {name} = {value}: it may be from {least} to {most}"))
            }
        };
        if !self.folder.is_absolute() {
            return Err(format!(
                "[history] folder = {:?}: it must be an absolute path",
                self.folder.display()
            ));
        }
        fits("keep-days", self.keep_days, 1, 3650)?;
        fits("keep-summaries-days", self.keep_summaries_days, 1, 36_500)?;
        // Every port number of every transport may have its first and last use, which alone is ten.
        fits("most-megabytes", self.most_megabytes, 32, 65_536)?;
        fits("most-findings", self.most_findings, 100, 1_000_000)?;
        fits("resolve-after-hours", self.resolve_after_hours, 1, 8760)?;
        if self.keep_summaries_days < self.keep_days {
            return Err(format!(
                "[history] keep-summaries-days = {}: it may not be less than keep-days ({})",
                self.keep_summaries_days, self.keep_days
            ));
        }
        Ok(())
    }

    /// The same for the store.
    pub fn limits(&self) -> Limits {
        Limits {
            keep_days: self.keep_days,
            keep_summaries_days: self.keep_summaries_days,
            most_bytes: u64::from(self.most_megabytes) << 20,
            most_findings: u64::from(self.most_findings),
            resolve_after_hours: self.resolve_after_hours,
            ..Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_store_and_may_be() {
        let settings = HistorySettings::default();
        assert_eq!(settings.limits(), Limits::default());
        assert_eq!(settings.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_is_named() {
        let usual = HistorySettings::default;
        for (settings, hint) in [
            (HistorySettings { keep_days: 0, ..usual() }, "keep-days = 0"),
            (HistorySettings { most_megabytes: 1, ..usual() }, "from 32"),
            (HistorySettings { folder: PathBuf::from("history"), ..usual() }, "absolute"),
            (HistorySettings { keep_summaries_days: 30, ..usual() }, "keep-days (90)"),
            (HistorySettings { resolve_after_hours: 0, ..usual() }, "resolve-after-hours"),
        ] {
            let error = settings.check().unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
        let text = r#"{"keep-days": 7, "most-megabytes": 64}"#;
        let settings: HistorySettings = serde_json::from_str(text).unwrap();
        assert_eq!((settings.keep_days, settings.most_findings), (7, 20_000));
        assert!(serde_json::from_str::<HistorySettings>(r#"{"keep-day": 7}"#).is_err());
    }
}
