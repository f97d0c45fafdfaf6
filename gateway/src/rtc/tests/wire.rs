//! A wire between one peer and the relay that loses what a test wants it to lose.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{net::UdpSocket, task::JoinHandle};

/// Shorter datagrams are acknowledgements, checks and handshakes.
const LOSABLE_BYTES: usize = 300;

#[derive(Default)]
struct Losses {
    messages: AtomicUsize,
    video: AtomicUsize,
    everything: AtomicBool,
}

/// The wire. It stands between because the answer names its port instead of the relay's.
pub(super) struct Wire {
    address: SocketAddr,
    losses: Arc<Losses>,
    task: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    pub(super) async fn to(relay: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        far.connect(relay).await.unwrap();
        let address = near.local_addr().unwrap();
        let losses = Arc::<Losses>::default();
        let task = tokio::spawn(carry(near, far, Arc::clone(&losses)));
        Self {
            address,
            losses,
            task,
        }
    }

    /// The answer with this wire's port in it.
    pub(super) fn reroute(&self, answer: &str, relay: SocketAddr) -> String {
        let from = format!(" {} typ host", relay.port());
        let to = format!(" {} typ host", self.address.port());
        answer.replace(&from, &to)
    }

    /// Loses the next large messages in either direction.
    pub(super) fn lose_messages(&self, count: usize) {
        self.losses.messages.store(count, Ordering::Relaxed);
    }

    /// Loses the next video packets in either direction.
    pub(super) fn lose_video(&self, count: usize) {
        self.losses.video.store(count, Ordering::Relaxed);
    }

    /// Loses everything from now on.
    pub(super) fn cut(&self) {
        self.losses.everything.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_lost_all_messages(&self) -> bool {
        self.losses.messages.load(Ordering::Relaxed) == 0
    }
}

impl Losses {
    fn take(&self, datagram: &[u8]) -> bool {
        if self.everything.load(Ordering::Relaxed) {
            return true;
        }
        let counter = match datagram.first() {
            Some(23) => &self.messages,
            Some(128..=191) => &self.video,
            _ => return false,
        };
        datagram.len() >= LOSABLE_BYTES
            && counter
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }
}

async fn carry(near: UdpSocket, far: UdpSocket, losses: Arc<Losses>) {
    let mut peer = None;
    let (mut out, mut back) = (vec![0; 2_048], vec![0; 2_048]);
    loop {
        tokio::select! {
            read = near.recv_from(&mut out) => {
                let Ok((length, from)) = read else { return };
                peer = Some(from);
                if !losses.take(&out[..length]) {
                    far.send(&out[..length]).await.unwrap();
                }
            }
            read = far.recv(&mut back) => {
                let (Ok(length), Some(peer)) = (read, peer) else { return };
                if !losses.take(&back[..length]) {
                    near.send_to(&back[..length], peer).await.unwrap();
                }
            }
        }
    }
}
