//! A document in few words, so that a test compares everything and not only what it thought of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::stage::Planter;

/// Names for numbers that are new in each run: processes, threads and namespaces.
#[derive(Default)]
pub struct Names(BTreeMap<u64, String>);

impl Names {
    /// Gives a number a name.
    pub fn name(&mut self, number: u64, name: &str) -> &mut Names {
        self.0.insert(number, name.to_owned());
        self
    }

    /// Gives a planter its name, and the other processes and threads that it told of the names it told.
    pub fn planter(&mut self, name: &str, planter: &Planter) -> &mut Names {
        for (told, number) in planter.told.as_object().into_iter().flatten() {
            self.name(number.as_u64().unwrap(), told);
        }
        self.name(planter.pid(), name)
    }

    fn of(&self, number: &Value) -> String {
        let number = number.as_u64().unwrap();
        self.0.get(&number).cloned().unwrap_or_else(|| format!("?{number}"))
    }
}

/// An array of the document.
pub fn array<'a>(document: &'a Value, name: &str) -> &'a [Value] {
    document[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every row, in order of its words: what, where, who, and what is said about it.
///
/// `tcp 127.0.0.1:420 ipv4 loopback listening own [http] silent-port-in-use:warning`
pub fn rows(document: &Value, names: &Names) -> Vec<String> {
    let mut rows: Vec<String> = array(document, "sockets")
        .iter()
        .enumerate()
        .map(|(index, socket)| {
            let word = |name: &str| socket[name].as_str().unwrap();
            let holders: Vec<String> = array(socket, "holders")
                .iter()
                .map(|holder| {
                    let name = names.of(&holder["pid"]);
                    if holder["tid"].is_null() {
                        name
                    } else {
                        format!("{name}/{}", names.of(&holder["tid"]))
                    }
                })
                .collect();
            let mut holders = dedup(holders).join(" ");
            if let Some(reason) = socket["holders_missing"].as_str() {
                holders.push_str(&format!("({reason})"));
            }
            let mut row = format!(
                "{} {}:{} {} {} {} {} [{holders}]",
                word("kind"),
                socket["addr"].as_str().unwrap_or("-"),
                socket["port"],
                word("family"),
                word("scope"),
                word("state"),
                names.of(&socket["netns"]),
            );
            if let Some(interface) = socket["interface"]["name"].as_str() {
                row.push_str(&format!(" %{interface}"));
            }
            if !array(socket, "hidden_from").is_empty() {
                row.push_str(&format!(" hidden from {}", socket["hidden_from"]));
            }
            row + &said(document, "sockets", index)
        })
        .collect();
    rows.extend(array(document, "forwards").iter().enumerate().map(|(index, forward)| {
        let text = |name: &str| forward[name].as_str().unwrap_or("*").to_owned();
        format!(
            "forward {} {}:{} {} {} > {}:{}{}",
            text("transport"),
            text("addr"),
            forward["first"],
            text("scope"),
            names.of(&forward["netns"]),
            text("to_addr"),
            forward["to_port"],
            said(document, "forwards", index)
        )
    }));
    rows.sort();
    rows
}

/// The findings about one row.
fn said(document: &Value, kind: &str, index: usize) -> String {
    let about = |finding: &&Value| array(finding, kind).iter().any(|at| at.as_u64() == Some(index as u64));
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let said = array(document, "findings")
        .iter()
        .filter(about)
        .map(|finding| format!("{}:{}", word(finding, "code"), word(finding, "severity")));
    let mut said: Vec<String> = said.collect();
    said.sort();
    said.into_iter().map(|said| format!(" {said}")).collect()
}

fn dedup(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}
