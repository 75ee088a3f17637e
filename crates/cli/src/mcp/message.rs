//! Messages of JSON-RPC 2.0 as MCP uses them: one JSON object a line, ids that are text or whole numbers.

use serde_json::{Map, Value, json};

/// The name of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

impl Id {
    fn of(value: &Value) -> Option<Id> {
        match value {
            Value::String(text) => Some(Id::Text(text.clone())),
            value => value.as_i64().map(Id::Number),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Id::Number(number) => json!(number),
            Id::Text(text) => json!(text),
        }
    }
}

/// Something asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: Id,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Request),
    /// The answer to this request is not wanted any more.
    Cancel(Id),
    /// A notification that we need not know, or an answer to nothing that we asked.
    Ignored,
}

/// Why a request cannot be answered, by JSON-RPC's own numbers and those of MCP 2026-07-28.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Fault {
    fn new(code: i64, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into(), data: None }
    }

    pub(super) fn invalid_request(message: impl Into<String>) -> Fault {
        Fault::new(-32_600, message)
    }

    pub(super) fn no_method(method: &str) -> Fault {
        Fault::new(-32_601, format!("there is no method {}", crate::sanitise::line(method)))
    }

    pub(super) fn invalid_params(message: impl Into<String>) -> Fault {
        Fault::new(-32_602, message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Fault {
        Fault::new(-32_603, message)
    }

    pub(super) fn too_long(most: usize) -> Fault {
        Fault::invalid_request(format!("a message may have {most} bytes at most"))
    }

    pub(super) fn unsupported_version(requested: &str, supported: &[&str]) -> Fault {
        let data = Some(json!({ "supported": supported, "requested": requested }));
        Fault { data, ..Fault::new(-32_022, "Unsupported protocol version") }
    }

    /// As an answer. Where the request's id could not be read, there is none.
    pub(super) fn answer(self, id: Option<&Id>) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(error)) = (self.data, error.as_object_mut()) {
            error.insert(String::from("data"), data);
        }
        let mut answer = json!({ "jsonrpc": "2.0", "error": error });
        if let (Some(id), Some(answer)) = (id, answer.as_object_mut()) {
            answer.insert(String::from("id"), id.value());
        }
        answer
    }
}

/// Reads a line.
pub(super) fn parse(line: &[u8]) -> Result<Incoming, (Option<Id>, Fault)> {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| (None, Fault::new(-32_700, format!("not a line of JSON: {error}"))))?;
    let Value::Object(mut message) = value else {
        return Err((None, Fault::invalid_request("expected one JSON object a line; there are no batches")));
    };
    let id = message.get("id").map(|id| Id::of(id).ok_or(()));
    let known = id.clone().and_then(Result::ok);
    let wrong = |why: &str| Err((known.clone(), Fault::invalid_request(why)));
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return wrong("expected \"jsonrpc\": \"2.0\"");
    }
    if message.contains_key("result") || message.contains_key("error") {
        return Ok(Incoming::Ignored);
    }
    let Some(Value::String(method)) = message.remove("method") else {
        return wrong("expected a method");
    };
    let params = match message.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) if id.is_some() => return Err((known, Fault::invalid_params("params must be an object"))),
        Some(_) => return Ok(Incoming::Ignored),
    };
    match id {
        Some(Ok(id)) => Ok(Incoming::Request(Request { id, method, params })),
        Some(Err(())) => wrong("an id is text or a whole number"),
        None if method == "notifications/cancelled" => {
            Ok(params.get("requestId").and_then(Id::of).map_or(Incoming::Ignored, Incoming::Cancel))
        }
        None => Ok(Incoming::Ignored),
    }
}
