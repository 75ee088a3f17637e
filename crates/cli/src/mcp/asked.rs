//! What a call asks for, who waits for it, and how far it is (MCP 2026-07-28, progress and cancellation).

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Progress;
use serde_json::{Map, Value, json};

/// Rows that a tool tells unless it is asked for more, and at most.
const ROWS: u64 = 200;
const MOST_ROWS: u64 = 1000;

/// Whether the answer to a call is still wanted; whoever reads the lines says when it is not.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    pub(super) fn new() -> Wanted {
        Wanted(Arc::new(AtomicBool::new(true)))
    }

    pub(super) fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// A call as a tool gets it.
pub(super) struct Asked<'a> {
    pub(super) arguments: &'a Map<String, Value>,
    pub(super) wanted: Wanted,
    /// Tells whoever asked how far we are, where that was wished for.
    pub(super) tell: &'a mut dyn FnMut(&Progress),
}

impl Asked<'_> {
    pub(super) fn word(&self, name: &str) -> Result<&str, String> {
        match self.arguments.get(name) {
            Some(Value::String(word)) if !word.is_empty() => Ok(word),
            _ => Err(format!("{name} must be text, and not empty")),
        }
    }

    pub(super) fn words(&self, name: &str) -> Result<Vec<&str>, String> {
        let wrong = || format!("{name} must be a list of texts");
        match self.arguments.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(words)) => words.iter().map(|word| word.as_str().ok_or_else(wrong)).collect(),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, String> {
        let flag = self.arguments.get(name);
        flag.map_or(Ok(false), |flag| flag.as_bool().ok_or(format!("{name} must be true or false")))
    }

    /// The rows that are asked for.
    pub(super) fn rows(&self) -> Result<Rows, String> {
        let number = |name: &str, otherwise: u64, least: u64, most: u64| match self.arguments.get(name) {
            None => Ok(otherwise),
            Some(number) => number
                .as_u64()
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("{name} must be a number from {least} to {most}")),
        };
        let skip = number("skip", 0, 0, u64::from(u32::MAX))?;
        let limit = number("limit", ROWS, 1, MOST_ROWS)?;
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Rows { skip: size(skip), limit: size(limit) })
    }
}

/// Which rows of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    skip: usize,
    limit: usize,
}

impl Rows {
    /// Those of `all` that are told, and what to say of those that come after.
    pub(super) fn of<T>(self, all: Vec<T>, what: &str) -> (Vec<T>, Option<String>) {
        let count = all.len();
        let told: Vec<T> = all.into_iter().skip(self.skip).take(self.limit).collect();
        let next = self.skip.saturating_add(told.len());
        let left_out = (next < count).then(|| {
            format!(
                "{} more {what} are not told; filter, raise limit, or go on with skip={next}",
                count - next
            )
        });
        (told, left_out)
    }
}

/// The two arguments that every list has.
pub(super) fn limit() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS, "description": "Most rows to tell (200)" })
}

pub(super) fn skip() -> Value {
    json!({
        "type": "integer",
        "minimum": 0,
        "description": "Rows to leave out at the beginning, to go on where an answer ended (0)",
    })
}

/// Bytes that end with an error as soon as nobody waits for what they would tell.
pub(super) struct WhileWanted<R> {
    pub(super) bytes: R,
    pub(super) wanted: Wanted,
}

impl<R: Read> Read for WhileWanted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wanted.holds() {
            self.bytes.read(buffer)
        } else {
            Err(io::Error::other("nobody waits for this any more"))
        }
    }
}

/// Notifications of progress: one for each hundredth, for a client must not be flooded, and each more than the last.
pub(super) struct Told {
    token: Value,
    said: Option<u64>,
}

impl Told {
    /// As a request wishes it with its `_meta`; a token is text or a whole number.
    pub(super) fn wished(params: &Map<String, Value>) -> Option<Told> {
        let token = params.get("_meta")?.get("progressToken")?;
        let fits = token.is_string() || token.is_i64() || token.is_u64();
        fits.then(|| Told { token: token.clone(), said: None })
    }

    /// The notification of this step, where it is one.
    pub(super) fn step(&mut self, progress: &Progress) -> Option<Value> {
        let Progress { frames, read_bytes, stored_bytes } = *progress;
        let step = stored_bytes.map_or(1 << 20, |all| all.div_ceil(100)).max(1);
        if self.said.is_some_and(|said| read_bytes < said.saturating_add(step)) {
            return None;
        }
        self.said = Some(read_bytes);
        let mut params = json!({
            "progressToken": self.token,
            "progress": read_bytes,
            "message": format!("{frames} packets read"),
        });
        if let (Some(all), Some(params)) = (stored_bytes, params.as_object_mut()) {
            params.insert(String::from("total"), json!(all));
        }
        Some(json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_when_it_is_one_and_always_more_than_the_last() {
        let params = json!({ "_meta": { "progressToken": "p" } });
        let mut told = Told::wished(params.as_object().unwrap()).unwrap();
        let mut at = |read_bytes| told.step(&Progress { frames: 1, read_bytes, stored_bytes: Some(1000) });
        let first = at(0).unwrap();
        assert_eq!(
            (&first["method"], &first["params"]["progressToken"], &first["params"]["total"]),
            (&json!("notifications/progress"), &json!("p"), &json!(1000))
        );
        assert!(at(0).is_none() && at(9).is_none());
        assert_eq!(at(10).unwrap()["params"]["progress"], 10);
        assert!(at(3).is_none(), "progress never goes back");
        let many = (0..=1000).filter_map(at).count();
        assert!((90..=100).contains(&many), "{many}");
        // What has no end that we know has no total.
        let mut told = Told { token: json!(7), said: None };
        let step = told.step(&Progress { frames: 1, read_bytes: 5, stored_bytes: None }).unwrap();
        assert!(step["params"].get("total").is_none() && step["params"]["progressToken"] == 7);
    }

    #[test]
    fn a_token_is_text_or_a_whole_number() {
        for (token, fits) in [(json!("a"), true), (json!(-3), true), (json!(1.5), false), (json!([]), false)]
        {
            let params = json!({ "_meta": { "progressToken": token } });
            assert_eq!(Told::wished(params.as_object().unwrap()).is_some(), fits, "{token}");
        }
        assert!(Told::wished(&Map::new()).is_none());
    }

    #[test]
    fn rows_go_on_where_the_answer_before_ended() {
        let rows = |skip, limit| Rows { skip, limit }.of((0..10).collect(), "rows");
        let (told, left_out) = rows(0, 4);
        assert_eq!(told, [0, 1, 2, 3]);
        let left_out = left_out.unwrap();
        assert!(left_out.starts_with("6 more rows") && left_out.ends_with("skip=4"), "{left_out}");
        assert_eq!(rows(4, 6), (vec![4, 5, 6, 7, 8, 9], None));
        assert_eq!(rows(50, 6), (Vec::new(), None));
    }

    #[test]
    fn bytes_end_when_nobody_waits() {
        let wanted = Wanted::new();
        let mut bytes = WhileWanted { bytes: io::repeat(1), wanted: wanted.clone() };
        assert_eq!(bytes.read(&mut [0; 8]).unwrap(), 8);
        wanted.end();
        assert!(bytes.read(&mut [0; 8]).is_err());
    }
}
