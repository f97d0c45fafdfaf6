//! The agent as a whole: driver, cameras, journal and link, started together and stopped together.

use std::{path::PathBuf, sync::Arc, time::Duration};

use protocol::{limits::MAX_CAMERAS, robot_socket::Demand};
use tokio::{
    sync::{mpsc, watch},
    task::JoinError,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    authority::Remembered,
    cameras::{
        encode::EncoderConfig,
        rtp::{IncomingCamera, RtpCameraFailure},
    },
    control::{self, AgentClock, Control, ORDER_QUEUE, WORD_QUEUE},
    desk::Desk,
    driver::{
        Driver,
        sim::{Sim, SimConfig},
    },
    evidence::{Courier, Darkroom, LONGEST_WAIT, NAMED_QUEUE, PHOTO_QUEUE, Post, pictures_in},
    journal::{Journal, JournalFailure},
    link::{Dismissed, Link, STILL_QUEUE, SharedJournal},
    orders::Journalling,
    receipts::{Scribe, given_up},
    settings::{Enrolled, Folder, SettingsFailure, keep_control},
    streams::Streams,
    tls,
    trust::Kept,
    work::{Work, heard::Heard},
};

mod cameras;

use self::cameras::{follow_advert, spec, start_cameras, with_cameras};

/// Key-frame requests that may wait: one per camera is enough.
const KEYFRAME_QUEUE: usize = 8;

/// A full queue of receipts on a disk that syncs within milliseconds, twice over. What a worse one does not take by then
/// was not promised to anybody.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// All of stopping, goodbyes included: people wait at the terminal, and a service's manager does not wait for ever.
const STOPPED_WITHIN: Duration = Duration::from_secs(2);

/// What to run with.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// The robot's folder.
    pub data: PathBuf,
    /// The simulator's luck.
    pub seed: u64,
    /// People in the simulator.
    pub people: u8,
    /// Whether the simulated robot patrols when it has nothing to do.
    pub wander: bool,
    /// How many seconds of a job's step are done in one: more than one is for tests.
    pub work_speed: u32,
    /// Whether the capture time is drawn into each picture.
    pub has_stamp: bool,
    /// Size and rate of the simulated cameras.
    pub encoder: EncoderConfig,
    /// Cameras of other pipelines; one of the name of a simulated camera takes its place.
    pub incoming: Vec<IncomingCamera>,
    /// A pinned authority for the gateway's certificate.
    pub authority: Option<PathBuf>,
}

/// Why the agent stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunFailure {
    /// The robot's folder can't be used.
    #[error(transparent)]
    Settings(#[from] SettingsFailure),
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalFailure),
    /// Trust can't be set up.
    #[error(transparent)]
    Trust(#[from] tls::TrustFailure),
    /// A camera's thread can't be started.
    #[error("a camera can't be started: {0}")]
    Camera(#[from] std::io::Error),
    /// The folder for evidence can't be read.
    #[error("the folder for evidence can't be read: {0}")]
    Evidence(#[source] std::io::Error),
    /// What brings pictures to the gateway can't be set up.
    #[error("pictures can't be brought to the gateway: {0}")]
    Post(#[from] reqwest::Error),
    /// An incoming camera's port can't be used.
    #[error(transparent)]
    Incoming(#[from] RtpCameraFailure),
    /// Two cameras of one name.
    #[error("camera {0} is named twice")]
    CameraTwice(String),
    /// More cameras than a robot may have.
    #[error("a robot has at most {MAX_CAMERAS} cameras, not {0}")]
    TooManyCameras(usize),
    /// The gateway sent the robot away for good.
    #[error(transparent)]
    Dismissed(#[from] Dismissed),
    /// A part of the agent broke.
    #[error("a part of the agent failed: {0}")]
    Part(#[from] JoinError),
}

/// Runs until the gateway dismisses the robot or `stop` is cancelled, and then stops in good order.
#[expect(
    clippy::too_many_lines,
    reason = "one list of wires between the parts; cut in two, each wire would be named twice"
)]
pub async fn run(config: RunConfig, stop: CancellationToken) -> Result<(), RunFailure> {
    let folder = Folder::open(&config.data)?;
    let (enrolled, journal) = open_journal(&folder)?;
    let clock = AgentClock::start();
    let sim = simulate(&config);
    let (stills, stills_out) = mpsc::channel(STILL_QUEUE);
    let (cameras, pictures) = start_cameras(&config, &sim, &stills).await?;
    let (orders, orders_out) = mpsc::channel(ORDER_QUEUE);
    let (remembered, remembered_out) = watch::channel(folder.remembered_control()?);
    let (kept, kept_out) = watch::channel(folder.remembered_trust()?);
    let (believes, believes_out) = watch::channel(None);
    let (words, words_out) = mpsc::channel(WORD_QUEUE);
    let (heard, heard_out) = watch::channel(Heard::default());
    let (job_written, job_written_out) = watch::channel(0);
    let (photos, photos_out) = mpsc::channel(PHOTO_QUEUE);
    let (own_stills, own_stills_out) = mpsc::channel(PHOTO_QUEUE);
    let (developed, developed_out) = mpsc::channel(PHOTO_QUEUE);
    let (named, named_out) = mpsc::channel(NAMED_QUEUE);
    let (telemetry, telemetry_out) = watch::channel(None);
    let (scan, scan_out) = watch::channel(None);
    let (driver_advert, driver_advert_out) = watch::channel(sim.advert());
    let (advert, advert_out) = watch::channel(with_cameras(sim.advert(), &cameras));
    let (demand, demand_out) = watch::channel(Demand::default());
    let (outlets, outlets_out) = watch::channel(None);
    let (keyframes, keyframes_out) = mpsc::channel(KEYFRAME_QUEUE);
    let (to_link, link_stills) = mpsc::channel(STILL_QUEUE);
    let (grew, journal_grew) = watch::channel(journal.last_number());
    let (journalling, journalling_out) = watch::channel(Journalling::Works);
    let work = Work::new(journal.said(), config.work_speed);
    let trust = tls::client(config.authority.as_deref())?;
    let courier = Courier {
        folder: folder.evidence(),
        left: pictures_in(&folder.evidence()).map_err(RunFailure::Evidence)?,
        last_number: journal.last_number(),
        named: named_out,
        heard: heard_out.clone(),
        post: Post::new(enrolled.gateway.clone(), folder.token()?, &trust)?,
        longest_wait: LONGEST_WAIT,
    };
    let owed = given_up(journal.open_orders(), &sim, clock.now());
    let journal = SharedJournal::new(journal);
    let hang_up = CancellationToken::new();

    tracing::info!(robot.id = %enrolled.robot, "{} starts", enrolled.name);
    let control = Control {
        orders: orders_out,
        remembered,
        pinned: enrolled.pinned()?,
        kept,
        trust: believes.clone(),
        receipts: words.clone(),
        journalling: journalling_out,
        telemetry: telemetry.clone(),
        scan: scan.clone(),
        advert: driver_advert.clone(),
        desk: Desk {
            work,
            heard: heard_out,
            heard_times: 0,
            advert: advert_out.clone(),
            words,
            unsent: None,
            written: job_written_out,
            photos,
            developed: developed_out,
        },
    };
    let darkroom = Darkroom {
        folder: folder.evidence(),
        wanted: photos_out,
        stills: own_stills,
        developed,
    };
    let scribe = Scribe {
        journal: journal.clone(),
        owed,
        words: words_out,
        grew: grew.clone(),
        job_written,
        named,
        journalling,
    };
    let streams = Streams {
        cameras: Arc::clone(&cameras),
        pictures,
        demand: demand_out,
        outlets: outlets_out,
        stills: stills_out,
        to_link,
        own_stills: own_stills_out,
        keyframes: keyframes_out,
    };
    let link = Link {
        gateway: enrolled.gateway,
        token: folder.token()?,
        trust,
        run: rand::random(),
        clock,
        cameras: cameras
            .iter()
            .map(|source| spec(&source.advert()))
            .collect(),
        journal,
        journal_grew,
        advert: advert_out,
        telemetry: telemetry_out,
        believes: believes_out,
        scan: scan_out,
        stills: link_stills,
        orders,
        heard,
        demand,
        keyframes,
        outlets,
        hang_up: hang_up.clone(),
    };

    let control = control::run(Box::new(sim), control, clock, stop.clone());
    let parts = Parts {
        control: start(&stop, control),
        scribe: start(&stop, scribe.run()),
        link: start(&stop, link.run()),
        beside: [
            start(&stop, streams.run()),
            start(&stop, darkroom.run()),
            start(&stop, courier.run()),
            start(&stop, follow_advert(driver_advert_out, advert, cameras)),
            start(&stop, keep(folder.control(), remembered_out)),
            start(&stop, keep_trust(folder.clone(), kept_out)),
        ],
        hang_up,
    };
    let ended = parts.run(&stop).await;
    // The link must not take the end of the control loop for its own: these are what it listens to.
    drop((telemetry, believes, scan, driver_advert, grew));
    ended
}

/// Runs a part of the agent. Without it the others are of no use: whenever it ends, they are stopped.
fn start<T: Send + 'static>(
    stop: &CancellationToken,
    part: impl Future<Output = T> + Send + 'static,
) -> AbortOnDropHandle<T> {
    let stops_others = stop.clone().drop_guard();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let _stops_others = stops_others;
        part.await
    }))
}

/// The parts of the agent, running.
struct Parts {
    control: AbortOnDropHandle<()>,
    scribe: AbortOnDropHandle<()>,
    link: AbortOnDropHandle<Result<(), Dismissed>>,
    /// Nothing is lost when these end at once.
    beside: [AbortOnDropHandle<()>; 6],
    hang_up: CancellationToken,
}

impl Parts {
    /// Waits for the stop, then stops them in turn: no more orders, receipts to disk, goodbye to the gateway.
    async fn run(self, stop: &CancellationToken) -> Result<(), RunFailure> {
        stop.cancelled().await;
        let stopping = async {
            let control = self.control.await;
            let written = timeout(WRITTEN_WITHIN, self.scribe).await;
            self.hang_up.cancel();
            let link = self.link.await;
            drop(self.beside);
            match written {
                Ok(scribe) => scribe?,
                Err(_elapsed) => tracing::error!("the disk did not take all receipts in time"),
            }
            link??;
            Ok(control?)
        };
        match timeout(STOPPED_WITHIN, stopping).await {
            Ok(stopped) => stopped,
            Err(_elapsed) => {
                tracing::warn!("the gateway did not hear goodbye in time");
                Ok(())
            }
        }
    }
}

/// Keeps who steers on disk, as often as it changes. A disk that takes none is said; the robot itself goes by what it knows.
async fn keep(path: PathBuf, mut known: watch::Receiver<Remembered>) {
    while known.changed().await.is_ok() {
        let latest = *known.borrow_and_update();
        let path = path.clone();
        match tokio::task::spawn_blocking(move || keep_control(&path, latest)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "who steers could not be kept"),
            Err(error) => tracing::error!(%error, "who steers could not be kept"),
        }
    }
}

/// Likewise whom the robot believes.
async fn keep_trust(folder: Folder, mut kept: watch::Receiver<Kept>) {
    while kept.changed().await.is_ok() {
        let latest = kept.borrow_and_update().clone();
        let folder = folder.clone();
        match tokio::task::spawn_blocking(move || folder.keep_trust(&latest)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "whom the robot believes could not be kept"),
            Err(error) => tracing::error!(%error, "whom the robot believes could not be kept"),
        }
    }
}

fn open_journal(folder: &Folder) -> Result<(Enrolled, Journal), RunFailure> {
    let enrolled = folder.enrolled()?;
    let journal = Journal::open(&folder.journal(), enrolled.robot, folder.device_key()?)?;
    Ok((enrolled, journal))
}

fn simulate(config: &RunConfig) -> Sim {
    Sim::new(SimConfig {
        people: usize::from(config.people),
        wander: config.wander,
        ..SimConfig::new(config.seed)
    })
}
