//! Taking, answering and handing back calls for help, for the pages that offer it.

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    AssistId, JobId, RobotId,
    assist::AssistEnding,
    job::JobEvent,
    views::{Problem, Role},
};

use crate::{
    acts::{Acts, acts},
    live::{engine::Live, reduce::Input},
    navigation::Navigation,
    route::Route,
    session::Session,
};

/// What is under way towards a job, and what became of the last wish.
#[derive(Clone, Copy)]
pub(crate) struct Doing {
    acts: Acts,
    session: Session,
    /// Where what came of it is told.
    pub(super) live: Live,
    /// Whether an answer is awaited.
    pub(super) is_busy: RwSignal<bool>,
    /// Why the last wish was not granted.
    pub(super) trouble: RwSignal<Option<Problem>>,
}

impl Doing {
    /// Nothing yet.
    pub(super) fn new(live: Live) -> Self {
        Self {
            acts: acts(),
            session: expect_context(),
            live,
            is_busy: RwSignal::new(false),
            trouble: RwSignal::new(None),
        }
    }

    /// Does these one after the other, up to the first that is not granted; then, if all were, what follows.
    pub(super) fn on_job(
        self,
        job: JobId,
        events: Vec<JobEvent>,
        role: Role,
        after: impl FnOnce() + 'static,
    ) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.trouble.set(None);
        let after: Box<dyn FnOnce()> = Box::new(after);
        spawn_local(async move {
            let mut failed = None;
            for event in events {
                match self.acts.on_job(job, event, role).await {
                    Ok(view) => self.live.tell(Input::Jobs(vec![view])),
                    Err(problem) => {
                        failed = Some(problem);
                        break;
                    }
                }
            }
            // The page that asked may be gone by now.
            let _told = self.is_busy.try_set(false);
            if failed.is_none() {
                after();
            }
            let _told = self.trouble.try_set(failed);
        });
    }

    /// Takes a call and opens its robot.
    pub(super) fn claim(self, navigation: Navigation, call: AssistId, job: JobId, robot: RobotId) {
        let claimed = JobEvent::AssistClaimed { assist: call };
        let started = JobEvent::AssistStarted { assist: call };
        self.on_job(
            job,
            vec![claimed, started],
            self.session.helping_role(),
            move || {
                navigation.go(Route::Robot(robot));
            },
        );
    }

    /// Begins to help with a call that was taken.
    pub(super) fn start(self, call: AssistId, job: JobId) {
        let started = JobEvent::AssistStarted { assist: call };
        self.on_job(job, vec![started], self.session.helping_role(), || {});
    }

    /// Answers the robot's question.
    pub(super) fn answer(self, call: AssistId, job: JobId, option: usize) {
        let Ok(option) = u32::try_from(option) else {
            return;
        };
        let answered = JobEvent::AssistAnswered {
            assist: call,
            option,
        };
        self.on_job(job, vec![answered], self.session.helping_role(), || {});
    }

    /// Leaves the robot on its own again.
    pub(super) fn end(self, call: AssistId, job: JobId, is_helped: bool) {
        let ending = if is_helped {
            AssistEnding::Resolved
        } else {
            AssistEnding::GivenUp
        };
        let ended = JobEvent::AssistEnded {
            assist: call,
            ending,
        };
        self.on_job(job, vec![ended], self.session.helping_role(), || {});
    }
}
