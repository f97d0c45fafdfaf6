//! The photographs that prove a job's steps: small here, large when opened. One that the robot has not sent yet says so.

use leptos::prelude::*;
use protocol::{JobId, views::EvidenceView};

use crate::parts::icon::{Glyph, icon};

/// The photographs of a job; nothing while there is none.
#[component]
pub(crate) fn Photographs(
    job: JobId,
    #[prop(into)] list: Signal<Vec<EvidenceView>>,
) -> impl IntoView {
    let tally = move || {
        list.with(|list| {
            let here = list.iter().filter(|picture| picture.is_here).count();
            format!("{here} of {} here", list.len())
        })
    };
    view! {
        <Show when=move || list.with(|list| !list.is_empty())>
            <section class="panel evidence" aria-label="Photographs">
                <header>
                    <h2>"Photographs"</h2>
                    <span class="grow"></span>
                    <span class="number faint" role="status">
                        {tally}
                    </span>
                </header>
                <ul class="evidence__all">
                    <For
                        each=move || list.get()
                        key=|picture| (picture.evidence, picture.is_here)
                        children=move |picture| view! { <li>{photograph(job, &picture)}</li> }
                    />
                </ul>
            </section>
        </Show>
    }
}

fn photograph(job: JobId, picture: &EvidenceView) -> impl IntoView + use<> {
    let words = format!("Step {}: {}", picture.step, picture.title);
    let shown = if picture.is_here {
        let address = format!("/api/v1/jobs/{job}/evidence/{}", picture.evidence);
        let large = address.clone();
        let alt = format!("Photograph of step {}, {}", picture.step, picture.title);
        view! {
            <a class="frame" href=large target="_blank" rel="noopener">
                <img src=address alt=alt loading="lazy" />
            </a>
        }
        .into_any()
    } else {
        view! {
            <div class="frame frame--none">
                <p class="frame__none">{icon(Glyph::NoPicture)} "Not here yet"</p>
            </div>
        }
        .into_any()
    };
    view! {
        {shown}
        <span class="soft">{words}</span>
    }
}
