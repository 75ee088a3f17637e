//! Reading JSON that may be anything: a member of the wrong kind is a fault, and the rest is read.

use model::media::Ratio;
use model::{Tai, Timestamp};
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Faults, Id, parse_time};

/// Letters that are kept of a text.
const MOST_LETTERS: usize = 1024;

/// Entries that are kept of a list.
const MOST_ENTRIES: usize = 4096;

/// An object with the place where it stands.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    at: String,
}

impl<'a> Object<'a> {
    /// What stands at `at`, if it is an object.
    pub(super) fn of(value: &'a Value, at: String, faults: &mut Faults) -> Option<Object<'a>> {
        match value {
            Value::Object(members) => Some(Object { members, at }),
            _ => {
                faults.note("not an object", || at);
                None
            }
        }
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// A member that is there and not null.
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Whether the member is there, though it may be null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn of_kind<T>(
        &self,
        name: &str,
        what: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let read = read(self.member(name)?);
        if read.is_none() {
            faults.note(what, || self.place(name));
        }
        read
    }

    /// A text; `None` where absent or null.
    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<String> {
        self.of_kind(name, "not a text", faults, |value| value.as_str().map(shortened))
    }

    /// A text of any length, not shortened.
    pub(super) fn whole_text(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        self.of_kind(name, "not a text", faults, Value::as_str)
    }

    /// The number of a resource.
    pub(super) fn id(&self, name: &str, faults: &mut Faults) -> Option<Id> {
        self.of_kind(name, "not a UUID", faults, |value| Id::parse(value.as_str()?))
    }

    /// The number of a resource, which must be there.
    pub(super) fn own_id(&self, faults: &mut Faults) -> Option<Id> {
        if self.member("id").is_none() {
            faults.note("no id", || self.at.clone());
        }
        self.id("id", faults)
    }

    /// A time.
    pub(super) fn time(&self, name: &str, faults: &mut Faults) -> Option<Timestamp<Tai>> {
        self.of_kind(name, "not seconds:nanoseconds", faults, |value| parse_time(value.as_str()?))
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str, faults: &mut Faults) -> Option<bool> {
        self.of_kind(name, "neither true nor false", faults, Value::as_bool)
    }

    /// A whole number.
    pub(super) fn number<T: TryFrom<u64>>(&self, name: &str, faults: &mut Faults) -> Option<T> {
        self.of_kind(name, "not a number in its bounds", faults, |value| T::try_from(value.as_u64()?).ok())
    }

    /// A rate `{numerator, denominator}`; the denominator is 1 where it is left out.
    pub(super) fn ratio(&self, name: &str, faults: &mut Faults) -> Option<Ratio> {
        self.of_kind(name, "not a rate", faults, |value| {
            let part =
                |name: &str| value.get(name).map(|it| it.as_u64().and_then(|it| u32::try_from(it).ok()));
            Ratio::new(part("numerator")??, part("denominator").unwrap_or(Some(1))?)
        })
    }

    /// An object in it.
    pub(super) fn object(&self, name: &str, faults: &mut Faults) -> Option<Object<'a>> {
        Object::of(self.member(name)?, self.place(name), faults)
    }

    /// What a list holds, each read by `read`; a list that is not there is empty.
    pub(super) fn list<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        read: impl FnMut(&'a Value, String, &mut Faults) -> Option<T>,
    ) -> Vec<T> {
        self.list_up_to(MOST_ENTRIES, name, faults, read)
    }

    /// The same with another bound.
    pub(super) fn list_up_to<T>(
        &self,
        most: usize,
        name: &str,
        faults: &mut Faults,
        mut read: impl FnMut(&'a Value, String, &mut Faults) -> Option<T>,
    ) -> Vec<T> {
        let values = self.of_kind(name, "not a list", faults, Value::as_array);
        let values = values.map(Vec::as_slice).unwrap_or_default();
        if values.len() > most {
            faults.note("a list that is too long; the rest was left out", || self.place(name));
        }
        let entries = values.iter().take(most).enumerate();
        entries
            .filter_map(|(index, value)| read(value, format!("{}/{name}/{index}", self.at), faults))
            .collect()
    }

    /// The objects of a list.
    pub(super) fn objects<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        mut read: impl FnMut(Object<'a>, &mut Faults) -> Option<T>,
    ) -> Vec<T> {
        self.list(name, faults, |value, at, faults| {
            let object = Object::of(value, at, faults)?;
            read(object, faults)
        })
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &str, faults: &mut Faults) -> Vec<String> {
        self.list(name, faults, |value, at, faults| {
            let text = value.as_str().map(shortened);
            if text.is_none() {
                faults.note("not a text", || at);
            }
            text
        })
    }

    /// The numbers of resources in a list.
    pub(super) fn ids(&self, name: &str, faults: &mut Faults) -> Vec<Id> {
        self.list(name, faults, |value, at, faults| {
            let id = value.as_str().and_then(Id::parse);
            if id.is_none() {
                faults.note("not a UUID", || at);
            }
            id
        })
    }

    /// The names of its members.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.keys().map(String::as_str).take(MOST_ENTRIES)
    }
}

/// The beginning of a text, as much as is worth keeping.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MOST_LETTERS).collect()
}

/// A whole document as a value.
pub(super) fn document(body: &[u8], faults: &mut Faults) -> Option<Value> {
    match serde_json::from_slice(body) {
        Ok(value) => Some(value),
        Err(_) => {
            faults.note("not JSON", String::new);
            None
        }
    }
}

/// Goes through the elements of a list one by one, so that only one of them is taken apart at a time; a document that
/// is no list is taken for its only element. Where the document breaks off, what came before counts.
pub(super) fn each_element(body: &[u8], faults: &mut Faults, mut take: impl FnMut(&RawValue, &mut Faults)) {
    struct Elements<'f, F>(&'f mut F, &'f mut Faults);
    impl<'de, F: FnMut(&RawValue, &mut Faults)> Visitor<'de> for Elements<'_, F> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while let Some(element) = list.next_element::<&RawValue>()? {
                (self.0)(element, self.1);
            }
            Ok(())
        }
    }
    if body.trim_ascii_start().first() == Some(&b'{') {
        match serde_json::from_slice::<&RawValue>(body) {
            Ok(only) => take(only, faults),
            Err(_) => faults.break_off(),
        }
        return;
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let whole = reader.deserialize_seq(Elements(&mut take, faults)).and_then(|()| reader.end());
    if whole.is_err() {
        faults.break_off();
    }
}
