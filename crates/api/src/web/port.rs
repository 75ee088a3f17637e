//! One port: the five answers, each with what it rests on.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use maud::{Markup, html};
use model::Transport;

use super::layout::{Sheet, live};
use super::text::{badge, bytes, count, moment, or_dash, said};
use super::{Answer, history};
use crate::caller::Caller;
use crate::document::{Answers, Record};
use crate::keeper::Query;
use crate::problem::Problem;
use crate::routes::{part, ports};
use crate::shared::Shared;

pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path((name, port)): Path<(String, String)>,
) -> Answer {
    let unknown =
        || Problem::unknown("A port is asked for as /ports/TRANSPORT/NUMBER, for instance /ports/tcp/420.");
    let transport = Transport::from_name(&name).ok_or_else(unknown)?;
    let port: u16 = part(&port, "A port from 0 to 65535")?;
    let atlas = shared.atlas();
    let answers = ports::answers(&shared, &atlas, transport, port);
    let title = format!("{port}/{}", transport.name());
    let others = [Transport::Tcp, Transport::Udp].into_iter().filter(|other| *other != transport);
    let body = html! {
        p.path { a href="/ports" { "Ports" } " / " (title) }
        h1 { (title) " " @if let Some(name) = &answers.summary.registered { span.faint { (said(name)) } } }
        p.around {
            @if let Some(before) = port.checked_sub(1) { a rel="prev" href={ "/ports/" (transport.name()) "/" (before) } { "← " (before) } }
            @for other in others { a href={ "/ports/" (other.name()) "/" (port) } { (port) "/" (other.name()) } }
            @if let Some(after) = port.checked_add(1) { a rel="next" href={ "/ports/" (transport.name()) "/" (after) } { (after) " →" } }
        }
        (live("answers", html! {
            div.answers {
                (verdict(&answers))
                (paper(&answers))
                (held(&answers))
                (wire(&answers))
                (agreed(&answers))
                (timeline(&shared, transport, port))
            }
        }))
    };
    let sheet = Sheet { title: &title, place: "/ports", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

fn verdict(answers: &Answers) -> Markup {
    html! {
        section.answer aria-labelledby="a-verdict" {
            h2 id="a-verdict" { "Is that right?" @if let Some(verdict) = answers.summary.verdict { " " (badge(verdict)) } }
            @if answers.findings.is_empty() {
                p.calm { @if answers.sockets.is_empty() && answers.published.is_empty() { "Nobody is here, and there is nothing to judge." } @else { "Nothing was found against it." } }
            }
            @for finding in &answers.findings {
                article.finding.{ "is-" (finding.severity) } {
                    h3 { (badge(finding.severity)) " " a href={ "/findings/" (finding.id) } { (said(&finding.title)) } }
                    ul { @for (fact, source) in finding.evidence() { li { (said(fact)) span.faint { " — " (said(source)) } } } }
                    p { strong { "Next: " } (said(&finding.next_step)) }
                }
            }
            @for accepted in &answers.accepted { p { span.tag { "accepted" } " " (said(accepted)) } }
        }
    }
}

fn paper(answers: &Answers) -> Markup {
    let paper = &answers.paper;
    html! {
        section.answer aria-labelledby="a-paper" {
            h2 id="a-paper" { "What is it for?" }
            p { span.tag { (answers.summary.status) } @if let Some(usage) = answers.summary.usage { " " span.tag { @if usage == "silent" { "silent" } @else { "in ordinary use" } } } @if let Some(reason) = paper.usage_reason() { " " (said(reason)) } }
            @for row in paper.rows() {
                dl {
                    dt { "Registered" } dd { (or_dash(row.name.as_deref())) @if let Some(text) = row.description() { ": " (said(text)) } }
                    @if let Some(assignee) = row.assignee() { dt { "For" } dd { (said(assignee)) } }
                    @if let Some(when) = row.registered() { dt { "Since" } dd { (said(when)) } }
                    @if let Some(reference) = row.reference() { dt { "Defined in" } dd { (said(reference)) } }
                    @if let Some(text) = row.unauthorised() { dt { "Known unauthorised use" } dd { (said(text)) } }
                }
            }
            dl {
                dt { "Commonly seen" } dd { (or_dash(answers.summary.commonly_seen)) }
                @for rule in &answers.rules {
                    dt { "Rules " (said(&rule.namespace)) }
                    dd {
                        @match rule.privileged { Some(true) => "privileged", Some(false) => "not privileged", None => "not known" }
                        @if rule.ephemeral == Some(true) { ", given out by the kernel itself" }
                    }
                }
            }
            @if !paper.misuse().is_empty() {
                details { summary { "History of misuse of this number" } ul { @for line in paper.misuse() { li { (said(line)) } } } }
            }
        }
    }
}

fn held(answers: &Answers) -> Markup {
    html! {
        section.answer aria-labelledby="a-held" {
            h2 id="a-held" { "Who holds it?" }
            @if answers.sockets.is_empty() && answers.published.is_empty() { p.calm { "Nobody, as far as we can see." } }
            @for rule in &answers.published { p { "Published " (said(rule)) } }
            @for socket in &answers.sockets {
                article.socket {
                    h3 { (socket.place()) " " span.faint { (socket.state()) ", reach: " (socket.scope()) } }
                    @if let Some(reason) = socket.missing() { p { "Holder not known: " (reason) } }
                    @for holder in socket.holders() {
                        dl {
                            dt { "Program" } dd { strong { (said(holder.program())) } " [" (holder.pid()) "]" @if let Some(name) = holder.alias() { ", calls itself " (said(name)) } }
                            @for (name, fact) in holder.facts() { dt { (name) } dd { (said(&fact)) } }
                        }
                    }
                }
            }
            @if answers.more_sockets > 0 { p.faint { "And " (answers.more_sockets) " more." } }
        }
    }
}

fn wire(answers: &Answers) -> Markup {
    html! {
        section.answer aria-labelledby="a-wire" {
            h2 id="a-wire" { "What is on the wire?" }
            @if answers.services.is_empty() && answers.touched.is_none() { p.calm { "Nothing was seen." } }
            @if let Some(touch) = &answers.touched {
                p { (count(touch.flows)) " knocks by about " (count(touch.sources)) " sources, first by " (touch.example_source) @if let Some(last) = &touch.last { ", last " (moment(last)) } ". Nobody spoke." }
            }
            @if !answers.services.is_empty() {
                div.scroll role="region" aria-label="Services on this port" tabindex="0" { table {
                    thead { tr { th scope="col" { "Server" } th scope="col" { "Recognised" } th scope="col" { "Flows" } th scope="col" { "Bytes" } th scope="col" { "Clients" } th scope="col" { "Verdict" } } }
                    tbody { @for service in &answers.services { tr {
                        th scope="row" { (service.address) }
                        td { (or_dash(service.recognised.protocol)) " " span.faint { (service.recognised.certainty) } @for detail in service.recognised.details.iter().take(4) { br; span.faint { (detail.name) ": " } (said(&detail.value)) } }
                        td { (count(service.flows)) } td { (bytes(service.bytes)) } td { (count(service.clients)) } td { (badge(service.verdict)) }
                    } } }
                } }
            }
        }
    }
}

fn agreed(answers: &Answers) -> Markup {
    html! {
        section.answer aria-labelledby="a-agreed" {
            h2 id="a-agreed" { "Was it agreed?" }
            @if answers.sessions.is_empty() { p.calm { "No session names this port." } }
            ul.rows { @for session in &answers.sessions { li { (said(&session.name)) span.faint { " " (said(&session.source_words)) ", " (said(&session.formats.join(", "))) } } } }
        }
    }
}

fn timeline(shared: &Shared, transport: Transport, port: u16) -> Markup {
    let query = Query { transport: Some(transport), port: Some(port), most: 20, ..Query::default() };
    let history = shared.keeper.history(&query);
    html! {
        section.answer aria-labelledby="a-time" {
            h2 id="a-time" { "What happened here?" }
            @match &history {
                Err(refusal) => (history::none(refusal)),
                Ok(list) if list.records.is_empty() => { p.calm { "Nothing is on record." } }
                Ok(list) => {
                    (history::timeline(list.records.iter().map(Record::of)))
                    @if list.next.is_some() { p { a href={ "/history?transport=" (transport.name()) "&port=" (port) } { "All of it" } } }
                }
            }
        }
    }
}
