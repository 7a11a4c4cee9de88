//! The admin listener: `/metrics`, `/livez`, `/readyz`, on a loopback port, on a thread of its own.
//!
//! Never touches the hot path: it reads counters and flags. Never shows a card number (telemetry has none to show).

use super::status::Status;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tokio::sync::watch;

/// A running admin listener; stops when dropped.
pub struct Admin {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Admin {
    /// Binds `address` and serves until dropped.
    ///
    /// # Errors
    /// The socket's error if the address cannot be bound.
    pub fn start(address: SocketAddr, status: Arc<Status>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("admin".into())
            .spawn(move || serve(listener, status, stopped))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, status: Arc<Status>, mut stopped: watch::Receiver<bool>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the admin listener has no runtime"),
    };
    runtime.block_on(async move {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "the admin listener has no socket"),
        };
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .with_state(status);
        tokio::select! {
            served = async { axum::serve(listener, router).await } => {
                if let Err(error) = served {
                    tracing::error!(%error, "the admin listener stopped");
                }
            }
            // Open connections are idle scrapes: nobody loses anything when they are cut.
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    });
}

async fn metrics(State(status): State<Arc<Status>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], status.render()).into_response()
}

async fn livez(State(status): State<Arc<Status>>) -> Response {
    answer(status.live())
}

async fn readyz(State(status): State<Arc<Status>>) -> Response {
    answer(status.ready())
}

/// 200 without reasons against it, else 503 with them, as JSON for machines and people.
fn answer(reasons: Vec<&'static str>) -> Response {
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ok": reasons.is_empty(), "reasons": reasons });
    (code, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}
