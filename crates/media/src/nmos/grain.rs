//! Subscriptions to a Query API, and the grains that tell of changes (IS-04 v1.3, "APIs: Query").

use serde_json::{Value, json};

use super::reading::{self, Object};
use super::resource::{self, Resource};
use super::{Fault, Faults, Id, Kind};

/// Changes in one message: the first one tells everything that is there.
const MOST_CHANGES: usize = 1 << 17;

/// One change of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was added, it changed, or the API tells that it is there.
    Now(Box<Resource>),
    /// It is gone.
    Gone(Id),
}

/// A message with changes of resources of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grain {
    /// The kind.
    pub kind: Kind,
    /// The changes, in their order.
    pub changes: Vec<Change>,
}

impl Grain {
    /// Reads a message; `None` where it is no grain at all.
    pub fn parse(body: &[u8]) -> (Option<Grain>, Vec<Fault>) {
        let mut faults = Faults::default();
        let grain = read(body, &mut faults);
        (grain, faults.list())
    }
}

fn read(body: &[u8], faults: &mut Faults) -> Option<Grain> {
    let document = reading::document(body, faults)?;
    let outer = Object::of(&document, String::new(), faults)?;
    let grain = outer.object("grain", faults);
    let Some(grain) = grain else {
        faults.note("no grain", String::new);
        return None;
    };
    let topic = grain.text("topic", faults).unwrap_or_default();
    let Some(kind) = Kind::from_path(&topic) else {
        faults.note("a topic that is no kind of resource", || "/grain/topic".into());
        return None;
    };
    let changes =
        grain.list_up_to(MOST_CHANGES, "data", faults, |value, at, faults| change(kind, value, at, faults));
    Some(Grain { kind, changes })
}

fn change(kind: Kind, value: &Value, at: String, faults: &mut Faults) -> Option<Change> {
    let object = Object::of(value, at.clone(), faults)?;
    match value.get("post").filter(|post| !post.is_null()) {
        Some(post) => {
            let resource = resource::parse(kind, post, format!("{at}/post"), faults)?;
            Some(Change::Now(Box::new(resource)))
        }
        None => object.id("path", faults).map(Change::Gone),
    }
}

/// An answer to a request for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Where the grains come.
    pub websocket: String,
    /// Its number.
    pub id: Option<Id>,
}

impl Subscription {
    /// The body that asks for changes of a kind; `downgrade` also for resources of older versions.
    pub fn request(kind: Kind, downgrade: bool) -> String {
        let parameters = if downgrade { json!({ "query.downgrade": "v1.0" }) } else { json!({}) };
        json!({
            "max_update_rate_ms": 100,
            "resource_path": format!("/{}", kind.path()),
            "params": parameters,
            "persist": false,
            "secure": false,
        })
        .to_string()
    }

    /// Reads the answer; `None` where it does not say where the grains come.
    pub fn parse(body: &[u8]) -> Option<Subscription> {
        let mut faults = Faults::default();
        let document = reading::document(body, &mut faults)?;
        let object = Object::of(&document, String::new(), &mut faults)?;
        Some(Subscription {
            websocket: object.text("ws_href", &mut faults)?,
            id: object.id("id", &mut faults),
        })
    }
}
