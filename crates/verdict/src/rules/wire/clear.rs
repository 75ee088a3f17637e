//! What a service does with secrets, and what its certificate says: cleartext-credentials, tls-expired,
//! tls-self-signed.

use model::{Certainty, Certificate, Code, Confidence, Protocol, Recognised, Secrecy, Service, Severity};

use super::home::is_private;
use super::words;
use crate::docket::{Cause, Docket, Draft, Many, evidence};
use crate::judge::say;
use crate::traffic::{Berthed, Watch};

pub(super) fn judge<'a>(watch: &Watch<'a>, berthed: &Berthed<'a>, docket: &mut Docket<'a>) {
    let said = &berthed.service.recognised;
    if let Some(protocol) = said.protocol
        && said.certainty == Certainty::Confirmed
        && (protocol.secrecy == Secrecy::CleartextCredentials || is_basic(said))
    {
        credentials(watch, berthed, protocol, docket);
    }
    if let Some(certificate) = &said.certificate {
        validity(watch, berthed, certificate, docket);
        self_signed(watch, berthed, certificate, docket);
    }
}

/// Whether a client of HTTP sent its password as it is (RFC 7617 §4).
fn is_basic(said: &Recognised) -> bool {
    said.detail("authorization").is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
}

/// Passwords cross the network for everybody on the way to read.
fn credentials<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    protocol: &'static Protocol,
    docket: &mut Docket<'a>,
) {
    let service = berthed.service;
    // What stays on the machine crosses no network, and a group of receivers asks for no password.
    if service.server.ip().to_canonical().is_loopback() || berthed.is_group() || is_protected(service) {
        return;
    }
    let beyond =
        !is_private(service.server.ip()) || service.some_clients.iter().any(|addr| !is_private(*addr));
    let severity = if beyond { Severity::Warning } else { Severity::Note };
    let code = Code::CleartextCredentials;
    let cause = Cause::Talk {
        transport: berthed.transport,
        port: berthed.port,
        kin: (protocol.name, if beyond { 11 } else { 10 }),
    };
    docket.raise(code, (severity, Confidence::High), cause, berthed.subject(), || {
        let reach = if beyond { "beyond private addresses" } else { "between private addresses" };
        let basic = is_basic(&service.recognised);
        let how = if basic {
            "with Basic authorization: a password in the clear"
        } else {
            "which carries passwords in the clear"
        };
        let carries = format!("{}, {how}", protocol.title);
        let law = if basic {
            evidence("Basic authorization is the password itself, in another alphabet.", "RFC 7617 §4")
        } else {
            evidence(
                format!("{} carries passwords in the clear by design.", protocol.title),
                protocol.reference,
            )
        };
        Draft {
            before: String::new(),
            after: format!(" speaks {carries}, {reach}"),
            evidence: vec![words::recognised(service, protocol), law, words::amount(service)],
            next_step: format!(
                "{}; take its encrypted successor, and change the passwords that went over it",
                watch.keep(Some(berthed.port))
            ),
            many: Some(Many {
                label: format!("{}/{}", berthed.port, berthed.transport.name()),
                after: " speak ",
                holder: format!("{carries}, {reach}"),
            }),
            named: None,
        }
    });
}

/// Whether the protocol says of itself that this version, or this conversation, is protected: SNMPv3, AUTH TLS.
fn is_protected(service: &Service) -> bool {
    let said = &service.recognised;
    let tls = ["starttls", "auth_tls", "tls"].iter().any(|name| said.detail(name).is_some());
    let snmp3 = said.protocol.is_some_and(|protocol| protocol.name == "snmp")
        && said
            .detail("version")
            .is_some_and(|version| version.trim_start_matches(['v', 'V']).starts_with('3'));
    tls || snmp3
}

/// The certificate's dates are held against the time of the packets.
fn validity<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    certificate: &Certificate,
    docket: &mut Docket<'a>,
) {
    let service = berthed.service;
    let Some(time) = service.last.or(service.first).or(watch.traffic.last) else { return };
    let (late, limit) = if time > certificate.not_after {
        (true, certificate.not_after)
    } else if time < certificate.not_before {
        (false, certificate.not_before)
    } else {
        return;
    };
    let code = Code::TlsExpired;
    let cause = Cause::Text(format!("{} {}", certificate.subject, limit.as_seconds()));
    docket.raise(code, (code.default_severity(), Confidence::High), cause, berthed.subject(), || {
        let plight = if late { "expired on" } else { "is not valid before" };
        let after =
            format!(" shows a certificate that {plight} {}: {}", limit.rfc3339(), called(certificate));
        let facts = vec![
            shown(service, certificate),
            (
                format!(
                    "The packets are of {}; the certificate {plight} {}.",
                    time.rfc3339(),
                    limit.rfc3339()
                ),
                "RFC 5280 §4.1.2.5".to_owned(),
            ),
        ];
        let step = format!("renew it on {}, or see which clients ignore it", service.server.ip());
        say("", after, facts, step)
    });
}

fn self_signed<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    certificate: &Certificate,
    docket: &mut Docket<'a>,
) {
    if !certificate.self_signed {
        return;
    }
    let code = Code::TlsSelfSigned;
    let cause = Cause::Text(format!("{} {}", certificate.subject, certificate.not_after.as_seconds()));
    docket.raise(code, (code.default_severity(), Confidence::High), cause, berthed.subject(), || {
        let after = format!(" shows a certificate that it signed itself: {}", called(certificate));
        let facts = vec![
            shown(berthed.service, certificate),
            (
                "Subject and issuer are the same: nobody else vouches for it.".to_owned(),
                "RFC 5280 §3.2".to_owned(),
            ),
        ];
        let step = format!(
            "{}; if its clients pin the certificate, accept it in policy.toml",
            watch.keep(Some(berthed.port))
        );
        say("", after, facts, step)
    });
}

/// A certificate by the first of its names, else by its subject.
fn called(certificate: &Certificate) -> &str {
    match (certificate.names.first(), certificate.subject.as_str()) {
        (Some(name), _) => name,
        (None, "") => "without a name",
        (None, subject) => subject,
    }
}

fn shown(service: &Service, certificate: &Certificate) -> (String, String) {
    let fact = format!(
        "Certificate of {} by {}, valid from {} to {}.",
        if certificate.subject.is_empty() { called(certificate) } else { &certificate.subject },
        if certificate.issuer.is_empty() { "nobody" } else { &certificate.issuer },
        certificate.not_before.rfc3339(),
        certificate.not_after.rfc3339()
    );
    (fact, words::frames(&service.frames))
}
