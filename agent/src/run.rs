//! The agent as a whole: driver, cameras, journal and link, started together and stopped together.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

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
    control::{self, AgentClock, Control, DRIVE_QUEUE, ORDER_QUEUE, WORD_QUEUE},
    desk::Desk,
    driver::{
        Driver,
        sim::{Sim, SimConfig},
    },
    evidence::{
        ClipPost, Courier, Darkroom, LONGEST_WAIT, NAMED_QUEUE, PHOTO_QUEUE, Post, pictures_in,
    },
    journal::{Journal, JournalFailure},
    link::{Dismissed, Link, STILL_QUEUE, SharedJournal},
    orders::{Button, Journalling},
    receipts::{Scribe, given_up},
    safety::{Safety, believed},
    settings::{Enrolled, Folder, SettingsFailure, keep_control},
    sights::Sights,
    streams::Streams,
    tls,
    trust::{Kept, Pinned},
    work::{Work, heard::Heard},
};

mod cameras;

use self::cameras::{camera_names, follow_advert, gallery_of, spec, start_cameras, with_cameras};

/// Key-frame requests that may wait: one per camera is enough.
const KEYFRAME_QUEUE: usize = 8;

/// A full queue of receipts on a disk that syncs within milliseconds, twice over. What a worse one does not take by then
/// was not promised to anybody.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// The first pause after a disk that did not keep what the robot has to know at its next start.
const KEPT_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// The longest. Somebody who made room should not wait for the robot to notice.
const KEPT_AT_LAST_AFTER: Duration = Duration::from_secs(5);

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
    /// A file that is there while the robot's own stop button is pressed.
    pub stop_button: Option<PathBuf>,
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
    /// A camera whose pictures come in encoded, and would have to be covered.
    #[error(
        "pictures of camera {0} come in encoded and can't be masked, as the robot's policy wants them: mask them where they are made"
    )]
    Unmaskable(String),
    /// The stop button's file would lie nowhere.
    #[error("the stop button {0} lies in a folder that is not there")]
    NoButton(PathBuf),
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
    let radius_m = sim.advert().radius_m;
    let safety = load_policy(&folder, &enrolled.pinned()?, radius_m)?;
    let safety = match safety.unknown_camera(&camera_names(&config)) {
        Some(name) => {
            tracing::error!(
                name,
                "the local policy masks a camera that is not there; the robot stays where it is"
            );
            Safety::standstill(
                radius_m,
                format!("it masks a camera that is not there: {name}"),
            )
        }
        None => safety,
    };
    let stop_button = watch_button(config.stop_button.clone(), &stop)?;
    let (stills, stills_out) = mpsc::channel(STILL_QUEUE);
    let (cameras, pictures, veils) = start_cameras(&config, &sim, &safety, &stills).await?;
    let gallery = gallery_of(&cameras);
    let (orders, orders_out) = mpsc::channel(ORDER_QUEUE);
    let (drives, drives_out) = mpsc::channel(DRIVE_QUEUE);
    let (driving, driving_out) = watch::channel(None);
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
    let (clip_named, clip_named_out) = mpsc::channel(NAMED_QUEUE);
    let (telemetry, telemetry_out) = watch::channel(None);
    let (scan, scan_out) = watch::channel(None);
    let (driver_advert, driver_advert_out) = watch::channel(safety.dress(sim.advert()));
    let (advert, advert_out) = watch::channel(with_cameras(safety.dress(sim.advert()), &cameras));
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
    let clip_courier = Courier {
        folder: folder.clips(),
        left: pictures_in(&folder.clips()).map_err(RunFailure::Evidence)?,
        last_number: journal.last_number(),
        named: clip_named_out,
        heard: heard_out.clone(),
        post: ClipPost::new(
            Post::new(enrolled.gateway.clone(), folder.token()?, &trust)?,
            enrolled.robot,
            driving_out.clone(),
        ),
        longest_wait: LONGEST_WAIT,
    };
    let owed = given_up(journal.open_orders(), &sim, clock.now());
    let journal = SharedJournal::new(journal);
    let hang_up = CancellationToken::new();

    tracing::info!(robot.id = %enrolled.robot, "{} starts", enrolled.name);
    let control = Control {
        orders: orders_out,
        drives: drives_out,
        driving: driving.clone(),
        stop_button,
        safety,
        pictures: (!cameras.is_empty(), gallery.clone()),
        veils,
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
        sights: Sights::new(gallery.clone(), folder.clips(), clip_named),
        journalling,
    };
    let streams = Streams {
        cameras: Arc::clone(&cameras),
        pictures,
        gallery,
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
        drives,
        driving: driving_out,
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
            start(&stop, clip_courier.run()),
            start(&stop, follow_advert(driver_advert_out, advert, cameras)),
            start(
                &stop,
                keep("who steers", remembered_out, {
                    let path = folder.control();
                    move |known: &Remembered| keep_control(&path, *known)
                }),
            ),
            start(
                &stop,
                keep("whom the robot believes", kept_out, {
                    let folder = folder.clone();
                    move |kept: &Kept| folder.keep_trust(kept)
                }),
            ),
        ],
        hang_up,
    };
    let ended = parts.run(&stop).await;
    // The link must not take the end of the control loop for its own: these are what it listens to.
    drop((telemetry, believes, scan, driving, driver_advert, grew));
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
    beside: [AbortOnDropHandle<()>; 7],
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

/// Keeps what is known on disk, as often as it changes. A disk that takes none is said, and tried again: a stop that latched, or a
/// list of who is out, is to outlast the next power cut. The robot itself goes by what it knows.
async fn keep<T: Clone + Send + 'static>(
    what: &'static str,
    mut known: watch::Receiver<T>,
    write: impl Fn(&T) -> Result<(), SettingsFailure> + Clone + Send + 'static,
) {
    while known.changed().await.is_ok() {
        let mut pause = KEPT_AGAIN_AFTER;
        loop {
            let latest = known.borrow_and_update().clone();
            let write = write.clone();
            match tokio::task::spawn_blocking(move || write(&latest)).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => tracing::error!(%error, "{what} could not be kept"),
                Err(error) => tracing::error!(%error, "{what} could not be kept"),
            }
            // What is newer is written at once.
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(KEPT_AT_LAST_AFTER),
                changed = known.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn open_journal(folder: &Folder) -> Result<(Enrolled, Journal), RunFailure> {
    let enrolled = folder.enrolled()?;
    let journal = Journal::open(&folder.journal(), enrolled.robot, folder.device_key()?)?;
    Ok((enrolled, journal))
}

/// What the robot keeps to. One whose policy can't be believed stays where it is, and says so: it is still to be seen and asked.
fn load_policy(folder: &Folder, pinned: &Pinned, radius_m: f32) -> Result<Safety, SettingsFailure> {
    let Some(sealed) = folder.policy()? else {
        return Ok(Safety::new(None, radius_m));
    };
    let policy = believed(
        &sealed,
        pinned.root.as_ref(),
        pinned.organisation,
        pinned.robot,
    );
    Ok(match policy {
        Ok(policy) => {
            tracing::info!(
                policy.number,
                zones = policy.keep_out.len(),
                "keeps to its local policy"
            );
            Safety::new(Some(&policy), radius_m)
        }
        Err(error) => {
            tracing::error!(%error, "the local policy is not gone by; the robot stays where it is");
            Safety::standstill(radius_m, format!("not gone by: {error}"))
        }
    })
}

/// How often it is looked whether the stop button is pressed.
const BUTTON_EVERY: Duration = Duration::from_millis(20);

/// Follows the stop button, which is a file that another program makes and removes. Beside the loop: a disk that hangs must
/// not keep the wheels from being told.
fn watch_button(
    path: Option<PathBuf>,
    stop: &CancellationToken,
) -> Result<watch::Receiver<Button>, RunFailure> {
    let (pressed, told) = watch::channel(Button::default());
    let Some(path) = path else {
        return Ok(told);
    };
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(RunFailure::NoButton(path));
    }
    let stop = stop.clone();
    std::thread::spawn(move || {
        while !stop.is_cancelled() {
            // A button that can't be looked at is a pressed one.
            let is_pressed = path.try_exists().unwrap_or(true);
            pressed.send_if_modified(|button| {
                let is_news = button.is_pressed != is_pressed;
                if is_news && is_pressed {
                    button.presses = button.presses.wrapping_add(1);
                }
                button.is_pressed = is_pressed;
                is_news
            });
            std::thread::sleep(BUTTON_EVERY);
        }
    });
    Ok(told)
}

fn simulate(config: &RunConfig) -> Sim {
    Sim::new(SimConfig {
        people: usize::from(config.people),
        wander: config.wander,
        ..SimConfig::new(config.seed)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn a_stop_that_the_disk_did_not_keep_is_kept_once_there_is_room_though_nothing_changes_again()
     {
        let (known, known_out) = watch::channel(Remembered::default());
        let tries = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut was_kept) = watch::channel(false);
        let write = {
            let tries = Arc::clone(&tries);
            move |known: &Remembered| {
                let mut tries = tries.lock().unwrap();
                tries.push(known.is_stopped);
                if tries.len() < 3 {
                    let path = PathBuf::from("control.json");
                    let error = std::io::ErrorKind::StorageFull.into();
                    return Err(SettingsFailure::File { path, error });
                }
                kept.send_replace(true);
                Ok(())
            }
        };
        let keeping = tokio::spawn(keep("who steers", known_out, write));

        known.send_modify(|known| known.is_stopped = true);
        was_kept.wait_for(|kept| *kept).await.unwrap();
        drop(known);
        keeping.await.unwrap();

        assert_eq!(*tries.lock().unwrap(), [true; 3]);
    }
}
