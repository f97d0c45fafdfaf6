//! What the robot sees while it works for the job.

use leptos::prelude::*;
use protocol::RobotId;

use crate::{
    grade,
    live::{engine::Live, model::Phase, reduce::Input},
    pages::live_faces,
    parts::{
        icon::{Glyph, icon, large, small},
        video::{Shown, Video},
    },
    request::progress::Sight,
    words,
};

/// The picture, or why there is none.
#[component]
pub(super) fn Picture(sight: Memo<Option<Sight>>, title: Memo<String>) -> impl IntoView {
    move || match sight.get() {
        Some(Sight::Of(robot)) => view! { <View robot title /> }.into_any(),
        Some(Sight::Nothing(why)) => view! {
            <div class="frame frame--none rview rview--none">
                <p class="frame__none">{icon(Glyph::NoPicture)} {why}</p>
            </div>
        }
        .into_any(),
        None => ().into_any(),
    }
}

/// The robot's main camera: one picture is enough to know what happens, and light on a phone.
fn main_camera(live: Live, robot: RobotId) -> Option<String> {
    live.read(|model| {
        let advert = model.robot(robot)?.advert.as_ref()?;
        Some(advert.cameras.first()?.name.clone())
    })
}

#[component]
fn View(robot: RobotId, title: Memo<String>) -> impl IntoView {
    let live = expect_context::<Live>();
    let shown = StoredValue::new(None::<Shown>);
    let camera = Memo::new(move |_| main_camera(live, robot));
    Effect::new(move |_| {
        live.tell(Input::Watch {
            robot,
            cameras: camera.get().into_iter().collect(),
        });
    });
    on_cleanup(move || live.tell(Input::Unwatch));
    let face = Memo::new(move |_| {
        let latest = shown.get_value();
        live.at_tick(|model, now| live_faces::picture(model, robot, 0, latest, now).0)
    });
    let is_awaited = Memo::new(move |_| face.with(|face| face.age_ms.is_none()));
    let is_old = Memo::new(move |_| {
        face.with(|face| face.age_ms.is_some_and(|age| age > grade::STALE_FRAME_MS))
    });
    let age = move || face.with(|face| face.age_ms.map(words::delay));
    let why = Memo::new(move |_| {
        let is_up = live.read(|model| model.connection.phase == Phase::Live);
        let is_there = live.read(|model| model.robot(robot).is_some());
        face.with(|face| match &face.trouble {
            Some(trouble) => trouble.headline.clone(),
            None if is_up && !is_there => "Pictures of this robot are not open to you.".to_owned(),
            None if face.waiting.is_empty() => "Waiting for the gateway".to_owned(),
            None => face.waiting.to_owned(),
        })
    });
    let feed = Signal::derive_local(move || live.feeds().first().cloned());
    let label = Signal::derive(move || format!("Live picture: {}", title.get()));
    let camera = Signal::derive(move || camera.get().unwrap_or_default());
    view! {
        <figure class="frame rview" class:frame--stale=is_old data-testid="request-picture">
            <Video feed label camera on_frame=Callback::new(move |frame| shown.set_value(Some(frame))) />
            <Show when=move || is_awaited.get()>
                <div class="rview__wait" role="status">
                    {large(Glyph::Camera)}
                    {move || why.get()}
                </div>
            </Show>
            <Show when=move || !is_awaited.get()>
                <span class="rview__live" class:is-old=is_old>
                    {move || {
                        if is_old.get() {
                            view! { {small(Glyph::Octagon)} "Old picture " }.into_any()
                        } else {
                            view! { {small(Glyph::Disc)} "Live " }.into_any()
                        }
                    }}
                    <span class="number">{age}</span>
                </span>
            </Show>
        </figure>
    }
}
