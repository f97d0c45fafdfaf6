//! What goes to and fro between the cloud and a robot.

use std::hash::{Hash, Hasher};

use protocol::{
    AccessId, ApprovalId, AssistId,
    job::{
        AccessFailure, ApprovalVerdict, Assignment, AssistVerdict, Directive, ForfeitReason,
        JobEvent,
    },
};

use crate::{
    moves::sample,
    tests::fixtures::{self, checkpoint},
};

/// What reaches the robot of its assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) epoch: u64,
    pub(super) directive: Directive,
    pub(super) access: Option<AccessId>,
    pub(super) checkpoint: u32,
    pub(super) approval: Option<ApprovalVerdict>,
    pub(super) assist: Option<AssistVerdict>,
    /// How many of the words that the robot keeps the log held when this was sent. The robot hears of each once.
    pub(super) held: usize,
    /// Whether the robot's last word that it stands was among what the log held.
    pub(super) is_stand_held: bool,
}

impl Hash for Told {
    fn hash<State: Hasher>(&self, state: &mut State) {
        let directive = match self.directive {
            Directive::Acknowledge => 0_u8,
            Directive::Proceed => 1,
            Directive::Stop => 2,
            Directive::Hold => 3,
            Directive::Release => 4,
        };
        (self.epoch, directive, self.access, self.checkpoint).hash(state);
        let approval = self.approval.map(|yes| (yes.approval, yes.is_granted));
        let assist = self
            .assist
            .map(|help| (help.assist, help.option, help.is_over));
        (approval, assist, self.held, self.is_stand_held).hash(state);
    }
}

impl Told {
    pub(super) fn of(assignment: &Assignment) -> Self {
        Self {
            epoch: assignment.epoch,
            directive: assignment.directive,
            access: assignment.access.as_ref().map(|plan| plan.access),
            checkpoint: assignment.checkpoint,
            approval: assignment.approval,
            assist: assignment.assist,
            held: 0,
            is_stand_held: false,
        }
    }

    pub(super) const fn release(epoch: u64) -> Self {
        Self {
            epoch,
            directive: Directive::Release,
            access: None,
            checkpoint: 0,
            approval: None,
            assist: None,
            held: 0,
            is_stand_held: false,
        }
    }
}

/// What a robot says, with the number that it acts under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Word {
    Confirmed(u64),
    Forfeited(u64),
    Departed(u64),
    Arrived(u64),
    Verified(u64, AccessId),
    Failed(u64, AccessId),
    Started(u64),
    Asks(u64, ApprovalId),
    Calls(u64, AssistId),
    Done(u64, u32),
    LeftOut(u64, u32),
    Trouble(u64),
    Stands(u64),
    Finished(u64),
}

impl Word {
    pub(super) fn event(self) -> JobEvent {
        match self {
            Self::Confirmed(epoch) => JobEvent::ReservationConfirmed { epoch },
            Self::Forfeited(epoch) => JobEvent::ReservationForfeited {
                epoch,
                reason: ForfeitReason::Fault,
            },
            Self::Departed(epoch) => JobEvent::Departed { epoch },
            Self::Arrived(epoch) => JobEvent::Arrived { epoch },
            Self::Verified(epoch, access) => JobEvent::AccessVerified { epoch, access },
            Self::Failed(epoch, access) => JobEvent::AccessFailed {
                epoch,
                access,
                reason: AccessFailure::DoorClosed,
            },
            Self::Started(epoch) => JobEvent::ExecutionStarted { epoch },
            Self::Asks(epoch, approval) => JobEvent::ApprovalRequested {
                epoch,
                approval,
                words: "May I?".to_owned(),
                answer_within_s: 300,
            },
            Self::Calls(epoch, assist) => JobEvent::AssistRequested {
                assist,
                epoch: Some(epoch),
                question: sample::question(protocol::assist::AssistReason::Unsure),
            },
            Self::Done(epoch, number) => checkpoint(epoch, number),
            Self::LeftOut(epoch, number) => JobEvent::CheckpointDone {
                epoch,
                number,
                left_out: true,
                evidence: Vec::new(),
            },
            Self::Trouble(epoch) => fixtures::trouble(Some(epoch)),
            Self::Stands(epoch) => JobEvent::SafeStateReached { epoch },
            Self::Finished(epoch) => JobEvent::WorkFinished { epoch },
        }
    }

    pub(super) const fn epoch(self) -> u64 {
        match self {
            Self::Confirmed(epoch)
            | Self::Forfeited(epoch)
            | Self::Departed(epoch)
            | Self::Arrived(epoch)
            | Self::Verified(epoch, _)
            | Self::Failed(epoch, _)
            | Self::Started(epoch)
            | Self::Asks(epoch, _)
            | Self::Calls(epoch, _)
            | Self::Done(epoch, _)
            | Self::LeftOut(epoch, _)
            | Self::Trouble(epoch)
            | Self::Stands(epoch)
            | Self::Finished(epoch) => epoch,
        }
    }
}
