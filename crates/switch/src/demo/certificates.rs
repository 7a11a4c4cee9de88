//! A throw-away certificate authority and what it signs, for demos and trials.
//! Never touches a trust store, never overwrites a file; guards: keys are files that only their owner can read, the
//! authority's own key is never written, and all of it ends after [`TRIAL`].

use super::DemoFault;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a certificate is good.
const TRIAL: Duration = Duration::from_secs(90 * 86_400);

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
    /// Makes them in `dir`, with these names for who listens and who connects. Keys are ECDSA P-256: handshakes are
    /// cheap on both sides.
    pub fn make(dir: &Path, [server, client]: [&str; 2]) -> Result<Self, DemoFault> {
        let mut params = lasting(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, "Pointsman throw-away CA");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let ca = dir.join("ca.pem");
        write(&ca, authority.pem().as_bytes())?;
        let server = signed(dir, server, &authority, ExtendedKeyUsagePurpose::ServerAuth)?;
        let client = signed(dir, client, &authority, ExtendedKeyUsagePurpose::ClientAuth)?;
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
    let mut params = lasting(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.extended_key_usages = vec![usage];
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let certificate = params.signed_by(&key, authority)?;
    let paths = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    write(&paths.0, certificate.pem().as_bytes())?;
    write(&paths.1, key.serialize_pem().as_bytes())?;
    Ok(paths)
}

fn lasting(names: Vec<String>) -> Result<CertificateParams, DemoFault> {
    let mut params = CertificateParams::new(names)?;
    params.not_before = (SystemTime::now() - Duration::from_secs(86_400)).into();
    params.not_after = (SystemTime::now() + TRIAL).into();
    Ok(params)
}

/// A new file that only its owner can read.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DemoFault> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(|source| DemoFault::Io { doing: "write a new file", source })
}
