//! One robot, live: what it sees, where it is, what it was told and what became of it.

use leptos::{html, prelude::*};
use protocol::{RobotId, robot::Health};

use super::{
    answering::Answering, driving::Drive, live_faces, not_found::NoSuchRobot, shell::PageBanner,
    watch::Watch,
};
use crate::{
    driving::way_ahead,
    keys,
    live::engine::Live,
    panels::{
        commands::Commands,
        go_to::GoTo,
        hud::Hud,
        map::{Map, MapFace, Zoom},
        picture::{LargePicture, OtherCamera, SmallPicture},
        robot_state::{RobotState, StateFace},
    },
    parts::{
        badge::{self, Badge},
        icon::{Glyph, icon, of_tone, small},
    },
    roster,
    route::Route,
    session::Session,
    words,
};

/// The live page of a robot.
#[component]
pub(crate) fn LivePage(id: RobotId) -> impl IntoView {
    let live = expect_context::<Live>();
    // Absent while the roster is not known yet: that is no reason to say that the robot doesn't exist.
    let exists = Memo::new(move |_| {
        live.read(|model| model.robots.as_ref().map(|robots| robots.contains_key(&id)))
    });
    move || match exists.get() {
        Some(true) => view! { <Watching watch=Watch::new(live, id) /> }.into_any(),
        Some(false) => view! { <NoSuchRobot /> }.into_any(),
        None => view! { <Loading /> }.into_any(),
    }
}

#[component]
fn Loading() -> impl IntoView {
    document().set_title("Robot · Nooterra");
    view! {
        <div class="live live--loading" aria-busy="true" aria-label="Loading the robot">
            <span class="skeleton"></span>
            <span class="skeleton"></span>
            <span class="skeleton"></span>
        </div>
    }
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
                .or_else(|| live_faces::stopped_banner(model, robot))
        });
        if banner.0.with_untracked(|shown| *shown != found) {
            banner.0.set(found);
        }
    });
    on_cleanup(move || banner.0.set(None));

    let hud = Memo::new(move |_| watch.hud());
    let drive = Drive::new(watch);
    let is_driven = Memo::new(move |_| drive.is_shown());
    let is_release_due = Memo::new(move |_| drive.is_release_due());
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
                <Show
                    when=move || is_driven.get()
                    fallback=move || view! { <State watch /> }
                >
                    {drive.panel()}
                </Show>
            </div>
            <section class="live__stage" aria-label="Live view">
                <Hud face=hud />
                <Stage watch />
            </section>
            <div class="live__right">
                <Show
                    when=move || is_release_due.get()
                    fallback=move || view! { <Answering watch /> }
                >
                    {drive.release()}
                </Show>
                <MapPanel watch drive zoom places />
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
            <a href="/" class="context__back" aria-label="Back to fleet">
                {icon(Glyph::Back)}
            </a>
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
fn MapPanel(
    watch: Watch,
    drive: Drive,
    zoom: Zoom,
    places: NodeRef<html::Select>,
) -> impl IntoView {
    let live = watch.live;
    let face = Memo::new(move |_| {
        let mut face = live
            .at_tick(|model, now| Some(live_faces::map(model, model.robot(watch.id)?, now)))
            .unwrap_or_default();
        if let (Some(pose), Some((given, asked))) = (face.pose, drive.ahead()) {
            face.predicted = way_ahead(pose, given);
            face.asked = way_ahead(pose, asked);
        }
        face
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
    let receipts = Route::Receipts(watch.id);
    view! { <Commands faces last_answer receipts /> }
}
