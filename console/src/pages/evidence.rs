//! Which photographs a job has: asked for when a step is done, and again while the robot has not sent them all.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    JobId,
    views::{EvidenceView, Page},
};

use crate::{
    api, browser,
    live::{engine::Live, model::Phase},
    panels::evidence::Photographs,
};

/// A robot with a network sends a picture within a second.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// One without may be away for hours.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The photographs of a job, of which so many steps are done.
#[component]
pub(super) fn PhotographsHere(id: JobId, steps_done: Memo<u32>) -> impl IntoView {
    let live = expect_context::<Live>();
    let asking = Asking {
        id,
        list: RwSignal::new(Vec::new()),
        round: StoredValue::new(0),
    };
    let due = Memo::new(move |_| {
        let is_up = live.read(|model| model.connection.phase == Phase::Live);
        (is_up, steps_done.get())
    });
    Effect::new(move |_| {
        if due.get().1 > 0 {
            asking.begin();
        }
    });
    view! { <Photographs job=id list=asking.list /> }
}

#[derive(Clone, Copy)]
struct Asking {
    id: JobId,
    list: RwSignal<Vec<EvidenceView>>,
    /// Counts beginnings: an older one gives up when there is a newer.
    round: StoredValue<u32>,
}

impl Asking {
    fn begin(self) {
        let round = self.round.try_update_value(|round| {
            *round += 1;
            *round
        });
        let Some(round) = round else { return };
        spawn_local(async move {
            let mut pause = FIRST_PAUSE;
            // None once the page is gone.
            while self.round.try_get_value() == Some(round) && !self.is_answered().await {
                browser::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Asks; true when there is nothing to wait for.
    async fn is_answered(self) -> bool {
        let path = format!("/api/v1/jobs/{}/evidence", self.id);
        match api::get::<Page<EvidenceView>>(&path).await {
            Ok(page) => {
                let is_whole = page.items.iter().all(|picture| picture.is_here);
                let _set = self.list.try_set(page.items);
                is_whole
            }
            // What is known stays on the page. Whoever may not ask any more is told so by what else the page asks.
            Err(problem) => (400..500).contains(&problem.status),
        }
    }
}
