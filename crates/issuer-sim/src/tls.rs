//! TLS for the issuers' side: certificates from PEM files into a server configuration.
//! Never logs a key; guards: with a client authority, a client without a certificate of it gets no connection.

use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file that cannot be read, or holds no PEM of the kind wanted.
    #[error("cannot read {what} from {path}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// A client authority that verifies nothing.
    #[error("no usable authority in {path}")]
    Authority {
        /// Where.
        path: PathBuf,
    },
    /// Certificate and key that do not go together.
    #[error("certificate and key of {path} do not work together")]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
}

/// A server configuration (TLS 1.2 and 1.3) from PEM files. With `client_ca`, clients must show a certificate of it.
///
/// # Errors
/// The file that is at fault.
pub fn server_config(
    cert: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<Arc<rustls::ServerConfig>, TlsFault> {
    let chain = certificates(cert, "certificates")?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsFault::Pem {
        what: "a private key",
        path: key.to_owned(),
        source,
    })?;
    let builder =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions();
    let pair = |source| TlsFault::Pair { path: cert.to_owned(), source };
    let builder = builder.map_err(pair)?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(verifier(path)?),
    };
    Ok(Arc::new(builder.with_single_cert(chain, key).map_err(pair)?))
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|source| TlsFault::Pem {
        what,
        path: path.to_owned(),
        source,
    })
}

fn verifier(path: &Path) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsFault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(path, "an authority")?);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| TlsFault::Authority { path: path.to_owned() })
}
