//! The agent as a whole: driver, cameras, journal and link, started together and stopped together.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use protocol::{
    command::Receipt,
    event::Payload,
    robot::{Advert, CameraAdvert, Codec},
    robot_socket::Demand,
};
use tokio::sync::{mpsc, watch};

use crate::{
    cameras::{
        encode::EncoderConfig,
        render::Backdrop,
        shoot::{ShootConfig, Shooting, Sinks},
        simulated::{self, CAMERAS, SimulatedEye},
    },
    control::{self, AgentClock, Control, ORDER_QUEUE, RECEIPT_QUEUE},
    driver::{
        Driver,
        sim::{Sim, SimConfig},
    },
    journal::{Journal, JournalFailure},
    link::{Dismissed, Link, STILL_QUEUE, SharedJournal},
    publish::{CameraSpec, VideoCodec},
    settings::{Enrolled, Folder, SettingsFailure},
    streams::{FRAME_QUEUE, Streams},
    tls,
};

/// Key-frame requests that may wait: one per camera is enough.
const KEYFRAME_QUEUE: usize = 8;

/// What to run with.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// The robot's folder.
    pub data: PathBuf,
    /// The simulator's luck.
    pub seed: u64,
    /// Whether the simulated robot patrols when it has nothing to do.
    pub wander: bool,
    /// Whether the capture time is drawn into each picture.
    pub has_stamp: bool,
    /// Size and rate of the simulated cameras.
    pub encoder: EncoderConfig,
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
    /// The gateway sent the robot away for good.
    #[error(transparent)]
    Dismissed(#[from] Dismissed),
}

/// Runs until the gateway dismisses the robot.
#[expect(
    clippy::too_many_lines,
    reason = "one list of wires between the parts; cut in two, each wire would be named twice"
)]
pub async fn run(config: RunConfig) -> Result<(), RunFailure> {
    let folder = Folder::open(&config.data)?;
    let (enrolled, journal) = open_journal(&folder)?;
    let clock = AgentClock::start();
    let sim = simulate(&config);
    let (frames, frames_out) = mpsc::channel(FRAME_QUEUE);
    let (stills, stills_out) = mpsc::channel(STILL_QUEUE);
    let (adverts, shooting) = start_cameras(&config, &sim, &Sinks { frames, stills })?;
    let (orders, orders_out) = mpsc::channel(ORDER_QUEUE);
    let (receipts, receipts_out) = mpsc::channel(RECEIPT_QUEUE);
    let (telemetry, telemetry_out) = watch::channel(None);
    let (scan, scan_out) = watch::channel(None);
    let (driver_advert, driver_advert_out) = watch::channel(sim.advert());
    let (advert, advert_out) = watch::channel(with_cameras(sim.advert(), &adverts));
    let (demand, demand_out) = watch::channel(Demand::default());
    let (outlets, outlets_out) = watch::channel(None);
    let (keyframes, keyframes_out) = mpsc::channel(KEYFRAME_QUEUE);
    let (to_link, link_stills) = mpsc::channel(STILL_QUEUE);
    let (grew, journal_grew) = watch::channel(journal.last_number());
    let journal = SharedJournal::new(journal);

    tracing::info!(robot.id = %enrolled.robot, "{} starts", enrolled.name);
    let control = Control {
        orders: orders_out,
        receipts,
        telemetry,
        scan,
        advert: driver_advert,
    };
    tokio::spawn(control::run(Box::new(sim), control, clock));
    let streams = Streams {
        names: names(&adverts),
        shooting,
        demand: demand_out,
        outlets: outlets_out,
        frames: frames_out,
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
        cameras: specs(&adverts),
        journal: journal.clone(),
        journal_grew,
        advert: advert_out,
        telemetry: telemetry_out,
        scan: scan_out,
        stills: link_stills,
        orders,
        demand,
        keyframes,
        outlets,
    };

    tokio::spawn(streams.run());
    tokio::spawn(write_down(journal, receipts_out, grew));
    tokio::spawn(follow_advert(driver_advert_out, advert, adverts));
    Ok(link.run().await?)
}

fn open_journal(folder: &Folder) -> Result<(Enrolled, Journal), RunFailure> {
    let enrolled = folder.enrolled()?;
    let journal = Journal::open(&folder.journal(), enrolled.robot, folder.device_key()?)?;
    Ok((enrolled, journal))
}

fn simulate(config: &RunConfig) -> Sim {
    Sim::new(SimConfig {
        wander: config.wander,
        ..SimConfig::new(config.seed)
    })
}

fn names(cameras: &[CameraAdvert]) -> Vec<String> {
    cameras.iter().map(|camera| camera.name.clone()).collect()
}

type StartedCameras = (Vec<CameraAdvert>, BTreeMap<String, Shooting>);

fn start_cameras(
    config: &RunConfig,
    sim: &Sim,
    sinks: &Sinks,
) -> Result<StartedCameras, RunFailure> {
    let stage = sim.stage();
    let backdrop = Backdrop::new(stage.site());
    let mut adverts = Vec::new();
    let mut shooting = BTreeMap::new();
    for (index, (name, label, lens)) in (0_u8..).zip(CAMERAS) {
        let eye = SimulatedEye::new(stage.clone(), Arc::clone(&backdrop), lens);
        let shoot = ShootConfig {
            camera: index,
            encoder: config.encoder,
            has_stamp: config.has_stamp,
        };
        shooting.insert(
            name.to_owned(),
            Shooting::start(name, shoot, eye, sinks.clone())?,
        );
        adverts.push(simulated::advert(name, label, config.encoder));
    }
    Ok((adverts, shooting))
}

fn with_cameras(advert: Advert, cameras: &[CameraAdvert]) -> Advert {
    Advert {
        cameras: cameras.to_vec(),
        ..advert
    }
}

fn specs(cameras: &[CameraAdvert]) -> Vec<CameraSpec> {
    cameras.iter().map(spec).collect()
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

/// Seals each receipt and syncs it to disk before the link hears of it.
async fn write_down(
    journal: SharedJournal,
    mut receipts: mpsc::Receiver<Receipt>,
    grew: watch::Sender<u64>,
) {
    while let Some(receipt) = receipts.recv().await {
        let appended = journal.with(|journal| journal.append(Payload::CommandReceipt(receipt)));
        match appended.await {
            Some(Ok(number)) => {
                grew.send_replace(number);
            }
            Some(Err(error)) => tracing::error!(%error, "a receipt could not be written down"),
            None => return,
        }
    }
}

/// Adds the cameras to whatever the driver says of itself.
async fn follow_advert(
    mut driver: watch::Receiver<Advert>,
    whole: watch::Sender<Advert>,
    cameras: Vec<CameraAdvert>,
) {
    while driver.changed().await.is_ok() {
        let advert = driver.borrow_and_update().clone();
        whole.send_replace(with_cameras(advert, &cameras));
    }
}
