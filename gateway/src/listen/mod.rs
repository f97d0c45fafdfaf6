//! The door: accepts connections, shakes hands over TLS where configured, and hands on what can be served.

mod certificate;
mod connection;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::config::{Config, Tls};

pub use certificate::CertificateError;
pub use connection::Connection;

/// Open connections of one process: a thousand robots with two sockets each and as many people leave room to spare. The
/// next ones wait in the kernel's queue.
const CONNECTIONS: usize = 4_096;

/// Handshakes at a time; one costs a millisecond of a core.
const HANDSHAKES: usize = 256;

/// A client on a satellite link needs three round trips of a second each.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(8);

/// Connections that are ready and not yet taken; taking one is a task's start.
const READY: usize = 32;

/// When the process has no file descriptor left, some connection must end first.
const BREATHER: Duration = Duration::from_millis(200);

/// How often a certificate is looked at again: long before any that is renewed in time runs out.
const RENEW_EVERY: Duration = Duration::from_hours(12);

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken or not ours.
    #[error("{address} can't be listened on; choose another address with --listen")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificate can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A mistake in the settings that should have been refused before.
    #[error("{0} is not a loopback address: plain HTTP is not served there")]
    PlainBeyondLoopback(SocketAddr),
}

/// Where people and robots come in. Dropping it closes the door; connections that were handed on stay.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    accepting: JoinHandle<()>,
    renewing: Option<JoinHandle<()>>,
}

/// An opened port that does not take connections yet.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Opens the port, so that its number is known before anything is told to anybody.
    pub async fn open(address: SocketAddr) -> Result<Self, ListenError> {
        let failed = |source| ListenError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address with the port that was taken.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to take connections.
    pub fn serve(self, config: &Config) -> Result<Door, ListenError> {
        let Some(tls) = &config.tls else {
            if !self.address.ip().is_loopback() {
                return Err(ListenError::PlainBeyondLoopback(self.address));
            }
            return Ok(self.door(None));
        };
        let current = Arc::new(ArcSwap::new(certificate::load(config, tls)?));
        let mut door = self.door(Some(Arc::clone(&current)));
        door.renewing = Some(tokio::spawn(renew(config.clone(), tls.clone(), current)));
        Ok(door)
    }

    fn door(self, tls: Option<Arc<ArcSwap<ServerConfig>>>) -> Door {
        let (handed, ready) = mpsc::channel(READY);
        Door {
            address: self.address,
            ready,
            accepting: tokio::spawn(accept(self.listener, tls, handed)),
            renewing: None,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
        if let Some(renewing) = &self.renewing {
            renewing.abort();
        }
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends with us only; were it to break, there is nothing left to hand on.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Takes connections while there is room. Handshakes are tasks of their own, so that a slow one delays nobody.
async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ArcSwap<ServerConfig>>>,
    handed: mpsc::Sender<(Connection, SocketAddr)>,
) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(room) = Arc::clone(&connections).acquire_owned().await else {
            return;
        };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                rest_after(&error).await;
                continue;
            }
        };
        // Small frames leave at once: a command must not wait for the acknowledgement of the frame before it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended before it began");
            continue;
        }
        let Some(tls) = &tls else {
            if handed
                .send((Connection::plain(stream, room), peer))
                .await
                .is_err()
            {
                return;
            }
            continue;
        };
        let acceptor = TlsAcceptor::from(tls.load_full());
        tokio::spawn(shake_hands(
            acceptor,
            stream,
            peer,
            room,
            Arc::clone(&handshakes),
            handed.clone(),
        ));
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    room: OwnedSemaphorePermit,
    handshakes: Arc<Semaphore>,
    handed: mpsc::Sender<(Connection, SocketAddr)>,
) {
    let shaking = async {
        // Whoever says nothing takes nobody's turn.
        stream.readable().await?;
        let _turn = handshakes.acquire().await;
        acceptor.accept(stream).await
    };
    let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, shaking).await;
    let failure = match shaken {
        Ok(Ok(stream)) => {
            // A door that is closed meanwhile takes the connection with it.
            let _closed = handed.send((Connection::tls(stream, room), peer)).await;
            return;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => "no handshake in time".to_owned(),
    };
    metrics::counter!("nooterra_handshakes_failed_total").increment(1);
    tracing::debug!(failure, "a TLS handshake failed");
}

/// Failures of one connection are its own; those of the process need a pause.
async fn rest_after(error: &io::Error) {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    ) {
        return;
    }
    tracing::error!(%error, "a connection can't be accepted");
    tokio::time::sleep(BREATHER).await;
}

/// Reads or makes the certificate again from time to time. What can't be read leaves the last good one in use.
async fn renew(config: Config, tls: Tls, current: Arc<ArcSwap<ServerConfig>>) {
    let mut beat = tokio::time::interval(RENEW_EVERY);
    beat.tick().await;
    loop {
        beat.tick().await;
        match certificate::load(&config, &tls) {
            Ok(fresh) => current.store(fresh),
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(
                    error,
                    "the certificate can't be renewed; the last one is still used"
                );
            }
        }
    }
}
