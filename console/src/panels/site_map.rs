//! Where the robots of a site are, all on one map. A click selects, a double click opens; for keys there are the cards.

use std::sync::Arc;

use leptos::{prelude::*, svg};
use protocol::{
    RobotId,
    robot::{Advert, Pose},
};

use super::map::{follow_size, ground};
use crate::projection::{self, Projection};

/// A robot on the map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Marker {
    /// Which.
    pub(crate) robot: RobotId,
    /// Its name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) pose: Pose,
    /// Where it goes.
    pub(crate) target: Option<[f64; 2]>,
    /// Whether that is too old to go by.
    pub(crate) is_old: bool,
    /// Whether it is the selected one.
    pub(crate) is_selected: bool,
}

/// Draws the map.
#[component]
pub(crate) fn SiteMap(
    #[prop(into)] site: Signal<String>,
    #[prop(into)] advert: Signal<Option<Arc<Advert>>>,
    #[prop(into)] markers: Signal<Vec<Marker>>,
    on_select: Callback<RobotId>,
    on_open: Callback<RobotId>,
) -> impl IntoView {
    let element = NodeRef::<svg::Svg>::new();
    let (width, height) = follow_size(element);
    let projection = Memo::new(move |_| {
        advert.with(|advert| {
            let map = advert.as_ref()?.map.as_ref()?;
            Some(Projection::fit(map, width.get(), height.get()))
        })
    });
    let ids = Memo::new(move |_| {
        markers.with(|markers| {
            markers
                .iter()
                .map(|marker| marker.robot)
                .collect::<Vec<_>>()
        })
    });
    let drops = Memo::new(move |_| {
        projection.with(|projection| markers.with(|markers| drops(projection.as_ref(), markers)))
    });
    let label = move || {
        let names: Vec<_> =
            markers.with(|markers| markers.iter().map(|marker| marker.name.clone()).collect());
        format!("Map of {} with {}", site.get(), names.join(", "))
    };
    let mark = move |robot: RobotId| {
        let marker = Memo::new(move |_| {
            markers.with(|markers| markers.iter().find(|marker| marker.robot == robot).cloned())
        });
        let drop_px = Memo::new(move |_| {
            let place = ids.with(|ids| ids.iter().position(|id| *id == robot));
            place.and_then(|place| drops.with(|drops| drops.get(place).copied()))
        });
        view! { <Mark robot marker drop_px projection on_select on_open /> }
    };
    view! {
        <section class="panel site" aria-label="Site map">
            <header>
                <h2>{site}</h2>
                <span class="faint line--small">"Where the robots are"</span>
            </header>
            <div class="map map--site">
                <svg node_ref=element class="map__drawing" role="img" aria-label=label>
                    {move || {
                        let projection = projection.get()?;
                        let advert = advert.get()?;
                        Some(ground(advert.map.as_ref()?, &projection))
                    }}
                    <For each=move || ids.get() key=|id| *id children=mark />
                </svg>
            </div>
        </section>
    }
}

/// How far below its usual place each name is written, in the order of the markers.
fn drops(projection: Option<&Projection>, markers: &[Marker]) -> Vec<f64> {
    let points: Vec<_> = projection.map_or_else(Vec::new, |projection| {
        let poses = markers.iter().map(|marker| marker.pose);
        poses
            .map(|pose| projection.to_px([pose.x_m, pose.y_m]))
            .collect()
    });
    projection::label_drops(&points)
}

#[component]
fn Mark(
    robot: RobotId,
    marker: Memo<Option<Marker>>,
    drop_px: Memo<Option<f64>>,
    projection: Memo<Option<Projection>>,
    on_select: Callback<RobotId>,
    on_open: Callback<RobotId>,
) -> impl IntoView {
    let class = move || {
        marker.with(|marker| match marker {
            Some(Marker {
                is_selected: true, ..
            }) => "map__marker map__marker--selected",
            Some(Marker { is_old: true, .. }) => "map__marker map__marker--old",
            Some(_) | None => "map__marker",
        })
    };
    let place = move |turn: fn(&Pose) -> String| {
        move || {
            let projection = projection.get()?;
            let pose = marker.with(|marker| marker.as_ref().map(|marker| marker.pose))?;
            let [x, y] = projection.to_px([pose.x_m, pose.y_m]);
            Some(format!("translate({x:.1} {y:.1}){}", turn(&pose)))
        }
    };
    let way = move || {
        let projection = projection.get()?;
        let marker = marker.get()?;
        let here = [marker.pose.x_m, marker.pose.y_m];
        Some(projection.path([here, marker.target?].into_iter()))
    };
    let name = move || marker.with(|marker| marker.as_ref().map(|marker| marker.name.clone()));
    view! {
        <g class=class>
            <path class="map__plan" d=way />
            <g
                class="map__hit"
                on:click=move |_| on_select.run(robot)
                on:dblclick=move |_| on_open.run(robot)
                transform=place(|_| String::new())
            >
                <circle class="map__reach" r="18" />
                <circle r="8" />
                <text x="13" y=move || format!("{:.1}", 4.0 + drop_px.get().unwrap_or_default())>
                    {name}
                </text>
            </g>
            <path
                class="map__nose"
                d="M0 -5.5L4.5 5 0 2.25 -4.5 5Z"
                transform=place(|pose| format!(" rotate({:.1})", 90.0 - pose.heading_rad.to_degrees()))
            />
        </g>
    }
}
