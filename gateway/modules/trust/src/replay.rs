//! A case from its stream, every entry judged again: what the verifier and the tests ask.

use protocol::{CaseId, UnixMicros, case::CaseEvent};

use crate::{Actor, Case, Refusal, apply, decide};

/// One entry of a case's stream, as its signature proved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// What happened.
    pub event: &'a CaseEvent,
    /// Who signed it, or for whom the cloud did.
    pub actor: Actor,
    /// When it was recorded.
    pub at: UnixMicros,
}

/// The first entry that the rules do not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {number} ({kind}) may not follow: {refusal}")]
pub struct IllegalEntry {
    /// Its place in the stream, from 1.
    pub number: u64,
    /// What it says happened.
    pub kind: &'static str,
    /// Why not.
    pub refusal: Refusal,
}

/// Replays the stream of `case` from its first entry. None when there is no entry.
pub fn replay<'a>(
    case: CaseId,
    steps: impl IntoIterator<Item = Step<'a>>,
) -> Result<Option<Case>, IllegalEntry> {
    let mut state = None;
    for (number, step) in (1..).zip(steps) {
        let legal =
            belongs(case, step.event).and_then(|()| decide(state.as_ref(), step.event, step.actor));
        legal.map_err(|refusal| IllegalEntry {
            number,
            kind: step.event.kind(),
            refusal,
        })?;
        state = apply(state, step.event, step.at);
    }
    Ok(state)
}

fn belongs(stream: CaseId, event: &CaseEvent) -> Result<(), Refusal> {
    match event {
        CaseEvent::Opened { case, .. } if *case != stream => Err(Refusal::WrongCase),
        CaseEvent::Opened { .. }
        | CaseEvent::EvidenceFrozen { .. }
        | CaseEvent::Triaged { .. }
        | CaseEvent::ReviewStarted {}
        | CaseEvent::Ruled { .. }
        | CaseEvent::Withdrawn {} => Ok(()),
    }
}
