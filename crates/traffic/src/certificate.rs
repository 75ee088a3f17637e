//! What matters of an X.509 certificate (RFC 5280 §4.1): whose, by whom, for which names, how long.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::{Certificate, Timestamp, Utc};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate, X509Name};

/// How many names are kept: some certificates have hundreds.
const MOST_NAMES: usize = 64;
/// How long a name may be.
const MOST_NAME: usize = 512;

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_NAME) {
        text.truncate(end);
    }
    text
}

fn instant(time: &ASN1Time) -> Timestamp<Utc> {
    Timestamp::from_ns(time.timestamp().saturating_mul(1_000_000_000))
}

fn name(name: &X509Name<'_>) -> String {
    cut(name.to_string())
}

fn alternative(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some(cut((*name).to_owned()))
        }
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(four), _) => Some(Ipv4Addr::from(four).to_string()),
            (_, Ok(sixteen)) => Some(Ipv6Addr::from(sixteen).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a certificate in DER; `None` where it is none.
pub(crate) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    Some(Certificate {
        subject: name(certificate.subject()),
        issuer: name(certificate.issuer()),
        names: names.filter_map(alternative).take(MOST_NAMES).collect(),
        not_before: instant(&certificate.validity().not_before),
        not_after: instant(&certificate.validity().not_after),
        self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        match u8::try_from(content.len()) {
            Ok(length) if length < 128 => bytes.push(length),
            _ => {
                bytes.push(0x82);
                bytes.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend_from_slice(content);
        bytes
    }

    fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
        tagged(0x30, &parts.concat())
    }

    /// A certificate of `subject` by `issuer`, valid in 2026, for `a.example` and 192.0.2.1; signed by nobody.
    pub(crate) fn made(subject: &str, issuer: &str) -> Vec<u8> {
        let name = |common: &str| {
            let pair = sequence(&[tagged(6, &[0x55, 4, 3]), tagged(12, common.as_bytes())]);
            sequence(&[tagged(0x31, &pair)])
        };
        let algorithm = sequence(&[tagged(6, &[0x2b, 0x65, 0x70])]);
        let validity = sequence(&[tagged(23, b"260101000000Z"), tagged(23, b"261231235959Z")]);
        let key = sequence(&[algorithm.clone(), tagged(3, &[&[0][..], &[7; 32]].concat())]);
        let names = sequence(&[tagged(0x82, b"a.example"), tagged(0x87, &[192, 0, 2, 1])]);
        let extension = sequence(&[tagged(6, &[0x55, 0x1d, 0x11]), tagged(4, &names)]);
        let extensions = tagged(0xa3, &sequence(&[extension]));
        let version = tagged(0xa0, &tagged(2, &[2]));
        let body = sequence(&[
            version,
            tagged(2, &[1]),
            algorithm.clone(),
            name(issuer),
            validity,
            name(subject),
            key,
            extensions,
        ]);
        sequence(&[body, algorithm, tagged(3, &[&[0][..], &[9; 64]].concat())])
    }

    #[test]
    fn a_certificate_is_read_and_every_prefix_is_none() {
        let der = made("a.example", "Harbour CA");
        let read_whole = read(&der).unwrap();
        assert_eq!(
            (read_whole.subject.as_str(), read_whole.issuer.as_str()),
            ("CN=a.example", "CN=Harbour CA")
        );
        assert_eq!(read_whole.names, ["a.example", "192.0.2.1"]);
        assert_eq!(read_whole.not_before.rfc3339(), "2026-01-01T00:00:00Z");
        assert_eq!(read_whole.not_after.rfc3339(), "2026-12-31T23:59:59Z");
        assert!(!read_whole.self_signed && read(&made("x", "x")).unwrap().self_signed);
        for length in 0..der.len() {
            assert!(read(&der[..length]).is_none());
        }
    }

    #[test]
    fn damaged_certificates_do_not_stop_us() {
        let der = made("a.example", "Harbour CA");
        for at in 0..der.len() {
            for value in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut bad = der.clone();
                bad[at] = value;
                if let Some(certificate) = read(&bad) {
                    assert!(certificate.names.len() <= MOST_NAMES);
                }
            }
        }
    }
}
