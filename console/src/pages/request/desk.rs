//! One job of the requester's: the newest that is known of it, and what they do to it.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    AccessId, JobId, UnixMicros,
    job::{AccessPlan, JobEvent, Window},
    views::{JobView, Problem, Role},
};

use super::{Ungranted, mark};
use crate::{
    acts::{self, Acts},
    api, browser,
    live::{engine::Live, reduce::Input},
};

/// One job, for whoever draws it or acts on it.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) id: JobId,
    pub(super) live: Live,
    acts: Acts,
    /// The newest that is known of it.
    pub(super) job: Memo<Option<Arc<JobView>>>,
    /// Why it could not be asked for.
    pub(super) failed: RwSignal<Option<Problem>>,
    /// Why the latest act was not done.
    pub(super) refused: RwSignal<Option<Problem>>,
    /// Acts that were sent and not answered.
    pub(super) under_way: RwSignal<u32>,
    ungranted: Ungranted,
}

impl Desk {
    /// Asks for the job, and again whenever the connection comes back: what the socket told meanwhile was missed.
    pub(super) fn new(id: JobId) -> Self {
        let live = expect_context::<Live>();
        let desk = Self {
            id,
            live,
            acts: acts::acts(),
            job: Memo::new(move |_| live.read(|model| model.jobs.get(id).cloned())),
            failed: RwSignal::new(None),
            refused: RwSignal::new(None),
            under_way: RwSignal::new(0),
            ungranted: expect_context(),
        };
        on_connection(live, move || spawn_local(desk.load()));
        desk
    }

    async fn load(self) {
        match api::get::<JobView>(&format!("/api/v1/jobs/{}", self.id)).await {
            Ok(view) => {
                let _set = self.failed.try_set(None);
                self.live.tell(Input::Jobs(vec![view]));
            }
            Err(problem) => {
                let _set = self.failed.try_set(Some(problem));
            }
        }
    }

    /// Something of the job, followed; the default until it is known.
    pub(super) fn part<T: PartialEq + Default + Send + Sync + 'static>(
        self,
        read: impl Fn(&JobView) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| {
            self.job
                .with(|job| job.as_deref().map(&read).unwrap_or_default())
        })
    }

    /// The present moment of the gateway's clock, three times a second.
    pub(super) fn now(self) -> UnixMicros {
        self.live
            .at_glance(|model, now| now.plus(model.clock.gateway_ahead_us()))
    }

    /// The same, once.
    pub(super) fn now_once(self) -> UnixMicros {
        mark::gateway_now(self.live, browser::now())
    }

    /// Does something to the job, as its requester.
    pub(super) fn act(self, event: JobEvent) {
        self.act_then(event, || {});
    }

    /// The same, and something more once it is done.
    pub(super) fn act_then(self, event: JobEvent, then: impl FnOnce() + 'static) {
        self.under_way.update(|count| *count += 1);
        spawn_local(async move {
            let answer = self.acts.on_job(self.id, event, Role::Requester).await;
            let _counted = self.under_way.try_update(|count| *count -= 1);
            match answer {
                Ok(view) => {
                    let _set = self.refused.try_set(None);
                    self.live.tell(Input::Jobs(vec![view]));
                    then();
                }
                Err(problem) => {
                    let _set = self.refused.try_set(Some(problem));
                }
            }
        });
    }

    /// Why the access that was to be given with the job was not, until it is. Followed.
    pub(super) fn ungranted(self) -> Option<Problem> {
        let Ungranted(ungranted) = self.ungranted;
        ungranted.with(|told| {
            let (job, problem) = told.as_ref()?;
            (*job == self.id).then(|| problem.clone())
        })
    }

    /// There is access, or none is wanted any more: what went wrong with it is told no longer.
    pub(super) fn forget_ungranted(self) {
        let Ungranted(ungranted) = self.ungranted;
        let is_told = ungranted.with_untracked(|told| {
            let job = told.as_ref().map(|(job, _)| *job);
            job == Some(self.id)
        });
        if is_told {
            ungranted.set(None);
        }
    }

    /// Takes leave to enter back.
    pub(super) fn revoke_access(self) {
        let access = self
            .job
            .with_untracked(|job| Some(job.as_deref()?.access.as_ref()?.access));
        if let Some(access) = access {
            self.act(JobEvent::AccessRevoked { access });
        }
    }

    /// Gives leave to enter until then: from now on, or from when the job is to begin.
    pub(super) fn give_access(self, until: UnixMicros) {
        let Some(job) = self.job.get_untracked() else {
            return;
        };
        let from = self.access_from(&job);
        self.act(JobEvent::AccessGranted {
            plan: AccessPlan {
                access: AccessId(browser::fresh_id()),
                place: job.plan.place.clone(),
                window: Window { from, until },
                secret: None,
            },
        });
    }

    /// When leave to enter would begin.
    pub(super) fn access_from(self, job: &JobView) -> UnixMicros {
        job.window.from.max(self.now_once())
    }
}

/// Does something now and with every snapshot: when the connection comes back, or has dropped frames, news may have been missed.
pub(in crate::pages) fn on_connection(live: Live, ask: impl Fn() + 'static) {
    let snapshots = Memo::new(move |_| live.read(|model| model.snapshots));
    Effect::new(move |_| {
        snapshots.get();
        ask();
    });
}
