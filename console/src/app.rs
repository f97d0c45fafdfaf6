//! The whole page: who is signed in, the live side, and which address shows what.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    live::{engine::Live, reduce::Input},
    navigation::Navigation,
    pages::{not_found::NotFound, shell::Shell, sign_in::SignIn},
    route::Route,
    session::{Session, SignInState},
};

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let session = Session::new();
    let navigation = Navigation::new();
    provide_context(session);
    provide_context(navigation);
    let live = Live::new(session);
    provide_context(live);
    spawn_local(session.load());
    Effect::new(move |_| match session.state() {
        SignInState::SignedIn(_) => live.tell(Input::Start),
        SignInState::SignedOut(_) => live.tell(Input::Stop),
        SignInState::Unknown | SignInState::Failed(_) => {}
    });
    // The pages inside share one frame, which stays while they change.
    let frame = Memo::new(move |_| {
        let route = navigation.route();
        if route.is_inside() {
            Route::Fleet
        } else {
            route
        }
    });
    move || match frame.get() {
        Route::SignIn => view! { <SignIn /> }.into_any(),
        Route::Nowhere => view! { <NotFound /> }.into_any(),
        Route::Fleet | Route::Robot(_) | Route::NoRobot => view! { <Shell /> }.into_any(),
    }
}
