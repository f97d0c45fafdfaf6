//! Whom the agent believes: the system's roots and, where given, one pinned authority.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

/// Why trust could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TrustFailure {
    /// The authority's file can't be read as PEM.
    #[error("{path} is no certificate in PEM form: {words}")]
    Authority {
        /// Which file.
        path: String,
        /// What is wrong.
        words: String,
    },
    /// rustls turned the settings down.
    #[error("TLS can't be set up")]
    Rustls(#[from] rustls::Error),
}

/// The client's settings. With `authority`, only certificates from it are believed.
pub fn client(authority: Option<&Path>) -> Result<Arc<ClientConfig>, TrustFailure> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(path) => {
            let failed = |words: String| TrustFailure::Authority {
                path: path.display().to_string(),
                words,
            };
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| failed(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| failed(error.to_string()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
