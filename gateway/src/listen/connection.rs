//! One accepted connection, plain or encrypted, that ends when nothing moves on it for too long.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};
use tokio_rustls::server::TlsStream;

/// Every socket and event stream of ours moves something within seconds; a browser's idle connection costs a place.
const IDLE: Duration = Duration::from_secs(90);

/// A connection that was let in. Holds its place among all connections until it is dropped.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    alarm: Pin<Box<Sleep>>,
    moved: Instant,
    idle: Duration,
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    pub(super) fn plain(stream: TcpStream, room: OwnedSemaphorePermit) -> Self {
        Self::new(Stream::Plain(stream), room, IDLE)
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>, room: OwnedSemaphorePermit) -> Self {
        Self::new(Stream::Tls(Box::new(stream)), room, IDLE)
    }

    #[cfg(test)]
    pub(super) fn impatient(stream: TcpStream, room: OwnedSemaphorePermit, idle: Duration) -> Self {
        Self::new(Stream::Plain(stream), room, idle)
    }

    fn new(stream: Stream, room: OwnedSemaphorePermit, idle: Duration) -> Self {
        Self {
            stream,
            alarm: Box::pin(tokio::time::sleep(idle)),
            moved: Instant::now(),
            idle,
            _room: room,
        }
    }

    /// Notes progress, and turns waiting without any for too long into an error. The alarm is not wound at every byte:
    /// when it rings it is set to what is left since the last one.
    fn unless_idle<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.moved = Instant::now();
            return polled;
        }
        loop {
            ready!(self.alarm.as_mut().poll(context));
            let until = self.moved + self.idle;
            if until <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(until);
        }
    }
}

impl Stream {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }

    fn poll_write_vectored(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = self.stream.poll_read(context, buffer);
        self.unless_idle(polled, context)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self
            .stream
            .poll_write_vectored(context, &[IoSlice::new(bytes)]);
        self.unless_idle(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream.poll_write_vectored(context, slices);
        self.unless_idle(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Not progress by itself: a flush of nothing is ready at once.
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
