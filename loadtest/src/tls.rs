//! Whom a client trusts, and who it says it is.
//! Never skips verification. Guards: a file that holds nothing useful is named.

use crate::config::{FleetFault, Tls};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::path::Path;
use std::sync::Arc;

impl Tls {
    /// Trusts the authorities in the PEM file `ca`; `own` are PEM files of a certificate chain and its key.
    ///
    /// # Errors
    /// [`FleetFault::Pem`], [`FleetFault::Tls`], or a name that is none.
    pub fn from_files(ca: &Path, own: Option<(&Path, &Path)>, name: &str) -> Result<Self, FleetFault> {
        let roots = chain(ca)?;
        let own = own.map(|(cert, key)| {
            let secret = PrivateKeyDer::from_pem_file(key);
            Ok((chain(cert)?, secret.map_err(|source| FleetFault::Pem { path: key.to_owned(), source })?))
        });
        Self::new(roots, own.transpose()?, name)
    }

    /// As [`Tls::from_files`], from memory.
    ///
    /// # Errors
    /// [`FleetFault::Tls`], or a name that is none.
    pub fn new(
        authorities: Vec<CertificateDer<'static>>,
        own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        name: &str,
    ) -> Result<Self, FleetFault> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority).map_err(FleetFault::Tls)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(FleetFault::Tls)?
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(FleetFault::Tls)?,
        };
        let name = ServerName::try_from(name.to_owned()).map_err(|_| FleetFault::Setting {
            what: "server name",
            expected: "a host name or an address".into(),
            found: name.to_owned(),
        })?;
        Ok(Self { config: Arc::new(config), name })
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, FleetFault> {
    let fault = |source| FleetFault::Pem { path: path.to_owned(), source };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(fault)?.collect::<Result<_, _>>().map_err(fault)?;
    if chain.is_empty() { Err(fault(rustls_pki_types::pem::Error::NoItemsFound)) } else { Ok(chain) }
}
