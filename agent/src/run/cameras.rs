//! The robot's cameras: which run, how they start, and what the robot says of them.

use std::sync::Arc;

use protocol::{
    limits::MAX_CAMERAS,
    robot::{Advert, CameraAdvert, Codec, Component},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{RunConfig, RunFailure};
use crate::{
    cameras::{
        mask::{Masked, Veil},
        render::{Backdrop, Lens},
        rtp::{IncomingCamera, PACKET_QUEUE, RtpCamera, RtpSinks, Signal},
        shoot::{ShootConfig, Shooting, Sinks, Still},
        simulated::{self, CAMERAS, SimulatedEye},
        source::Source,
    },
    driver::sim::Sim,
    gallery::Gallery,
    publish::{CameraSpec, VideoCodec},
    safety::Safety,
    streams::{FRAME_QUEUE, Pictures},
};

/// The cameras, where their pictures come from, and the veils before those that show nothing in some places.
pub(super) type StartedCameras = (Arc<[Source]>, Vec<Pictures>, Vec<(String, Veil)>);

/// Starts the simulated cameras and opens the incoming ones, the main one first.
pub(super) async fn start_cameras(
    config: &RunConfig,
    sim: &Sim,
    safety: &Safety,
    stills: &mpsc::Sender<Still>,
) -> Result<StartedCameras, RunFailure> {
    let plan = plan(&config.incoming)?;
    let stage = sim.stage();
    let backdrop = Backdrop::new(stage.site());
    let mut sources = Vec::new();
    let mut pictures = Vec::new();
    let mut veils = Vec::new();
    for (index, planned) in (0_u8..).zip(plan) {
        let stills = stills.clone();
        match planned {
            Planned::Simulated(name, label, lens) => {
                let (frames, out) = mpsc::channel(FRAME_QUEUE);
                let eye = SimulatedEye::new(stage.clone(), Arc::clone(&backdrop), lens);
                let veil = safety.has_private_zones(name).then(Veil::default);
                veils.extend(veil.clone().map(|veil| (name.to_owned(), veil)));
                let eye = Masked::new(eye, safety.masks(name), veil);
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
            Planned::Incoming(camera)
                if !safety.masks(&camera.name).is_empty()
                    || safety.has_private_zones(&camera.name) =>
            {
                return Err(RunFailure::Unmaskable(camera.name.clone()));
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
    Ok((sources.into(), pictures, veils))
}

/// What the cameras are called that are to run.
pub(super) fn camera_names(config: &RunConfig) -> Vec<&str> {
    let simulated = CAMERAS.iter().map(|(name, ..)| *name);
    let incoming = config.incoming.iter().map(|camera| camera.name.as_str());
    simulated.chain(incoming).collect()
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
pub(super) fn with_cameras(mut advert: Advert, cameras: &[Source]) -> Advert {
    advert.cameras = cameras.iter().map(Source::advert).collect();
    let ours: Vec<Component> = cameras.iter().filter_map(Source::component).collect();
    advert
        .components
        .retain(|part| ours.iter().all(|other| other.name != part.name));
    advert.components.extend(ours);
    advert
}

/// What the robot will remember of their pictures.
pub(super) fn gallery_of(cameras: &[Source]) -> Gallery {
    Gallery::of(cameras.iter().map(|camera| {
        let advert = camera.advert();
        (advert.name, advert.codec)
    }))
}

pub(super) fn spec(camera: &CameraAdvert) -> CameraSpec {
    CameraSpec {
        name: camera.name.clone(),
        codec: match camera.codec {
            Codec::H264 => VideoCodec::H264,
            Codec::Vp8 => VideoCodec::Vp8,
        },
    }
}

/// Adds the cameras to whatever the driver says of itself, and says so again when one loses or finds its signal.
pub(super) async fn follow_advert(
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
