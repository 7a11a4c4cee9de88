//! A client and a server that hand each other their bytes, whole or one at a time.
//! Never a socket. Guards: what goes in comes out, in order, however the bytes are cut; nothing comes out before the
//! handshake is done.

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;
use tls::{Channel, Progress};

/// One end, with what it has said and what it has understood.
struct End {
    channel: Channel,
    out: Vec<u8>,
    plain: Vec<u8>,
    closed: bool,
}

impl End {
    fn new(channel: Channel) -> Self {
        Self { channel, out: Vec::new(), plain: Vec::new(), closed: false }
    }

    /// Takes what the other has said, `step` bytes at a time.
    fn hear(&mut self, said: Vec<u8>, step: usize) {
        for chunk in said.chunks(step) {
            let mut chunk = chunk.to_vec();
            let progress = self.channel.feed(&mut chunk, &mut self.plain, &mut self.out).unwrap();
            self.closed |= progress.closed;
            assert!(progress.established || self.plain.is_empty(), "nothing before the handshake is done");
        }
    }
}

/// A pair that trusts each other, handshake finished.
fn pair(step: usize) -> (End, End) {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(own.der().clone()).unwrap();
    let provider = Arc::new(default_provider());
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let name = "localhost".try_into().unwrap();
    let mut client = End::new(Channel::client(Arc::new(client), name).unwrap());
    let mut server = End::new(Channel::server(Arc::new(server)).unwrap());
    client.channel.feed(&mut [], &mut client.plain, &mut client.out).unwrap();
    while !(client.out.is_empty() && server.out.is_empty()) {
        server.hear(std::mem::take(&mut client.out), step);
        client.hear(std::mem::take(&mut server.out), step);
    }
    assert!(client.channel.established() && server.channel.established());
    (client, server)
}

#[test]
fn bytes_arrive_in_order_however_they_are_cut() {
    let message: Vec<u8> = (0..40_000_u32).map(|at| (at % 251) as u8).collect();
    for step in [1, 7, 4_096, usize::MAX] {
        let (mut client, mut server) = pair(step);
        client.channel.seal(&message, &mut client.out).unwrap();
        client.channel.seal(b"more", &mut client.out).unwrap();
        assert!(!client.out.windows(64).any(|window| window == &message[..64]), "it is not in clear");
        server.hear(std::mem::take(&mut client.out), step);
        assert_eq!(server.plain, [&message[..], b"more"].concat(), "in steps of {step}");
        server.channel.goodbye(&mut server.out);
        client.hear(std::mem::take(&mut server.out), step);
        assert!(client.closed && !server.closed);
    }
}

#[test]
fn what_is_no_record_is_an_error() {
    let (_, mut server) = pair(usize::MAX);
    let mut garbage = vec![0xEE; 64];
    assert!(server.channel.feed(&mut garbage, &mut server.plain, &mut server.out).is_err());
    assert!(server.plain.is_empty());
}

#[test]
fn plain_is_plain() {
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    let progress = Channel::Plain.feed(&mut b"in".to_vec(), &mut plain, &mut out).unwrap();
    assert_eq!(
        (progress, plain.as_slice(), out.len()),
        (Progress { established: true, closed: false }, &b"in"[..], 0)
    );
    Channel::Plain.seal(b"out", &mut out).unwrap();
    Channel::Plain.goodbye(&mut out);
    assert_eq!((out.as_slice(), Channel::Plain.resumed()), (&b"out"[..], false));
}
