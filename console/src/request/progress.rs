//! How far the plan is done, and what access and pictures there are meanwhile.

use protocol::{
    RobotId,
    job::{PhaseName, StepAction},
    views::JobView,
};

use super::state::{Stage, robot_within, stage};

/// How far the plan is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps of the plan.
    pub total: usize,
    /// Whether the next one is being worked on.
    pub is_running: bool,
    /// The steps before, shortened: "Strip bed, wipe rail".
    pub before: Vec<String>,
    /// The one that is next or worked on.
    pub present: Option<String>,
    /// The steps after it.
    pub after: Vec<String>,
    /// The steps that nobody does any more: the job ended before them.
    pub never: Vec<String>,
}

impl Progress {
    /// "Step 4 of 9", "9 of 9 done".
    pub fn words(&self) -> String {
        if self.is_running {
            format!("Step {} of {}", self.done + 1, self.total)
        } else {
            format!("{} of {} done", self.done, self.total)
        }
    }
}

/// How far the plan is done.
pub fn progress(job: &JobView) -> Progress {
    let total = job.plan.steps.len();
    let done = usize::try_from(job.checkpoint).unwrap_or(total).min(total);
    let title = |step: &protocol::job::PlanStep| step.title.clone();
    let (before, rest) = job.plan.steps.split_at(done);
    let is_over = job.phase.is_over();
    let (rest, never) = rest.split_at(if is_over { 0 } else { rest.len() });
    let is_at_work = match job.phase {
        PhaseName::Executing | PhaseName::AwaitingApproval | PhaseName::Assisted => true,
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    };
    Progress {
        done,
        total,
        is_running: is_at_work && !rest.is_empty(),
        before: before.iter().map(title).collect(),
        present: rest.first().map(title),
        after: rest.iter().skip(1).map(title).collect(),
        never: never.iter().map(title).collect(),
    }
}

/// Whether the robot's pictures are shown, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Of this robot.
    Of(RobotId),
    /// Why there are none.
    Nothing(String),
}

/// Whether the robot's pictures are shown: from when it is at the place of this job. On its way it passes other people's doors,
/// and the gateway shows nothing; once there is a receipt nobody asks.
pub fn sight(job: &JobView) -> Option<Sight> {
    match (stage(job.phase), job.robot) {
        (Stage::Live, Some(robot)) if is_at_place(job) => Some(Sight::Of(robot)),
        (Stage::Asked | Stage::Booked | Stage::Live, _) => Some(Sight::Nothing(format!(
            "Pictures are shown while {} works for you.",
            robot_within(job)
        ))),
        (Stage::Receipt, _) => None,
    }
}

/// Whether the robot is where the job is done, whatever keeps it from going on.
fn is_at_place(job: &JobView) -> bool {
    match job.interrupted.unwrap_or(job.phase) {
        PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted => true,
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

/// Pictures that the robot took for the record, among the steps that are done.
pub fn pictures_taken(job: &JobView) -> usize {
    let done = usize::try_from(job.checkpoint).unwrap_or(usize::MAX);
    job.plan
        .steps
        .iter()
        .take(done)
        .filter(|step| step.action == StepAction::Photograph)
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::job;
    use super::*;

    #[test]
    fn steps_are_counted_as_people_count_them() {
        let mut working = job(PhaseName::Executing);
        let told = progress(&working);
        assert_eq!(told.words(), "Step 2 of 3");
        assert_eq!(told.present.as_deref(), Some("Clear bedside table"));
        assert_eq!((told.before.len(), told.after.len()), (1, 1));

        working.checkpoint = 3;
        assert_eq!(progress(&working).words(), "3 of 3 done");
        assert_eq!(progress(&job(PhaseName::Paused)).words(), "1 of 3 done");
    }

    #[test]
    fn a_job_that_is_over_has_no_step_before_it() {
        for phase in PhaseName::ALL {
            let told = progress(&job(phase));

            let is_ahead = told.present.is_some() || !told.after.is_empty();
            assert_eq!(is_ahead, !phase.is_over(), "{phase:?}");
            assert_eq!(told.never.len(), if phase.is_over() { 2 } else { 0 });
        }
    }

    #[test]
    fn pictures_are_shown_while_the_robot_is_at_the_place_and_at_no_other_time() {
        let is_shown = |job: &JobView| matches!(sight(job), Some(Sight::Of(_)));

        for phase in PhaseName::ALL {
            let expected = matches!(
                phase,
                PhaseName::AtSite
                    | PhaseName::Executing
                    | PhaseName::AwaitingApproval
                    | PhaseName::Assisted
            );
            assert_eq!(is_shown(&job(phase)), expected, "{phase:?}");
        }
        for (interrupted, expected) in
            [(PhaseName::Executing, true), (PhaseName::Travelling, false)]
        {
            let paused = JobView {
                interrupted: Some(interrupted),
                ..job(PhaseName::Paused)
            };
            assert_eq!(is_shown(&paused), expected, "{interrupted:?}");
        }
    }

    #[test]
    fn a_picture_counts_once_its_step_is_done() {
        let mut working = job(PhaseName::Executing);
        assert_eq!(pictures_taken(&working), 0);

        working.checkpoint = 3;
        assert_eq!(pictures_taken(&working), 1);
    }
}
