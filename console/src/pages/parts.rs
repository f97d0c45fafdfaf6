//! Where the console is cut: each page here, with all that only it needs, is a file of its own that is loaded when the page is
//! first opened. Pages of one part share a file.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the error is that of a part that does not come"
)]

use leptos::{prelude::*, wasm_split::wasm_split};
use protocol::{JobId, RobotId, views::Problem};

use super::{
    cases::CasesPage, fleet::WhereTheyAre, job::JobPage, jobs::JobsPage, keys::KeysPage,
    live::LivePage, receipts::ReceiptsPage, request::RequestPages, verify::VerifyPage,
};
use crate::{
    later::{Later, NotLoaded},
    live::engine::Live,
    panels::{keys_help::KeysHelp, site_stop::SiteStops},
    passkeys,
};

#[wasm_split(live, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn live(id: RobotId) -> Result<AnyView, NotLoaded> {
    Ok(view! { <LivePage id /> }.into_any())
}

#[wasm_split(work, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn jobs() -> Result<AnyView, NotLoaded> {
    Ok(view! { <JobsPage /> }.into_any())
}

#[wasm_split(work, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn job(id: JobId) -> Result<AnyView, NotLoaded> {
    Ok(view! { <JobPage id /> }.into_any())
}

#[wasm_split(work, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn cases() -> Result<AnyView, NotLoaded> {
    Ok(view! { <CasesPage /> }.into_any())
}

#[wasm_split(work, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn verify() -> Result<AnyView, NotLoaded> {
    Ok(view! { <VerifyPage /> }.into_any())
}

#[wasm_split(help, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn keys_help(on_close: Callback<()>) -> Result<AnyView, NotLoaded> {
    Ok(view! { <KeysHelp on_close /> }.into_any())
}

#[wasm_split(keys, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn keys() -> Result<AnyView, NotLoaded> {
    Ok(view! { <KeysPage /> }.into_any())
}

#[wasm_split(site_map, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn where_they_are(
    live: Live,
    ids: Memo<Option<Vec<RobotId>>>,
    on_open: Callback<RobotId>,
) -> Result<AnyView, NotLoaded> {
    Ok(view! { <WhereTheyAre live ids on_open /> }.into_any())
}

/// Asked for as soon as a supervisor opens the fleet page, not by the first press.
#[wasm_split(site_stop, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn site_stops() -> Result<AnyView, NotLoaded> {
    Ok(view! { <SiteStops /> }.into_any())
}

#[wasm_split(receipts, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn receipts(id: RobotId, number: Option<u64>) -> Result<AnyView, NotLoaded> {
    Ok(view! { <ReceiptsPage id number /> }.into_any())
}

/// Signs in with a passkey.
#[wasm_split(keys, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn sign_in_by_passkey() -> Later<Result<(), Problem>> {
    Ok(Box::pin(passkeys::sign_in()))
}

#[wasm_split(request, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn request() -> Result<AnyView, NotLoaded> {
    Ok(view! { <RequestPages /> }.into_any())
}
