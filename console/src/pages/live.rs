//! One robot, live: what it sees, where it is, what it was told and what became of it.

use std::{sync::Arc, time::Duration};

use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::{components::A, hooks::use_params_map};
use protocol::{
    RobotId,
    command::Verb,
    robot::{Advert, Health},
};

use super::{live_faces, not_found::NoSuchRobot, shell::PageBanner};
use crate::{
    arming::{self, Withheld},
    glass::{Frame, Minute, Quality},
    keys,
    live::{engine::Live, model::Robot, reduce::Input},
    panels::{
        commands::Commands,
        go_to::GoTo,
        hud::{Hud, HudFace},
        map::{Map, MapFace, Zoom},
        picture::{LargePicture, OtherCamera, PictureFace, SmallPicture},
        robot_state::{RobotState, StateFace},
    },
    parts::{
        badge::{self, Badge},
        icon::{Glyph, icon, of_tone, small},
        video::Shown,
    },
    roster, rtc,
    rtc::Feed,
    session::Session,
    words,
};

/// Counters of the streams are read so often.
const READ_COUNTERS: Duration = Duration::from_secs(1);

/// The live page; its address names the robot.
#[component]
pub(crate) fn LivePage() -> impl IntoView {
    let params = use_params_map();
    let live = expect_context::<Live>();
    let id = Memo::new(move |_| params.with(|params| params.get("id")?.parse::<RobotId>().ok()));
    // Absent while the roster is not known yet: that is no reason to say that the robot doesn't exist.
    let exists = Memo::new(move |_| {
        let Some(id) = id.get() else {
            return Some(false);
        };
        live.read(|model| model.robots.as_ref().map(|robots| robots.contains_key(&id)))
    });
    move || match (id.get(), exists.get()) {
        (Some(id), Some(true)) => view! { <Watching watch=Watch::new(live, id) /> }.into_any(),
        (None, _) | (_, Some(false)) => view! { <NoSuchRobot /> }.into_any(),
        (Some(_), None) => view! { <Loading /> }.into_any(),
    }
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="live live--loading" aria-busy="true" aria-label="Loading the robot">
            <span class="skeleton"></span>
            <span class="skeleton"></span>
            <span class="skeleton"></span>
        </div>
    }
}

/// The page's own state: which camera is large, and what was last seen of each.
#[derive(Clone, Copy)]
struct Watch {
    live: Live,
    id: RobotId,
    large: RwSignal<usize>,
    shown: StoredValue<Vec<Option<Shown>>>,
    qualities: RwSignal<Vec<Option<Quality>>>,
    pictures: Memo<Vec<(PictureFace, Option<Frame>)>>,
    advert: Memo<Option<Arc<Advert>>>,
}

impl Watch {
    fn new(live: Live, id: RobotId) -> Self {
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
    fn robot<T>(self, read: impl FnOnce(&Robot) -> T) -> Option<T> {
        self.live.read(|model| Some(read(model.robot(self.id)?)))
    }

    fn large_picture(self) -> PictureFace {
        let large = self.large.get();
        self.pictures.with(|all| {
            all.get(large)
                .map(|(face, _)| face.clone())
                .unwrap_or_default()
        })
    }

    fn saw(self, camera: usize, frame: Shown) {
        let _stored = self.shown.try_update_value(|shown| {
            if shown.len() <= camera {
                shown.resize(camera + 1, None);
            }
            shown[camera] = Some(frame);
        });
    }

    fn swap(self) {
        let count = self.pictures.with_untracked(Vec::len).max(1);
        self.large.update(|large| *large = (*large + 1) % count);
    }

    fn name(self) -> String {
        self.robot(|robot| robot.view.name.clone())
            .unwrap_or_default()
    }

    fn feed(self, camera: usize) -> Option<Feed> {
        self.live.feeds().get(camera).cloned()
    }

    fn withheld(self) -> Option<Withheld> {
        let age_ms = self.large_picture().age_ms;
        self.live.at_tick(|model, now| {
            let robot = model.robot(self.id)?;
            let is_connected = model.connection.phase == crate::live::model::Phase::Live;
            let standing = roster::standing(robot, &model.clock, now);
            arming::withheld(
                is_connected,
                robot,
                &standing,
                live_faces::sight(robot, age_ms),
            )
        })
    }

    fn hud(self) -> HudFace {
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
                    quality,
                    promised_rate: camera.map_or(0, |camera| camera.frames_per_second),
                    battery: robot.telemetry().map(|state| state.battery),
                    is_state_old: live_faces::is_state_old(age_ms),
                })
            })
            .unwrap_or_default()
    }

    fn order(self, verb: Verb) {
        self.live.order(self.id, verb);
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
                            counters
                                .into_iter()
                                .for_each(|counters| minute.read(counters));
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

fn seen(shown: &[Option<Shown>], camera: usize) -> Option<Shown> {
    shown.get(camera).copied().flatten()
}

#[component]
fn Watching(watch: Watch) -> impl IntoView {
    let live = watch.live;
    Effect::new(move |_| document().set_title(&format!("{} · Nooterra", watch.name())));
    let banner = expect_context::<PageBanner>();
    Effect::new(move |_| {
        let face = watch.large_picture();
        let found = live.at_tick(|model, _| {
            // A lost gateway says it all; a second banner would only push the page down.
            let robot = model
                .robot(watch.id)
                .filter(|_| model.connection.lost_at.is_none())?;
            live_faces::stale_banner(model, &face, robot)
        });
        if banner.0.with_untracked(|shown| *shown != found) {
            banner.0.set(found);
        }
    });
    on_cleanup(move || banner.0.set(None));

    let hud = Memo::new(move |_| watch.hud());
    let zoom = Zoom(RwSignal::new(1.0));
    let places = NodeRef::<html::Select>::new();
    keys::on_key(move |key| match key.name.as_str() {
        "c" | "C" => {
            watch.swap();
            true
        }
        "n" | "N" => places
            .get_untracked()
            .is_some_and(|field| field.focus().is_ok()),
        "+" | "=" => {
            zoom.nearer();
            true
        }
        "-" => {
            zoom.farther();
            true
        }
        "0" => {
            zoom.whole();
            true
        }
        _ => false,
    });
    view! {
        <div class="live">
            <Context watch />
            <div class="live__left">
                <SmallPictures watch />
                <State watch />
            </div>
            <section class="live__stage" aria-label="Live view">
                <Hud face=hud />
                <Stage watch />
            </section>
            <div class="live__right">
                <MapPanel watch zoom places />
                <CommandPanel watch />
            </div>
        </div>
    }
}

#[component]
fn Context(watch: Watch) -> impl IntoView {
    let live = watch.live;
    let badge = Memo::new(move |_| {
        live.at_tick(|model, now| {
            let robot = model.robot(watch.id)?;
            let health = robot.telemetry().map_or(Health::Ok, |state| state.health);
            Some(badge::of_standing(
                &roster::standing(robot, &model.clock, now),
                health,
            ))
        })
    });
    let path = Memo::new(move |_| live.read(live_faces::path));
    let site = move || watch.robot(|robot| robot.view.site_name.clone());
    let model_name = move || {
        watch
            .advert
            .with(|advert| advert.as_ref().map(|advert| advert.model.clone()))
    };
    view! {
        <div class="context">
            <A href="/" attr:class="context__back" attr:aria-label="Back to fleet">
                {icon(Glyph::Back)}
            </A>
            {icon(Glyph::Robot)}
            <h1>{move || watch.name()}</h1>
            {move || badge.get().map(|face| view! { <Badge face=Signal::stored(face) /> })}
            <i class="context__rule"></i>
            <span>{site}</span>
            <span class="faint ellipsis context__model">{model_name}</span>
            <span class="grow"></span>
            <span class=move || format!("line line--small context__path {}", path.get().0.class())>
                {move || of_tone(path.get().0).map(small)}
                {move || path.get().1}
            </span>
        </div>
    }
}

#[component]
fn Stage(watch: Watch) -> impl IntoView {
    let face = Memo::new(move |_| watch.large_picture());
    let other = Memo::new(move |_| {
        let large = watch.large.get();
        watch.pictures.with(|all| {
            let others = all.iter().enumerate().filter(|(place, _)| *place != large);
            let mut fresh = others.filter_map(|(_, (face, _))| {
                let age_ms = face.age_ms.filter(|_| !face.is_stale())?;
                Some(OtherCamera {
                    label: face.label.clone(),
                    age: words::delay(age_ms),
                })
            });
            fresh.next()
        })
    });
    let has_more = Memo::new(move |_| watch.pictures.with(Vec::len) > 1);
    let large = watch.large;
    view! {
        <LargePicture
            feed=Signal::derive_local(move || watch.feed(large.get()))
            face
            robot=Signal::derive(move || watch.name())
            other
            has_more
            on_frame=Callback::new(move |frame| watch.saw(large.get_untracked(), frame))
            on_swap=Callback::new(move |()| watch.swap())
        />
    }
}

#[component]
fn SmallPictures(watch: Watch) -> impl IntoView {
    let others = Memo::new(move |_| {
        let large = watch.large.get();
        let count = watch.pictures.with(Vec::len);
        (0..count)
            .filter(|place| *place != large)
            .collect::<Vec<_>>()
    });
    let picture = move |camera: usize| {
        let face = Memo::new(move |_| {
            watch.pictures.with(|all| {
                all.get(camera)
                    .map(|(face, _)| face.clone())
                    .unwrap_or_default()
            })
        });
        view! {
            <SmallPicture
                feed=Signal::derive_local(move || watch.feed(camera))
                face
                on_frame=Callback::new(move |frame| watch.saw(camera, frame))
                on_choose=Callback::new(move |()| watch.large.set(camera))
            />
        }
    };
    view! {
        <div class="live__cameras" role="group" aria-label="Other cameras">
            <For each=move || others.get() key=|camera| *camera children=picture />
        </div>
    }
}

#[component]
fn State(watch: Watch) -> impl IntoView {
    let face = Memo::new(move |_| {
        watch
            .live
            .at_glance(|model, now| {
                let robot = model.robot(watch.id)?;
                let age_ms = roster::state_age_ms(robot, &model.clock, now);
                Some(StateFace::new(
                    robot,
                    age_ms,
                    live_faces::is_state_old(age_ms),
                ))
            })
            .unwrap_or_default()
    });
    view! { <RobotState face /> }
}

#[component]
fn MapPanel(watch: Watch, zoom: Zoom, places: NodeRef<html::Select>) -> impl IntoView {
    let live = watch.live;
    let face = Memo::new(move |_| {
        live.at_tick(|model, now| Some(live_faces::map(model, model.robot(watch.id)?, now)))
            .unwrap_or_default()
    });
    let withheld = Memo::new(move |_| watch.withheld());
    let is_withheld = Memo::new(move |_| withheld.with(Option::is_some));
    let choices = Memo::new(move |_| {
        watch.advert.with(|advert| {
            live_faces::places(advert.as_ref().and_then(|advert| advert.map.as_ref()))
        })
    });
    let has_map = Memo::new(move |_| {
        watch
            .advert
            .with(|advert| advert.as_ref().is_some_and(|advert| advert.map.is_some()))
    });
    let is_old = Memo::new(move |_| face.with(|face: &MapFace| face.is_old));
    let order = Callback::new(move |verb| watch.order(verb));
    let label = Memo::new(move |_| watch.robot(live_faces::map_label).unwrap_or_default());
    view! {
        <section class="panel map-panel" aria-label="Map">
            <header>
                <h2>"Map"</h2>
                <span class="faint line--small ellipsis">
                    {move || if is_withheld.get() { "No target" } else { "Click sets a target" }}
                </span>
                <span class="grow"></span>
                <span class="age" class:alarm=is_old>
                    "pose "
                    {move || face.with(|face| face.age.clone())}
                </span>
            </header>
            <Show
                when=move || has_map.get()
                fallback=|| {
                    view! {
                        <div class="empty">
                            <b>"No map"</b>
                            <p class="soft">"The robot has not told what its site looks like."</p>
                        </div>
                    }
                }
            >
                <Map advert=watch.advert face is_withheld label zoom on_target=order />
                <GoTo
                    places=choices
                    robot=Signal::derive(move || watch.name())
                    withheld
                    field=places
                    on_go=order
                />
            </Show>
        </section>
    }
}

#[component]
fn CommandPanel(watch: Watch) -> impl IntoView {
    let live = watch.live;
    let session = expect_context::<Session>();
    let faces = Memo::new(move |_| {
        let me = session.person();
        live.at_tick(|model, now| {
            Some(live_faces::commands(model, model.robot(watch.id)?, me, now))
        })
        .unwrap_or_default()
    });
    let last_answer =
        Memo::new(move |_| live.read(|model| live_faces::last_answer(model, watch.id)));
    view! { <Commands faces last_answer /> }
}
