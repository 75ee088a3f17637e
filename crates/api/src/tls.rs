//! TLS for those who come to us, by the certificate that the settings name (RFC 8446, RFC 5246).

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::settings::{ApiError, ApiSettings};

/// What speaks TLS with those who come; `None` where the settings name no certificate.
pub(crate) fn acceptor(settings: &ApiSettings) -> Result<Option<TlsAcceptor>, ApiError> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else { return Ok(None) };
    let mut config =
        engine::tls::serving(certificate, key).map_err(|error| ApiError::Tls(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
