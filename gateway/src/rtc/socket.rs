//! The one UDP port: who a datagram belongs to, and sending in batches. Knows nothing of media.

use std::{
    collections::HashMap,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use tokio::{io::Interest, net::UdpSocket, sync::mpsc};
use webrtc::runtime::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use super::{counters::Counting, refusal::RtcRefusal};

/// Datagrams waiting for one connection: a key frame of half a megabyte and some.
const INBOX_DATAGRAMS: usize = 512;

/// Addresses one peer may use at a time: its interfaces, and one more while it moves.
const ADDRESSES_PER_PEER: usize = 8;

/// Short against a frame time.
const READ_RETRY: Duration = Duration::from_millis(5);

/// What the kernel may coalesce into one read.
const READ_BYTES: usize = 64 * 1024;

/// No WebRTC peer sends larger datagrams: they would be fragmented on the way.
const DATAGRAM_LIMIT_BYTES: usize = 2_048;

/// Room for the bursts of key frames to all viewers at once. The kernel may grant less.
const KERNEL_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Datagrams are carved from blocks of this size, so that not each of them is an allocation.
const BLOCK_BYTES: usize = 64 * 1024;

const STUN_HEADER_BYTES: usize = 20;
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const STUN_BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const STUN_USERNAME: u16 = 0x0006;

/// The shortest SRTP or SRTCP packet: a fixed header and its tag.
const SRTP_LIMIT_BYTES: usize = 18;

/// A datagram on its way to a connection.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    pub(super) to: Option<IpAddr>,
    pub(super) bytes: BytesMut,
}

/// The ICE credentials of one connection; the fragment names it in the first packet.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) ufrag: String,
    pub(super) password: String,
}

impl Credentials {
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes)?;
        Ok(Self {
            ufrag: hex::encode(&bytes[..8]),
            password: hex::encode(&bytes[8..]),
        })
    }
}

/// The port and the table of who uses it.
pub(super) struct SharedSocket {
    io: UdpSocket,
    offload: UdpSocketState,
    local: SocketAddr,
    table: RwLock<Table>,
    next: AtomicU64,
    connections_limit: usize,
    counting: Arc<Counting>,
}

#[derive(Default)]
struct Table {
    by_ufrag: HashMap<String, Route>,
    by_source: HashMap<SocketAddr, Route>,
}

#[derive(Clone)]
struct Route {
    connection: u64,
    inbox: mpsc::Sender<Datagram>,
}

/// A connection's place in the table; dropping it gives the place up.
pub(super) struct Registration {
    socket: Arc<SharedSocket>,
    connection: u64,
    credentials: Credentials,
    sources: Vec<SocketAddr>,
    reply_from: Option<IpAddr>,
}

impl SharedSocket {
    pub(super) fn bind(
        address: SocketAddr,
        connections_limit: usize,
        counting: Arc<Counting>,
    ) -> io::Result<Arc<Self>> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_recv_buffer_size(KERNEL_BUFFER_BYTES)?;
        socket.set_send_buffer_size(KERNEL_BUFFER_BYTES)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let io = UdpSocket::from_std(socket.into())?;
        let offload = UdpSocketState::new(UdpSockRef::from(&io))?;
        let local = io.local_addr()?;
        Ok(Arc::new(Self {
            io,
            offload,
            local,
            table: RwLock::default(),
            next: AtomicU64::new(1),
            connections_limit,
            counting,
        }))
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Takes a place in the table.
    pub(super) fn register(
        self: &Arc<Self>,
    ) -> Result<(Registration, mpsc::Receiver<Datagram>), RtcRefusal> {
        let credentials = Credentials::random().map_err(|_entropy| RtcRefusal::Unavailable)?;
        let connection = self.next.fetch_add(1, Ordering::Relaxed);
        let (inbox, datagrams) = mpsc::channel(INBOX_DATAGRAMS);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.by_ufrag.len() >= self.connections_limit {
            return Err(RtcRefusal::TooManyConnections);
        }
        let route = Route { connection, inbox };
        table.by_ufrag.insert(credentials.ufrag.clone(), route);
        drop(table);
        let registration = Registration {
            socket: Arc::clone(self),
            connection,
            credentials,
            sources: Vec::new(),
            reply_from: None,
        };
        Ok((registration, datagrams))
    }

    /// Reads the port until the last connection and the owner are gone. Never waits for a connection.
    pub(super) async fn read(self: Arc<Self>) {
        let mut memory = vec![0; READ_BYTES * BATCH_SIZE];
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut block = BytesMut::with_capacity(BLOCK_BYTES);
        loop {
            let mut chunks = memory.chunks_exact_mut(READ_BYTES);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            let read = self
                .io
                .async_io(Interest::READABLE, || {
                    self.offload
                        .recv(UdpSockRef::from(&self.io), &mut slices, &mut metas)
                })
                .await;
            let Ok(count) = read else {
                // A read that fails says nothing about the port's future; a pause keeps a lasting fault from eating a core.
                tokio::time::sleep(READ_RETRY).await;
                continue;
            };
            for (slot, meta) in memory
                .chunks_exact(READ_BYTES)
                .zip(metas.iter())
                .take(count)
            {
                let filled = slot.get(..meta.len).unwrap_or_default();
                for datagram in filled.chunks(meta.stride.max(1)) {
                    self.deliver(datagram, meta, &mut block);
                }
            }
        }
    }

    fn deliver(&self, datagram: &[u8], meta: &RecvMeta, block: &mut BytesMut) {
        self.counting.datagrams_in.add(1);
        let from = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
        let Some(kind) = Kind::of(datagram) else {
            self.counting.datagrams_malformed.add(1);
            return;
        };
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let route = match kind {
            Kind::Check(ufrag) => table.by_ufrag.get(ufrag),
            Kind::Other => table.by_source.get(&from),
        };
        let Some(route) = route else {
            self.counting.datagrams_unknown.add(1);
            return;
        };
        if block.capacity() < datagram.len() {
            block.reserve(BLOCK_BYTES);
        }
        block.extend_from_slice(datagram);
        let delivered = route.inbox.try_send(Datagram {
            from,
            to: meta.dst_ip.map(|ip| ip.to_canonical()),
            bytes: block.split(),
        });
        if delivered.is_err() {
            self.counting.datagrams_overrun.add(1);
        }
    }

    /// Sends datagrams of one size (the last may be shorter) to one peer. What the kernel will not take is dropped:
    /// waiting here would make everybody behind this peer wait.
    fn send(&self, destination: SocketAddr, src_ip: Option<IpAddr>, contents: &[u8], size: usize) {
        let destination = match (self.local.ip(), destination.ip()) {
            (IpAddr::V6(_), IpAddr::V4(ip)) => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), destination.port())
            }
            _ => destination,
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: (contents.len() > size).then_some(size),
            src_ip,
        };
        let sent = self.io.try_io(Interest::WRITABLE, || {
            self.offload.try_send(UdpSockRef::from(&self.io), &transmit)
        });
        if sent.is_err() {
            self.counting.datagrams_unsent.add(1);
        }
    }
}

impl Registration {
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How many datagrams of one size one call may send.
    pub(super) fn batch(&self) -> usize {
        self.socket.offload.max_gso_segments().max(1)
    }

    /// Remembers which of our addresses the peer talks to, so that answers leave from there.
    pub(super) fn heard_at(&mut self, to: Option<IpAddr>) {
        if self.socket.local.ip().is_unspecified() {
            self.reply_from = to;
        }
    }

    /// Sends datagrams of one size (the last may be shorter) to one peer.
    ///
    /// An address belongs to this connection from the first time the engine sends to it: offers come without candidates,
    /// so the engine knows only addresses whose checks proved the password. An address that another live connection
    /// holds is never taken over.
    pub(super) fn send(&mut self, destination: SocketAddr, contents: &[u8], size: usize) {
        if !self.sources.contains(&destination) && self.sources.len() < ADDRESSES_PER_PEER {
            self.own(destination);
        }
        self.socket
            .send(destination, self.reply_from, contents, size);
    }

    fn own(&mut self, source: SocketAddr) {
        let mut table = self
            .socket
            .table
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(route) = table.by_ufrag.get(&self.credentials.ufrag).cloned() else {
            return;
        };
        if table.by_source.contains_key(&source) {
            return;
        }
        table.by_source.insert(source, route);
        self.sources.push(source);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut table = self
            .socket
            .table
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        table.by_ufrag.remove(&self.credentials.ufrag);
        for source in &self.sources {
            if table
                .by_source
                .get(source)
                .is_some_and(|route| route.connection == self.connection)
            {
                table.by_source.remove(source);
            }
        }
    }
}

/// How a datagram finds its connection (RFC 7983).
#[derive(Debug, PartialEq, Eq)]
enum Kind<'datagram> {
    /// An ICE check, which names its connection.
    Check(&'datagram str),
    /// Anything else, known by where it comes from.
    Other,
}

impl<'datagram> Kind<'datagram> {
    fn of(datagram: &'datagram [u8]) -> Option<Self> {
        if datagram.len() > DATAGRAM_LIMIT_BYTES {
            return None;
        }
        match datagram.first()? {
            0..=3 => {
                let well_formed =
                    datagram.len() >= STUN_HEADER_BYTES && datagram[4..8] == STUN_COOKIE;
                if !well_formed {
                    return None;
                }
                if datagram.starts_with(&STUN_BINDING_REQUEST) {
                    checked_ufrag(&datagram[STUN_HEADER_BYTES..]).map(Self::Check)
                } else {
                    Some(Self::Other)
                }
            }
            20..=63 => Some(Self::Other),
            128..=191 if datagram.len() >= SRTP_LIMIT_BYTES => Some(Self::Other),
            _ => None,
        }
    }
}

/// The connection that a datagram names; no letters for one that is known by where it comes from.
#[cfg(feature = "fuzzed")]
pub(super) fn named_by(datagram: &[u8]) -> Option<&str> {
    Kind::of(datagram).map(|kind| match kind {
        Kind::Check(ufrag) => ufrag,
        Kind::Other => "",
    })
}

/// Our half of the USERNAME attribute, `ours:theirs`.
fn checked_ufrag(mut attributes: &[u8]) -> Option<&str> {
    while let Some((header, rest)) = attributes.split_first_chunk::<4>() {
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let value = rest.get(..length)?;
        if kind == STUN_USERNAME {
            let username = std::str::from_utf8(value).ok()?;
            return Some(username.split_once(':')?.0);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}
