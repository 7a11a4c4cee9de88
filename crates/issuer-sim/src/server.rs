//! An issuer behind a socket: accepts, reads batches, hands them to the issuer under one lock, writes once.
//! Never decides about money; never waits for one peer while another has something to say.
//! Guards: a peer that does not read, or does not finish its handshake, is dropped after five seconds.

mod connection;

use crate::config::ConfigFault;
use crate::control::Control;
use crate::issuer::Issuer;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

/// Where to listen.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// `None` is plain TCP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Listen {
    /// Plain TCP on a free port of the loopback address.
    pub fn loopback() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), tls: None }
    }

    /// TLS on a free port of the loopback address.
    pub fn loopback_tls(tls: Arc<rustls::ServerConfig>) -> Self {
        Self { tls: Some(tls), ..Self::loopback() }
    }
}

/// Why an issuer does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeFault {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// Its address.
    #[error("issuer {name} cannot listen on {address}")]
    Bind {
        /// Which issuer.
        name: String,
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The runtime of its thread.
    #[error("cannot start the issuers' thread")]
    Thread(#[source] io::Error),
}

/// An issuer that serves.
pub struct Served {
    /// Where it listens; the port is the one that was found.
    pub address: SocketAddr,
    /// To steer it and to read its book.
    pub control: Control,
    task: JoinHandle<()>,
}

impl Served {
    /// Stops and waits until every connection is closed.
    pub async fn stopped(self) {
        self.control.stop();
        self.ended().await;
    }

    /// Waits until somebody has stopped it.
    pub async fn ended(self) {
        // A join error is a panic in the listener, which has been reported by then.
        let _ = self.task.await;
    }
}

/// Binds at once, then serves on the current runtime until [`Control::stop`].
///
/// # Errors
/// [`ServeFault::Bind`].
pub async fn serve(issuer: Issuer, listen: &Listen) -> Result<Served, ServeFault> {
    let fault =
        |name: &str, source| ServeFault::Bind { name: name.to_owned(), address: listen.address, source };
    let listener = TcpListener::bind(listen.address).await.map_err(|source| fault(issuer.name(), source))?;
    let address = listener.local_addr().map_err(|source| fault(issuer.name(), source))?;
    let control = Control::new(issuer);
    let acceptor = listen.tls.clone().map(TlsAcceptor::from);
    let task = tokio::spawn(accept(listener, acceptor, control.clone()));
    Ok(Served { address, control, task })
}

/// Takes connections until it is told to stop, then waits for those there are.
async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, control: Control) {
    let mut orders = control.shared().orders.subscribe();
    let mut open = JoinSet::new();
    while !orders.borrow_and_update().stop {
        tokio::select! {
            biased;
            _ = orders.changed() => {}
            Some(_) = open.join_next() => {}
            taken = listener.accept() => match taken {
                Ok((stream, _)) => welcome(stream, acceptor.clone(), &control, &mut open),
                // Out of descriptors, or the peer is gone already: the next one may do better.
                Err(_) => tokio::time::sleep(ACCEPT_REST).await,
            },
        }
    }
    drop(listener);
    let _ = timeout(PATIENCE, async { while open.join_next().await.is_some() {} }).await;
}

fn welcome(stream: TcpStream, acceptor: Option<TlsAcceptor>, control: &Control, open: &mut JoinSet<()>) {
    let orders = *control.shared().orders.borrow();
    if orders.refuse_until.is_some_and(|until| Instant::now() < until) {
        return;
    }
    let control = control.clone();
    open.spawn(async move {
        // Batches are written whole: waiting for more to send would only add delay.
        let _ = stream.set_nodelay(true);
        match acceptor {
            None => connection::run(stream, &control, orders).await,
            Some(acceptor) => {
                if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
                    connection::run(stream, &control, orders).await;
                }
            }
        }
    });
}

/// For a handshake, for a peer that does not read, for connections to end.
const PATIENCE: Duration = Duration::from_secs(5);
const ACCEPT_REST: Duration = Duration::from_millis(10);
