//! Certificates and keys from PEM files into rustls configurations.
//!
//! Never falls back: a file that is missing or holds nothing useful is a fault that names it. Guards: TLS 1.2 at least,
//! client certificates are required wherever a client CA is configured.

use crate::config::{ClientTls, Config, ServerTls};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// Cannot be read, or is no PEM.
    #[error("cannot read a certificate or key from {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Has no certificate in it.
    #[error("{} holds no certificate", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No X.509 certificate.
    #[error("{} holds something that is no certificate", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: x509_parser::nom::Err<x509_parser::error::X509Error>,
    },
    /// rustls does not take it.
    #[error("the certificates of {} do not make a TLS configuration", path.display())]
    Refused {
        /// The certificate's or CA's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The client CA makes no verifier.
    #[error("the client CA in {} makes no verifier", path.display())]
    Verifier {
        /// The CA's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::server::VerifierBuilderError,
    },
}

/// A listener's side. Sessions can be resumed: a fleet that reconnects must not pay for full handshakes.
///
/// # Errors
/// [`CertificateFault`], naming the file.
pub fn server(tls: &ServerTls) -> Result<Arc<ServerConfig>, CertificateFault> {
    let refused = |source| CertificateFault::Refused { path: tls.cert.clone(), source };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(refused)?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(roots(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            let verifier =
                verifier.map_err(|source| CertificateFault::Verifier { path: path.clone(), source })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain(&tls.cert)?, key(&tls.key)?).map_err(refused)?;
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(refused)?;
    // One ticket per handshake: a terminal keeps one connection, and each ticket costs a write and an encryption.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// A link's side.
///
/// # Errors
/// [`CertificateFault`], naming the file.
pub fn client(tls: &ClientTls) -> Result<Arc<ClientConfig>, CertificateFault> {
    let refused = |source| CertificateFault::Refused { path: tls.ca.clone(), source };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?;
    let builder = builder.with_root_certificates(roots(&tls.ca)?);
    let config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((cert, own)) => builder.with_client_auth_cert(chain(cert)?, key(own)?).map_err(refused)?,
    };
    Ok(Arc::new(config))
}

/// When the first of all that we show others ends, seconds since 1970: listeners' chains and what links show issuers.
/// `None` where nothing is shown.
///
/// # Errors
/// [`CertificateFault`], naming the file.
pub fn not_after(config: &Config) -> Result<Option<u64>, CertificateFault> {
    let listeners = config.listeners.iter().filter_map(|one| one.tls.as_ref()).map(|tls| &tls.cert);
    let links =
        config.links.iter().filter_map(|one| one.tls.as_ref()?.identity.as_ref()).map(|(cert, _)| cert);
    let mut first = None;
    for path in listeners.chain(links) {
        for one in chain(path)? {
            let read = x509_parser::parse_x509_certificate(&one);
            let (_, read) =
                read.map_err(|source| CertificateFault::Unreadable { path: path.clone(), source })?;
            let ends = read.validity().not_after.timestamp().max(0).unsigned_abs();
            first = Some(first.map_or(ends, |first: u64| first.min(ends)));
        }
    }
    Ok(first)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateFault> {
    let pem = |source| CertificateFault::Pem { path: path.to_owned(), source };
    let chain =
        CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<Vec<_>, _>>().map_err(pem)?;
    if chain.is_empty() { Err(CertificateFault::Empty { path: path.to_owned() }) } else { Ok(chain) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateFault> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|source| CertificateFault::Pem { path: path.to_owned(), source })
}

fn roots(path: &Path) -> Result<RootCertStore, CertificateFault> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        let refused = |source| CertificateFault::Refused { path: path.to_owned(), source };
        roots.add(certificate).map_err(refused)?;
    }
    Ok(roots)
}
