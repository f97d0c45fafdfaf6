//! The job that the robot holds, and how far it is with it.

use std::{sync::Arc, time::Duration};

use protocol::{
    AssistId, EvidenceId,
    job::{Assignment, AssistVerdict, Directive, EvidenceHash, PlanStep, StepAction},
    robot::Pose,
};

use super::said::Said;
use crate::driver::Workplace;

/// What the robot brings along for a job, seen once when it is offered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ground {
    /// The plan's place, if it is on the map.
    pub workplace: Option<Workplace>,
    /// The names of the other places on the map.
    pub other_places: Vec<String>,
    /// Whether it drives to where it is told.
    pub can_navigate: bool,
    /// Its main camera, if that takes stills.
    pub camera: Option<String>,
}

/// Where a drive for the job leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// Before the place's door.
    Door,
    /// To where the step is done.
    Spot,
    /// Where a job led that is no longer held.
    Nowhere,
}

/// A person stopped the job's work, and has not sent the robot on since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// By Stop.
    Stopped,
    /// By a target of their own.
    Driven,
}

/// A step's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Photo {
    Untaken,
    Asked(EvidenceId),
    Taken(EvidenceHash),
    Failed,
}

/// The step that the robot is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// From 1.
    pub(super) number: u32,
    pub(super) is_at_spot: bool,
    /// Work done, in the plan's seconds.
    pub(super) worked: Duration,
    pub(super) photo: Photo,
}

impl Step {
    const fn begin(number: u32) -> Self {
        Self {
            number,
            is_at_spot: false,
            worked: Duration::ZERO,
            photo: Photo::Untaken,
        }
    }
}

/// The job.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) assignment: Arc<Assignment>,
    pub(super) said: Said,
    pub(super) ground: Ground,
    pub(super) halt: Option<Halt>,
    /// Whether a stop waits for the robot's word that it stands.
    pub(super) owes_safe_state: bool,
    /// The call that was known when the robot made its own.
    pub(super) called_beside: Option<AssistId>,
    pub(super) is_at_door: bool,
    pub(super) step: Step,
    /// Ways to the present aim that led nowhere.
    pub(super) tries: u32,
}

impl Held {
    pub(super) fn new(
        assignment: Arc<Assignment>,
        said: Said,
        ground: Ground,
        held_up_to: u64,
    ) -> Self {
        let owes_safe_state = assignment.directive == Directive::Stop
            && said.safe_state.is_none_or(|number| number <= held_up_to);
        Self {
            assignment,
            said,
            ground,
            halt: None,
            owes_safe_state,
            called_beside: None,
            is_at_door: false,
            step: Step::begin(0),
            tries: 0,
        }
    }

    /// The gateway said it again, or something else of it.
    pub(super) fn update(&mut self, assignment: Arc<Assignment>, held_up_to: u64) {
        let before = std::mem::replace(&mut self.assignment, assignment);
        let is_stop = self.assignment.directive == Directive::Stop;
        // A stop that stands although our word on the last one is recorded is another one.
        let is_another = before.directive != Directive::Stop
            || self
                .said
                .safe_state
                .is_some_and(|number| number <= held_up_to);
        self.owes_safe_state = is_stop && (self.owes_safe_state || is_another);
        if self.is_sent_on(&before) {
            self.halt = None;
        }
        if self.was_passed_over() {
            self.said.has_called = false;
        }
        // Whoever helped may have cleared the way.
        let (was, is) = (self.verdict(&before), self.verdict(&self.assignment));
        if is != was && is.is_some_and(|verdict| verdict.is_over || verdict.option.is_some()) {
            self.tries = 0;
        }
    }

    /// Whether a person sends the robot on, after one has stopped or driven it: who holds the job lets it go on, or who
    /// was called for help answers. A call that nobody took ends by itself, so that its end alone lifts no stop.
    fn is_sent_on(&self, before: &Assignment) -> bool {
        let was_held = matches!(before.directive, Directive::Hold | Directive::Stop);
        if was_held && self.assignment.directive == Directive::Proceed {
            return true;
        }
        let Some(is) = self.assignment.assist else {
            return false;
        };
        let was = before.assist.filter(|was| was.assist == is.assist);
        let is_answered = is.option.is_some();
        let is_newly_answered = is_answered && was.is_none_or(|was| was.option.is_none());
        let is_ended = is.is_over && was.is_none_or(|was| !was.is_over);
        match self.halt {
            None => false,
            Some(Halt::Stopped) => is_newly_answered || (is_ended && is_answered),
            Some(Halt::Driven) => is_newly_answered || is_ended,
        }
    }

    /// Whether another call than the robot's own has come up since it made that: there is one line, so that its own was not taken.
    fn was_passed_over(&self) -> bool {
        let other = self.assignment.assist.map(|verdict| verdict.assist);
        other.is_some() && other != self.said.assist && other != self.called_beside
    }

    /// What an assignment says of the call for help with the present step.
    pub(super) fn verdict(&self, assignment: &Assignment) -> Option<AssistVerdict> {
        let call = self.said.assist?;
        assignment.assist.filter(|verdict| verdict.assist == call)
    }

    /// Whether a call is open, whoever called: there is one line, and it has to be free for the next.
    pub(super) fn is_line_taken(&self) -> bool {
        self.assignment
            .assist
            .is_some_and(|verdict| !verdict.is_over)
    }

    /// Whether another job would have to wait.
    pub(super) const fn is_under_way(&self) -> bool {
        self.said.is_open() && (self.said.is_confirmed || self.said.is_departed)
    }

    /// Begins the step after the last one that is done, unless it is at that one. While it is to stop, what it said of the last one
    /// may not have come yet.
    pub(super) fn turn_to_step(&mut self) {
        if self.assignment.directive != Directive::Proceed {
            return;
        }
        let number = self.said.checkpoint.max(self.assignment.checkpoint) + 1;
        if self.step.number != number {
            self.step = Step::begin(number);
            self.tries = 0;
        }
    }

    /// The step that the robot is at; `None` behind the last.
    pub(super) fn plan_step(&self) -> Option<&PlanStep> {
        let index = usize::try_from(self.step.number).ok()?.checked_sub(1)?;
        self.assignment.plan.steps.get(index)
    }

    /// Whether the step is work that needs nobody's word.
    pub(super) fn is_at_plain_work(&self) -> bool {
        let step = self.plan_step();
        step.is_some_and(|step| matches!(step.action, StepAction::Work { .. }))
    }

    /// Where the step is done. After a way that led nowhere it is tried elsewhere in the room.
    pub(super) fn spot(&self) -> Option<Pose> {
        let spots = &self.ground.workplace.as_ref()?.spots;
        let turn = u64::from(self.step.number) + u64::from(self.tries);
        let index = usize::try_from(turn % spots.len().max(1) as u64).ok()?;
        spots.get(index).copied()
    }

    pub(super) const fn reached_door(&mut self) {
        self.is_at_door = true;
        self.tries = 0;
    }

    pub(super) const fn reached_spot(&mut self) {
        self.step.is_at_spot = true;
        self.tries = 0;
    }

    /// Somebody moves the robot.
    pub(super) const fn leave_spot(&mut self) {
        self.is_at_door = false;
        self.step.is_at_spot = false;
        self.tries = 0;
    }
}
