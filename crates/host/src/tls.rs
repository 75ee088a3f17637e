//! TLS to servers and with those who come to us, with cryptography that needs no C: what is trusted, and who we say that we are (RFC 8446, RFC 5246).
//!
//! rustls speaks the protocol and graviola has the arithmetic, as assembly that was proven, in Rust source. It exists for
//! x86-64 and 64-bit ARM, and needs instructions that processors have since about 2015; without them TLS is refused in
//! words, and everything else works.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::client::Error;

/// Whom to believe, and who we are. The default believes the authorities that the system believes, and names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// Certificates of authorities (PEM) that count instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, with its chain, and its key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Believe every certificate. Whoever stands between can then read and change everything.
    pub insecure: bool,
}

/// TLS as it was asked for: files are read once.
#[derive(Clone)]
pub struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) http: ureq::tls::TlsConfig,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// The cryptography, or why there is none on this machine.
fn provider() -> Result<CryptoProvider, Error> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return if graviola::util::is_cpu_supported() {
        Ok(rustls_graviola::default_provider())
    } else {
        // Asked before use: the library itself would stop the program.
        Err(Error::NotSupported(LACKING))
    };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Err(Error::NotSupported(LACKING))
}

#[cfg(target_arch = "x86_64")]
const LACKING: &str = "TLS needs a processor with AES, PCLMULQDQ, AVX2, BMI and ADX, and this one lacks some of them; \
     use an address without TLS, or a proxy on this machine that adds it";
#[cfg(target_arch = "aarch64")]
const LACKING: &str = "TLS needs a processor with NEON, AES, PMULL and SHA2, and this one lacks some of them; \
     use an address without TLS, or a proxy on this machine that adds it";
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const LACKING: &str = "TLS is built in for x86-64 and 64-bit ARM only; use an address without TLS, or a proxy on this \
     machine that adds it";

/// Why TLS cannot work on this processor; `None` where it can.
pub fn lacking() -> Option<&'static str> {
    provider().err().map(|_| LACKING)
}

impl Tls {
    /// Reads what it says.
    pub fn new(trust: &Trust) -> Result<Tls, Error> {
        let provider = Arc::new(provider()?);
        let authorities = if trust.insecure { Vec::new() } else { authorities(trust.ca_file.as_deref())? };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Broken(said(&error)))?;
        let builder = if trust.insecure {
            let verifier = Arc::new(Believing(provider.clone()));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        } else {
            let mut roots = RootCertStore::empty();
            // Systems have old certificates that nobody can read any more; the others count.
            let (readable, _) = roots.add_parsable_certificates(authorities.iter().cloned());
            if readable == 0 {
                return Err(Error::Broken(nobody_to_believe(trust)));
            }
            builder.with_root_certificates(roots)
        };
        let mut http = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .disable_verification(trust.insecure);
        if !trust.insecure {
            let roots: Vec<_> =
                authorities.iter().map(|it| ureq::tls::Certificate::from_der(it).to_owned()).collect();
            http = http.root_certs(ureq::tls::RootCerts::new_with_certs(&roots));
        }
        let config = match &trust.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, &error))?;
                http = http.client_cert(Some(for_http(&chain, key)?));
                let apart = |error| not_together(certificate, key, &error);
                builder.with_client_auth_cert(chain, secret).map_err(apart)?
            }
        };
        Ok(Tls { config: Arc::new(config), http: http.build() })
    }
}

/// TLS with those who come to us, as whom this certificate, with its chain, and its key (PEM) say that we are.
pub fn serving(certificate: &Path, key: &Path) -> Result<ServerConfig, Error> {
    let provider = Arc::new(provider()?);
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, &error))?;
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| not_together(certificate, key, &error))
}

fn not_together(certificate: &Path, key: &Path, error: &rustls::Error) -> Error {
    Error::Broken(format!("{} and {} do not belong together: {error}", certificate.display(), key.display()))
}

fn for_http(chain: &[CertificateDer<'_>], key: &Path) -> Result<ureq::tls::ClientCert, Error> {
    let chain: Vec<_> = chain.iter().map(|it| ureq::tls::Certificate::from_der(it).to_owned()).collect();
    let cannot = |why: &dyn fmt::Display| Error::Broken(format!("cannot read {}: {why}", key.display()));
    let text = std::fs::read(key).map_err(|error| cannot(&error))?;
    let secret = ureq::tls::PrivateKey::from_pem(&text).map_err(|error| cannot(&error))?;
    Ok(ureq::tls::ClientCert::new_with_certs(&chain, secret))
}

/// The authorities of the file, else of the system.
fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Error> {
    match file {
        Some(file) => certificates(file),
        None => Ok(rustls_native_certs::load_native_certs().certs),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unread(file, &error))?;
    let all = read.collect::<Result<Vec<_>, _>>().map_err(|error| unread(file, &error))?;
    if all.is_empty() {
        return Err(Error::Broken(format!("{}: there is no certificate in it (PEM)", file.display())));
    }
    Ok(all)
}

fn unread(file: &Path, error: &rustls::pki_types::pem::Error) -> Error {
    Error::Broken(match error {
        rustls::pki_types::pem::Error::Io(error) => format!("cannot read {}: {error}", file.display()),
        rustls::pki_types::pem::Error::NoItemsFound => {
            format!("{}: what was looked for is not in it (PEM)", file.display())
        }
        error => format!("{}: not PEM: {error}", file.display()),
    })
}

fn nobody_to_believe(trust: &Trust) -> String {
    match &trust.ca_file {
        Some(file) => format!("{}: no certificate in it can be read", file.display()),
        None => {
            "this system has no certificates of authorities; install them (ca-certificates), or name a file"
                .into()
        }
    }
}

/// What an error of TLS means to people, and what helps.
pub(crate) fn said(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(why) = error else { return format!("TLS: {error}") };
    let why = match why {
        CertificateError::UnknownIssuer => {
            "is signed by no authority that is trusted here; name its authority's file (ca_file)".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name; use a name that is in it".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; compare the clocks".to_owned()
        }
        CertificateError::Revoked => "was revoked".to_owned(),
        why => format!("is not good: {why:?}"),
    };
    format!("the server's certificate {why}")
}

/// The error of TLS inside an error of a stream.
pub(crate) fn inside(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Believes every certificate; that the server has its key is still checked.
#[derive(Debug)]
struct Believing(Arc<CryptoProvider>);

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(crate) mod tests;
