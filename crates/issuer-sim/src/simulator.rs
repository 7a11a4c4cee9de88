//! Several issuers on one thread of their own, for callers that have no runtime: the demo, the load test, tests.
//! Never outlives its handle: dropping it stops the issuers and joins the thread.

use crate::config::IssuerConfig;
use crate::control::Control;
use crate::issuer::Issuer;
use crate::server::{Listen, ServeFault, Served, serve};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// Issuers that run.
pub struct Simulator {
    issuers: Vec<(SocketAddr, Control)>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Binds every issuer's listener and serves them on a thread with a single-threaded runtime.
    ///
    /// # Errors
    /// The first issuer that cannot be made or bound; then none is served.
    pub fn start(issuers: Vec<(IssuerConfig, Listen)>) -> Result<Self, ServeFault> {
        let made: Result<Vec<_>, ServeFault> =
            issuers.into_iter().map(|(config, listen)| Ok((Issuer::new(config)?, listen))).collect();
        let made = made?;
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("issuer-sim".into())
            .spawn(move || run(made, &tell))
            .map_err(ServeFault::Thread)?;
        let bound = told.recv().unwrap_or_else(|_| {
            Err(ServeFault::Thread(std::io::Error::other("the thread ended before it had bound")))
        });
        match bound {
            Ok(issuers) => Ok(Self { issuers, thread: Some(thread) }),
            Err(fault) => Err(fault),
        }
    }

    /// Where the issuer `name` listens.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        self.controls().find(|(_, control)| control.name() == name).map(|(address, _)| address)
    }

    /// The hand on the issuer `name`.
    pub fn control(&self, name: &str) -> Option<&Control> {
        self.controls().map(|(_, control)| control).find(|control| control.name() == name)
    }

    /// All of them, in the order they were given.
    pub fn controls(&self) -> impl Iterator<Item = (SocketAddr, &Control)> {
        self.issuers.iter().map(|(address, control)| (*address, control))
    }

    /// Stops the issuers and waits for their connections to close. Their books stay readable through [`Control`].
    pub fn stop(&mut self) {
        for (_, control) in &self.issuers {
            control.stop();
        }
        if let Some(thread) = self.thread.take() {
            // The thread's own panic has been reported on its standard error.
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

type Bound = Result<Vec<(SocketAddr, Control)>, ServeFault>;

fn run(issuers: Vec<(Issuer, Listen)>, tell: &mpsc::Sender<Bound>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return drop(tell.send(Err(ServeFault::Thread(fault)))),
    };
    runtime.block_on(async {
        match bind_all(issuers).await {
            Err(fault) => drop(tell.send(Err(fault))),
            Ok(served) => {
                let bound = served.iter().map(|one| (one.address, one.control.clone())).collect();
                if tell.send(Ok(bound)).is_ok() {
                    for one in served {
                        one.ended().await;
                    }
                }
            }
        }
    });
}

async fn bind_all(issuers: Vec<(Issuer, Listen)>) -> Result<Vec<Served>, ServeFault> {
    let mut served = Vec::with_capacity(issuers.len());
    for (issuer, listen) in issuers {
        served.push(serve(issuer, &listen).await?);
    }
    Ok(served)
}
