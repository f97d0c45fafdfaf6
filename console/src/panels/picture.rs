//! The large picture and the small ones beside it. Nothing safety-relevant lies inside but the picture's own age.

use leptos::prelude::*;

use crate::{
    camera::NoPicture,
    grade,
    parts::{
        icon::{Glyph, icon, large, small},
        video::{Shown, Video},
    },
    rtc::Feed,
    words,
};

/// One camera's picture as it is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PictureFace {
    /// The camera's name on the robot.
    pub(crate) camera: String,
    /// The camera's name for people.
    pub(crate) label: String,
    /// Age of the frame on screen; absent before the first.
    pub(crate) age_ms: Option<f64>,
    /// When that frame was taken.
    pub(crate) taken: String,
    /// Why no picture comes, if the reason is known.
    pub(crate) trouble: Option<NoPicture>,
    /// What can be said while the first picture is awaited.
    pub(crate) waiting: &'static str,
}

impl PictureFace {
    /// Whether the frame on screen is history.
    pub(crate) fn is_stale(&self) -> bool {
        self.age_ms.is_some_and(|age| age > grade::STALE_FRAME_MS)
    }

    /// Age of the frame on screen, or why there is none in two words.
    fn age(&self) -> String {
        let is_signal_lost = self
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.is_robots_own && trouble.code == "no_signal");
        match self.age_ms {
            Some(age_ms) => words::delay(age_ms),
            None if is_signal_lost => "no signal".to_owned(),
            None => "no picture".to_owned(),
        }
    }

    /// What the robot says is wrong with the camera.
    fn robots_own_trouble(&self) -> Option<String> {
        let own = self.trouble.as_ref().filter(|own| own.is_robots_own)?;
        Some(own.headline.clone())
    }
}

/// Another camera that still is fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherCamera {
    /// Its name for people.
    pub(crate) label: String,
    /// Its age.
    pub(crate) age: String,
}

/// Draws the large picture.
#[component]
pub(crate) fn LargePicture(
    feed: Signal<Option<Feed>, LocalStorage>,
    #[prop(into)] face: Signal<PictureFace>,
    #[prop(into)] robot: Signal<String>,
    #[prop(into)] other: Signal<Option<OtherCamera>>,
    #[prop(into)] has_more: Signal<bool>,
    on_frame: Callback<Shown>,
    on_swap: Callback<()>,
) -> impl IntoView {
    let is_stale = Memo::new(move |_| face.with(PictureFace::is_stale));
    let is_awaited = Memo::new(move |_| face.with(|face| face.age_ms.is_none()));
    let label = Signal::derive(move || {
        face.with(|face| format!("{}, {} camera, live", robot.get(), face.label))
    });
    let camera = Signal::derive(move || face.with(|face| face.camera.clone()));
    let state = move || match (is_awaited.get(), is_stale.get()) {
        (true, _) => {
            view! { <span class="chip">{small(Glyph::DashedRing)} "No picture"</span> }.into_any()
        }
        (false, true) => {
            view! { <span class="chip chip--alarm">{small(Glyph::Octagon)} "Not live"</span> }
                .into_any()
        }
        (false, false) => {
            view! { <span class="chip">{small(Glyph::Disc)} "Live"</span> }.into_any()
        }
    };
    let caption = move || {
        face.with(|face| match face.age_ms {
            None => face.label.clone(),
            Some(_) if face.is_stale() => format!("{}, frame of {}", face.label, face.taken),
            Some(age_ms) => format!("{} {}", face.label, words::delay(age_ms)),
        })
    };
    view! {
        <figure
            class="frame frame--large"
            class:frame--stale=is_stale
            class:frame--none=is_awaited
            data-testid="large-picture"
        >
            <Video feed label camera on_frame />
            <div class="frame__top">
                {state} <span class="chip number">{caption}</span>
            </div>
            <Show when=move || has_more.get()>
                <div class="frame__bottom">
                    <span class="chip soft">
                        <kbd>"C"</kbd>
                        " swap cameras"
                    </span>
                </div>
            </Show>
            <Show when=move || is_awaited.get()>
                <Awaited face />
            </Show>
            <Show when=move || is_stale.get()>
                <Stale face other on_swap />
            </Show>
        </figure>
    }
}

#[component]
fn Awaited(face: Signal<PictureFace>) -> impl IntoView {
    let trouble = Memo::new(move |_| face.with(|face| face.trouble.clone()));
    let waiting = move || face.with(|face| face.waiting);
    view! {
        <div class="frame__middle">
            {move || match trouble.get() {
                Some(trouble) => {
                    view! {
                        <div class="empty">
                            {large(Glyph::NoPicture)} <b>{trouble.headline}</b>
                            <span class="soft">{trouble.rest}</span>
                            <code>{trouble.code}</code>
                        </div>
                    }
                        .into_any()
                }
                None => view! { <div class="empty">{large(Glyph::Camera)} <b>{waiting}</b></div> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Stale(
    face: Signal<PictureFace>,
    other: Signal<Option<OtherCamera>>,
    on_swap: Callback<()>,
) -> impl IntoView {
    let age = move || face.with(PictureFace::age);
    let number = move || age().split('\u{a0}').next().map(str::to_owned);
    let unit = move || age().split('\u{a0}').nth(1).map(str::to_owned);
    let own = Memo::new(move |_| face.with(PictureFace::robots_own_trouble));
    view! {
        <div class="frame__middle">
            <div class="old" role="alert">
                <p class="old__age">
                    <span>{number} "\u{a0}" {unit}</span>
                    <b>"old picture"</b>
                </p>
                {move || own.get().map(|words| view! { <p>{words}</p> })}
                <p class="soft">
                    "This is the last frame, not the place now. Targets are withheld until fresh video returns."
                </p>
                {move || {
                    other
                        .get()
                        .map(|other| {
                            view! {
                                <button class="button button--small" on:click=move |_| on_swap.run(())>
                                    {icon(Glyph::Camera)}
                                    "Use "
                                    {other.label}
                                    " camera, "
                                    {other.age}
                                    <kbd>"C"</kbd>
                                </button>
                            }
                        })
                }}
            </div>
        </div>
    }
}

/// Draws a small picture; a click makes it the large one.
#[component]
pub(crate) fn SmallPicture(
    feed: Signal<Option<Feed>, LocalStorage>,
    #[prop(into)] face: Signal<PictureFace>,
    on_frame: Callback<Shown>,
    on_choose: Callback<()>,
) -> impl IntoView {
    let is_stale = Memo::new(move |_| face.with(PictureFace::is_stale));
    let is_awaited = Memo::new(move |_| face.with(|face| face.age_ms.is_none()));
    let label = Signal::derive(move || face.with(|face| format!("{} camera", face.label)));
    let camera = Signal::derive(move || face.with(|face| face.camera.clone()));
    view! {
        <button
            class="frame frame--small"
            class:frame--stale=is_stale
            class:frame--none=is_awaited
            on:click=move |_| on_choose.run(())
        >
            <span class="hidden">"Show large: "</span>
            <Video feed label camera on_frame />
            <span class="frame__tag number" class:alarm=is_stale aria-hidden="true">
                {move || face.with(PictureFace::age)}
                {move || is_stale.get().then_some(" old")}
            </span>
            <span class="frame__caption">{move || face.with(|face| face.label.clone())}</span>
        </button>
    }
}
