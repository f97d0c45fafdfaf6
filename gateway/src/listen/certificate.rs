//! The certificate that we show: given files, or one of our own making that is kept in the data directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{ServerConfig, server::NoServerSessionStorage};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use time::{Duration, OffsetDateTime};

use crate::{
    app::Clock,
    config::{Config, Tls},
    embedded::write_in_one_step,
};

/// Browsers refuse certificates that live longer.
const VALID_FOR: Duration = Duration::days(397);

/// Renewed with this much left, so that nobody ever meets one that ran out.
const RENEW_BEFORE: Duration = Duration::days(60);

/// Clocks of robots may be behind ours.
const VALID_SINCE: Duration = Duration::days(1);

/// The key with its certificate in one file, so that no crash parts them. The first line says what it was made for.
const BOTH: &str = "generated.pem";

/// The certificate alone, for those who are to trust it.
const PUBLIC: &str = "certificate.pem";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file is not what it should be.
    #[error("{path} holds no {what} in PEM form: {words}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// "certificate" or "private key".
        what: &'static str,
        /// Why.
        words: String,
    },
    /// The two don't belong together, or their kind is not known.
    #[error(
        "the certificate in {certificate} and the key in {key} can't be used together: {source}"
    )]
    Unusable {
        /// Its file.
        certificate: PathBuf,
        /// Its key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Making one failed.
    #[error("no certificate can be made for {names}")]
    Make {
        /// The names it was to carry.
        names: String,
        /// Why.
        source: rcgen::Error,
    },
    /// Keeping it failed.
    #[error("{path} can't be written")]
    Keep {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What rustls needs to know to show the certificate.
pub(super) fn load(config: &Config, tls: &Tls) -> Result<Arc<ServerConfig>, CertificateError> {
    match tls {
        Tls::Files { certificate, key } => server_config(certificate, key),
        Tls::Generated => {
            let folder = config.data_dir.join("tls");
            let both = folder.join(BOTH);
            let wanted = config.names();
            let now = Clock::default().now();
            if !is_good(&both, &wanted, now) {
                make(&folder, &wanted, now)?;
            }
            server_config(&both, &both)
        }
    }
}

fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, CertificateError> {
    let chain = read_chain(certificate)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| CertificateError::Unreadable {
            path: key.to_owned(),
            what: "private key",
            words: error.to_string(),
        })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        })
        .map_err(|source| CertificateError::Unusable {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        })?;
    // Sockets last for hours, so resumption saves nothing, and every session proves itself from the start.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    // WebSockets over HTTP/2 need an extension that not every client has.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let unreadable = |words: String| CertificateError::Unreadable {
        path: path.to_owned(),
        what: "certificate",
        words,
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(error.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable("there is none in it".to_owned()));
    }
    Ok(chain)
}

/// Whether the one that is kept was made for these names and lasts.
fn is_good(both: &Path, wanted: &[String], now: OffsetDateTime) -> bool {
    let Ok(text) = fs::read_to_string(both) else {
        return false;
    };
    let made_for = text.lines().next().and_then(MadeFor::parse);
    made_for.is_some_and(|made_for| {
        made_for.not_after_s > (now + RENEW_BEFORE).unix_timestamp() && made_for.names == wanted
    })
}

fn make(folder: &Path, names: &[String], now: OffsetDateTime) -> Result<(), CertificateError> {
    let failed = |source| CertificateError::Make {
        names: names.join(", "),
        source,
    };
    let mut params = CertificateParams::new(names.to_vec()).map_err(failed)?;
    params.not_before = now - VALID_SINCE;
    params.not_after = params.not_before + VALID_FOR;
    params
        .distinguished_name
        .push(DnType::CommonName, "Nooterra gateway");
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    let made_for = MadeFor {
        not_after_s: params.not_after.unix_timestamp(),
        names: names.to_vec(),
    };
    let both = format!(
        "{}\n{}{}",
        made_for.line(),
        certificate.pem(),
        key.serialize_pem()
    );
    fs::create_dir_all(folder).map_err(|source| CertificateError::Keep {
        path: folder.to_owned(),
        source,
    })?;
    for (name, content) in [(PUBLIC, certificate.pem()), (BOTH, both)] {
        let path = folder.join(name);
        write_in_one_step(&path, content.as_bytes())
            .map_err(|source| CertificateError::Keep { path, source })?;
    }
    tracing::info!(
        "made a certificate; those who are to trust it need {}",
        folder.join(PUBLIC).display()
    );
    Ok(())
}

/// The first line of the kept file. PEM readers skip it.
#[derive(Debug, PartialEq, Eq)]
struct MadeFor {
    not_after_s: i64,
    names: Vec<String>,
}

impl MadeFor {
    fn line(&self) -> String {
        format!(
            "nooterra until {} for {}",
            self.not_after_s,
            self.names.join(",")
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("nooterra until ")?;
        let (not_after_s, names) = rest.split_once(" for ")?;
        Some(Self {
            not_after_s: not_after_s.parse().ok()?,
            names: names.split(',').map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use time::macros::datetime;

    use super::*;

    const T0: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_made_certificate_is_kept_until_it_nears_its_end_or_names_change() {
        let folder = tempfile::tempdir().unwrap();
        let both = folder.path().join(BOTH);
        let wanted = names(&["localhost", "192.0.2.7"]);
        assert!(!is_good(&both, &wanted, T0));

        make(folder.path(), &wanted, T0).unwrap();

        assert!(is_good(&both, &wanted, T0));
        let last_day = T0 - VALID_SINCE + VALID_FOR - RENEW_BEFORE - Duration::DAY;
        assert!(is_good(&both, &wanted, last_day));
        assert!(!is_good(&both, &wanted, last_day + Duration::days(2)));
        assert!(!is_good(&both, &names(&["localhost"]), T0));
        assert!(server_config(&both, &both).is_ok());
    }

    #[test]
    fn the_key_is_for_its_owner_alone_and_the_public_file_holds_none() {
        let folder = tempfile::tempdir().unwrap();

        make(folder.path(), &names(&["localhost"]), T0).unwrap();

        let mode = fs::metadata(folder.path().join(BOTH))
            .unwrap()
            .permissions()
            .mode();
        let public = fs::read_to_string(folder.path().join(PUBLIC)).unwrap();
        assert_eq!(mode & 0o777, 0o600);
        assert!(public.contains("BEGIN CERTIFICATE") && !public.contains("KEY"));
    }

    #[test]
    fn what_is_no_certificate_and_what_does_not_fit_is_refused_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        make(folder.path(), &names(&["localhost"]), T0).unwrap();
        make(other.path(), &names(&["localhost"]), T0).unwrap();
        let garbage = folder.path().join("garbage.pem");
        fs::write(&garbage, "lemons").unwrap();
        let (public, both) = (folder.path().join(PUBLIC), folder.path().join(BOTH));

        let no_certificate = server_config(&garbage, &both).unwrap_err().to_string();
        let no_key = server_config(&public, &garbage).unwrap_err().to_string();
        let strangers = server_config(&public, &other.path().join(BOTH)).unwrap_err();

        assert!(no_certificate.contains("garbage.pem"), "{no_certificate}");
        assert!(no_key.contains("garbage.pem"), "{no_key}");
        assert!(matches!(strangers, CertificateError::Unusable { .. }));
    }
}
