//! The agent as a whole: driver, cameras, journal and link, started together and stopped together.

use std::{path::PathBuf, sync::Arc, time::Duration};

use protocol::{
    limits::MAX_CAMERAS,
    robot::{Advert, CameraAdvert, Codec, Component},
    robot_socket::Demand,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    cameras::{
        encode::EncoderConfig,
        render::{Backdrop, Lens},
        rtp::{IncomingCamera, PACKET_QUEUE, RtpCamera, RtpCameraFailure, RtpSinks, Signal},
        shoot::{ShootConfig, Shooting, Sinks, Still},
        simulated::{self, CAMERAS, SimulatedEye},
        source::Source,
    },
    control::{self, AgentClock, Control, ORDER_QUEUE, RECEIPT_QUEUE},
    driver::{
        Driver,
        sim::{Sim, SimConfig},
    },
    journal::{Journal, JournalFailure},
    link::{Dismissed, Link, STILL_QUEUE, SharedJournal},
    orders::Journalling,
    publish::{CameraSpec, VideoCodec},
    receipts::{Scribe, given_up},
    settings::{Enrolled, Folder, SettingsFailure},
    streams::{FRAME_QUEUE, Pictures, Streams},
    tls,
};

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
    let (receipts, receipts_out) = mpsc::channel(RECEIPT_QUEUE);
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
    let owed = given_up(journal.open_orders(), &sim, clock.now());
    let journal = SharedJournal::new(journal);
    let hang_up = CancellationToken::new();

    tracing::info!(robot.id = %enrolled.robot, "{} starts", enrolled.name);
    let control = Control {
        orders: orders_out,
        receipts,
        journalling: journalling_out,
        telemetry: telemetry.clone(),
        scan: scan.clone(),
        advert: driver_advert.clone(),
    };
    let scribe = Scribe {
        journal: journal.clone(),
        owed,
        receipts: receipts_out,
        grew: grew.clone(),
        journalling,
    };
    let streams = Streams {
        cameras: Arc::clone(&cameras),
        pictures,
        demand: demand_out,
        outlets: outlets_out,
        stills: stills_out,
        to_link,
        keyframes: keyframes_out,
    };
    let link = Link {
        gateway: enrolled.gateway,
        token: folder.token()?,
        trust: tls::client(config.authority.as_deref())?,
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
        scan: scan_out,
        stills: link_stills,
        orders,
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
            start(&stop, follow_advert(driver_advert_out, advert, cameras)),
        ],
        hang_up,
    };
    let ended = parts.run(&stop).await;
    // The link must not take the end of the control loop for its own: these are what it listens to.
    drop((telemetry, scan, driver_advert, grew));
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
    beside: [AbortOnDropHandle<()>; 2],
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

type StartedCameras = (Arc<[Source]>, Vec<Pictures>);

/// Starts the simulated cameras and opens the incoming ones, the main one first.
async fn start_cameras(
    config: &RunConfig,
    sim: &Sim,
    stills: &mpsc::Sender<Still>,
) -> Result<StartedCameras, RunFailure> {
    let plan = plan(&config.incoming)?;
    let stage = sim.stage();
    let backdrop = Backdrop::new(stage.site());
    let mut sources = Vec::new();
    let mut pictures = Vec::new();
    for (index, planned) in (0_u8..).zip(plan) {
        let stills = stills.clone();
        match planned {
            Planned::Simulated(name, label, lens) => {
                let (frames, out) = mpsc::channel(FRAME_QUEUE);
                let eye = SimulatedEye::new(stage.clone(), Arc::clone(&backdrop), lens);
                let shoot = ShootConfig {
                    camera: index,
                    encoder: config.encoder,
                    has_stamp: config.has_stamp,
                };
                sources.push(Source::Own {
                    shooting: Shooting::start(name, shoot, eye, Sinks { frames, stills })?,
                    advert: simulated::advert(name, label, config.encoder),
                });
                pictures.push(Pictures::Frames(out));
            }
            Planned::Incoming(camera) => {
                let (packets, out) = mpsc::channel(PACKET_QUEUE);
                let sinks = RtpSinks { packets, stills };
                let camera = RtpCamera::open(index, camera.clone(), sinks).await?;
                tracing::info!(
                    port = camera.local_addr().port(),
                    "a camera comes in as RTP"
                );
                sources.push(Source::Incoming(camera));
                pictures.push(Pictures::Packets(out));
            }
        }
    }
    Ok((sources.into(), pictures))
}

/// A camera that is to run.
#[derive(Debug)]
enum Planned<'a> {
    Simulated(&'static str, &'static str, Lens),
    Incoming(&'a IncomingCamera),
}

/// Which cameras run: those of the simulator, each unless one that comes in has its name, then the others that come in.
fn plan(incoming: &[IncomingCamera]) -> Result<Vec<Planned<'_>>, RunFailure> {
    for (index, camera) in incoming.iter().enumerate() {
        if incoming[..index]
            .iter()
            .any(|other| other.name == camera.name)
        {
            return Err(RunFailure::CameraTwice(camera.name.clone()));
        }
    }
    let simulated = CAMERAS.into_iter().map(|(name, label, lens)| {
        incoming
            .iter()
            .find(|camera| camera.name == name)
            .map_or(Planned::Simulated(name, label, lens), Planned::Incoming)
    });
    let is_new = |camera: &&IncomingCamera| CAMERAS.iter().all(|(name, ..)| *name != camera.name);
    let plan: Vec<Planned<'_>> = simulated
        .chain(incoming.iter().filter(is_new).map(Planned::Incoming))
        .collect();
    if plan.len() > MAX_CAMERAS {
        return Err(RunFailure::TooManyCameras(plan.len()));
    }
    Ok(plan)
}

/// The driver's advert with the cameras, and with what those that come in are as parts of the robot.
fn with_cameras(mut advert: Advert, cameras: &[Source]) -> Advert {
    advert.cameras = cameras.iter().map(Source::advert).collect();
    let ours: Vec<Component> = cameras.iter().filter_map(Source::component).collect();
    advert
        .components
        .retain(|part| ours.iter().all(|other| other.name != part.name));
    advert.components.extend(ours);
    advert
}

fn spec(camera: &CameraAdvert) -> CameraSpec {
    CameraSpec {
        name: camera.name.clone(),
        codec: match camera.codec {
            Codec::H264 => VideoCodec::H264,
            Codec::Vp8 => VideoCodec::Vp8,
        },
    }
}

/// Adds the cameras to whatever the driver says of itself, and says so again when one loses or finds its signal.
async fn follow_advert(
    mut driver: watch::Receiver<Advert>,
    whole: watch::Sender<Advert>,
    cameras: Arc<[Source]>,
) {
    let (changed, mut has_changed) = watch::channel(());
    let mut signals = JoinSet::new();
    for signal in cameras.iter().filter_map(Source::signal) {
        signals.spawn(pass_on(signal, changed.clone()));
    }
    loop {
        tokio::select! {
            changed = driver.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            // Never closed: its sender is held here.
            _ = has_changed.changed() => {}
        }
        let advert = driver.borrow_and_update().clone();
        whole.send_replace(with_cameras(advert, &cameras));
    }
}

async fn pass_on(mut signal: watch::Receiver<Signal>, changed: watch::Sender<()>) {
    while signal.changed().await.is_ok() {
        changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(texts: &[&str]) -> Vec<IncomingCamera> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn names(plan: &[Planned<'_>]) -> Vec<String> {
        let name = |planned: &Planned<'_>| match planned {
            Planned::Simulated(name, ..) => format!("simulated {name}"),
            Planned::Incoming(camera) => format!("incoming {}", camera.name),
        };
        plan.iter().map(name).collect()
    }

    #[test]
    fn an_incoming_camera_takes_the_place_of_the_simulated_one_of_its_name() {
        let cameras = incoming(&["door=rtp://127.0.0.1:5006", "head=rtp://127.0.0.1:5004"]);

        let plan = plan(&cameras).unwrap();

        assert_eq!(
            names(&plan),
            ["incoming head", "simulated base", "incoming door"]
        );
    }

    #[test]
    fn two_cameras_of_one_name_are_refused() {
        let cameras = incoming(&["door=rtp://127.0.0.1:5004", "door=rtp://127.0.0.1:5006"]);

        assert!(matches!(plan(&cameras), Err(RunFailure::CameraTwice(name)) if name == "door"));
    }

    #[test]
    fn more_cameras_than_a_robot_may_have_are_refused() {
        let texts: Vec<String> = (0..MAX_CAMERAS)
            .map(|index| format!("c{index}=rtp://127.0.0.1:{}", 6_000 + index))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();

        let cameras = incoming(&texts);

        assert!(matches!(
            plan(&cameras),
            Err(RunFailure::TooManyCameras(count)) if count == MAX_CAMERAS + CAMERAS.len()
        ));
    }
}
