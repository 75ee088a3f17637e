//! Patterns for names and paths: `*` within one part of a path, `**` across parts, `?` for one character.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob(String);

impl Glob {
    pub(crate) fn new(pattern: String) -> Glob {
        Glob(pattern)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole text fits. Takes time in proportion to both lengths, whatever the pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        if !self.0.contains(['*', '?']) {
            return self.0 == text;
        }
        let text: Vec<char> = text.chars().collect();
        // fits[i]: the pattern so far fits the first i characters.
        let mut fits = vec![false; text.len() + 1];
        if let Some(first) = fits.first_mut() {
            *first = true;
        }
        let mut pattern = self.0.chars().peekable();
        while let Some(c) = pattern.next() {
            let mut next = vec![false; text.len() + 1];
            if c == '*' {
                let across = pattern.next_if_eq(&'*').is_some();
                let mut open = false;
                for (i, fit) in fits.iter().enumerate() {
                    // What stands before place i is taken by the star, unless it may not cross a slash.
                    let crosses = i > 0 && text.get(i - 1) == Some(&'/');
                    open = *fit || (open && (across || !crosses));
                    if let Some(slot) = next.get_mut(i) {
                        *slot = open;
                    }
                }
            } else {
                for (i, (fit, t)) in fits.iter().zip(&text).enumerate() {
                    let same = if c == '?' { *t != '/' } else { c == *t };
                    if let Some(slot) = next.get_mut(i + 1) {
                        *slot = *fit && same;
                    }
                }
            }
            fits = next;
        }
        fits.last().copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_in_their_part_of_a_path() {
        let fits = |pattern: &str, text: &str| Glob::new(pattern.to_owned()).matches(text);
        assert!(fits("/usr/bin/python3*", "/usr/bin/python3.11"));
        assert!(!fits("/usr/bin/python3", "/usr/bin/python3.11"));
        assert!(fits("/opt/*/bin/x", "/opt/a/bin/x"));
        assert!(!fits("/opt/*/bin/x", "/opt/a/b/bin/x"));
        assert!(fits("/opt/**/x", "/opt/a/b/bin/x"));
        assert!(fits("**", "/any/thing") && fits("*", "") && !fits("?", ""));
        assert!(fits("a?c", "abc") && !fits("a?c", "a/c") && fits("ü*", "über"));
        assert!(!fits("/tmp/*", "/tmp/a/b") && !fits("/tmp/*x", "/tmp/ay"));
    }

    #[test]
    fn many_stars_cost_no_more_than_their_length() {
        let pattern = "**a".repeat(200);
        assert!(!Glob::new(pattern).matches(&"a".repeat(199)));
    }
}
