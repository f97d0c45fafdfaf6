//! What is asked before something is taken away, in the words of the job.

use leptos::prelude::*;

use super::{desk::Desk, sure::Question};
use crate::request::state::robot;

/// What is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Leave to enter.
    Revoke,
    /// A yes to the robot's question.
    TakeYesBack,
    /// The job.
    Cancel,
}

/// The question before something is taken away, in the words of this job.
pub(super) fn question(desk: Desk, asked: RwSignal<Option<Asked>>) -> Signal<Option<Question>> {
    Signal::derive(move || {
        let asked = asked.get()?;
        desk.job.with(|job| {
            let job = job.as_deref()?;
            let name = robot(job);
            let place = &job.plan.place;
            let (title, rest, yes, no) = match asked {
                Asked::Revoke => (
                    format!("Revoke access to {place}?"),
                    format!(
                        "{name} stops and keeps the job. It goes on when you give access again."
                    ),
                    "Revoke access",
                    "Keep it as it is",
                ),
                Asked::TakeYesBack => (
                    "Take your yes back?".to_owned(),
                    format!(
                        "{name} stops and keeps the job. It goes on when you give access again."
                    ),
                    "Take it back",
                    "Keep it as it is",
                ),
                Asked::Cancel => (
                    format!("Cancel “{}”?", job.plan.title),
                    if job.robot.is_some() {
                        format!("{name} stops and does not come. You can ask for it anew.")
                    } else {
                        "No robot comes. You can ask for it anew.".to_owned()
                    },
                    "Cancel the job",
                    "Keep the job",
                ),
            };
            Some(Question {
                title,
                rest,
                yes,
                no,
                is_warning: true,
            })
        })
    })
}
