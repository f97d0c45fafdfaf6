//! What can be read off a job: its phase by name, who holds it, what is open.

use protocol::{
    JobId, PersonId, RobotId, SiteId, UnixMicros,
    job::{AssistVerdict, PhaseName, StepAction},
};

use super::{Engaged, Halt, Help, HelpStage, Job, Phase, Question, Reservation, StopsFor, Work};
use crate::bounds::is_inside;

impl Phase {
    /// Whether nothing more can become of it.
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Completed { .. } | Self::Aborted { .. } | Self::Cancelled { .. } => true,
            Self::Requested
            | Self::Dispatching { .. }
            | Self::Reserved { .. }
            | Self::Engaged(_) => false,
        }
    }

    /// The robot that is at it, and how.
    pub const fn engaged(&self) -> Option<&Engaged> {
        match self {
            Self::Engaged(engaged) => Some(engaged),
            Self::Requested
            | Self::Dispatching { .. }
            | Self::Reserved { .. }
            | Self::Completed { .. }
            | Self::Aborted { .. }
            | Self::Cancelled { .. } => None,
        }
    }

    pub(crate) const fn engaged_mut(&mut self) -> Option<&mut Engaged> {
        match self {
            Self::Engaged(engaged) => Some(engaged),
            Self::Requested
            | Self::Dispatching { .. }
            | Self::Reserved { .. }
            | Self::Completed { .. }
            | Self::Aborted { .. }
            | Self::Cancelled { .. } => None,
        }
    }

    /// The reservation of the robot that has the job or is asked; of the last one, when the job is over.
    const fn reservation(&self) -> Option<Reservation> {
        match self {
            Self::Requested | Self::Dispatching { offer: None } => None,
            Self::Dispatching { offer: Some(offer) } => Some(offer.reservation),
            Self::Reserved { reservation }
            | Self::Completed { reservation }
            | Self::Aborted { reservation } => Some(*reservation),
            Self::Engaged(engaged) => Some(engaged.reservation),
            Self::Cancelled { reservation } => *reservation,
        }
    }
}

impl Work {
    /// Its name as a phase.
    pub const fn name(&self) -> PhaseName {
        match self {
            Self::Travelling => PhaseName::Travelling,
            Self::AtSite => PhaseName::AtSite,
            Self::Executing => PhaseName::Executing,
            Self::AwaitingApproval(_) => PhaseName::AwaitingApproval,
            Self::Verifying { .. } => PhaseName::Verifying,
        }
    }

    /// Whether it is done behind a door that the requester opened.
    pub const fn needs_access(&self) -> bool {
        match self {
            Self::Executing | Self::AwaitingApproval(_) => true,
            Self::Travelling | Self::AtSite | Self::Verifying { .. } => false,
        }
    }
}

impl StopsFor {
    /// Its name as a phase.
    pub const fn name(self) -> PhaseName {
        match self {
            Self::Paused => PhaseName::Paused,
            Self::Cancelled => PhaseName::Cancelled,
            Self::Incident => PhaseName::Incident,
        }
    }
}

impl Help {
    /// Whether somebody may still help.
    pub const fn is_open(&self) -> bool {
        match self.stage {
            HelpStage::Called | HelpStage::Claimed(_) | HelpStage::Started(_) => true,
            HelpStage::Over => false,
        }
    }

    /// The operator who took it.
    pub const fn operator(&self) -> Option<PersonId> {
        match self.stage {
            HelpStage::Claimed(operator) | HelpStage::Started(operator) => Some(operator),
            HelpStage::Called | HelpStage::Over => None,
        }
    }

    /// What the robot is told of it.
    pub const fn verdict(&self) -> AssistVerdict {
        AssistVerdict {
            assist: self.assist,
            option: self.option,
            is_over: !self.is_open(),
        }
    }
}

impl Engaged {
    /// Whether nobody told the robot to stop: it works, or nothing is heard of it.
    pub const fn is_active(&self) -> bool {
        match self.halt {
            Halt::None | Halt::Stalled => true,
            Halt::Stopping { .. } | Halt::Paused | Halt::Incident { .. } => false,
        }
    }

    /// Whether the robot may still be doing what it did: until it said that it stands, what it says of its work counts.
    pub const fn may_be_working(&self) -> bool {
        match self.halt {
            Halt::None
            | Halt::Stalled
            | Halt::Stopping { .. }
            | Halt::Incident {
                stop_confirmed: false,
            } => true,
            Halt::Paused
            | Halt::Incident {
                stop_confirmed: true,
            } => false,
        }
    }

    /// Whether it stands, or is about to, by the requester's wish alone.
    pub const fn can_be_held(&self) -> bool {
        let stands_for_requester = matches!(
            self.halt,
            Halt::Paused
                | Halt::Stopping {
                    then: StopsFor::Paused,
                    ..
                }
        );
        stands_for_requester && !self.is_held
    }

    /// An answer is for one question and for the step that it was about.
    pub(crate) const fn forget_verdict(&mut self) {
        self.verdict = None;
        self.is_taken_back = false;
    }

    /// The call for help that is not over.
    pub fn open_help(&self) -> Option<&Help> {
        self.help.as_ref().filter(|help| help.is_open())
    }

    /// Whether an operator is helping.
    pub const fn is_helped(&self) -> bool {
        matches!(
            self.help,
            Some(Help {
                stage: HelpStage::Started(_),
                ..
            })
        )
    }

    /// What the robot does, or that a person helps it.
    const fn going(&self) -> PhaseName {
        if self.is_helped() {
            return PhaseName::Assisted;
        }
        self.work.name()
    }

    const fn shown(&self) -> PhaseName {
        match self.halt {
            Halt::None => self.going(),
            Halt::Stalled => PhaseName::Stalled,
            Halt::Stopping { .. } => PhaseName::Stopping,
            Halt::Paused => PhaseName::Paused,
            Halt::Incident { .. } => PhaseName::Incident,
        }
    }

    fn interrupted(&self) -> Option<PhaseName> {
        match self.halt {
            Halt::None => self.is_helped().then(|| self.work.name()),
            Halt::Stalled | Halt::Stopping { .. } | Halt::Paused | Halt::Incident { .. } => {
                Some(self.going())
            }
        }
    }
}

impl Job {
    /// Its id.
    pub const fn id(&self) -> JobId {
        self.request.job
    }

    /// Where it is done.
    pub const fn site(&self) -> SiteId {
        self.request.site
    }

    /// Whether the requester has to allow the next step.
    pub fn needs_approval(&self) -> bool {
        let next = usize::try_from(self.checkpoint).ok();
        next.and_then(|next| self.plan.steps.get(next))
            .is_some_and(|step| matches!(step.action, StepAction::ApprovedWork { .. }))
    }

    /// Where it stands, by name.
    pub const fn phase_name(&self) -> PhaseName {
        match &self.phase {
            Phase::Requested => PhaseName::Requested,
            Phase::Dispatching { .. } => PhaseName::Dispatching,
            Phase::Reserved { .. } => PhaseName::Reserved,
            Phase::Engaged(engaged) => engaged.shown(),
            Phase::Completed { .. } => PhaseName::Completed,
            Phase::Aborted { .. } => PhaseName::Aborted,
            Phase::Cancelled { .. } => PhaseName::Cancelled,
        }
    }

    /// The phase that it returns to, while it is interrupted.
    pub fn interrupted(&self) -> Option<PhaseName> {
        self.phase.engaged()?.interrupted()
    }

    /// Whether the robot stands, or is about to, because somebody else than the requester paused it.
    pub fn is_held(&self) -> bool {
        self.phase.engaged().is_some_and(|engaged| engaged.is_held)
    }

    /// Where a stop leads to, while the robot is stopping.
    pub fn stops_for(&self) -> Option<PhaseName> {
        match self.phase.engaged()?.halt {
            Halt::Stopping { then, .. } => Some(then.name()),
            Halt::None | Halt::Stalled | Halt::Paused | Halt::Incident { .. } => None,
        }
    }

    /// The robot that holds it or is offered it, under which number. None when it is over.
    pub const fn holder(&self) -> Option<Reservation> {
        if self.phase.is_over() {
            return None;
        }
        self.phase.reservation()
    }

    /// The robot that holds it or is offered it; the one that had it, when it is over.
    pub fn robot(&self) -> Option<RobotId> {
        Some(self.phase.reservation()?.robot)
    }

    /// Whether the robot that holds it found the way in open under the plan that is in force.
    pub fn is_access_verified(&self) -> bool {
        let verified_under = self
            .access
            .as_ref()
            .and_then(|access| access.verified_under);
        let epoch = self.holder().map(|reservation| reservation.epoch);
        verified_under.is_some() && verified_under == epoch
    }

    /// Whether the verified plan's window is open.
    pub(crate) fn is_let_in(&self, now: UnixMicros) -> bool {
        let is_open = self
            .access
            .as_ref()
            .is_some_and(|access| is_inside(access.plan.window, now));
        is_open && self.is_access_verified()
    }

    /// The question that the requester has not answered.
    pub fn question(&self) -> Option<&Question> {
        match &self.phase.engaged()?.work {
            Work::AwaitingApproval(question) => Some(question),
            Work::Travelling | Work::AtSite | Work::Executing | Work::Verifying { .. } => None,
        }
    }

    /// The moment from which work that is done counts as accepted.
    pub fn accept_by(&self) -> Option<UnixMicros> {
        match &self.phase.engaged()?.work {
            Work::Verifying { accept_by } => Some(*accept_by),
            Work::Travelling | Work::AtSite | Work::Executing | Work::AwaitingApproval(_) => None,
        }
    }

    /// The call for help that is not over.
    pub fn open_help(&self) -> Option<&Help> {
        self.phase.engaged()?.open_help()
    }
}
