//! Over sockets: batches, TLS, cut and heal, delayed answers, the end. No test waits for a time.

use crate::desk::{DE7, Heard, ask, read, write};
use bytes::BytesMut;
use core::time::Duration;
use framing::{Envelope, Framing, Next};
use iso8583::Dialect;
use issuer_sim::{Act, Issuer, IssuerConfig, Listen, Mood, Served, Simulator, serve, server_config};
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// The switch's end of a link.
struct Peer<S> {
    stream: S,
    dialect: Arc<Dialect>,
    framing: Framing,
    input: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    fn new(stream: S, dialect: &str, framing: &str) -> Self {
        let dialect = Dialect::builtin(dialect).unwrap();
        Self { stream, dialect, framing: Framing::by_name(framing).unwrap(), input: BytesMut::new() }
    }

    async fn send(&mut self, stans: impl IntoIterator<Item = u32>, amount: u64) {
        self.send_all(stans.into_iter().map(|stan| (stan, amount))).await;
    }

    /// Purchases of STAN and amount, in one write.
    async fn send_all(&mut self, purchases: impl IntoIterator<Item = (u32, u64)>) {
        let mut out = BytesMut::new();
        for (stan, amount) in purchases {
            let body = write(&self.dialect, &ask(0x0200, stan, amount));
            let envelope = Envelope::request([0, 3], [0x12, 0x34]);
            self.framing.write(&mut out, &envelope, |out| out.extend_from_slice(&body)).unwrap();
        }
        self.stream.write_all(&out).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next answer; `None` when the issuer has closed.
    async fn hear(&mut self) -> Option<Heard> {
        loop {
            if let Next::Frame { consumed, envelope, body } = self.framing.next(&self.input).unwrap() {
                assert!(!self.framing.tpdu || envelope.destination() == [0x12, 0x34]);
                let heard = read(&self.dialect, &self.input[body]);
                let _ = self.input.split_to(consumed);
                return Some(heard.unwrap());
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(1..) => {}
                _ => return None,
            }
        }
    }
}

async fn plain(config: IssuerConfig) -> Served {
    serve(Issuer::new(config).unwrap(), &Listen::loopback()).await.unwrap()
}

async fn peer(served: &Served, dialect: &str, framing: &str) -> Peer<TcpStream> {
    Peer::new(TcpStream::connect(served.address).await.unwrap(), dialect, framing)
}

#[tokio::test]
async fn a_batch_is_answered_in_order_on_many_connections() {
    let served = plain(IssuerConfig::new("huaxia", "unionpay-pos")).await;
    let mut peers = Vec::new();
    for from in [1, 1001, 2001] {
        let mut peer = peer(&served, "unionpay-pos", "unionpay").await;
        peer.send(from..from + 500, 100).await;
        peers.push((from, peer));
    }
    for (from, peer) in &mut peers {
        for stan in *from..*from + 500 {
            let heard = peer.hear().await.unwrap();
            assert_eq!((heard.code().as_str(), heard.answer.stan.get()), ("00", stan));
        }
    }
    assert_eq!((served.control.totals().debits, served.control.connections()), (1_500, 3));
    served.stopped().await;
    assert!(peers[0].1.hear().await.is_none());
}

#[tokio::test]
async fn a_cut_link_closes_refuses_and_heals() {
    let served = plain(IssuerConfig::new("huaxia", "iso87-ascii")).await;
    let mut first = peer(&served, "iso87-ascii", "binary2").await;
    first.send([1], 100).await;
    assert_eq!(first.hear().await.unwrap().code(), "00");
    served.control.cut_link(Duration::from_secs(3600));
    assert!(first.hear().await.is_none());
    assert!(peer(&served, "iso87-ascii", "binary2").await.hear().await.is_none());
    served.control.heal();
    let mut second = peer(&served, "iso87-ascii", "binary2").await;
    second.send([1], 100).await;
    assert_eq!(second.hear().await.unwrap().code(), "00");
    let totals = served.control.totals();
    assert_eq!((totals.debits, totals.repeats), (1, 1));
    served.stopped().await;
}

#[tokio::test]
async fn a_delayed_answer_comes_behind_a_prompt_one() {
    let slow = Mood::new(Act::Delay(Duration::from_millis(50))).amount(77);
    let served = plain(IssuerConfig::new("huaxia", "iso87-ascii").mood(slow)).await;
    let mut peer = peer(&served, "iso87-ascii", "binary2").await;
    peer.send_all([(1, 77), (2, 100)]).await;
    assert_eq!(peer.hear().await.unwrap().answer.stan.get(), 2);
    assert_eq!(peer.hear().await.unwrap().answer.stan.get(), 1);
    served.stopped().await;
}

#[tokio::test]
async fn a_sign_off_is_said_on_every_connection() {
    let served = plain(IssuerConfig::new("huaxia", "iso87-ascii")).await;
    let mut peer = peer(&served, "iso87-ascii", "binary2").await;
    peer.send([1], 100).await;
    assert_eq!(peer.hear().await.unwrap().code(), "00");
    served.control.sign_off();
    assert_eq!(peer.hear().await.unwrap().answer.network_code, Some(2));
    peer.send([2], 100).await;
    assert_eq!(peer.hear().await.unwrap().code(), "58");
    served.stopped().await;
}

#[tokio::test]
async fn a_keep_alive_is_returned_and_a_broken_frame_ends_the_line() {
    let served = plain(IssuerConfig::new("huaxia", "iso87-ascii")).await;
    let mut peer = peer(&served, "iso87-ascii", "binary2").await;
    let mut two = [9; 2];
    peer.stream.write_all(&[0, 0]).await.unwrap();
    peer.stream.read_exact(&mut two).await.unwrap();
    assert_eq!(two, [0, 0]);
    peer.stream.write_all(&[0xFF, 0xFF]).await.unwrap();
    assert!(peer.hear().await.is_none());
    served.stopped().await;
}

#[tokio::test]
async fn tls_end_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let listen = Listen::loopback_tls(server_config(&cert, &key, None).unwrap());
    let issuer = Issuer::new(IssuerConfig::new("huaxia", "iso87-binary")).unwrap();
    let served = serve(issuer, &listen).await.unwrap();

    let stream = TcpStream::connect(served.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector(&cert).connect(name, stream).await.unwrap();
    let mut peer = Peer::new(stream, "iso87-binary", "binary2");
    peer.send(1..=300, 100).await;
    for stan in 1..=300 {
        let answer = peer.hear().await.unwrap().answer;
        assert_eq!((answer.code.as_str(), answer.stan.get(), answer.transmission.0), ("00", stan, DE7));
    }
    served.stopped().await;
}

#[tokio::test]
async fn without_a_client_certificate_no_connection_where_one_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let listen = Listen::loopback_tls(server_config(&cert, &key, Some(&cert)).unwrap());
    let issuer = Issuer::new(IssuerConfig::new("huaxia", "iso87-binary")).unwrap();
    let served = serve(issuer, &listen).await.unwrap();
    let stream = TcpStream::connect(served.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    // TLS 1.3 tells the client after its handshake: the first read fails.
    if let Ok(stream) = connector(&cert).connect(name, stream).await {
        assert!(Peer::new(stream, "iso87-binary", "binary2").hear().await.is_none());
    }
    assert_eq!(served.control.totals().messages, 0);
    served.stopped().await;
}

fn connector(root: &Path) -> tokio_rustls::TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config).into()
}

#[test]
fn a_simulator_runs_several_issuers_and_ends() {
    let issuers = ["one", "two"].map(|name| (IssuerConfig::new(name, "iso87-ascii"), Listen::loopback()));
    let mut simulator = Simulator::start(issuers.into()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = TcpStream::connect(simulator.address("two").unwrap()).await.unwrap();
        let mut peer = Peer::new(stream, "iso87-ascii", "binary2");
        peer.send([1], 100).await;
        assert_eq!(peer.hear().await.unwrap().code(), "00");
    });
    simulator.stop();
    assert_eq!(simulator.control("one").unwrap().totals().debits, 0);
    let mut book = Vec::new();
    issuer_sim::Control::write_books(simulator.controls().map(|(_, control)| control), &mut book).unwrap();
    let book: books::shapes::IssuerBook = serde_json::from_slice(&book).unwrap();
    assert_eq!((book.entries.len(), book.entries[0].issuer.as_str()), (1, "two"));
}

#[test]
fn a_taken_address_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = Listen { address: taken.local_addr().unwrap(), tls: None };
    let told = Simulator::start(vec![(IssuerConfig::new("one", "iso87-ascii"), listen)]);
    let fault = told.err().unwrap().to_string();
    assert!(fault.starts_with("issuer one cannot listen on 127.0.0.1:"), "{fault}");
}
