//! What the hellos of TLS, DTLS and QUIC say of themselves, as particulars of a claim.

use wire::tls::{self, ClientHello, ServerHello, is_grease};

use crate::fingerprint::{self, Carrier};
use crate::recognise::Claim;

fn version(number: u16) -> String {
    tls::version_name(number).map_or_else(|| format!("{number:#06x}"), str::to_owned)
}

/// What a client offers.
pub(crate) fn offered(mut claim: Claim, hello: &ClientHello<'_>, carrier: Carrier) -> Claim {
    if let Some(name) = hello.server_name() {
        claim = claim.with("sni", name);
    }
    let protocols: Vec<&[u8]> = hello.protocols().take(16).collect();
    if !protocols.is_empty() {
        claim = claim.with("alpn_offered", &protocols.join(&b","[..]));
    }
    let versions = hello.versions().filter(|version| !is_grease(*version)).map(version);
    let mut versions: Vec<String> = versions.take(16).collect();
    if versions.is_empty() {
        versions.push(version(hello.version));
    }
    claim = claim.with("versions_offered", versions.join(",").as_bytes());
    if carrier == Carrier::Stream {
        claim = claim.with("ja3", fingerprint::ja3(hello).as_bytes());
    }
    claim.with("ja4", fingerprint::ja4(hello, carrier).as_bytes())
}

/// What a server chooses.
pub(crate) fn chosen(mut claim: Claim, hello: &ServerHello<'_>, carrier: Carrier) -> Claim {
    claim = claim.with("version", version(hello.chosen_version()).as_bytes());
    claim = claim.showing("cipher", format_args!("{:#06x}", hello.cipher));
    if let Some(protocol) = hello.protocol() {
        claim = claim.with("alpn", protocol);
    }
    if carrier == Carrier::Stream {
        claim = claim.with("ja3s", fingerprint::ja3s(hello).as_bytes());
    }
    claim
}
