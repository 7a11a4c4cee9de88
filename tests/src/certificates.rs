//! Throw-away authorities and certificates, as files for the switch and as configurations for its peers.
//! Never outlive the directory they are in. Guards: each test trusts nobody but its own authority.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An authority and what it has signed: `ca.pem`, `switch.pem`, `switch.key`, `terminal.pem`, `terminal.key`.
pub struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    /// Makes the authority and its certificates in `dir`, which is made too.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn make(dir: &Path) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
        for name in ["switch", "terminal"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { dir: dir.to_owned() }
    }

    /// Path of one of the files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A client that trusts this authority and shows the terminal's certificate.
    pub fn client(&self) -> Arc<ClientConfig> {
        self.client_of(Some(self))
    }

    /// A client that trusts this authority and shows no certificate.
    pub fn stranger(&self) -> Arc<ClientConfig> {
        self.client_of(None)
    }

    /// A client that trusts this authority and shows a certificate that `other` has signed.
    ///
    /// # Panics
    /// If the files are not what [`Certificates::make`] wrote.
    pub fn client_of(&self, other: Option<&Self>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("ca.pem")).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match other {
            None => builder.with_no_client_auth(),
            Some(other) => {
                let chain = vec![CertificateDer::from_pem_file(other.file("terminal.pem")).unwrap()];
                let key = PrivateKeyDer::from_pem_file(other.file("terminal.key")).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}
