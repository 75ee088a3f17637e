//! The OpenAPI document (OpenAPI 3.1.0): made from the operations and the types themselves, and kept as a golden file.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::document::{self, One, Page};
use crate::problem::Problem;
use crate::routes::{self, OPERATIONS, Operation};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// The form with this name, among the others.
fn forms(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut forms = Map::new();
    macro_rules! form {
        ($($name:literal: $form:ty),+ $(,)?) => {$(
            forms.insert($name.to_owned(), generator.root_schema_for::<$form>().to_value());
        )+};
    }
    form! {
        "Status": One<document::Status>,
        "PortPage": Page<document::Summary>,
        "Port": One<document::Answers>,
        "Letters": routes::ports::Letters,
        "SocketPage": Page<document::Socket>,
        "HolderPage": Page<routes::lists::Holder>,
        "FlowPage": Page<document::Flow>,
        "ServicePage": Page<document::Service>,
        "SessionPage": Page<document::Session>,
        "StreamPage": Page<document::Stream>,
        "Stream": One<document::Stream>,
        "Loud": One<document::Loud>,
        "ClockPage": Page<document::Clock>,
        "FindingPage": Page<document::Finding>,
        "Finding": One<document::Finding>,
        "RecordPage": Page<document::Record>,
        "Decoys": One<document::Decoys>,
        "AssignmentPage": Page<document::Assignment>,
        "Policies": One<document::Policies>,
        "Checked": One<document::Checked>,
        "Waiting": One<document::Waiting>,
        "Entry": One<routes::policy::Entry>,
        "CapturePage": Page<document::CaptureReport>,
        "Capture": One<document::CaptureReport>,
        "Problem": Problem,
    }
    // What is taken may leave out what has a default.
    let generator = &mut SchemaSettings::draft2020_12().into_generator();
    macro_rules! taken {
        ($($name:literal: $form:ty),+ $(,)?) => {$(
            forms.insert($name.to_owned(), generator.root_schema_for::<$form>().to_value());
        )+};
    }
    taken! {
        "Acknowledgement": routes::findings::Acknowledgement,
        "Written": routes::policy::Written,
        "Motion": routes::policy::Motion,
        "Wanted": routes::policy::Wanted,
    }
    forms
}

/// Moves what each form defines beside the forms, and points references there.
fn flatten(forms: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, mut form) in forms {
        let inner = form.as_object_mut().unwrap();
        inner.remove("$schema");
        inner.remove("title");
        if let Some(Value::Object(defined)) = inner.remove("$defs") {
            for (inner_name, definition) in defined {
                let name = inner_name.clone();
                all.insert(format!("{name}_"), definition);
            }
        }
        all.insert(name, form);
    }
    all.values_mut().for_each(point);
    all
}

fn point(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/components/schemas/{name}_");
            }
            // A format that no standard knows says nothing to strangers.
            if let Some(Value::String(format)) = map.get("format")
                && format.starts_with(['u', 'i'])
                && !format.starts_with("ip")
            {
                map.remove("format");
            }
            map.values_mut().for_each(point);
        }
        Value::Array(list) => list.iter_mut().for_each(point),
        _ => {}
    }
}

fn schema_of(kind: &str) -> Value {
    match kind {
        "string" => json!({"type": "string"}),
        "text!" => json!({"type": "string", "minLength": 1, "maxLength": 100, "pattern": "\\S"}),
        "port" => json!({"type": "integer", "minimum": 0, "maximum": 65535}),
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        "seconds" => json!({"type": "integer", "minimum": -9_000_000_000_i64, "maximum": 9_000_000_000_i64}),
        words => json!({"type": "string", "enum": words.split('|').collect::<Vec<_>>()}),
    }
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let of_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let of_path = of_path.map(|name| {
        let schema = match name {
            "transport" => schema_of("tcp|udp|sctp|dccp"),
            "port" => schema_of("port"),
            "plot" => schema_of("intervals.svg|vrx.svg|cinst.svg"),
            _ => json!({"type": "string", "pattern": "^[0-9a-f]{10,16}$"}),
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let of_query = operation.query.iter().map(|(name, kind, words)| {
        json!({"name": name, "in": "query", "required": kind.ends_with('!'), "description": words, "schema": schema_of(kind)})
    });
    of_path.chain(of_query).collect()
}

fn described(operation: &Operation) -> Value {
    let form = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let content = match operation.gives {
        kind if kind.contains('/') => json!({kind: {}}),
        name => json!({"application/json": {"schema": form(name)}}),
    };
    let problem = json!({"description": "Why not, and what to do.", "content": {"application/problem+json": {"schema": form("Problem")}}});
    let status = if operation.path == "/captures" && operation.method == "post" { "202" } else { "200" };
    let mut described = json!({
        "summary": operation.summary,
        "operationId": format!("{}{}", operation.method, operation.path.replace(['/', '{', '}', '.'], "_")),
        "x-scope": operation.scope,
        "parameters": parameters(operation),
        "responses": {
            status: {"description": operation.summary, "content": content},
            "default": problem,
        },
    });
    match operation.takes {
        Some(kind) if kind.contains('/') => {
            described["requestBody"] = json!({"required": true, "content": {kind: {"schema": {"type": "string", "format": "binary"}}}});
        }
        Some(name) => {
            described["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": form(name)}}});
        }
        None => {}
    }
    described
}

pub(crate) fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let methods = paths.entry(format!("/api/v1{}", operation.path)).or_insert_with(|| json!({}));
        methods[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portreeve",
            "version": "1",
            "description": "What is known of the ports of a machine. Texts of strangers stand in it as they are: whoever shows them makes them harmless.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": flatten(forms(&mut generator)),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Made with `portreeve token new`. Our own user and root need none on this machine."}},
        },
    })
}

#[test]
fn the_golden_document_is_what_is_served() {
    let text = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("PORTREEVE_BLESS").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert!(
        golden == text,
        "docs/openapi.json is not what the types say: look at the difference with PORTREEVE_BLESS=1"
    );
}
