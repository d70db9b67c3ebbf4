//! Accepts connections and serves them, each within its bounds.
//!
//! `axum::serve` has neither a time-out for request heads nor a bound on connections, so a client
//! that says nothing would cost memory for as long as it likes. Hence hyper itself.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    serve::{Listener, ListenerExt},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Bound, HttpError, stall::Stalling};

/// The request head, and what is buffered of a response, in bytes.
const BUFFER: usize = 16 * 1024;

/// What clients get at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at a time; further ones wait in the kernel's queue.
    pub(super) connections: usize,
    /// From the start of a connection, or the end of a response, to the end of a request's head.
    pub(super) head: Duration,
    /// For which a client may read nothing of its response.
    pub(super) stall: Duration,
    /// For open requests at the end.
    pub(super) grace: Duration,
}

pub(super) async fn run(
    bound: Bound,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> Result<(), HttpError> {
    let listen = bound.to_string();
    let failed = |source| HttpError::Serve {
        listen: listen.clone(),
        source,
    };
    log::info!("listening on {listen}");
    match bound {
        Bound::Tcp {
            listener,
            address: _,
        } => {
            let listener = TcpListener::from_std(listener)
                .map_err(failed)?
                .tap_io(|stream| {
                    if let Err(err) = stream.set_nodelay(true) {
                        log::debug!("cannot set TCP_NODELAY: {err}");
                    }
                });
            accept(listener, router, limits, shutdown).await;
        }
        Bound::Unix { listener, file } => {
            let listener = UnixListener::from_std(listener).map_err(failed)?;
            accept(listener, router, limits, shutdown).await;
            drop(file);
        }
    }
    Ok(())
}

async fn accept<L: Listener>(
    mut listener: L,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let free = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    loop {
        // The place comes first: a connection nobody has accepted costs us no descriptor. An error
        // of accept is the listener's to retry, at most once a second.
        let (stream, place) = select! {
            () = shutdown.cancelled() => break,
            next = async {
                let place = Arc::clone(&free).acquire_owned().await.ok()?;
                Some((listener.accept().await.0, place))
            } => match next {
                Some(next) => next,
                None => break,
            },
        };
        connections.spawn(serve(
            stream,
            place,
            router.clone(),
            limits,
            shutdown.clone(),
        ));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve<S>(
    stream: S,
    _place: OwnedSemaphorePermit,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(Stalling::new(stream, limits.stall));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(BUFFER)
            .serve_connection(stream, TowerToHyperService::new(router))
    );
    let served = select! {
        served = connection.as_mut() => served,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(limits.grace, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(err) = served {
        log::debug!("a connection failed: {err}");
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
