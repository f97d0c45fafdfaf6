//! What changes in a call for a person's help.

use protocol::{AssistId, assist::AssistQuestion};

use crate::{
    actor::Actor,
    job::{Caller, Help, HelpStage, Job},
};

pub(super) fn call(
    job: &mut Job,
    assist: AssistId,
    epoch: Option<u64>,
    question: &AssistQuestion,
) -> Option<()> {
    let caller = match epoch {
        Some(_) => Caller::Robot,
        None => Caller::Cloud,
    };
    job.phase.engaged_mut()?.help = Some(Help {
        assist,
        caller,
        options: u32::try_from(question.options.len()).unwrap_or(u32::MAX),
        option: None,
        stage: HelpStage::Called,
    });
    Some(())
}

pub(super) fn open(job: &mut Job, assist: AssistId) -> Option<&mut Help> {
    job.phase
        .engaged_mut()?
        .help
        .as_mut()
        .filter(|help| help.assist == assist && help.is_open())
}

/// It rings, also again: whoever took it and did nothing has it no longer.
pub(super) fn ring(job: &mut Job, assist: AssistId) -> Option<()> {
    open(job, assist)?.stage = HelpStage::Called;
    Some(())
}

pub(super) fn claim(job: &mut Job, assist: AssistId, actor: Actor) -> Option<()> {
    let Actor::Operator(operator) = actor else {
        return None;
    };
    open(job, assist)?.stage = HelpStage::Claimed(operator);
    Some(())
}

pub(super) fn start(job: &mut Job, assist: AssistId, actor: Actor) -> Option<()> {
    let Actor::Operator(operator) = actor else {
        return None;
    };
    open(job, assist)?.stage = HelpStage::Started(operator);
    Some(())
}

pub(super) fn answer(job: &mut Job, assist: AssistId, option: u32) -> Option<()> {
    open(job, assist)?.option = Some(option);
    Some(())
}

pub(super) fn end(job: &mut Job, assist: AssistId) -> Option<()> {
    open(job, assist)?.stage = HelpStage::Over;
    Some(())
}
