//! The page of each finding code, from docs/findings/. A code without a page does not compile.

use model::Code;

/// The page, in Markdown.
pub(crate) fn text(code: Code) -> &'static str {
    match code {
        Code::SilentPortInUse => include_str!("../../../docs/findings/silent-port-in-use.md"),
        Code::UnassignedPortInUse => include_str!("../../../docs/findings/unassigned-port-in-use.md"),
        Code::ReservedPortInUse => include_str!("../../../docs/findings/reserved-port-in-use.md"),
        Code::UnexpectedHolder => include_str!("../../../docs/findings/unexpected-holder.md"),
        Code::ExeDeleted => include_str!("../../../docs/findings/exe-deleted.md"),
        Code::ExeReplaced => include_str!("../../../docs/findings/exe-replaced.md"),
        Code::ExeMemfd => include_str!("../../../docs/findings/exe-memfd.md"),
        Code::ExeWritablePlace => include_str!("../../../docs/findings/exe-writable-place.md"),
        Code::UnpackagedService => include_str!("../../../docs/findings/unpackaged-service.md"),
        Code::PackageFileModified => include_str!("../../../docs/findings/package-file-modified.md"),
        Code::ExposedService => include_str!("../../../docs/findings/exposed-service.md"),
        Code::NeedlessPrivilege => include_str!("../../../docs/findings/needless-privilege.md"),
        Code::HolderUnknown => include_str!("../../../docs/findings/holder-unknown.md"),
        Code::HiddenSocket => include_str!("../../../docs/findings/hidden-socket.md"),
        Code::HiddenHolder => include_str!("../../../docs/findings/hidden-holder.md"),
        Code::PacketSocket => include_str!("../../../docs/findings/packet-socket.md"),
        Code::MisuseHistory => include_str!("../../../docs/findings/misuse-history.md"),
        Code::PreloadedLibrary => include_str!("../../../docs/findings/preloaded-library.md"),
        Code::BaselineNew => include_str!("../../../docs/findings/baseline-new.md"),
        Code::BaselineGone => include_str!("../../../docs/findings/baseline-gone.md"),
        Code::BaselineChanged => include_str!("../../../docs/findings/baseline-changed.md"),
        Code::PolicyViolation => include_str!("../../../docs/findings/policy-violation.md"),
        Code::PolicyUnmatched => include_str!("../../../docs/findings/policy-unmatched.md"),
        Code::PolicyExpired => include_str!("../../../docs/findings/policy-expired.md"),
        Code::ProtocolMismatch => include_str!("../../../docs/findings/protocol-mismatch.md"),
        Code::ProtocolAttempt => include_str!("../../../docs/findings/protocol-attempt.md"),
        Code::ForeignBytes => include_str!("../../../docs/findings/foreign-bytes.md"),
        Code::SilentPortTraffic => include_str!("../../../docs/findings/silent-port-traffic.md"),
        Code::UnassignedPortTraffic => include_str!("../../../docs/findings/unassigned-port-traffic.md"),
        Code::ReservedPortTraffic => include_str!("../../../docs/findings/reserved-port-traffic.md"),
        Code::ServiceNew => include_str!("../../../docs/findings/service-new.md"),
        Code::Beacon => include_str!("../../../docs/findings/beacon.md"),
        Code::Scan => include_str!("../../../docs/findings/scan.md"),
        Code::CleartextCredentials => include_str!("../../../docs/findings/cleartext-credentials.md"),
        Code::TlsExpired => include_str!("../../../docs/findings/tls-expired.md"),
        Code::TlsSelfSigned => include_str!("../../../docs/findings/tls-self-signed.md"),
        Code::DamagedTraffic => include_str!("../../../docs/findings/damaged-traffic.md"),
        Code::UnreadLink => include_str!("../../../docs/findings/unread-link.md"),
        Code::StreamWithoutSession => include_str!("../../../docs/findings/stream-without-session.md"),
        Code::SessionWithoutStream => include_str!("../../../docs/findings/session-without-stream.md"),
        Code::GroupWithoutSession => include_str!("../../../docs/findings/group-without-session.md"),
        Code::SourceNotAgreed => include_str!("../../../docs/findings/source-not-agreed.md"),
        Code::FormatNotAgreed => include_str!("../../../docs/findings/format-not-agreed.md"),
        Code::SeveralSenders => include_str!("../../../docs/findings/several-senders.md"),
        Code::StreamLoss => include_str!("../../../docs/findings/stream-loss.md"),
        Code::LegsDiffer => include_str!("../../../docs/findings/legs-differ.md"),
        Code::StreamReset => include_str!("../../../docs/findings/stream-reset.md"),
        Code::PacingNotKept => include_str!("../../../docs/findings/pacing-not-kept.md"),
        Code::TimestampsNotKept => include_str!("../../../docs/findings/timestamps-not-kept.md"),
        Code::EssenceFault => include_str!("../../../docs/findings/essence-fault.md"),
        Code::ClockDisagreement => include_str!("../../../docs/findings/clock-disagreement.md"),
        Code::DecoyTouched => include_str!("../../../docs/findings/decoy-touched.md"),
    }
}

/// The code with this name; else the codes whose names come near.
pub(crate) fn code(name: &str) -> Result<Code, Vec<&'static str>> {
    let name = name.trim().to_ascii_lowercase();
    Code::ALL.iter().copied().find(|code| code.name() == name).ok_or_else(|| {
        let near = |code: &&Code| {
            let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 2);
            words.any(|word| code.name().contains(word))
        };
        Code::ALL.iter().filter(near).map(|code| code.name()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_speaks_of_its_code() {
        for code in Code::ALL {
            assert!(text(*code).contains(code.name()), "{}", code.name());
        }
    }

    #[test]
    fn a_misspelt_code_finds_its_neighbours() {
        assert_eq!(code(" EXE-memfd "), Ok(Code::ExeMemfd));
        assert!(code("exe_deletd").unwrap_err().contains(&"exe-deleted"));
        assert!(code("?").unwrap_err().is_empty());
    }
}
