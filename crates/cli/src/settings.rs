//! The settings that count: of the file that was named, else of the system's and the user's files.

use std::path::{Path, PathBuf};

use engine::settings::{self, Settings};

use crate::files::{self, Places};

/// Settings, and the files that they came from.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) settings: Settings,
    pub(crate) files: Vec<PathBuf>,
}

/// Reads the settings. A file that should count and cannot be read is an error: nobody wants to run without the half.
pub(crate) fn load(places: &Places, named: Option<&Path>) -> Result<Found, String> {
    let texts = match named {
        Some(path) => vec![(path.to_owned(), files::read_named(path)?)],
        None => {
            let (texts, wrong) = places.settings();
            if let Some(first) = wrong.into_iter().next() {
                return Err(first);
            }
            texts
        }
    };
    let named: Vec<(String, &str)> =
        texts.iter().map(|(path, text)| (path.display().to_string(), text.as_str())).collect();
    let read = settings::parse(named.iter().map(|(name, text)| (name.as_str(), *text)));
    let settings = read.map_err(|fault| fault.to_string())?;
    Ok(Found { settings, files: texts.into_iter().map(|(path, _)| path).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_counts_alone_and_its_mistakes_have_a_place() {
        let path = std::env::temp_dir().join(format!("portreeve-settings-{}.toml", std::process::id()));
        std::fs::write(&path, "[watch]\nring = \"2M\"\n").unwrap();
        let found = load(&Places::find(), Some(&path)).unwrap();
        assert_eq!((found.settings.watch.ring, found.files), (settings::Size(2 << 20), vec![path.clone()]));
        std::fs::write(&path, "[watch]\nrong = \"2M\"\n").unwrap();
        let error = load(&Places::find(), Some(&path)).unwrap_err();
        assert!(error.contains(".toml:2:1: `rong`") && error.contains("did you mean `ring`"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(load(&Places::find(), Some(&path)).unwrap_err().contains("no such file"));
    }
}
