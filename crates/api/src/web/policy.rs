//! Policy: what people wrote down, what another one would change, and what waits for an administrator.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use maud::{Markup, html};
use serde::Deserialize;

use super::Answer;
use super::layout::Sheet;
use super::text::{badge, moment, said};
use crate::access::Scope;
use crate::caller::Caller;
use crate::document::{Checked, Previewed, Waiting};
use crate::gate;
use crate::keeper::PolicyText;
use crate::policy::{Draft, check, propose};
use crate::problem::Problem;
use crate::shared::Shared;

/// A form that was filled in.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filled {
    csrf: String,
    text: String,
    replaces: String,
    reason: String,
    action: String,
}

impl Filled {
    fn draft(&self) -> Draft<'_> {
        Draft { text: &self.text, replaces: Some(self.replaces.as_str()).filter(|name| !name.is_empty()) }
    }
}

pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer {
    Ok(super::html(&headers, sheet(&shared, &caller, &Filled::default(), None)))
}

/// Checks, or proposes; the page says what came of it.
pub(crate) async fn sent(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    filled: Result<Form<Filled>, FormRejection>,
) -> Answer {
    let Form(mut filled) = filled.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    gate::brings_csrf(&caller, Some(&filled.csrf))?;
    // Browsers end lines as RFC 2046 has it.
    filled.text = filled.text.replace("\r\n", "\n");
    let outcome = if filled.action == "propose" {
        match propose(&shared, &caller, filled.draft(), &filled.reason) {
            Ok(proposal) => result(html! {
                p { span.badge.is-ok { "kept" } " It does not count yet. An administrator takes it over with:" }
                pre tabindex="0" { (said(&proposal.command)) }
            }),
            Err(problem) => result(html! { p.wrong { (said(problem.detail())) } }),
        }
    } else {
        match check(&shared, filled.draft()) {
            Ok(checked) => result(told(&checked, &filled.text)),
            Err(problem) => result(html! { p.wrong { (said(problem.detail())) } }),
        }
    };
    Ok(super::html(&headers, sheet(&shared, &caller, &filled, Some(outcome))))
}

fn result(words: Markup) -> Markup {
    html! { section.answer id="result" aria-labelledby="came" tabindex="-1" data-focus { h2 id="came" { "What came of it" } (words) } }
}

fn told(checked: &Checked, text: &str) -> Markup {
    let Some(preview) = &checked.preview else {
        let line = checked.line.unwrap_or(1);
        let wrong = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        return html! {
            p { span.badge.is-alert { "not sound" } " Line " (line) @if let Some(column) = checked.column { ", column " (column) } ": " (said(checked.fault.as_deref().unwrap_or_default())) }
            pre tabindex="0" { (line) " | " (said(wrong)) }
        };
    };
    html! {
        p { span.badge.is-ok { "sound" } " " (checked.entries) " entries. Of what stands now, " (preview.going) " findings would go, " (preview.coming) " would come, " (preview.stays) " would stay." }
        (changed("Would go", &preview.goes, preview.going))
        (changed("Would come", &preview.comes, preview.coming))
    }
}

fn changed(name: &str, list: &[Previewed], count: usize) -> Markup {
    html! {
        @if !list.is_empty() {
            h3 { (name) }
            ul.rows { @for it in list { li { (badge(it.severity)) (said(&it.title)) span.faint { " " (it.code) " · " (said(&it.about)) } } } }
            @if list.len() < count { p.faint { "And " (count - list.len()) " more." } }
        }
    }
}

/// A text of several lines: what would mislead the eye becomes visible, line by line.
fn lines(text: &str) -> Markup {
    html! { @for (at, line) in text.lines().enumerate() { @if at > 0 { "\n" } (said(&line.replace('\t', "    "))) } }
}

fn sheet(shared: &Shared, caller: &Caller, filled: &Filled, outcome: Option<Markup>) -> Markup {
    let files = shared.keeper.policies();
    let proposals: Vec<Waiting> = shared.keeper.proposals().into_iter().map(Waiting::of).collect();
    let body = html! {
        h1 { "Policy" }
        p { "What may listen, what must not, and what must be there, as people wrote it down. Nothing on this page changes what counts." }
        @if let Some(outcome) = &outcome { (outcome) }
        div.columns {
            section aria-labelledby="try" { h2 id="try" { "Try another one" } (form(caller, &files, filled)) }
            div {
                section.answer aria-labelledby="counts" {
                    h2 id="counts" { "What counts" }
                    @if files.is_empty() { p.calm { "There is no policy file; the first would be " code { "/etc/portreeve/policy.toml" } "." } }
                    @for file in &files { details { summary { (said(&file.name)) } pre tabindex="0" { (lines(&file.text)) } } }
                }
                section.answer aria-labelledby="waits" {
                    h2 id="waits" { "What was proposed" }
                    @if proposals.is_empty() { p.calm { "Nothing waits for an administrator." } }
                    @for it in &proposals {
                        article.socket {
                            h3 { (said(&it.reason)) }
                            p.faint { (said(&it.by)) ", " (moment(&it.at)) @if let Some(file) = &it.replaces { ", instead of " (said(file)) } }
                            details { summary { "What it says" } pre tabindex="0" { (lines(&it.text)) } }
                            p.faint { "An administrator takes it over with:" }
                            pre tabindex="0" { (said(&it.command)) }
                        }
                    }
                }
            }
        }
    };
    let script = Some("policy.js");
    Sheet { title: "Policy", place: "/policy", caller: Some(caller), script }.with(body)
}

fn form(caller: &Caller, files: &[PolicyText], filled: &Filled) -> Markup {
    let csrf = caller.csrf.as_deref().unwrap_or_default();
    html! {
        form.decide method="post" action="/policy" {
            input type="hidden" name="csrf" value=(csrf);
            label for="replaces" { "It would be" }
            select id="replaces" name="replaces" {
                option value="" selected[filled.replaces.is_empty()] { "one more file" }
                @for file in files { option value=(said(&file.name)) selected[filled.replaces == file.name] { "instead of " (said(&file.name)) } }
            }
            div id="choose" hidden { label for="file" { "From a file" } input type="file" id="file" accept=".toml,text/plain"; }
            label for="text" { "Policy (TOML)" }
            textarea.code id="text" name="text" rows="14" maxlength="200000" spellcheck="false" required aria-describedby="text-help" { (lines(&filled.text)) }
            p.faint id="text-help" { "For instance " code { "[[allow]]" } " with " code { "port" } ", " code { "exe" } " and " code { "reason" } "." }
            button type="submit" name="action" value="check" { "Check" }
            @if caller.scope < Scope::Ack {
                p.faint { "Proposing needs a token with the scope ack." }
            } @else {
                label for="reason" { "Reason, to propose it" }
                input type="text" id="reason" name="reason" maxlength="1000" value=(said(&filled.reason));
                button.quiet type="submit" name="action" value="propose" { "Propose" }
            }
        }
    }
}
