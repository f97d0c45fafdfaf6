//! Does the job that the robot holds: compares what the gateway last said of it with what the robot does and has said, and
//! says what to do next. Pure: time and ids are arguments, and nothing here waits.

pub mod heard;
mod held;
mod places;
pub mod said;
mod step;
#[cfg(test)]
mod tests;
mod want;

use std::{sync::Arc, time::Duration};

use protocol::{
    CommandId, EvidenceId, JobId, UnixMicros,
    command::{AbandonReason, RobotRefusal, Verb},
    job::{Assignment, Directive, EvidenceHash, ForfeitReason, JobEvent},
    robot::{Activity, Health, Pose},
};
use uuid::Uuid;

use self::{
    heard::Told,
    held::{Aim, Halt, Held, Photo},
    said::{Said, epoch_of},
    want::{MOST_TRIES, Want},
};
pub use self::{held::Ground, places::find as place_named};

/// After a way that led nowhere. People who stand in a door move on within a minute.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Orders of its own that a driver can owe an ending for: the one that runs and those that it took the place of within one
/// step.
const MOST_ISSUED: usize = 8;

/// What there is to know at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The gateway's clock, as far as it is known here.
    pub now: UnixMicros,
    /// Since the last turn.
    pub elapsed: Duration,
    /// For what has to be named in this turn, and used in no other.
    pub fresh: Uuid,
    /// What is left in the battery.
    pub battery_percent: f64,
    /// How the robot is.
    pub health: Health,
    /// Whether somebody has control of the robot: then it does nothing of its own accord, and waits for them to let go.
    pub is_steered: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Give the driver this target; a refusal is told to [`Work::refused`].
    Drive {
        /// Under this name.
        command: CommandId,
        /// There.
        target: Pose,
    },
    /// Have the driver stand.
    Stand {
        /// Under this name.
        command: CommandId,
    },
    /// Write this down; its number is told to [`Work::written`]. Nothing else is said before.
    Say {
        /// Of which job.
        job: JobId,
        /// What.
        event: JobEvent,
    },
    /// Take a picture and keep it under this name; what came of it is told to [`Work::photographed`].
    Photograph {
        /// For which job.
        job: JobId,
        /// The name.
        evidence: EvidenceId,
    },
}

/// What moves the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    /// Nothing that we know of.
    Still,
    /// A drive for the job.
    Drive { command: CommandId, aim: Aim },
    /// A stand for the job.
    Stand { command: CommandId },
    /// A person's order.
    Person { command: CommandId, is_stop: bool },
}

/// The executor.
#[derive(Debug)]
pub struct Work {
    /// What was said of the latest job, whether it is held or not.
    remembered: Option<Said>,
    /// What holds that job back, where the robot came up stopped.
    remembered_halt: Option<Halt>,
    /// Whether the gateway said anything of a job since the agent started.
    is_told: bool,
    held: Option<Held>,
    motion: Motion,
    /// Whether the robot stood since it was last made to move.
    has_stood: bool,
    /// What is being written down.
    saying: Option<(JobId, JobEvent)>,
    /// A job that was offered while another one is held, and whether that was answered.
    offered_beside: Option<(JobId, u64)>,
    is_offer_answered: bool,
    /// The driver owes an ending for these.
    issued: Vec<CommandId>,
    pause: Duration,
    /// How many seconds of a step's work are done in one.
    speed: u32,
    activity: Option<Activity>,
}

impl Work {
    /// An executor that has said this before, and works so many times as fast as its plans say.
    pub const fn new(remembered: Option<Said>, speed: u32) -> Self {
        Self {
            remembered,
            remembered_halt: None,
            is_told: false,
            held: None,
            motion: Motion::Still,
            has_stood: false,
            saying: None,
            offered_beside: None,
            is_offer_answered: false,
            issued: Vec::new(),
            pause: Duration::ZERO,
            speed,
            activity: None,
        }
    }

    /// Takes in what the gateway said, each time that it says it; its record holds the robot's events up to `held_up_to`.
    /// `look` is asked what the robot brings along for a job that is new.
    pub fn hear(&mut self, told: &Told, held_up_to: u64, look: impl FnOnce(&Assignment) -> Ground) {
        let assignment = match told {
            Told::Nothing => return,
            Told::NoJob => {
                self.is_told = true;
                return self.drop_job();
            }
            Told::Job(assignment) => assignment,
        };
        self.is_told = true;
        let (job, epoch) = (assignment.job, assignment.epoch);
        if let Some(held) = &mut self.held {
            let is_same_job = held.said.job == job;
            if held.said.is_of(job, epoch) && assignment.directive != Directive::Release {
                return held.update(Arc::clone(assignment), held_up_to);
            }
            let is_offer = assignment.directive == Directive::Acknowledge;
            if is_offer && !is_same_job && held.is_under_way() {
                return self.turn_down(job, epoch);
            }
            if assignment.directive == Directive::Release && !is_same_job {
                return;
            }
        }
        self.drop_job();
        if assignment.directive != Directive::Release {
            let known = self.remembered.filter(|said| said.is_of(job, epoch));
            let said = known.unwrap_or(Said::nothing(job, epoch));
            let ground = look(assignment);
            let mut held = Held::new(Arc::clone(assignment), said, ground, held_up_to);
            // What was stopped before the agent started stays so until somebody sends it on, as it would have without that.
            held.halt = self.remembered_halt.take().filter(|_| known.is_some());
            self.held = Some(held);
        }
    }

    fn drop_job(&mut self) {
        self.held = None;
        self.pause = Duration::ZERO;
        self.offered_beside = None;
        if let Motion::Drive { aim, .. } = &mut self.motion {
            *aim = Aim::Nowhere;
        }
    }

    fn turn_down(&mut self, job: JobId, epoch: u64) {
        if self.offered_beside != Some((job, epoch)) {
            self.offered_beside = Some((job, epoch));
            self.is_offer_answered = false;
        }
    }

    /// A person's order was accepted: it comes before the job.
    pub fn person_ordered(&mut self, command: CommandId, verb: Verb) {
        let is_stop = verb == Verb::Stop;
        self.motion = Motion::Person { command, is_stop };
        self.has_stood = false;
        if let Some(held) = &mut self.held {
            held.leave_spot();
            match (is_stop, held.assignment.directive) {
                (true, _) => held.halt = Some(Halt::Stopped),
                (false, Directive::Proceed) => held.halt = Some(Halt::Driven),
                // It goes on when it is told to, as it would have.
                (
                    false,
                    Directive::Acknowledge | Directive::Stop | Directive::Hold | Directive::Release,
                ) => {}
            }
        }
    }

    /// The job that it is at.
    pub fn job(&self) -> Option<JobId> {
        let held = self.held.as_ref().filter(|held| held.is_under_way())?;
        Some(held.assignment.job)
    }

    /// The robot comes up stopped, as it was when the agent ended.
    pub const fn came_up_stopped(&mut self) {
        self.remembered_halt = Some(Halt::Stopped);
    }

    /// Who steered the robot let go, which sends it on after a drive of theirs. A stop takes more: somebody says that the job
    /// goes on.
    pub fn let_go(&mut self) {
        if let Some(held) = &mut self.held
            && held.halt == Some(Halt::Driven)
        {
            held.halt = None;
        }
    }

    /// An order ended; true for one of the executor's own, which is nobody else's business.
    pub fn ended(&mut self, command: CommandId, result: Result<(), AbandonReason>) -> bool {
        let is_own = self.is_own(command);
        self.issued.retain(|issued| *issued != command);
        match self.motion {
            Motion::Drive {
                command: running,
                aim,
            } if running == command => {
                self.motion = Motion::Still;
                self.drive_ended(aim, result);
            }
            Motion::Stand { command: running } if running == command => {
                self.motion = Motion::Still;
                self.has_stood = result.is_ok();
            }
            Motion::Person {
                command: running,
                is_stop,
            } if running == command => {
                self.motion = Motion::Still;
                self.has_stood = is_stop && result.is_ok();
            }
            Motion::Still | Motion::Drive { .. } | Motion::Stand { .. } | Motion::Person { .. } => {
            }
        }
        is_own
    }

    fn drive_ended(&mut self, aim: Aim, result: Result<(), AbandonReason>) {
        let Some(held) = &mut self.held else { return };
        match (result, aim) {
            (Ok(()), Aim::Door) => held.reached_door(),
            (Ok(()), Aim::Spot) => held.reached_spot(),
            // Somebody wanted something else of the robot: that is no reason to think that the way is closed.
            (_, Aim::Nowhere)
            | (
                Err(
                    AbandonReason::Superseded
                    | AbandonReason::Stopped
                    | AbandonReason::ControlEnded
                    | AbandonReason::DeadMan
                    | AbandonReason::StaleFrame
                    | AbandonReason::Delay
                    | AbandonReason::BatteryLow,
                ),
                _,
            ) => {}
            (
                Err(AbandonReason::Blocked | AbandonReason::Fault | AbandonReason::Restarted),
                Aim::Door | Aim::Spot,
            ) => {
                held.tries += 1;
                self.pause = AGAIN_AFTER;
            }
        }
    }

    /// The driver turned the last drive down.
    pub fn refused(&mut self, reason: RobotRefusal) {
        let Motion::Drive { command, .. } = self.motion else {
            return;
        };
        self.motion = Motion::Still;
        self.issued.retain(|issued| *issued != command);
        let Some(held) = &mut self.held else { return };
        self.pause = AGAIN_AFTER;
        match reason {
            // No other try would fare better.
            RobotRefusal::BatteryLow | RobotRefusal::Fault | RobotRefusal::Unsupported => {
                held.tries = MOST_TRIES;
            }
            // Things that lie about, and people, come and go.
            RobotRefusal::OutsideMap
            | RobotRefusal::InsideObstacle
            | RobotRefusal::Unreachable
            | RobotRefusal::Stale
            | RobotRefusal::StaleEpoch
            | RobotRefusal::NotSigned
            | RobotRefusal::NoGrant
            | RobotRefusal::OutsideGrant
            | RobotRefusal::OutOfSequence
            | RobotRefusal::AnotherRobot
            | RobotRefusal::Stopped
            | RobotRefusal::NotReleasable
            | RobotRefusal::NotArmed
            | RobotRefusal::StaleFrame
            | RobotRefusal::Delay
            | RobotRefusal::KeepOut
            | RobotRefusal::UnknownFrame => held.tries += 1,
        }
    }

    /// What was to be written down is on disk, as the robot's event of this number.
    pub fn written(&mut self, number: u64) {
        let Some((job, event)) = self.saying.take() else {
            return;
        };
        let Some(epoch) = epoch_of(&event) else {
            return;
        };
        if self.offered_beside == Some((job, epoch)) {
            self.is_offer_answered = true;
            return;
        }
        if let Some(held) = self
            .held
            .as_mut()
            .filter(|held| held.said.is_of(job, epoch))
        {
            held.said.note(number, &event);
            if matches!(event, JobEvent::SafeStateReached { .. }) {
                held.owes_safe_state = false;
            }
            if matches!(event, JobEvent::AssistRequested { .. }) {
                held.called_beside = held.assignment.assist.map(|verdict| verdict.assist);
            }
            self.remembered = Some(held.said);
            return;
        }
        // Said of a job that was dropped meanwhile.
        let mut said = self
            .remembered
            .filter(|said| said.is_of(job, epoch))
            .unwrap_or(Said::nothing(job, epoch));
        said.note(number, &event);
        self.remembered = Some(said);
    }

    /// What came of a picture; `None` when there is none.
    pub fn photographed(&mut self, evidence: EvidenceId, hash: Option<EvidenceHash>) {
        if let Some(held) = &mut self.held
            && held.step.photo == Photo::Asked(evidence)
        {
            held.step.photo = hash.map_or(Photo::Failed, Photo::Taken);
        }
    }

    /// The next thing to do, if there is any. One at a time; to be called again soon.
    pub fn turn(&mut self, moment: &Moment) -> Option<Act> {
        self.pause = self.pause.saturating_sub(moment.elapsed);
        if let Some(held) = &mut self.held {
            held.turn_to_step();
        }
        if let Some((job, epoch)) = self.offered_beside
            && !self.is_offer_answered
            && self.saying.is_none()
        {
            let reason = ForfeitReason::Busy;
            return Some(self.say(job, JobEvent::ReservationForfeited { epoch, reason }));
        }
        let want = want::of(
            self.held.as_ref(),
            moment,
            matches!(self.motion, Motion::Person { .. }),
            self.has_stood,
        );
        self.pass_time(&want, moment.elapsed);
        self.activity = self.activity_of(&want);
        if let Motion::Drive { aim, .. } = self.motion {
            let goes_on = matches!(want, Want::Drive { aim: wanted, .. } if wanted == aim);
            return (!goes_on).then(|| self.stand(moment.fresh));
        }
        self.act_on(want, moment.fresh)
    }

    fn act_on(&mut self, want: Want, fresh: Uuid) -> Option<Act> {
        match (want, self.motion) {
            (Want::StandSafe, Motion::Still | Motion::Person { is_stop: false, .. }) => {
                Some(self.stand(fresh))
            }
            (Want::Drive { aim, target }, Motion::Still) if self.pause.is_zero() => {
                let command = CommandId(fresh);
                self.motion = Motion::Drive { command, aim };
                self.has_stood = false;
                self.issue(command);
                Some(Act::Drive { command, target })
            }
            (Want::Say(event), _) if self.saying.is_none() => {
                let job = self.held.as_ref()?.said.job;
                Some(self.say(job, event))
            }
            (Want::Photograph, _) => {
                let evidence = EvidenceId(fresh);
                let held = self.held.as_mut()?;
                held.step.photo = Photo::Asked(evidence);
                let job = held.said.job;
                Some(Act::Photograph { job, evidence })
            }
            // There is nothing to do, or what runs, or is being written down, has to end first.
            (
                Want::Nothing
                | Want::Wait
                | Want::Labour
                | Want::StandSafe
                | Want::Drive { .. }
                | Want::Say(_),
                _,
            ) => None,
        }
    }

    fn say(&mut self, job: JobId, event: JobEvent) -> Act {
        self.saying = Some((job, event.clone()));
        Act::Say { job, event }
    }

    fn stand(&mut self, fresh: Uuid) -> Act {
        let command = CommandId(fresh);
        self.motion = Motion::Stand { command };
        self.issue(command);
        Act::Stand { command }
    }

    fn issue(&mut self, command: CommandId) {
        if self.issued.len() == MOST_ISSUED {
            self.issued.remove(0);
        }
        self.issued.push(command);
    }

    /// Work takes its time; getting to the spot is a part of it, unless somebody has to be asked there first.
    fn pass_time(&mut self, want: &Want, elapsed: Duration) {
        let Some(held) = &mut self.held else { return };
        let is_at_work = match want {
            Want::Labour => true,
            Want::Drive { aim, .. } => *aim == Aim::Spot && held.is_at_plain_work(),
            Want::Nothing | Want::Wait | Want::StandSafe | Want::Say(_) | Want::Photograph => false,
        };
        if is_at_work {
            held.step.worked += elapsed * self.speed;
        }
    }

    /// Whether the driver got this order from here.
    pub fn is_own(&self, command: CommandId) -> bool {
        self.issued.contains(&command)
    }

    /// Whether the robot has something better to do than its own rounds. After a start that is so until the gateway says
    /// what became of the job that was held before.
    pub fn is_engaged(&self) -> bool {
        let may_hold = !self.is_told && self.remembered.is_some_and(|said| said.is_open());
        may_hold
            || self
                .held
                .as_ref()
                .is_some_and(|held| !held.said.is_forfeited)
    }

    /// What the robot does, when its driver says that.
    pub fn activity(&self, driver: Activity) -> Activity {
        match self.activity {
            // The driver knows better whether somebody is in the way.
            Some(Activity::Working) if driver == Activity::Waiting => driver,
            Some(activity) => activity,
            None => driver,
        }
    }

    fn activity_of(&self, want: &Want) -> Option<Activity> {
        let held = self.held.as_ref()?;
        match (held.halt, self.motion) {
            (Some(Halt::Stopped), _) => return Some(Activity::Stopped),
            (Some(Halt::Driven), Motion::Still) => return Some(Activity::Waiting),
            (Some(Halt::Driven) | None, _) => {}
        }
        match (self.motion, want) {
            (
                Motion::Person { .. }
                | Motion::Drive {
                    aim: Aim::Door | Aim::Nowhere,
                    ..
                },
                _,
            ) => None,
            (Motion::Drive { aim: Aim::Spot, .. }, _)
            | (_, Want::Labour | Want::Photograph | Want::Drive { aim: Aim::Spot, .. }) => {
                Some(Activity::Working)
            }
            (_, Want::Wait) => Some(Activity::Waiting),
            (_, Want::Nothing | Want::StandSafe | Want::Say(_) | Want::Drive { .. }) => None,
        }
    }
}
