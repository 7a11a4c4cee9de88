//! A throw-away certificate authority and what it signs, valid for the demo's directory only.
//! Never touches a trust store; guards: keys are files that only their owner can read, gone with the directory.

use super::DemoFault;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Files of one authority.
pub struct Certificates {
    /// The authority's own certificate.
    pub ca: PathBuf,
    /// For whoever listens: `localhost`.
    pub server: (PathBuf, PathBuf),
    /// For whoever connects.
    pub client: (PathBuf, PathBuf),
}

impl Certificates {
    /// Makes them in `dir`. Keys are ECDSA P-256: handshakes are cheap on both sides.
    pub fn make(dir: &Path) -> Result<Self, DemoFault> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, "Pointsman demo CA");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let ca = dir.join("ca.pem");
        write(&ca, authority.pem().as_bytes())?;
        let server = signed(dir, "server", &authority, ExtendedKeyUsagePurpose::ServerAuth)?;
        let client = signed(dir, "client", &authority, ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Self { ca, server, client })
    }
}

fn signed(
    dir: &Path,
    name: &str,
    authority: &CertifiedIssuer<'_, KeyPair>,
    usage: ExtendedKeyUsagePurpose,
) -> Result<(PathBuf, PathBuf), DemoFault> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.extended_key_usages = vec![usage];
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let certificate = params.signed_by(&key, authority)?;
    let paths = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    write(&paths.0, certificate.pem().as_bytes())?;
    write(&paths.1, key.serialize_pem().as_bytes())?;
    Ok(paths)
}

/// A new file that only its owner can read.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DemoFault> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(|source| DemoFault::Io { doing: "write the demo's files", source })
}
