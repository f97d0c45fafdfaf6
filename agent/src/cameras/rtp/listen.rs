//! A camera that listens on a UDP port: takes the packets, passes them on while wanted, makes stills, watches the signal.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use openh264::decoder::Decoder;
use protocol::{
    UnixMicros,
    robot::{CameraAdvert, Codec, Component, Health},
};
use tokio::{
    net::UdpSocket,
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};

use super::{
    address::IncomingCamera,
    intake::{Intake, IntakeCounters, Signal},
    packet::{MOST_BYTES, RtpPacket},
    unit::access_unit,
};
use crate::cameras::{
    frame::Frame,
    shoot::{Still, unix_now},
    still::still,
};

/// How often the signal is judged: four times within what it takes to be lost.
const JUDGE_EVERY: Duration = Duration::from_millis(500);
/// A rate that moved by less than this is not reported again.
const SAME_RATE: u32 = 2;

/// Packets that may wait for the peer connection: a kept group of pictures is handed over in one go.
pub const PACKET_QUEUE: usize = 512;

/// Where packets and stills go. Both channels are bounded.
#[derive(Debug, Clone)]
pub struct RtpSinks {
    /// Packets, while wanted.
    pub packets: mpsc::Sender<RtpPacket>,
    /// Stills, on request.
    pub stills: mpsc::Sender<Still>,
}

/// Why a camera can't listen.
#[derive(Debug, thiserror::Error)]
pub enum RtpCameraFailure {
    /// The port is taken or may not be used.
    #[error("camera {name} can't listen on its port")]
    Listen {
        /// Which camera.
        name: String,
        /// Why.
        #[source]
        error: std::io::Error,
    },
}

/// Whether the stream is wanted, and how often it has begun anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Wanted {
    is_wanted: bool,
    beginning: u32,
}

/// A listening camera; dropping it closes its port.
#[derive(Debug)]
pub struct RtpCamera {
    config: IncomingCamera,
    address: SocketAddr,
    wanted: watch::Sender<Wanted>,
    asks_still: Arc<Notify>,
    signal: watch::Receiver<Signal>,
    counters: Arc<Mutex<IntakeCounters>>,
    task: JoinHandle<()>,
}

impl RtpCamera {
    /// Opens the port and listens. `camera` is its position in the advert. Nothing passes on until it is wanted.
    pub async fn open(
        camera: u8,
        config: IncomingCamera,
        sinks: RtpSinks,
    ) -> Result<Self, RtpCameraFailure> {
        let failed = |error| RtpCameraFailure::Listen {
            name: config.name.clone(),
            error,
        };
        let socket = UdpSocket::bind(config.listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let (wanted, wishes) = watch::channel(Wanted::default());
        let (signal_in, signal) = watch::channel(Signal::Waiting);
        let asks_still = Arc::new(Notify::new());
        let counters = Arc::new(Mutex::new(IntakeCounters::default()));
        let listener = Listener {
            camera,
            codec: config.codec,
            intake: Intake::new(config.codec),
            started: Instant::now(),
            socket,
            sinks,
            wishes,
            asks_still: Arc::clone(&asks_still),
            signal: signal_in,
            counters: Arc::clone(&counters),
        };
        Ok(Self {
            task: tokio::spawn(listener.run()),
            config,
            address,
            wanted,
            asks_still,
            signal,
            counters,
        })
    }

    /// Where it really listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Starts or stops passing packets on. It starts with the last key frame when there is one.
    pub fn set_wanted(&self, is_wanted: bool) {
        self.wanted
            .send_modify(|wanted| wanted.is_wanted = is_wanted);
    }

    /// Passes the packets since the last key frame on once more, when it is wanted: whoever had them is gone.
    pub fn restart(&self) {
        self.wanted
            .send_modify(|wanted| wanted.beginning = wanted.beginning.wrapping_add(1));
    }

    /// Makes a still of the last key frame. H.264 only; nothing comes when there is none.
    pub fn request_still(&self) {
        self.asks_still.notify_one();
    }

    /// Whether pictures come in; tells when that changes.
    pub fn signal(&self) -> watch::Receiver<Signal> {
        self.signal.clone()
    }

    /// What came in so far.
    pub fn counters(&self) -> IntakeCounters {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the robot says of this camera.
    pub fn advert(&self) -> CameraAdvert {
        let frames_per_second = match *self.signal.borrow() {
            Signal::Live { frames_per_second } => frames_per_second,
            Signal::Waiting | Signal::Lost => 0,
        };
        CameraAdvert {
            name: self.config.name.clone(),
            label: self.config.label.clone(),
            codec: self.config.codec,
            width: 0,
            height: 0,
            frames_per_second,
            has_thumbnails: self.config.codec == Codec::H264,
        }
    }

    /// The camera as a part of the robot.
    pub fn component(&self) -> Component {
        let (health, words) = match *self.signal.borrow() {
            Signal::Live { .. } => (Health::Ok, ""),
            Signal::Waiting => (Health::Degraded, "no_signal: nothing came in yet"),
            Signal::Lost => (Health::Failed, "no_signal: nothing came in for 2 s"),
        };
        Component {
            name: format!("camera {}", self.config.name),
            health,
            words: words.to_owned(),
        }
    }
}

impl Drop for RtpCamera {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Listener {
    camera: u8,
    codec: Codec,
    intake: Intake,
    started: Instant,
    socket: UdpSocket,
    sinks: RtpSinks,
    wishes: watch::Receiver<Wanted>,
    asks_still: Arc<Notify>,
    signal: watch::Sender<Signal>,
    counters: Arc<Mutex<IntakeCounters>>,
}

impl Listener {
    async fn run(mut self) {
        // One byte more than is allowed, so that a datagram that was cut is seen to be too large.
        let mut buffer = [0; MOST_BYTES + 1];
        let mut beat = tokio::time::interval(JUDGE_EVERY);
        let mut beginning = 0;
        loop {
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, _)) => self.take(&buffer[..length]),
                    Err(error) => {
                        let camera = self.camera;
                        tracing::warn!(camera, %error, "camera {camera} lost its port");
                        return;
                    }
                },
                changed = self.wishes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.follow_wishes(&mut beginning);
                }
                () = self.asks_still.notified() => self.make_still(),
                _ = beat.tick() => self.judge(),
            }
        }
    }

    fn follow_wishes(&mut self, beginning: &mut u32) {
        let wanted = *self.wishes.borrow_and_update();
        if wanted.beginning != *beginning {
            *beginning = wanted.beginning;
            self.intake.set_wanted(false);
        }
        let burst = self.intake.set_wanted(wanted.is_wanted);
        self.pass_on(burst);
    }

    fn take(&mut self, datagram: &[u8]) {
        match self
            .intake
            .take(datagram, self.started.elapsed(), unix_now())
        {
            Ok(packets) => self.pass_on(packets),
            // Counted by the intake; one line each would let a stranger fill the log.
            Err(fault) => tracing::trace!(camera = self.camera, %fault, "dropped a datagram"),
        }
    }

    fn pass_on(&mut self, packets: Vec<RtpPacket>) {
        let mut left = packets.len() as u64;
        for packet in packets {
            if self.sinks.packets.try_send(packet).is_err() {
                self.intake.overran(left);
                return;
            }
            left -= 1;
        }
    }

    fn judge(&mut self) {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = self.intake.counters();
        let signal = self.intake.signal(self.started.elapsed());
        self.signal.send_if_modified(|held| {
            let is_same = match (*held, signal) {
                (
                    Signal::Live {
                        frames_per_second: before,
                    },
                    Signal::Live {
                        frames_per_second: now,
                    },
                ) => before.abs_diff(now) < SAME_RATE,
                (before, now) => before == now,
            };
            if !is_same {
                *held = signal;
            }
            !is_same
        });
    }

    fn make_still(&self) {
        if self.codec != Codec::H264 || !self.intake.cache().has_whole_key_frame() {
            return;
        }
        let packets = self.intake.cache().key_frame();
        let Ok(place) = self.sinks.stills.clone().try_reserve_owned() else {
            return;
        };
        let camera = self.camera;
        // Decoding takes some milliseconds; packets go on coming in meanwhile.
        tokio::task::spawn_blocking(move || {
            let Some((jpeg, captured_at)) = decode(&packets) else {
                tracing::debug!(camera, "no still could be made of a key frame");
                return;
            };
            place.send(Still {
                camera,
                captured_at,
                jpeg: jpeg.into(),
            });
        });
    }
}

fn decode(packets: &[RtpPacket]) -> Option<(Vec<u8>, UnixMicros)> {
    let unit = access_unit(packets)?;
    let mut decoder = Decoder::new().ok()?;
    let picture = decoder.decode(&unit).ok()??;
    let jpeg = still(&Frame::copied(&picture)).ok()?;
    Some((jpeg, packets.first()?.received_at))
}

#[cfg(test)]
mod tests;
