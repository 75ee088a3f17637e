//! TLS for those who come to us, with cryptography that needs no C (RFC 8446, RFC 5246).

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::settings::{ApiError, ApiSettings};

const LACKING: &str = "TLS needs a processor with AES, PCLMULQDQ, AVX2, BMI and ADX, or 64-bit ARM: leave `certificate` \
                       and `key` out, and let a proxy on this machine add TLS";

fn provider() -> Option<CryptoProvider> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // Asked before use: the library itself would stop the program.
    return graviola::util::is_cpu_supported().then(rustls_graviola::default_provider);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    None
}

/// What speaks TLS with those who come; `None` where the settings name no certificate.
pub(crate) fn acceptor(settings: &ApiSettings) -> Result<Option<TlsAcceptor>, ApiError> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else { return Ok(None) };
    let wrong = |path: &Path, what: String| ApiError::File(path.to_owned(), what);
    let provider = provider().ok_or_else(|| ApiError::Settings(LACKING.to_owned()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, format!("no certificates in PEM: {error}")))?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, format!("no key in PEM: {error}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| wrong(certificate, format!("certificate and key do not go together: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
