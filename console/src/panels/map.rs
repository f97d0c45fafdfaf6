//! The site's map: where the robot is and was, what it plans (dashed), what it was told (solid). A click is a target.

use std::sync::Arc;

use leptos::{prelude::*, svg};
use protocol::{
    command::Verb,
    robot::{Advert, Pose, Scan, ShapeKind, SiteMap},
};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{Element, MouseEvent, ResizeObserver};

use super::go_to;
use crate::{
    parts::icon::{Glyph, small},
    projection::{self, Projection},
    words,
};

/// A click this near to a named place means the place.
const SNAP_PX: f64 = 10.0;

/// How far one press zooms, and how far it can go.
const ZOOM_STEP: f64 = 1.5;
const MAX_ZOOM: f64 = 6.0;

/// What moves on the map.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct MapFace {
    /// Where the robot is.
    pub(crate) pose: Option<Pose>,
    /// Radius of the robot, metres.
    pub(crate) radius_m: f64,
    /// Where it was.
    pub(crate) trail: Vec<[f64; 2]>,
    /// What its lidar saw, and the path that it plans.
    pub(crate) scan: Option<Arc<Scan>>,
    /// The way that it takes while it is driven.
    pub(crate) predicted: Vec<[f64; 2]>,
    /// The way that is asked of it.
    pub(crate) asked: Vec<[f64; 2]>,
    /// Where it goes, and whether somebody told it to.
    pub(crate) target: Option<Target>,
    /// Metres still to go.
    pub(crate) remaining_m: Option<f64>,
    /// Whether all of this is too old to go by.
    pub(crate) is_old: bool,
    /// Age of the pose.
    pub(crate) age: String,
}

/// Where a robot goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    /// The place.
    pub(crate) at: [f64; 2],
    /// Whether a person set it; otherwise the robot chose it.
    pub(crate) is_command: bool,
}

/// Zoom of the map; the page's keys change it too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zoom(pub(crate) RwSignal<f64>);

impl Zoom {
    /// Nearer by one step.
    pub(crate) fn nearer(self) {
        self.0
            .update(|zoom| *zoom = (*zoom * ZOOM_STEP).min(MAX_ZOOM));
    }

    /// Farther by one step.
    pub(crate) fn farther(self) {
        self.0.update(|zoom| *zoom = (*zoom / ZOOM_STEP).max(1.0));
    }

    /// The whole map.
    pub(crate) fn whole(self) {
        self.0.set(1.0);
    }
}

/// Draws the map.
#[component]
pub(crate) fn Map(
    #[prop(into)] advert: Signal<Option<Arc<Advert>>>,
    #[prop(into)] face: Signal<MapFace>,
    #[prop(into)] is_withheld: Signal<bool>,
    #[prop(into)] label: Signal<String>,
    zoom: Zoom,
    on_target: Callback<Verb>,
) -> impl IntoView {
    let element = NodeRef::<svg::Svg>::new();
    let projection = project(advert, face, zoom, follow_size(element));
    let click = move |event: MouseEvent| {
        let target = projection.get_untracked().and_then(|projection| {
            let advert = advert.get_untracked()?;
            pick(advert.map.as_ref()?, &projection, &event)
        });
        if let Some(verb) = target
            && !is_withheld.get_untracked()
        {
            on_target.run(verb);
        }
    };
    let size = move |side: usize| {
        advert.with(|advert| {
            let map = advert.as_ref()?.map.as_ref()?;
            Some(if side == 0 { map.width_m } else { map.height_m }.to_string())
        })
    };
    view! {
        <div class="map" class:map--withheld=is_withheld class:map--stale=move || face.with(|face| face.is_old)>
            <svg
                node_ref=element
                class="map__drawing"
                role="img"
                aria-label=label
                data-testid="map"
                data-width-m=move || size(0)
                data-height-m=move || size(1)
                data-scale=move || projection.get().map(|found| format!("{:.4}", found.scale))
                data-origin-x=move || origin(projection.get(), 0)
                data-origin-y=move || origin(projection.get(), 1)
                on:click=click
            >
                {move || {
                    let projection = projection.get()?;
                    let advert = advert.get()?;
                    Some(ground(advert.map.as_ref()?, &projection))
                }}
                <Moving face projection />
            </svg>
            <Tools zoom projection />
        </div>
    }
}

/// The whole map, or when zoomed the part of it around the robot.
fn project(
    advert: Signal<Option<Arc<Advert>>>,
    face: Signal<MapFace>,
    zoom: Zoom,
    (width, height): (RwSignal<f64>, RwSignal<f64>),
) -> Memo<Option<Projection>> {
    let centre = Memo::new(move |_| {
        let pose = face.with(|face| face.pose).filter(|_| zoom.0.get() > 1.0);
        pose.map(|pose| [pose.x_m, pose.y_m])
    });
    Memo::new(move |_| {
        let (width, height, zoom) = (width.get(), height.get(), zoom.0.get());
        advert.with(|advert| {
            let map = advert.as_ref()?.map.as_ref()?;
            Some(Projection::zoomed(map, width, height, zoom, centre.get()))
        })
    })
}

fn origin(projection: Option<Projection>, side: usize) -> Option<String> {
    Some(format!("{:.2}", projection?.to_px([0.0, 0.0])[side]))
}

/// Where a click means the robot to go.
fn pick(map: &SiteMap, projection: &Projection, event: &MouseEvent) -> Option<Verb> {
    let element: Element = event.current_target()?.dyn_into().ok()?;
    let box_ = element.get_bounding_client_rect();
    let here = [
        f64::from(event.client_x()) - box_.left(),
        f64::from(event.client_y()) - box_.top(),
    ];
    let named = map.places.iter().find(|place| {
        let [x, y] = projection.to_px([place.pose.x_m, place.pose.y_m]);
        (x - here[0]).hypot(y - here[1]) <= SNAP_PX
    });
    if let Some(place) = named {
        return Some(go_to::to_place(place.pose));
    }
    let [x_m, y_m] = projection.to_m(here);
    projection::is_on_map(map, [x_m, y_m]).then_some(Verb::NavigateTo {
        x_m,
        y_m,
        heading_rad: None,
    })
}

/// The size of a drawing on screen, as it changes.
pub(super) fn follow_size(element: NodeRef<svg::Svg>) -> (RwSignal<f64>, RwSignal<f64>) {
    let width = RwSignal::new(0.0);
    let height = RwSignal::new(0.0);
    let observer = StoredValue::new_local(None::<(ResizeObserver, Closure<dyn FnMut(JsValue)>)>);
    Effect::new(move |_| {
        let Some(svg) = element.get() else { return };
        let measured: Element = svg.unchecked_into();
        let watched = measured.clone();
        let listener = Closure::new(move |_: JsValue| {
            let box_ = measured.get_bounding_client_rect();
            let _set = (width.try_set(box_.width()), height.try_set(box_.height()));
        });
        if let Ok(made) = ResizeObserver::new(listener.as_ref().unchecked_ref()) {
            made.observe(&watched);
            observer.set_value(Some((made, listener)));
        }
    });
    on_cleanup(move || {
        if let Some(Some((made, _listener))) = observer.try_update_value(Option::take) {
            made.disconnect();
        }
    });
    (width, height)
}

/// What stands still: floors, furniture, walls, places.
pub(super) fn ground(map: &SiteMap, projection: &Projection) -> impl IntoView + use<> {
    let outline = |corners: &[[f32; 2]]| {
        let points = corners.iter().map(|[x, y]| [f64::from(*x), f64::from(*y)]);
        format!("{}Z", projection.path(points))
    };
    let shape = |kind: ShapeKind, class: &'static str| {
        let of_kind = map.shapes.iter().filter(move |shape| shape.kind == kind);
        let path: String = of_kind.map(|shape| outline(&shape.corners)).collect();
        view! { <path class=class d=path /> }
    };
    let walls: String = map
        .walls
        .iter()
        .map(|wall| {
            projection.path(
                [wall.from, wall.to]
                    .map(|[x, y]| [x.into(), y.into()])
                    .into_iter(),
            )
        })
        .collect();
    let labels = map
        .shapes
        .iter()
        .filter(|shape| shape.kind != ShapeKind::Furniture)
        .filter_map(|shape| label(&shape.label, &shape.corners, projection))
        .collect_view();
    let place = |name: &str, pose: &Pose| {
        let [x, y] = projection.to_px([pose.x_m, pose.y_m]);
        view! {
            <circle class="map__place" cx=x cy=y r="3">
                <title>{name.to_owned()}</title>
            </circle>
        }
    };
    let places = map
        .places
        .iter()
        .map(|one| place(&one.name, &one.pose))
        .collect_view();
    view! {
        {shape(ShapeKind::Room, "map__room")}
        {shape(ShapeKind::Dock, "map__dock")}
        {shape(ShapeKind::Furniture, "map__furniture")}
        {shape(ShapeKind::Private, "map__private")}
        {shape(ShapeKind::KeepOut, "map__keep-out")}
        <path class="map__walls" d=walls />
        {labels}
        {places}
    }
    .into_any()
}

/// A name in the middle of its outline, if there is room for it.
fn label(
    name: &str,
    corners: &[[f32; 2]],
    projection: &Projection,
) -> Option<impl IntoView + use<>> {
    /// Width of a letter at the label's size.
    const LETTER_PX: f64 = 6.2;
    const LINE_PX: f64 = 13.0;
    let points: Vec<[f64; 2]> = corners
        .iter()
        .map(|[x, y]| projection.to_px([f64::from(*x), f64::from(*y)]))
        .collect();
    let span = |side: usize| {
        let values = points.iter().map(|point| point[side]);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (low, high)
    };
    let ((left, right), (top, bottom)) = (span(0), span(1));
    let letters: f64 = name.chars().map(|_| LETTER_PX).sum();
    let has_room = !name.is_empty() && letters < right - left - 4.0 && LINE_PX < bottom - top;
    has_room.then(|| {
        view! {
            <text class="map__label" x=f64::midpoint(left, right) y=top + LINE_PX>
                {name.to_owned()}
            </text>
        }
    })
}

/// What moves: the way behind, the way ahead, what the lidar sees, the target, the robot.
#[component]
fn Moving(face: Signal<MapFace>, projection: Memo<Option<Projection>>) -> impl IntoView {
    let drawn = move |draw: fn(&MapFace, &Projection) -> Option<String>| {
        move || {
            let projection = projection.get()?;
            face.with(|face| draw(face, &projection))
        }
    };
    let trail = drawn(|face, projection| Some(projection.path(face.trail.iter().copied())));
    let scan = drawn(|face, projection| {
        let scan = face.scan.as_ref()?;
        Some(projection.dots(projection::scan_points(scan)))
    });
    let path = drawn(|face, projection| {
        let scan = face.scan.as_ref().filter(|_| face.target.is_some())?;
        Some(
            projection.path(
                scan.path
                    .iter()
                    .map(|[x, y]| [f64::from(*x), f64::from(*y)]),
            ),
        )
    });
    let predicted = drawn(|face, projection| Some(projection.path(face.predicted.iter().copied())));
    let asked = drawn(|face, projection| Some(projection.path(face.asked.iter().copied())));
    let target = Memo::new(move |_| face.with(|face| face.target));
    let remaining = Memo::new(move |_| {
        face.with(|face| {
            face.remaining_m
                .map(|metres| words::measure(metres, 1, "m"))
        })
    });
    let robot_at = move || {
        let projection = projection.get()?;
        let pose = face.with(|face| face.pose)?;
        let [x, y] = projection.to_px([pose.x_m, pose.y_m]);
        let turn = 90.0 - pose.heading_rad.to_degrees();
        Some(format!("translate({x:.1} {y:.1}) rotate({turn:.1})"))
    };
    let radius = move || {
        let scale = projection.get().map_or(0.0, |found| found.scale);
        face.with(|face| (face.radius_m * scale).max(7.0))
    };
    let is_there = Memo::new(move |_| face.with(|face| face.pose.is_some()));
    view! {
        <path class="map__scan" d=scan />
        <path class="map__trail" d=trail />
        <path class="map__plan" d=path />
        <path class="map__asked" d=asked />
        <path class="map__plan" d=predicted data-testid="map-ahead" />
        {move || Some(target_mark(target.get()?, &projection.get()?, remaining.get()))}
        <Show when=move || is_there.get()>
            <g class="map__robot" transform=robot_at data-testid="map-robot">
                <path class="map__sight" d="M0 0L-22 -52H22Z" />
                <circle r=radius />
                <path class="map__nose" d="M0 -5.5L4.5 5 0 2.25 -4.5 5Z" />
            </g>
        </Show>
    }
}

fn target_mark(
    target: Target,
    projection: &Projection,
    remaining: Option<String>,
) -> impl IntoView + use<> {
    let [x, y] = projection.to_px(target.at);
    let class = if target.is_command {
        "map__target map__target--told"
    } else {
        "map__target"
    };
    view! {
        <g class=class transform=format!("translate({x:.1} {y:.1})") data-testid="map-target">
            <path d="M0 -15V-9M0 9V15M-15 0H-9M9 0H15" />
            <circle r="7.5" />
            <circle class="map__target-core" r="1.75" />
            <text x="12" y="-8">
                {remaining}
            </text>
        </g>
    }
}

/// Zoom, and how long a metre is.
#[component]
fn Tools(zoom: Zoom, projection: Memo<Option<Projection>>) -> impl IntoView {
    let scale = Memo::new(move |_| {
        projection
            .get()
            .map(|found| projection::scale_bar(found.scale))
    });
    let metres = move || {
        scale
            .get()
            .map(|(metres, _)| words::measure(metres, usize::from(metres < 1.0), "m"))
    };
    let width = move || format!("{:.0}px", scale.get().map_or(0.0, |(_, px)| px));
    view! {
        <div class="map__scale" aria-hidden="true">
            <i style:width=width></i>
            <span>{metres}</span>
        </div>
        <div class="map__tools" role="group" aria-label="Zoom">
            <button class="button button--small" aria-label="Zoom in" on:click=move |_| zoom.nearer()>
                {small(Glyph::Plus)}
            </button>
            <button class="button button--small" aria-label="Zoom out" on:click=move |_| zoom.farther()>
                {small(Glyph::Minus)}
            </button>
            <button class="button button--small" aria-label="Show the whole map" on:click=move |_| zoom.whole()>
                {small(Glyph::Fleet)}
            </button>
        </div>
    }
}
