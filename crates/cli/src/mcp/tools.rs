//! The tools: what each takes, and what it tells. None of them changes anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Grounds, MediaSettings, Reading, Row, Threshold, View};
use host::{Look, Looker};
use model::{Severity, Transport};
use serde_json::{Value, json};

use super::Desk;
use super::asked::{Asked, WhileWanted, limit, skip};
use super::shown::{self, Answer};
use crate::args::{LookArgs, SelectArgs};
use crate::document::{self, Assignments, Changes, Part, PortPaper, TrafficDocument};
use crate::selection::{self, Selection};
use crate::{look, output, pages, target, text};

/// Ports that are explained at once.
const MOST_PORTS: usize = 8;
/// A packed capture may become this many times its size.
const MOST_UNPACKED: u64 = 4;
/// Memory for the flows of a capture.
const MEMORY: usize = 128 << 20;

const FILTERS: &str = "Filters KEY=VALUE or KEY!=VALUE, all of which must match. Keys: port transport scope family state \
                       user program exe unit container package ns pid verdict code. Several values stand with commas; \
                       numbers take ranges (port=1-1023), words take * and ?.";

struct Tool {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    data: &'static str,
    input: fn() -> Value,
    call: fn(&mut Tools, &mut Asked<'_>) -> Result<Answer, String>,
}

const TOOLS: [Tool; 7] = [
    Tool {
        name: "list_ports",
        title: "List listeners",
        description: "Lists what listens on this machine, in all network namespaces that can be seen: port, address, \
                      scope, holders, what the port is for, verdict.",
        data: "The document of portreeve list --json (portreeve schema portreeve)",
        input: || {
            schema(
                json!({
                    "filters": { "type": "array", "items": { "type": "string" }, "description": FILTERS },
                    "all": { "type": "boolean", "description": "Connected sockets, too" },
                    "limit": limit(),
                    "skip": skip(),
                }),
                &[],
            )
        },
        call: Tools::list,
    },
    Tool {
        name: "explain_port",
        title: "Explain a port",
        description: "Tells everything about a port, used or not: what the registry says, whether anybody uses it so, \
                      its history of misuse with sources, who holds it now, and a verdict with evidence.",
        data: "The document of portreeve port --json (portreeve schema portreeve)",
        input: || {
            schema(
                json!({ "port": {
                    "type": "string",
                    "description": "A port (420), with transport (420/udp), a short range (5000-5003) or a service (ssh)",
                } }),
                &["port"],
            )
        },
        call: Tools::port,
    },
    Tool {
        name: "findings",
        title: "Judge the machine",
        description: "Judges the machine by registry, policy and baseline: findings with severity, confidence, evidence \
                      and next step, gravest first; and where could not be looked.",
        data: "findings, accepted and gaps",
        input: || {
            schema(
                json!({
                    "filters": { "type": "array", "items": { "type": "string" }, "description": FILTERS },
                    "least": { "enum": ["note", "warning", "alert"], "description": "The least severity to tell" },
                    "limit": limit(),
                    "skip": skip(),
                }),
                &[],
            )
        },
        call: Tools::findings,
    },
    Tool {
        name: "explain_finding",
        title: "Explain a finding code",
        description: "The page of a finding code: what was seen, by which rule, what to do, and how it may be wrong.",
        data: "code, severity, summary and page (Markdown, written by Portreeve's authors)",
        input: || {
            schema(json!({ "code": { "type": "string", "description": "As findings gives it" } }), &["code"])
        },
        call: Tools::explain,
    },
    Tool {
        name: "diff",
        title: "Compare with the baseline",
        description: "The difference between what was accepted on this machine (its baseline) and what listens now.",
        data: "The document of portreeve baseline diff --json (portreeve schema changes)",
        input: || schema(json!({}), &[]),
        call: Tools::diff,
    },
    Tool {
        name: "registry_search",
        title: "Search the port registry",
        description: "Finds the rows of the port registry that have a text in any field, in any case.",
        data: "The document of portreeve registry search --json (portreeve schema assignments)",
        input: || {
            schema(
                json!({ "text": { "type": "string", "minLength": 1 }, "limit": limit(), "skip": skip() }),
                &["text"],
            )
        },
        call: Tools::search,
    },
    Tool {
        name: "read_capture",
        title: "Read a capture",
        description: "Reads a capture (pcap or pcapng, plain or packed): which protocols are spoken on which port, scans, \
                      beacons, streams, and whether that is right.",
        data: "The document of portreeve read --json (portreeve schema traffic)",
        input: || {
            schema(
                json!({
                    "path": { "type": "string", "description": "A file in a folder that was opened for reading" },
                    "port": { "type": "string", "description": "Tell only of this port" },
                }),
                &["path"],
            )
        },
        call: Tools::capture,
    },
];

fn schema(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Every tool, as `tools/list` gives it.
pub(super) fn definitions() -> Vec<Value> {
    let definition = |tool: &Tool| {
        json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": (tool.input)(),
            "outputSchema": shown::schema(tool.data),
            "annotations": {
                "title": tool.title,
                "readOnlyHint": true,
                "destructiveHint": false,
                "idempotentHint": true,
                "openWorldHint": false,
            },
        })
    };
    TOOLS.iter().map(definition).collect()
}

/// Whether there is such a tool.
pub(super) fn is_known(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name)
}

/// The tools at work.
pub(super) struct Tools {
    desk: Desk,
    looker: Looker,
}

impl Tools {
    pub(super) fn new(desk: Desk) -> Tools {
        Tools { desk, looker: Looker::new() }
    }

    /// Does what was asked for.
    pub(super) fn call(&mut self, name: &str, asked: &mut Asked<'_>) -> Answer {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
            return Answer::Failed(format!("there is no tool {name}"));
        };
        let known = (tool.input)();
        let known = known.get("properties");
        let unknown =
            asked.arguments.keys().find(|key| known.and_then(|known| known.get(key.as_str())).is_none());
        if let Some(unknown) = unknown {
            return Answer::Failed(format!("{name} has no argument {unknown}"));
        }
        (tool.call)(self, asked).unwrap_or_else(Answer::Failed)
    }

    fn grounds(&self) -> Grounds {
        look::gather(&self.desk.places, &self.desk.judge)
    }

    fn view(&mut self, grounds: &Grounds, look: &Look) -> View {
        grounds.judge(self.looker.snapshot(look))
    }

    fn list(&mut self, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let select = SelectArgs { all: asked.flag("all")?, ..SelectArgs::default() };
        let filters = asked.words("filters")?;
        let selection = Selection::resolve(&select, &filters)?;
        let rows = asked.rows()?;
        let view = self.view(&self.grounds(), &selection.look());
        let matching = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
        let (told, left_out): (Vec<&Row>, _) = rows.of(matching, "rows");
        let mut text = String::new();
        text::list(&mut text, &view, &told, output::plain());
        let everything = told.len() == view.rows.len();
        let data = whole(&view, &told, everything, Vec::new())?;
        Ok(Answer::Data { text, data, left_out })
    }

    fn port(&mut self, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let word = asked.word("port")?;
        let grounds = self.grounds();
        let targets = target::parse(word, &grounds.paper)?;
        let ports: Vec<(u16, Option<Transport>)> = targets
            .iter()
            .flat_map(|target| target.ports.clone().map(|port| (port, target.transport)))
            .take(MOST_PORTS + 1)
            .collect();
        if ports.len() > MOST_PORTS {
            return Err(format!(
                "{MOST_PORTS} ports at most can be explained at once; list_ports takes port=1-1023"
            ));
        }
        let args = LookArgs::default();
        let selection = selection::ports_of(&targets, &args);
        let view = self.view(&grounds, &selection.look());
        let matching: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
        let mut text = String::new();
        for (port, transport) in &ports {
            let one = target::Target { ports: *port..=*port, transport: *transport };
            let of_port = selection::ports_of(&[one], &args);
            let held: Vec<&Row> =
                matching.iter().filter(|row| of_port.matches(&view, row)).copied().collect();
            let beyond = text::Beyond::default();
            text::page(&mut text, &view, (*port, *transport), &held, beyond, output::plain());
        }
        let papers = ports.iter().map(|(port, only)| PortPaper::of(&view.paper, *port, *only)).collect();
        let data = whole(&view, &matching, false, papers)?;
        Ok(Answer::Data { text, data, left_out: None })
    }

    fn findings(&mut self, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let least = match asked.arguments.get("least") {
            None => Severity::Note,
            Some(least) => Severity::ALL
                .into_iter()
                .find(|severity| least.as_str() == Some(severity.name()))
                .ok_or("least is note, warning or alert")?,
        };
        let filters = asked.words("filters")?;
        let selection = Selection::resolve(&SelectArgs::default(), &filters)?;
        let rows = asked.rows()?;
        let grounds = self.grounds();
        if !grounds.wrong.is_empty() {
            return Err(format!(
                "nothing was judged, for what people wrote down is wrong:\n{}",
                grounds.wrong.join("\n")
            ));
        }
        let view = self.view(&grounds, &selection.look());
        let matching: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
        let wanted = |finding: &&model::Finding| {
            let about = |row: &&Row| finding.subjects.iter().any(|it| view.row_of(it) == Some(*row));
            finding.severity >= least && (selection.is_everything() || matching.iter().any(about))
        };
        let all = view.findings.iter().filter(wanted).collect();
        let (told, left_out): (Vec<&model::Finding>, _) = rows.of(all, "findings");
        let mut text = String::new();
        text::check(&mut text, &view, &matching, &told, output::plain());
        let data = json!({
            "generated": view.snapshot.taken.rfc3339(),
            "findings": told.iter().map(|finding| one_finding(&view, finding)).collect::<Vec<_>>(),
            "accepted": view.accepted.iter().map(|accepted| json!({
                "finding": one_finding(&view, &accepted.finding),
                "entry": accepted.entry,
                "reason": accepted.reason,
            })).collect::<Vec<_>>(),
            "gaps": view.snapshot.gaps.iter().map(|gap| json!({
                "area": gap.area.code(),
                "reason": gap.reason.code(),
                "what": gap.what,
                "count": gap.count,
                "help": gap.help(),
            })).collect::<Vec<_>>(),
            "partial": view.is_partial(),
        });
        Ok(Answer::Data { text, data, left_out })
    }

    fn explain(&mut self, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let name = asked.word("code")?;
        let code = pages::code(name).map_err(|near| {
            let near =
                if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
            format!("there is no finding code '{name}'{near}")
        })?;
        let data = json!({
            "code": code.name(),
            "severity": code.default_severity().name(),
            "summary": code.summary(),
            "page": pages::text(code),
        });
        Ok(Answer::Data { text: pages::text(code).to_owned(), data, left_out: None })
    }

    fn diff(&mut self, _: &mut Asked<'_>) -> Result<Answer, String> {
        let found = look::read_baseline(&self.desk.places, self.desk.judge.baseline.as_ref())?;
        let (path, baseline) = found.ok_or(
            "there is no baseline on this machine to compare with; a person makes one with: portreeve baseline learn",
        )?;
        let paper = look::paper(&self.desk.places)?;
        let snapshot = self.looker.snapshot(&selection::look(&LookArgs::default()));
        let view = View::judged(Arc::new(snapshot), paper, Vec::new(), Vec::new());
        let changes = baseline.diff(&view.snapshot);
        let status = if changes.is_empty() { view.outcome(Threshold::Never).exit_status() } else { 1 };
        let mut text = String::new();
        text::changes(&mut text, &changes, output::plain());
        if changes.is_empty() {
            text.push_str("No difference.\n");
        }
        text::gaps(&mut text, &view, output::plain());
        let name = path.display().to_string();
        let data = value(&Changes::of(&view.snapshot, &name, &changes, status))?;
        Ok(Answer::Data { text, data, left_out: None })
    }

    fn search(&mut self, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let wanted = asked.word("text")?;
        let rows = asked.rows()?;
        let paper = look::paper(&self.desk.places)?;
        let (told, left_out) = rows.of(paper.search(wanted).collect(), "rows");
        let mut text = String::new();
        if told.is_empty() {
            text.push_str("The registry has no such row.\n");
        } else {
            text::assignments(&mut text, &told, output::plain());
        }
        let data = value(&Assignments::of(&paper, &told))?;
        Ok(Answer::Data { text, data, left_out })
    }

    fn capture(&mut self, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let path = self.admitted(Path::new(asked.word("path")?))?;
        let grounds = self.grounds();
        if !grounds.wrong.is_empty() {
            return Err(format!(
                "nothing was read, for what people wrote down is wrong:\n{}",
                grounds.wrong.join("\n")
            ));
        }
        let targets = match asked.arguments.get("port") {
            None => Vec::new(),
            Some(_) => target::parse(asked.word("port")?, &grounds.paper)?,
        };
        let mut file =
            engine::capture_file::open(&path).map_err(|error| format!("cannot read it: {error}"))?;
        // A small file can unpack to a very large one.
        let most = self.desk.most_capture.saturating_mul(MOST_UNPACKED);
        let bytes = std::io::Read::take(file.bytes, most);
        file.bytes = Box::new(WhileWanted { bytes, wanted: asked.wanted.clone() });
        let reading = Reading {
            filter: None,
            memory_bytes: MEMORY,
            workers: 1,
            seed: std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8),
            media: MediaSettings::default(),
        };
        let traffic = engine::read(vec![file], &reading, &mut |progress| (asked.tell)(&progress), None);
        if !asked.wanted.holds() {
            return Err(String::from("it was cancelled"));
        }
        let view = grounds.judge_traffic(traffic, None, false);
        let fits = |transport: Transport, port: u16| {
            let one = |it: &target::Target| {
                it.ports.contains(&port) && it.transport.is_none_or(|only| only == transport)
            };
            targets.iter().any(one)
        };
        let view = if targets.is_empty() { view } else { view.only(&fits) };
        let mut text = String::new();
        text::traffic(&mut text, &view, output::plain());
        let status = view.outcome(Threshold::Never).exit_status();
        let data = value(&TrafficDocument::of(&view, None, status))?;
        Ok(Answer::Data { text, data, left_out: None })
    }

    /// The file, if it lies in a folder that was opened for reading, is a file, and is not too large.
    fn admitted(&self, path: &Path) -> Result<PathBuf, String> {
        // What does not exist and what may not be read are told alike: this is no way to look around.
        let refused = || {
            let folders: Vec<String> =
                self.desk.captures.iter().map(|folder| folder.display().to_string()).collect();
            format!(
                "there is no such capture in {}; other folders are opened with: portreeve mcp --captures DIR",
                folders.join(", ")
            )
        };
        let path = path.canonicalize().map_err(|_| refused())?;
        if !self.desk.captures.iter().any(|folder| path.starts_with(folder)) {
            return Err(refused());
        }
        let about = path.metadata().map_err(|_| refused())?;
        if !about.is_file() {
            return Err(refused());
        }
        if about.len() > self.desk.most_capture {
            return Err(format!(
                "the capture has {} bytes, and {} may be read; more with: portreeve mcp --most-capture BYTES",
                about.len(),
                self.desk.most_capture
            ));
        }
        Ok(path)
    }
}

fn one_finding(view: &View, finding: &model::Finding) -> Value {
    let about: Vec<String> =
        finding.subjects.iter().filter_map(|subject| text::subject_words(view, subject)).collect();
    let evidence = finding.evidence.iter().map(|it| json!({ "fact": it.fact, "source": it.source }));
    json!({
        "code": finding.code.name(),
        "severity": finding.severity.name(),
        "confidence": finding.confidence.name(),
        "title": finding.title,
        "about": about,
        "evidence": evidence.collect::<Vec<_>>(),
        "next_step": finding.next_step,
    })
}

fn whole(view: &View, rows: &[&Row], everything: bool, ports: Vec<PortPaper<'_>>) -> Result<Value, String> {
    let exit_status = view.outcome(Threshold::Never).exit_status();
    let mut bytes = Vec::new();
    document::write(&mut bytes, &Part { view, rows, everything, ports, exit_status })
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

fn value(document: &impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(document).map_err(|error| error.to_string())
}
