//! The whole page: who is signed in, the live side, and which address shows what.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    acts::Acts,
    later,
    live::{engine::Live, reduce::Input},
    navigation::Navigation,
    pages::{not_found::NotFound, parts, shell::Shell, sign_in::SignIn},
    route::Frame,
    session::{Session, SignInState},
};

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let session = Session::new();
    let navigation = Navigation::new();
    provide_context(session);
    provide_context(navigation);
    let acts = Acts::new(session);
    provide_context(acts);
    let live = Live::new(session, acts);
    provide_context(live);
    spawn_local(session.load());
    Effect::new(move |_| match session.state() {
        SignInState::SignedIn(_) => live.tell(Input::Start),
        SignInState::SignedOut(_) => live.tell(Input::Stop),
        SignInState::Unknown | SignInState::Failed(_) => {}
    });
    // The pages inside share one frame, which stays while they change.
    let frame = Memo::new(move |_| navigation.route().frame());
    move || match frame.get() {
        Frame::SignIn => view! { <SignIn /> }.into_any(),
        Frame::Nowhere => view! { <NotFound /> }.into_any(),
        Frame::Requester => later::page(parts::request),
        Frame::Console => view! { <Shell /> }.into_any(),
    }
}
