//! Where the console is cut: each page here, with all that only it needs, is a file of its own that is loaded when the page is
//! first opened. Pages of one part share a file.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the error is that of a part that does not come"
)]

use leptos::{prelude::*, wasm_split::wasm_split};
use protocol::{JobId, RobotId};

use super::{
    cases::CasesPage, job::JobPage, jobs::JobsPage, live::LivePage, request::RequestPages,
    verify::VerifyPage,
};
use crate::later::NotLoaded;

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

#[wasm_split(request, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn request() -> Result<AnyView, NotLoaded> {
    Ok(view! { <RequestPages /> }.into_any())
}
