//! A camera that takes its own pictures: paced, encoded, stamped; only while wanted, and never a stale frame.

mod develop;

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use protocol::UnixMicros;
use tokio::sync::mpsc;

use self::develop::{Developer, Exposed};
use super::{
    encode::{Encoder, EncoderConfig},
    frame::Frame,
    stamp,
};

/// Something that can take a picture of what is before it.
pub trait Eye: Send {
    /// Fills the frame with what is seen now.
    fn look(&mut self, frame: &mut Frame);
}

/// How a camera shoots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShootConfig {
    /// Position of the camera in the robot's advert.
    pub camera: u8,
    /// Size, rate and cost of the stream.
    pub encoder: EncoderConfig,
    /// Whether the capture time is drawn into the picture (test mode).
    pub has_stamp: bool,
}

/// A frame on its way to whoever wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// Position of the camera in the robot's advert.
    pub camera: u8,
    /// One access unit, Annex B.
    pub bytes: Bytes,
    /// Whether a decoder can start here.
    pub is_key: bool,
    /// Just before the picture was taken.
    pub captured_at: UnixMicros,
    /// The same moment on RTP's 90 kHz clock, from 1970; wraps.
    pub rtp_time: u32,
}

/// A still on its way to the fleet page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// Position of the camera in the robot's advert.
    pub camera: u8,
    /// Just before the picture was taken.
    pub captured_at: UnixMicros,
    /// The picture.
    pub jpeg: Bytes,
}

/// Where pictures go. Both channels are bounded; when one is full, the picture is not taken.
#[derive(Debug, Clone)]
pub struct Sinks {
    /// Frames, while wanted.
    pub frames: mpsc::Sender<EncodedFrame>,
    /// Stills, on request.
    pub stills: mpsc::Sender<Still>,
}

/// What a camera has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShootCounters {
    /// Pictures taken, for the stream or as stills.
    pub pictures: u64,
    /// Frames not taken because the sink was full.
    pub skipped: u64,
    /// Frames or stills that could not be encoded.
    pub failed: u64,
    /// Bytes of all frames.
    pub bytes: u64,
}

/// RTP time of a moment: 90 kHz, modulo 2³².
pub fn rtp_time(at: UnixMicros) -> u32 {
    let ticks = i128::from(at.0) * 9 / 100;
    u32::try_from(ticks.rem_euclid(1 << 32)).unwrap_or_default()
}

/// The robot's wall clock.
pub fn unix_now() -> UnixMicros {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// What is asked of a camera.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent wishes that may be open at the same time"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Wishes {
    is_wanted: bool,
    wants_key: bool,
    wants_still: bool,
    bits_per_second: Option<u32>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Shared {
    wishes: Mutex<Wishes>,
    changed: Condvar,
    counters: Mutex<ShootCounters>,
}

impl Shared {
    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running camera; dropping it ends its thread.
#[derive(Debug)]
pub struct Shooting {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Shooting {
    /// Starts a camera on a thread of its own. It does nothing until it is wanted.
    pub fn start(
        name: &str,
        config: ShootConfig,
        eye: impl Eye + 'static,
        sinks: Sinks,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker::new(name, config, eye, sinks)?;
        let thread = std::thread::Builder::new()
            .name(format!("camera-{name}"))
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&shared, worker)
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Starts or stops the stream. It starts with a key frame.
    pub fn set_wanted(&self, is_wanted: bool) {
        self.wish(|wishes| wishes.is_wanted = is_wanted);
    }

    /// Makes the next frame a key frame. The caller throttles.
    pub fn request_key(&self) {
        self.wish(|wishes| wishes.wants_key = true);
    }

    /// Takes one still, also while the stream is off. While it is on, the still is of the stream's next picture.
    pub fn request_still(&self) {
        self.wish(|wishes| wishes.wants_still = true);
    }

    /// Spends another bit rate from the next frame on.
    pub fn set_bits_per_second(&self, bits_per_second: u32) {
        self.wish(|wishes| wishes.bits_per_second = Some(bits_per_second));
    }

    /// What it has done so far.
    pub fn counters(&self) -> ShootCounters {
        *self
            .shared
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.shared.wishes());
        self.shared.changed.notify_one();
    }
}

impl Drop for Shooting {
    fn drop(&mut self) {
        self.wish(|wishes| wishes.is_over = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a camera's thread had failed");
        }
    }
}

fn run(shared: &Shared, mut worker: Worker<impl Eye>) {
    let started = Instant::now();
    let mut pause = None;
    loop {
        let wishes = {
            let wishes = shared.wishes();
            let is_idle =
                |wishes: &mut Wishes| !(wishes.is_over || wishes.is_wanted || wishes.wants_still);
            let mut wishes = match pause.take() {
                // Between two frames only the end is worth waking up for.
                Some(pause) => {
                    shared
                        .changed
                        .wait_timeout_while(wishes, pause, |wishes| !wishes.is_over)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => shared
                    .changed
                    .wait_while(wishes, is_idle)
                    .unwrap_or_else(PoisonError::into_inner),
            };
            let taken = *wishes;
            wishes.wants_key = false;
            wishes.wants_still = false;
            wishes.bits_per_second = None;
            taken
        };
        if wishes.is_over {
            return;
        }
        pause = worker.turn(wishes, started.elapsed(), unix_now);
        *shared
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = worker.counters();
    }
}

/// The camera itself, without thread or clock.
struct Worker<E> {
    config: ShootConfig,
    eye: E,
    sinks: Sinks,
    encoder: Encoder,
    developer: Developer,
    frame: Frame,
    /// When the next frame is due; `None` while the stream is off.
    due: Option<Duration>,
    owes_key: bool,
    owes_still: bool,
    counters: ShootCounters,
}

impl<E: Eye> Worker<E> {
    fn new(name: &str, config: ShootConfig, eye: E, sinks: Sinks) -> std::io::Result<Self> {
        let EncoderConfig { width, height, .. } = config.encoder;
        let pixels = |side: u32| usize::try_from(side).unwrap_or_default();
        Ok(Self {
            config,
            eye,
            sinks,
            encoder: Encoder::new(config.encoder),
            developer: Developer::start(name)?,
            frame: Frame::new(pixels(width), pixels(height)),
            due: None,
            owes_key: false,
            owes_still: false,
            counters: ShootCounters::default(),
        })
    }

    fn counters(&self) -> ShootCounters {
        ShootCounters {
            failed: self.counters.failed + self.developer.failed(),
            ..self.counters
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.config.encoder.frames_per_second.max(1)
    }

    /// Does what is due at `now`; says how long to pause, or `None` to wait for a wish.
    fn turn(
        &mut self,
        wishes: Wishes,
        now: Duration,
        clock: impl Fn() -> UnixMicros,
    ) -> Option<Duration> {
        if let Some(bits_per_second) = wishes.bits_per_second {
            self.encoder.set_bits_per_second(bits_per_second);
        }
        self.owes_still |= wishes.wants_still;
        if !wishes.is_wanted {
            self.due = None;
            if self.owes_still {
                self.shoot_still(&clock);
            }
            return None;
        }
        self.owes_key |= wishes.wants_key || self.due.is_none();
        let due = self.due.unwrap_or(now);
        if now >= due {
            self.shoot_frame(&clock);
            // A late camera skips frames, it does not hurry after them.
            let next = due + self.interval();
            self.due = Some(if next > now {
                next
            } else {
                now + self.interval()
            });
        }
        self.due.map(|due| due.saturating_sub(now))
    }

    fn take(&mut self, clock: &impl Fn() -> UnixMicros) -> UnixMicros {
        let captured_at = clock();
        self.eye.look(&mut self.frame);
        self.counters.pictures += 1;
        captured_at
    }

    fn shoot_frame(&mut self, clock: &impl Fn() -> UnixMicros) {
        // The place is taken before the picture: a frame that is encoded is also sent, so the stream never breaks.
        let Ok(place) = self.sinks.frames.clone().try_reserve_owned() else {
            self.counters.skipped += 1;
            if self.owes_still {
                // Nobody else takes a picture now.
                self.shoot_still(clock);
            }
            return;
        };
        let captured_at = self.take(clock);
        if self.owes_still {
            self.hand_over_still(captured_at);
        }
        if self.config.has_stamp {
            stamp::draw(&mut self.frame, captured_at.0);
        }
        match self.encoder.encode(&self.frame, self.owes_key) {
            Ok(unit) => {
                self.owes_key = false;
                self.counters.bytes += unit.bytes.len() as u64;
                place.send(EncodedFrame {
                    camera: self.config.camera,
                    bytes: unit.bytes.into(),
                    is_key: unit.is_key,
                    captured_at,
                    rtp_time: rtp_time(captured_at),
                });
            }
            Err(failure) => {
                self.owes_key = true;
                self.counters.failed += 1;
                let camera = self.config.camera;
                tracing::warn!(camera, %failure, "camera {camera} lost a frame");
            }
        }
    }

    fn shoot_still(&mut self, clock: &impl Fn() -> UnixMicros) {
        if self.sinks.stills.capacity() == 0 {
            self.owes_still = false;
            self.counters.skipped += 1;
            return;
        }
        let captured_at = self.take(clock);
        self.hand_over_still(captured_at);
    }

    /// Makes the still of the picture that was just taken. A copy costs the stream a hundredth of what a JPEG would.
    fn hand_over_still(&mut self, captured_at: UnixMicros) {
        self.owes_still = false;
        let Ok(place) = self.sinks.stills.clone().try_reserve_owned() else {
            self.counters.skipped += 1;
            return;
        };
        let exposed = Exposed {
            frame: self.frame.clone(),
            camera: self.config.camera,
            captured_at,
            place,
        };
        if !self.developer.take(exposed) {
            self.counters.skipped += 1;
        }
    }
}

#[cfg(test)]
mod tests;
