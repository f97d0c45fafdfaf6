//! The live page's own state: which camera is large, what was last seen of each, how well frames come.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    PersonId, RobotId,
    command::{FrameSeen, Verb},
    robot::Advert,
};

use super::live_faces;
use crate::{
    arming::{self, Withheld},
    browser, control,
    glass::{self, FRAMES_TO_NAME, Frame, Minute, Quality},
    live::{
        engine::Live,
        model::{Phase, Robot},
        reduce::Input,
    },
    panels::{hud::HudFace, picture::PictureFace},
    parts::video::Shown,
    roster,
    rtc::{self, Feed},
    session::Session,
};

/// Counters of the streams are read so often.
const READ_COUNTERS: Duration = Duration::from_secs(1);

/// The page's own state: which camera is large, and what was last seen of each.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    pub(super) live: Live,
    session: Session,
    pub(super) id: RobotId,
    pub(super) large: RwSignal<usize>,
    shown: StoredValue<Vec<VecDeque<Shown>>>,
    qualities: RwSignal<Vec<Option<Quality>>>,
    pub(super) pictures: Memo<Vec<(PictureFace, Option<Frame>)>>,
    pub(super) advert: Memo<Option<Arc<Advert>>>,
}

impl Watch {
    pub(super) fn new(live: Live, id: RobotId) -> Self {
        let shown = StoredValue::new(Vec::new());
        let cameras = Memo::new(move |_| live.read(|model| camera_names(model.robot(id))));
        let pictures = Memo::new(move |_| {
            let count = cameras.with(Vec::len);
            live.at_tick(|model, now| {
                let picture = |camera| {
                    let latest = shown.with_value(|shown| seen(shown, camera));
                    live_faces::picture(model, id, camera, latest, now)
                };
                (0..count.max(1)).map(picture).collect()
            })
        });
        let advert = Memo::new_with_compare(
            move |_| live.read(|model| model.robot(id)?.advert.clone()),
            |old, new| address(old) != address(new),
        );
        Effect::new(move |_| {
            live.tell(Input::Select(Some(id)));
            live.tell(Input::Watch {
                robot: id,
                cameras: cameras.get(),
            });
        });
        on_cleanup(move || live.tell(Input::Unwatch));
        let watch = Self {
            live,
            session: expect_context(),
            id,
            large: RwSignal::new(0),
            shown,
            qualities: RwSignal::new(Vec::new()),
            pictures,
            advert,
        };
        watch.read_counters();
        watch
    }

    /// Reads something of the robot, and follows it.
    pub(super) fn robot<T>(self, read: impl FnOnce(&Robot) -> T) -> Option<T> {
        self.live.read(|model| Some(read(model.robot(self.id)?)))
    }

    pub(super) fn large_picture(self) -> PictureFace {
        let large = self.large.get();
        self.pictures.with(|all| {
            all.get(large)
                .map(|(face, _)| face.clone())
                .unwrap_or_default()
        })
    }

    pub(super) fn saw(self, camera: usize, frame: Shown) {
        let _stored = self.shown.try_update_value(|shown| {
            if shown.len() <= camera {
                shown.resize_with(camera + 1, VecDeque::new);
            }
            let latest = &mut shown[camera];
            if latest.len() == FRAMES_TO_NAME {
                latest.pop_front();
            }
            latest.push_back(frame);
        });
    }

    pub(super) fn swap(self) {
        let count = self.pictures.with_untracked(Vec::len).max(1);
        self.large.update(|large| *large = (*large + 1) % count);
    }

    pub(super) fn name(self) -> String {
        self.robot(|robot| robot.view.name.clone())
            .unwrap_or_default()
    }

    pub(super) fn feed(self, camera: usize) -> Option<Feed> {
        self.live.feeds().get(camera).cloned()
    }

    pub(super) fn withheld(self) -> Option<Withheld> {
        let age_ms = self.large_picture().age_ms;
        let me = self.session.person();
        self.live.at_tick(|model, now| {
            let robot = model.robot(self.id)?;
            let is_connected = model.connection.phase == Phase::Live;
            let standing = roster::standing(robot, &model.clock, now);
            arming::withheld(
                is_connected,
                robot,
                &standing,
                live_faces::sight(robot, age_ms),
                &control::standing(model, self.id, me, now),
            )
        })
    }

    pub(super) fn hud(self) -> HudFace {
        let large = self.large.get();
        let frame = self
            .pictures
            .with(|all| all.get(large).and_then(|(_, frame)| *frame));
        let quality = self.qualities.with(|all| all.get(large).copied().flatten());
        self.live
            .at_tick(|model, now| {
                let robot = model.robot(self.id)?;
                let age_ms = roster::state_age_ms(robot, &model.clock, now);
                let camera = robot
                    .advert
                    .as_ref()
                    .and_then(|advert| advert.cameras.get(large));
                Some(HudFace {
                    glass_ms: frame.and_then(|frame| frame.glass_to_glass_ms()),
                    age_ms: frame.map(|frame| frame.age_ms(now)),
                    is_age_since_shown: frame.is_some_and(|frame| frame.captured_at.is_none()),
                    command_ms: live_faces::command_ms(model, robot),
                    lost_ms: live_faces::lost_ms(model, robot, now),
                    quality,
                    promised_rate: camera.map_or(0, |camera| camera.frames_per_second),
                    battery: robot.telemetry().map(|state| state.battery),
                    is_state_old: live_faces::is_state_old(age_ms),
                })
            })
            .unwrap_or_default()
    }

    pub(super) fn order(self, verb: Verb) {
        self.order_saying(verb, String::new());
    }

    pub(super) fn order_saying(self, verb: Verb, words: String) {
        self.live
            .order_saying(self.id, verb, self.frame_seen(), words);
    }

    /// Who sits here.
    pub(super) fn me(self) -> Option<PersonId> {
        self.session.person()
    }

    /// The large picture as it is on the screen now, or as it just was, where its stream says when it was taken.
    pub(super) fn frame_seen(self) -> Option<FrameSeen> {
        let large = self.large.get_untracked();
        let known = self.live.hashes(large);
        let hashed = |shown: Shown| known.as_ref()?.of(shown.rtp_time?);
        let (shown, sha256) = self
            .shown
            .with_value(|shown| glass::to_name(shown.get(large)?.iter().copied(), hashed))?;
        self.live.peek(|model| {
            let robot = model.robot(self.id)?;
            let camera = camera_names(Some(robot)).into_iter().nth(large)?;
            let link = robot.view.link.as_ref();
            let frame = shown.frame(|at| glass::robot_to_browser(at, link, &model.clock));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an age is not below nothing, and one of weeks is as good as any"
            )]
            let age_ms = frame.age_ms(browser::now()).min(f64::from(u32::MAX)) as u32;
            Some(FrameSeen {
                camera,
                captured_at: shown.captured_by_robot?,
                age_ms,
                sha256,
            })
        })
    }

    /// Reads the browser's counters once a second, for as long as the page is open.
    fn read_counters(self) {
        let minutes = StoredValue::new(Vec::<Minute>::new());
        let read = move || {
            let Some((connection, feeds)) = self.live.peer() else {
                return;
            };
            spawn_local(async move {
                let counters = rtc::counters(connection, feeds).await;
                let qualities = minutes.try_update_value(|minutes| {
                    minutes.resize(counters.len().max(minutes.len()), Minute::default());
                    let readings = minutes.iter_mut().zip(counters);
                    readings
                        .map(|(minute, counters)| {
                            if let Some(counters) = counters {
                                minute.read(counters);
                            }
                            minute.quality()
                        })
                        .collect()
                });
                if let Some(qualities) = qualities {
                    let _set = self.qualities.try_set(qualities);
                }
            });
        };
        // A browser that gives no timer leaves these numbers unknown, and says so on screen.
        if let Ok(handle) = set_interval_with_handle(read, READ_COUNTERS) {
            on_cleanup(move || handle.clear());
        }
    }
}

/// An advert is compared by its place in memory: the reducer keeps an unchanged one where it is.
fn address(advert: Option<&Option<Arc<Advert>>>) -> Option<*const Advert> {
    advert.and_then(Option::as_ref).map(Arc::as_ptr)
}

fn camera_names(robot: Option<&Robot>) -> Vec<String> {
    let cameras = robot
        .and_then(|robot| robot.advert.as_ref())
        .map(|advert| &advert.cameras);
    cameras.map_or_else(Vec::new, |cameras| {
        cameras.iter().map(|camera| camera.name.clone()).collect()
    })
}

fn seen(shown: &[VecDeque<Shown>], camera: usize) -> Option<Shown> {
    shown.get(camera)?.back().copied()
}
