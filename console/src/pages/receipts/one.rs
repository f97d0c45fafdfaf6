//! One word of a robot: what was asked, what came of it, and the very frame by which it was asked.

use leptos::{html, prelude::*, task::spawn_local};
use protocol::{
    RobotId,
    command::FrameSeen,
    picture::{ClipHash, FrameHash},
    views::ReceiptView,
};

use super::Receipts;
use crate::{
    api, browser,
    live::commands::micros_of,
    parts::icon::{Glyph, icon, of_shape, small},
    player,
    receipt::{self, Another, Sight},
    route::Route,
    words,
};

/// Draws it.
pub(super) fn opened(receipts: Receipts, receipt: &ReceiptView) -> impl IntoView + use<> {
    let face = receipts.face(receipt);
    let facts = receipt::facts(receipt);
    let number = receipt.number;
    let link = Route::Receipt(receipts.robot, number).to_string();
    let recorded = words::day_minute(receipt.recorded_at);
    let at = words::clock(micros_of(receipt.recorded_at));
    let by = (!face.by.is_empty()).then(|| {
        view! {
            <dt>"Asked by"</dt>
            <dd>{face.by.clone()}</dd>
        }
    });
    view! {
        <section class="panel" aria-label="Receipt" data-testid="opened-receipt">
            <header>
                <h2 class="ellipsis">{face.what}</h2>
                <span class="number faint" title=recorded>
                    {at}
                </span>
                <span class="grow"></span>
                <a class="soft" href=link.clone()>
                    {small(Glyph::Link)}
                    <span class="hidden">"Link to this receipt"</span>
                </a>
            </header>
            <div class="panel__body case">
                <p class=format!("receipt__outcome {}", face.tone.class())>
                    {icon(of_shape(face.shape))} {face.outcome}
                </p>
                <Saw robot=receipts.robot sight=Sight::of(receipt) />
                <dl class="pairs case__pairs">
                    {by}
                    {facts
                        .into_iter()
                        .map(|(name, value)| {
                            view! {
                                <dt>{name}</dt>
                                <dd class="number">{value}</dd>
                            }
                        })
                        .collect_view()}
                </dl>
            </div>
        </section>
    }
}

/// What can be shown of the picture.
#[component]
fn Saw(robot: RobotId, sight: Sight) -> impl IntoView {
    match sight {
        Sight::None { words } => {
            view! { <p class="soft receipt__none">{icon(Glyph::NoPicture)} {words}</p> }.into_any()
        }
        Sight::Foreign { frame } => view! {
            <div class="notice notice--alarm" role="alert">
                {icon(Glyph::Octagon)}
                <div>
                    <b>"The picture on the screen was none that the robot took"</b>
                    <p class="soft">
                        {format!(
                            "The command names a frame of {} that the robot does not know: it was altered on its way, or is another\u{2019}s.",
                            frame.camera,
                        )}
                    </p>
                    <Hash name="Frame that was signed" hash=frame.sha256.map(told) />
                </div>
            </div>
        }
        .into_any(),
        Sight::Known { frame } => view! {
            <p class="soft receipt__none">
                {icon(Glyph::NoPicture)} "The robot knows the picture, and could not keep it."
            </p>
            <Hash name="Frame that was signed" hash=frame.sha256.map(told) />
        }
        .into_any(),
        Sight::Kept {
            frame,
            is_here: false,
            ..
        } => view! {
            <div class="frame frame--none receipt__picture">
                <p class="frame__none" role="status">
                    {icon(Glyph::Clock)}
                    "The robot keeps the picture, and brings it: slowly while somebody steers, and once it can be reached."
                </p>
            </div>
            <Hash name="Frame that was signed" hash=frame.sha256.map(told) />
        }
        .into_any(),
        Sight::Kept { frame, clip, .. } => view! { <Picture robot frame clip /> }.into_any(),
    }
}

/// How far the picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Coming,
    TheVeryFrame,
    Another,
    Failed(String),
}

#[component]
fn Picture(robot: RobotId, frame: FrameSeen, clip: ClipHash) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    let shown = RwSignal::new(Shown::Coming);
    let named = frame.clone();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let named = named.clone();
        spawn_local(async move {
            let is = find(robot, clip, &named, &canvas).await;
            // The page may have been left.
            let _set = shown.try_set(is);
        });
    });
    let caption = format!(
        "{}, taken {}, {} old on the screen",
        frame.camera,
        words::clock_ms(frame.captured_at),
        words::delay(f64::from(frame.age_ms))
    );
    let label = format!("What the person saw: {caption}");
    let verdict = move || {
        match shown.get() {
        Shown::Coming => view! { <p class="soft" role="status">"Reading the picture"</p> }.into_any(),
        Shown::TheVeryFrame => view! {
            <p class="ok" role="status" data-testid="very-frame">
                {small(Glyph::CircleCheck)} "The very frame: this page computed both hashes again."
            </p>
        }
        .into_any(),
        Shown::Another => view! {
            <p class="alarm" role="alert">
                {small(Glyph::CircleCross)}
                "What the gateway gave is not what the robot kept or the person signed. It is not shown."
            </p>
        }
        .into_any(),
        Shown::Failed(words) => view! {
            <p class="caution" role="alert">
                {small(Glyph::Triangle)} {format!("The picture can\u{2019}t be shown: {words}")}
            </p>
        }
        .into_any(),
    }
    };
    view! {
        <figure class="receipt__saw">
            <h3 class="receipt__head">"What the operator saw"</h3>
            <div class="frame receipt__picture">
                <canvas node_ref=canvas role="img" aria-label=label></canvas>
                <span class="frame__caption">{caption}</span>
            </div>
            <figcaption>
                {verdict} <Hash name="Frame, signed by the operator" hash=frame.sha256.map(told) />
                <Hash name="Clip, named in the robot\u{2019}s receipt" hash=Some((clip.to_string(), words::short_hash(&clip.0))) />
            </figcaption>
        </figure>
    }
}

async fn find(
    robot: RobotId,
    clip: ClipHash,
    frame: &FrameSeen,
    canvas: &web_sys::HtmlCanvasElement,
) -> Shown {
    let path = format!("/api/v1/robots/{robot}/clips/{clip}");
    let bytes = match api::bytes(&path).await {
        Ok(bytes) => bytes,
        Err(problem) => return Shown::Failed(problem.detail),
    };
    match receipt::look(&bytes, clip, frame) {
        Err(Another) => Shown::Another,
        Ok(clip) => match player::show(&clip, canvas).await {
            Ok(()) => Shown::TheVeryFrame,
            Err(words) => Shown::Failed(words),
        },
    }
}

/// A frame's hash, whole and by its ends.
fn told(hash: FrameHash) -> (String, String) {
    (hash.to_string(), words::short_hash(&hash.0))
}

/// A hash by its ends, to be copied whole.
#[component]
fn Hash(name: &'static str, hash: Option<(String, String)>) -> impl IntoView {
    hash.map(|(whole, short)| {
        view! {
            <p class="line line--small receipt__hash">
                <span class="faint">{name}</span>
                <button
                    class="button button--ghost number"
                    title="Copy the whole hash"
                    on:click=move |_| browser::copy(&whole)
                >
                    {short}
                </button>
            </p>
        }
    })
}
