//! The frame around the pages: bar, banners, the page itself, safety bar, and the keys that work everywhere.

use leptos::{ev, prelude::*, task::spawn_local};
use protocol::{UnixMicros, command::Verb, views::Role};

use super::{
    fleet::FleetPage,
    not_found::{NoSuchJob, NoSuchRobot},
    parts, shell_faces,
    steering::{Say, Steering},
};
use crate::{
    browser, control, keys, later,
    live::{engine::Live, reduce::Input},
    navigation::Navigation,
    outage::{self, Action, BannerFace},
    panels::{
        banner::Banner,
        header::{Header, PersonFace, brand_mark},
        safety_bar::SafetyBar,
    },
    queue,
    route::Route,
    session::{Departure, Session, SignInState},
};

/// What the page on screen wants to say above itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageBanner(pub(crate) RwSignal<Option<BannerFace>>);

/// What the page on screen puts in the middle of the safety bar, in place of what the robot does.
#[derive(Clone, Copy)]
pub(crate) struct BarSlot(pub(crate) RwSignal<Option<ViewFn>>);

/// The console's pages, for whoever is signed in.
#[component]
pub(crate) fn Shell() -> impl IntoView {
    let session = expect_context::<Session>();
    let live = expect_context::<Live>();
    view! {
        <SignedIn>
            <Inside session live />
        </SignedIn>
    }
}

/// Shows what is inside to whoever is signed in, and the way to sign-in to everybody else.
#[component]
pub(crate) fn SignedIn(children: ChildrenFn) -> impl IntoView {
    let session = expect_context::<Session>();
    let navigation = expect_context::<Navigation>();
    Effect::new(move |_| match session.state() {
        SignInState::SignedOut(Departure::NeverCame | Departure::Ended) => {
            navigation.ask_to_sign_in();
        }
        SignInState::SignedOut(Departure::Left | Departure::LeftUntold) => navigation.leave(),
        SignInState::SignedIn(_) | SignInState::Unknown | SignInState::Failed(_) => {}
    });
    let is_signed_in = Memo::new(move |_| session.is_signed_in());
    let children = StoredValue::new(children);
    view! {
        <Show
            when=move || is_signed_in.get()
            fallback=move || view! { <Outside session /> }
        >
            {children.with_value(|children| children())}
        </Show>
    }
}

/// Before it is known who is here.
#[component]
fn Outside(session: Session) -> impl IntoView {
    let again = move |_| spawn_local(session.load());
    move || match session.state() {
        SignInState::Failed(problem) => view! {
            <main class="alone">
                <div class="alone__card">
                    <p class="brand">{brand_mark()} <span>"Nooterra"</span></p>
                    <h1>{problem.title}</h1>
                    <p class="soft">{problem.detail}</p>
                    <p class="soft">"Robots go on by themselves."</p>
                    <div class="line">
                        <button class="button button--primary" on:click=again>
                            "Try again"
                        </button>
                        <code>{problem.code}</code>
                    </div>
                </div>
            </main>
        }
        .into_any(),
        SignInState::Unknown | SignInState::SignedOut(_) | SignInState::SignedIn(_) => view! {
            <main class="alone" aria-busy="true">
                <p class="brand">{brand_mark()} <span>"Nooterra"</span></p>
            </main>
        }
        .into_any(),
    }
}

#[component]
fn Inside(session: Session, live: Live) -> impl IntoView {
    let page_banner = PageBanner(RwSignal::new(None));
    provide_context(page_banner);
    provide_context(BarSlot(RwSignal::new(None)));
    let second =
        Memo::new(move |_| live.at_tick(|_, now| UnixMicros(now.0 / 1_000_000 * 1_000_000)));
    let systems = Memo::new(move |_| live.read(outage::systems));
    let person = Memo::new(move |_| match session.state() {
        SignInState::SignedIn(view) => shell_faces::person(&view),
        SignInState::Unknown | SignInState::SignedOut(_) | SignInState::Failed(_) => {
            PersonFace::default()
        }
    });
    let navigation = expect_context::<Navigation>();
    let route = Memo::new(move |_| navigation.route());
    let banners = Memo::new(move |_| {
        let own = page_banner.0.get();
        let on_page = match route.get() {
            Route::Robot(id) => Some(id),
            _ => None,
        };
        let mut all = live.at_tick(outage::banners);
        all.extend(own);
        all.extend(live.at_glance(|model, now| control::banners(model, on_page, now)));
        all
    });
    let calls = Memo::new(move |_| live.read(queue::waiting));
    let sees_cases = Memo::new(move |_| session.helps() || session.has_role(&[Role::Admin]));
    tell_in_title(live, calls);
    tell_touches(live);
    let is_help_open = RwSignal::new(false);
    let sign_out = Callback::new(move |()| spawn_local(session.sign_out()));
    let act = Callback::new(move |action| match action {
        Action::TryNow => live.tell(Input::TryNow),
        Action::Open(robot) => navigation.go(Route::Robot(robot)),
        Action::Reload => {
            // A page that can't be loaded again stays as it is.
            let _reloading = window().location().reload();
        }
    });
    let count = Memo::new(move |_| banners.with(Vec::len));
    let banner = move |place: usize| {
        let face = Memo::new(move |previous: Option<&BannerFace>| {
            banners
                .with(|all| all.get(place).cloned())
                .or_else(|| previous.cloned())
                .unwrap_or_else(empty_banner)
        });
        view! { <Banner face on_action=act /> }
    };
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <Header
            systems
            second
            person
            route
            calls
            sees_cases
            on_help=Callback::new(move |()| is_help_open.update(|is_open| *is_open = !*is_open))
            on_sign_out=sign_out
        />
        <div class="banners">
            <For each=move || 0..count.get() key=|place| *place children=banner />
        </div>
        <main id="main" class="main" tabindex="-1">
            {move || page(route.get())}
        </main>
        <Safety live is_help_open />
        <Show when=move || is_help_open.get()>
            {
                let on_close = Callback::new(move |()| is_help_open.set(false));
                later::page(move || parts::keys_help(on_close))
            }
        </Show>
    }
}

/// Somebody's touch is told at most so often: what counts are minutes.
const TOUCH_EVERY_US: i64 = 1_000_000;

/// Tells the model when somebody touches mouse, keyboard or screen: who steers a robot has to be there.
fn tell_touches(live: Live) {
    let told_at = StoredValue::new(UnixMicros::default());
    let touched = move || {
        let now = browser::now();
        if now.since(told_at.get_value()) >= TOUCH_EVERY_US {
            told_at.set_value(now);
            live.tell(Input::Touched);
        }
    };
    let handles = [
        window_event_listener(ev::keydown, move |_| touched()),
        window_event_listener(ev::pointerdown, move |_| touched()),
        window_event_listener(ev::pointermove, move |_| touched()),
        window_event_listener(ev::wheel, move |_| touched()),
    ];
    on_cleanup(move || handles.into_iter().for_each(WindowListenerHandle::remove));
}

/// Says in the title how many calls wait, for who works in another window. Pages name themselves; the number stands before.
fn tell_in_title(live: Live, calls: Memo<usize>) {
    Effect::new(move |_| {
        let waiting = calls.get();
        live.at_glance(|_, _| {
            let title = document().title();
            let name = match title.split_once(") ") {
                Some((count, name)) if count.starts_with('(') => name,
                _ => title.as_str(),
            };
            let wanted = match waiting {
                0 => name.to_owned(),
                _ => format!("({waiting}) {name}"),
            };
            if wanted != title {
                document().set_title(&wanted);
            }
        });
    });
}

/// The page at an address inside.
fn page(route: Route) -> AnyView {
    match route {
        Route::Fleet => view! { <FleetPage /> }.into_any(),
        Route::Robot(id) => later::page(move || parts::live(id)),
        Route::Receipts(id) => later::page(move || parts::receipts(id, None)),
        Route::Receipt(id, number) => later::page(move || parts::receipts(id, Some(number))),
        Route::Jobs => later::page(parts::jobs),
        Route::Job(id) => later::page(move || parts::job(id)),
        Route::NoJob => view! { <NoSuchJob /> }.into_any(),
        Route::Cases => later::page(parts::cases),
        Route::Verify => later::page(parts::verify),
        Route::Keys => later::page(parts::keys),
        // The others have frames of their own.
        Route::NoRobot
        | Route::RequestKeys
        | Route::Request
        | Route::RequestNew
        | Route::RequestJob(_)
        | Route::RequestComplaint(_)
        | Route::SignIn
        | Route::Nowhere => view! { <NoSuchRobot /> }.into_any(),
    }
}

fn empty_banner() -> BannerFace {
    BannerFace {
        tone: crate::grade::Tone::Caution,
        what: String::new(),
        rest: String::new(),
        aside: String::new(),
        action: None,
    }
}

/// The safety bar and the keys that belong to it.
#[component]
fn Safety(live: Live, is_help_open: RwSignal<bool>) -> impl IntoView {
    let navigation = expect_context::<Navigation>();
    let is_on_live_page = Memo::new(move |_| navigation.route().is_live());
    let face = Memo::new(move |_| live.at_tick(shell_faces::safety));
    let stop_face = Memo::new(move |_| live.at_tick(shell_faces::stop));
    let stop = move || {
        if let Some(robot) = live.peek(|model| model.selected) {
            live.order(robot, Verb::Stop, None);
        }
    };
    let steering = Steering::new(live);
    let leave = move || navigation.go(Route::Fleet);
    let open = move || {
        if let Some(robot) = live.peek(|model| model.selected) {
            navigation.go(Route::Robot(robot));
        }
    };
    keys::on_key(move |key| match key.name.as_str() {
        "?" => {
            is_help_open.update(|is_open| *is_open = !*is_open);
            true
        }
        "o" | "O" if !is_on_live_page.get_untracked() => {
            open();
            live.peek(|model| model.selected.is_some())
        }
        key @ ("k" | "K" | "g" | "G") if is_on_live_page.get_untracked() => steering.press(key),
        "Escape" if is_help_open.get_untracked() => {
            is_help_open.set(false);
            true
        }
        "Escape" if is_on_live_page.get_untracked() => {
            leave();
            true
        }
        _ => false,
    });
    keys::on_stop(stop);
    let BarSlot(middle) = expect_context();
    view! {
        <Say steering />
        <SafetyBar
            face
            stop=stop_face
            is_on_live_page
            is_steered_here=Memo::new(move |_| steering.is_here())
            control=steering.parts()
            middle
            is_second=Memo::new(move |_| live.read(|model| queue::waiting(model) > 0))
            on_stop=Callback::new(move |()| stop())
            on_open=Callback::new(move |()| open())
            on_leave=Callback::new(move |()| leave())
        />
    }
}
