//! What operators and the cloud may say of a call for help. A robot's own call is a fact.

use protocol::{AssistId, PersonId, assist::AssistQuestion};

use super::stop::active;
use crate::{
    actor::Actor,
    bounds::is_question_sound,
    job::{Help, HelpStage, Job},
    refusal::Refusal,
};

/// The cloud calls for a robot of which nothing is heard.
pub(super) fn requested(
    job: &Job,
    assist: AssistId,
    epoch: Option<u64>,
    question: &AssistQuestion,
) -> Result<(), Refusal> {
    if epoch.is_some() {
        return Err(Refusal::EpochOutOfPlace);
    }
    let engaged = active(job)?;
    if engaged.open_help().is_some() || engaged.help.is_some_and(|last| last.assist == assist) {
        return Err(Refusal::AssistOpen);
    }
    is_question_sound(question)
        .then_some(())
        .ok_or(Refusal::AssistUnsound)
}

/// A call that nobody took yet.
pub(super) fn untaken(job: &Job, assist: AssistId) -> Result<(), Refusal> {
    match open(job, assist)?.stage {
        HelpStage::Called => Ok(()),
        HelpStage::Claimed(_) | HelpStage::Started(_) | HelpStage::Over => {
            Err(Refusal::AssistTaken)
        }
    }
}

/// A call that nobody is answering yet. One that was taken and not begun may ring again: its operator left.
pub(super) fn not_begun(job: &Job, assist: AssistId) -> Result<(), Refusal> {
    match open(job, assist)?.stage {
        HelpStage::Called | HelpStage::Claimed(_) => Ok(()),
        HelpStage::Started(_) | HelpStage::Over => Err(Refusal::AssistTaken),
    }
}

/// The call that is open.
pub(super) fn open(job: &Job, assist: AssistId) -> Result<Help, Refusal> {
    job.open_help()
        .filter(|help| help.assist == assist)
        .copied()
        .ok_or(Refusal::AssistUnknown)
}

pub(super) fn started(job: &Job, assist: AssistId, actor: Actor) -> Result<(), Refusal> {
    match taken(job, assist, actor)?.stage {
        HelpStage::Claimed(_) => Ok(()),
        HelpStage::Started(_) => Err(Refusal::AssistTaken),
        HelpStage::Called | HelpStage::Over => Err(Refusal::AssistNotTaken),
    }
}

pub(super) fn answered(
    job: &Job,
    assist: AssistId,
    option: u32,
    actor: Actor,
) -> Result<(), Refusal> {
    let help = taken(job, assist, actor)?;
    match help.stage {
        HelpStage::Started(_) => {}
        HelpStage::Called | HelpStage::Claimed(_) | HelpStage::Over => {
            return Err(Refusal::AssistNotTaken);
        }
    }
    // The robot acts on the first answer at once: a second one would come too late.
    if help.option.is_some() {
        return Err(Refusal::AssistAnswered);
    }
    (option < help.options)
        .then_some(())
        .ok_or(Refusal::OptionUnknown)
}

/// The open call that this operator took.
pub(super) fn taken(job: &Job, assist: AssistId, actor: Actor) -> Result<Help, Refusal> {
    let help = open(job, assist)?;
    let operator = help.operator().ok_or(Refusal::AssistNotTaken)?;
    if operator_of(actor) != Some(operator) {
        return Err(Refusal::AssistTaken);
    }
    Ok(help)
}

const fn operator_of(actor: Actor) -> Option<PersonId> {
    match actor {
        Actor::Operator(person) => Some(person),
        Actor::Requester(_)
        | Actor::Owner(_)
        | Actor::Admin(_)
        | Actor::Robot(_)
        | Actor::Cloud => None,
    }
}
