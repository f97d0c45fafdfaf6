//! The fleet: every robot, how it is, what it sees.

use std::sync::Arc;

use leptos::{html, prelude::*};
use protocol::{RobotId, robot::Advert, views::Role};

use super::{
    calls::{CallsHere, CallsPanel},
    parts, shell_faces,
};
use crate::{
    keys, later,
    live::{engine::Live, reduce::Input},
    navigation::Navigation,
    panels::{
        robot_card::{CardFace, RobotCard},
        site_map::SiteMap,
    },
    parts::{
        icon::{Glyph, icon, large, small},
        on_screen::OnScreen,
    },
    roster::{self, Filter, Group},
    route::Route,
    session::Session,
};

/// The fleet page.
#[component]
pub(crate) fn FleetPage() -> impl IntoView {
    document().set_title("Fleet · Nooterra");
    let live = expect_context::<Live>();
    let filter = RwSignal::new(Filter::default());
    let is_known = Memo::new(move |_| live.read(|model| model.robots.is_some()));
    let ids = Memo::new(move |_| {
        // Once as soon as the roster comes, then at every glance.
        is_known.get();
        let filter = filter.get();
        live.at_glance(|model, now| {
            let robots = model.robots.as_ref()?;
            Some(roster::list(robots.values(), &filter, &model.clock, now))
        })
    });
    let counts = Memo::new(move |_| {
        is_known.get();
        live.at_glance(|model, now| {
            let robots = model.robots.iter().flat_map(|robots| robots.values());
            roster::counts(robots, &model.clock, now)
        })
    });
    let navigation = expect_context::<Navigation>();
    let open = Callback::new(move |robot: RobotId| {
        live.tell(Input::Select(Some(robot)));
        navigation.go(Route::Robot(robot));
    });
    let field = NodeRef::<html::Input>::new();
    let calls = CallsHere::new(live);
    let session = expect_context::<Session>();
    let sees_calls = Memo::new(move |_| session.helps() || session.has_role(&[Role::Admin]));
    follow_keys(live, ids, field, open, calls);

    let on_screen = OnScreen::new();
    let wanted = Memo::new(move |_| {
        let mut robots = on_screen.robots();
        robots.extend(live.read(|model| model.selected));
        robots.extend(calls.first_robot());
        robots
    });
    Effect::new(move |_| live.tell(Input::StillsOnScreen(wanted.get())));
    on_cleanup(move || live.tell(Input::StillsOnScreen(Vec::new())));

    view! {
        <div class="desk" class:desk--plain=move || !sees_calls.get()>
            <Show when=move || sees_calls.get()>
                <CallsPanel calls open />
            </Show>
            <div class="fleet">
                <h1 class="hidden">"Fleet"</h1>
                <Filters filter counts field />
                <Show when=move || session.has_role(&[Role::Supervisor])>
                    {later::part(parts::site_stops)}
                </Show>
                <Roster live ids filter on_screen open />
                {later::part(move || parts::where_they_are(live, ids, open))}
            </div>
        </div>
    }
}

fn follow_keys(
    live: Live,
    ids: Memo<Option<Vec<RobotId>>>,
    field: NodeRef<html::Input>,
    open: Callback<RobotId>,
    calls: CallsHere,
) {
    let step = move |step: isize| {
        let selected = live.peek(|model| model.selected);
        let next = ids.with_untracked(|ids| {
            let ids = ids.as_ref()?;
            roster::neighbour(ids, selected, step)
        });
        if next.is_some() {
            live.tell(Input::Select(next));
        }
        true
    };
    keys::on_key(move |key| match key.name.as_str() {
        "j" | "J" | "ArrowDown" | "ArrowRight" => step(1),
        "k" | "K" | "ArrowUp" | "ArrowLeft" => step(-1),
        "Enter" if !key.is_on_control() && calls.claim_at(0) => true,
        "m" | "M" => {
            calls.mute();
            true
        }
        "Enter" if !key.is_on_control() => match live.peek(|model| model.selected) {
            Some(robot) => {
                open.run(robot);
                true
            }
            None => false,
        },
        "f" | "F" | "/" => match field.get_untracked() {
            Some(field) => field.focus().is_ok(),
            None => false,
        },
        name => match name.as_bytes() {
            [digit @ b'2'..=b'9'] => calls.claim_at(usize::from(digit - b'1')),
            _ => false,
        },
    });
}

#[component]
fn Filters(
    filter: RwSignal<Filter>,
    counts: Memo<[usize; 6]>,
    field: NodeRef<html::Input>,
) -> impl IntoView {
    let group = move |(place, group): (usize, Group)| {
        let is_chosen = move || filter.with(|filter| filter.group == group);
        view! {
            <button
                aria-pressed=move || if is_chosen() { "true" } else { "false" }
                on:click=move |_| filter.update(|filter| filter.group = group)
            >
                {glyph(group).map(small)}
                {group.word()}
                " "
                <span class="number">{move || counts.with(|counts| counts[place])}</span>
            </button>
        }
    };
    view! {
        <div class="filters">
            <label class="search">
                {icon(Glyph::Funnel)} <span class="hidden">"Filter by robot or site"</span>
                <input
                    type="search"
                    placeholder="Filter by robot or site"
                    node_ref=field
                    prop:value=move || filter.with(|filter| filter.text.clone())
                    on:input:target=move |event| {
                        filter.update(|filter| filter.text = event.target().value());
                    }
                    on:keydown=move |event| {
                        if event.key() == "Escape" {
                            filter.update(|filter| filter.text.clear());
                            if let Some(field) = field.get_untracked() {
                                let _left = field.blur();
                            }
                        }
                    }
                /> <kbd>"F"</kbd>
            </label>
            <div class="segments" role="group" aria-label="State">
                {Group::EVERY.into_iter().enumerate().map(group).collect_view()}
            </div>
        </div>
    }
}

const fn glyph(group: Group) -> Option<Glyph> {
    match group {
        Group::All => None,
        Group::Working => Some(Glyph::HalfDisc),
        Group::Idle => Some(Glyph::Ring),
        Group::Charging => Some(Glyph::Bolt),
        Group::Stale => Some(Glyph::Clock),
        Group::Offline => Some(Glyph::Cross),
    }
}

#[component]
fn Roster(
    live: Live,
    ids: Memo<Option<Vec<RobotId>>>,
    filter: RwSignal<Filter>,
    on_screen: OnScreen,
    open: Callback<RobotId>,
) -> impl IntoView {
    let select = Callback::new(move |robot| live.tell(Input::Select(Some(robot))));
    let card = move |robot: RobotId| {
        let face = Memo::new(move |_| {
            live.at_glance(|model, now| Some(CardFace::new(model.robot(robot)?, &model.clock, now)))
        });
        let is_selected = Memo::new(move |_| live.read(|model| model.selected == Some(robot)));
        view! { <RobotCard robot face is_selected on_screen on_select=select on_open=open /> }
    };
    let is_loading = Memo::new(move |_| ids.with(Option::is_none));
    let is_empty = Memo::new(move |_| ids.with(|ids| ids.as_ref().is_some_and(Vec::is_empty)));
    let has_filter = Memo::new(move |_| filter.with(|filter| *filter != Filter::default()));
    let size = Memo::new(
        move |_| match ids.with(|ids| ids.as_ref().map_or(0, Vec::len)) {
            0..=2 => "cards cards--few",
            3..=6 => "cards cards--some",
            7..=12 => "cards cards--dozen",
            _ => "cards",
        },
    );
    view! {
        <Show when=move || is_loading.get()>
            <div class="cards cards--some" aria-busy="true" aria-label="Loading the fleet">
                {(0..3).map(|_| view! { <div class="card card--loading"><span class="skeleton"></span></div> }).collect_view()}
            </div>
        </Show>
        <Show when=move || is_empty.get()>
            <Nobody has_filter on_clear=Callback::new(move |()| filter.set(Filter::default())) />
        </Show>
        <ul class=size aria-label="Robots">
            <For each=move || ids.get().unwrap_or_default() key=|id| *id children=card />
        </ul>
    }
}

#[component]
fn Nobody(has_filter: Memo<bool>, on_clear: Callback<()>) -> impl IntoView {
    view! {
        <div class="empty empty--page">
            {large(Glyph::Robot)}
            <Show
                when=move || has_filter.get()
                fallback=|| {
                    view! {
                        <b>"No robots yet"</b>
                        <p class="soft">
                            "A robot appears here as soon as its agent connects. An admin adds one with "
                            <code>"nooterra admin robot add"</code> "."
                        </p>
                    }
                }
            >
                <b>"No robot passes this filter"</b>
                <button class="button" on:click=move |_| on_clear.run(())>
                    "Show all robots"
                </button>
            </Show>
        </div>
    }
}

/// An advert is compared by its place in memory: the reducer keeps an unchanged one where it is.
fn address(advert: Option<&Option<Arc<Advert>>>) -> Option<*const Advert> {
    advert.and_then(Option::as_ref).map(Arc::as_ptr)
}

/// Robots beside which a map still has room on the page.
const MAP_UP_TO_ROBOTS: usize = 6;

/// A small fleet leaves room for the map of its site: the site of the selected robot, or else of the first that knows one.
#[component]
pub(super) fn WhereTheyAre(
    live: Live,
    ids: Memo<Option<Vec<RobotId>>>,
    on_open: Callback<RobotId>,
) -> impl IntoView {
    let first = Memo::new(move |_| {
        live.read(|model| {
            let has_map = |id: &RobotId| {
                let advert = model.robot(*id).and_then(|robot| robot.advert.as_ref());
                advert.is_some_and(|advert| advert.map.is_some())
            };
            let of_selected = model.selected.filter(has_map);
            of_selected.or_else(|| ids.with(|ids| ids.as_ref()?.iter().copied().find(has_map)))
        })
    });
    let advert = Memo::new_with_compare(
        move |_| {
            let first = first.get()?;
            live.read(|model| {
                let advert = model.robot(first)?.advert.clone()?;
                advert.map.is_some().then_some(advert)
            })
        },
        |old, new| address(old) != address(new),
    );
    let site = Memo::new(move |_| {
        let first = first.get()?;
        live.read(|model| Some(model.robot(first)?.view.site_name.clone()))
    });
    let markers = Memo::new(move |_| {
        let first = first.get();
        live.at_tick(|model, now| shell_faces::markers(model, first, now))
    });
    let has_room = Memo::new(move |_| {
        let count = ids.with(|ids| ids.as_ref().map_or(0, Vec::len));
        (1..=MAP_UP_TO_ROBOTS).contains(&count) && advert.with(Option::is_some)
    });
    let select = Callback::new(move |robot| live.tell(Input::Select(Some(robot))));
    view! {
        <Show when=move || has_room.get()>
            <SiteMap
                site=Signal::derive(move || site.get().unwrap_or_default())
                advert
                markers
                on_select=select
                on_open
            />
        </Show>
    }
}
