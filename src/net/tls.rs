//! Whom we trust.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tracing::debug;

use super::NetError;
use crate::session::ConnectFailure;

/// A client that trusts the system's authorities and those in `extra`.
///
/// # Errors
/// When `extra` cannot be read, or when nobody at all is trusted.
pub(crate) fn client_config(extra: Option<&Path>) -> Result<Arc<ClientConfig>, NetError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        debug!(%error, "a system certificate could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = extra {
        add_file(&mut roots, path).map_err(|reason| NetError::CaFile {
            path: path.to_owned(),
            reason,
        })?;
    }
    if roots.is_empty() {
        return Err(NetError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let before = roots.len();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| e.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| e.to_string())?;
        roots.add(certificate).map_err(|e| e.to_string())?;
    }
    if roots.len() == before {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(())
}

/// What a TLS failure means to somebody who has a show to run.
pub(super) fn explain(error: &rustls::Error) -> ConnectFailure {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return ConnectFailure::Tls(error.to_string().into());
    };
    let text = match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; renew it on the server".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host name; check the URL".to_owned()
        }
        // A bad signature is what an authority of the same name and another
        // key looks like.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its issuer is unknown here; for a private authority, name its certificate file with \
             ca_file in the configuration"
                .to_owned()
        }
        CertificateError::Revoked => "it has been revoked".to_owned(),
        // What webpki calls CaUsedAsEndEntity, and rustls has no name for.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is an authority's own; have that authority sign one for the server".to_owned()
        }
        other => other.to_string(),
    };
    ConnectFailure::Certificate(text.into())
}
