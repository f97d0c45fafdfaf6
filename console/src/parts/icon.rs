//! Our own strokes, on a grid of sixteen.

use leptos::prelude::*;

use crate::{grade::Tone, telling::Shape};

/// What a stroke shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glyph {
    Fleet,
    Robot,
    Funnel,
    Triangle,
    Octagon,
    Check,
    CircleCheck,
    CircleCross,
    Cross,
    Ring,
    DashedRing,
    HalfDisc,
    Disc,
    Square,
    Pause,
    Bolt,
    Clock,
    Lock,
    Camera,
    NoPicture,
    Plus,
    Minus,
    Back,
    Out,
    Keyboard,
    Link,
    Person,
    Down,
    List,
    Shield,
    Flag,
    Bell,
    NoBell,
    Save,
    Cloud,
    Right,
    Door,
    Key,
    More,
    Stop,
    Up,
    Box,
}

impl Glyph {
    /// The stroke, and whether it is filled.
    const fn path(self) -> &'static str {
        match self {
            Self::Fleet => {
                "M2.5 3h4.75v4.25H2.5zM8.75 3h4.75v4.25H8.75zM2.5 8.75h4.75V13H2.5zM8.75 8.75h4.75V13H8.75z"
            }
            Self::Robot => "M3.5 6h9v7h-9zM8 6V3M6.2 9v1.2M9.8 9v1.2M1.5 8.5v2.5M14.5 8.5v2.5",
            Self::Funnel => "M2 4h12M4.5 8h7M6.75 12h2.5",
            Self::Triangle => "M8 2.25 14.5 13.5h-13zM8 6.5v3.25M8 11.6v.1",
            Self::Octagon => "M5.4 2h5.2L14 5.4v5.2L10.6 14H5.4L2 10.6V5.4zM8 5v3.75M8 11v.1",
            Self::Check => "m3 8.5 3.25 3L13 4.75",
            Self::CircleCheck => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM5.25 8.25l2 1.9 3.5-4",
            Self::CircleCross => {
                "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2"
            }
            Self::Cross => "m4 4 8 8M12 4l-8 8",
            Self::Ring | Self::DashedRing | Self::HalfDisc => {
                "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z"
            }
            Self::Disc => "",
            Self::Square => "M3.5 3.5h9v9h-9z",
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::Bolt => "M9 1.75 3.5 9.25H8l-1 5 5.5-7.5H8z",
            Self::Clock => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.75V8l2.25 1.5",
            Self::Lock => "M3.5 7.25h9v6.25h-9zM5.25 7.25V5a2.75 2.75 0 0 1 5.5 0v2.25",
            Self::Camera => "M2 4.75h8.25v6.5H2zM10.25 7.25 14 5.25v5.5l-3.75-2",
            Self::NoPicture => {
                "M1.5 8C3 5 5.4 3.5 8 3.5S13 5 14.5 8C13 11 10.6 12.5 8 12.5S3 11 1.5 8zM3 13.5l10-11"
            }
            Self::Plus => "M8 3v10M3 8h10",
            Self::Minus => "M3 8h10",
            Self::Back => "M13.5 8h-11M6.5 3.75 2.25 8l4.25 4.25",
            Self::Out => "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
            Self::Keyboard => "M1.5 4.25h13v7.5h-13zM4.25 7h.1M7 7h.1M9.75 7h.1M12 7h.1M5 9.5h6",
            Self::Link => {
                "M6.5 9.5l3-3M7.5 4.75l1.4-1.4a2.6 2.6 0 0 1 3.75 3.75l-1.4 1.4M8.5 11.25l-1.4 1.4a2.6 2.6 0 0 1-3.75-3.75l1.4-1.4"
            }
            Self::Person => {
                "M8 2.5a2.75 2.75 0 1 0 0 5.5 2.75 2.75 0 0 0 0-5.5zM2.75 13.75c.5-5 10-5 10.5 0"
            }
            Self::Down => "m4 6.25 4 4 4-4",
            Self::List => "M2.5 4h1M2.5 8h1M2.5 12h1M6 4h7.5M6 8h7.5M6 12h7.5",
            Self::Shield => {
                "M8 1.8 13 3.5v4.3c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4V3.5zM5.7 8l1.7 1.7 3-3.2"
            }
            Self::Flag => "M4 14V2.5h8.5l-2 3 2 3H4",
            Self::Bell => "M3.5 11.5h9L11.5 10V7a3.5 3.5 0 0 0-7 0v3zM7 13.5h2",
            Self::NoBell => "M3.5 11.5h9L11.5 10V7a3.5 3.5 0 0 0-7 0v3zM7 13.5h2M2.5 2.5l11 11",
            Self::Save => "M8 2.5v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
            Self::Cloud => "M4.5 12.5a3 3 0 0 1-.3-6A4 4 0 0 1 12 6.7a2.9 2.9 0 0 1 0 5.8z",
            Self::Right => "m6 3.5 4.5 4.5L6 12.5",
            Self::Door => "M3.5 14V2h7v12M2 14h12M8.25 8v.6M10.5 4 13 5v9",
            Self::Key => "M5 7.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM7.2 8.3l6-6M10.5 5l2 2",
            Self::Up => "M8 13V3M4 7l4-4 4 4M2.5 13.5h11",
            Self::Box => "M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.5 5 8 8l5.5-3M8 8v6",
            Self::More => "M3.5 8h.1M8 8h.1M12.5 8h.1",
            Self::Stop => "M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3z",
        }
    }

    /// What is filled of it.
    const fn filled(self) -> Option<&'static str> {
        match self {
            Self::HalfDisc => Some("M8 2.5v11a5.5 5.5 0 0 0 0-11z"),
            Self::Disc => Some("M8 3.75a4.25 4.25 0 1 0 0 8.5 4.25 4.25 0 0 0 0-8.5z"),
            Self::Square => Some("M3.5 3.5h9v9h-9z"),
            Self::Stop => Some("M6 6h4v4H6z"),
            _ => None,
        }
    }
}

/// Draws a stroke. It says nothing that a word beside it doesn't say too.
pub(crate) fn icon(glyph: Glyph) -> impl IntoView {
    sized(glyph, "icon")
}

/// The same, small: inside badges and marks.
pub(crate) fn small(glyph: Glyph) -> impl IntoView {
    sized(glyph, "icon icon--small")
}

/// The same, large: alone in an empty place.
pub(crate) fn large(glyph: Glyph) -> impl IntoView {
    sized(glyph, "icon icon--large")
}

fn sized(glyph: Glyph, class: &'static str) -> impl IntoView {
    let dashes = matches!(glyph, Glyph::DashedRing).then_some("2.6 2.6");
    let filled = glyph
        .filled()
        .map(|path| view! { <path d=path fill="currentColor" stroke="none" /> });
    view! {
        <svg class=class viewBox="0 0 16 16" aria-hidden="true">
            <path d=glyph.path() stroke-dasharray=dashes />
            {filled}
        </svg>
    }
    .into_any()
}

/// The shape of a fate.
pub(crate) const fn of_shape(shape: Shape) -> Glyph {
    match shape {
        Shape::Underway => Glyph::DashedRing,
        Shape::Running => Glyph::HalfDisc,
        Shape::Done => Glyph::CircleCheck,
        Shape::Still => Glyph::Square,
        Shape::No => Glyph::CircleCross,
        Shape::Caution => Glyph::Triangle,
    }
}

/// The shape that goes with a colour.
pub(crate) const fn of_tone(tone: Tone) -> Option<Glyph> {
    match tone {
        Tone::Calm => None,
        Tone::Ok => Some(Glyph::CircleCheck),
        Tone::Caution => Some(Glyph::Triangle),
        Tone::Alarm => Some(Glyph::Octagon),
    }
}
