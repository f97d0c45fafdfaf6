//! Jobs and calls for help as the console knows them: what the socket tells and what pages asked for, the newer of the two.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{
    AssistId, JobId,
    assist::AssistPhase,
    views::{AssistView, JobView},
};

use super::{model::Model, reduce::Effect};

/// Jobs that are remembered: forty pages of a list, after which the longest untouched are forgotten.
const MOST_JOBS: usize = 2_000;

/// Jobs by id.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    known: BTreeMap<JobId, Arc<JobView>>,
    /// Rises with every change, so that who follows one job need not compare it.
    pub changes: u64,
}

impl Jobs {
    /// A job, as it was last told.
    pub fn get(&self, job: JobId) -> Option<&Arc<JobView>> {
        self.known.get(&job)
    }

    /// Every job that was told of.
    pub fn all(&self) -> impl Iterator<Item = &Arc<JobView>> {
        self.known.values()
    }

    /// Takes in a job, unless a newer state of it is known: an answer may be overtaken by the socket.
    pub(super) fn learn(&mut self, view: JobView) {
        let known = self.known.get(&view.job);
        if known.is_some_and(|known| known.version > view.version || **known == view) {
            return;
        }
        self.known.insert(view.job, Arc::new(view));
        self.changes += 1;
        if self.known.len() > MOST_JOBS {
            let oldest = self.known.values().min_by_key(|job| job.updated_at);
            if let Some(oldest) = oldest.map(|job| job.job) {
                self.known.remove(&oldest);
            }
        }
    }
}

/// Calls for help that are not over.
pub type Assists = BTreeMap<AssistId, AssistView>;

/// Whether a call waits for somebody to take it.
pub const fn is_waiting(phase: AssistPhase) -> bool {
    match phase {
        AssistPhase::Opened | AssistPhase::Offered | AssistPhase::Escalated => true,
        AssistPhase::Claimed
        | AssistPhase::Active
        | AssistPhase::Resolved
        | AssistPhase::GivenUp
        | AssistPhase::Expired => false,
    }
}

/// A snapshot's calls replace what was known. Those that came while the connection was lost ring; those that were there before
/// the page was opened don't: who opens it sees them.
pub(super) fn replace_assists(
    model: &mut Model,
    calls: Vec<AssistView>,
    is_first: bool,
) -> Vec<Effect> {
    let rings = !is_first && calls.iter().any(|call| is_news(&model.assists, call));
    model.assists = calls
        .into_iter()
        .filter(|call| !call.phase.is_over())
        .map(|call| (call.assist, call))
        .collect();
    ring(model, rings)
}

/// A call was added or changed.
pub(super) fn hear_assist(model: &mut Model, call: AssistView) -> Vec<Effect> {
    let rings = is_news(&model.assists, &call);
    if call.phase.is_over() {
        model.assists.remove(&call.assist);
    } else {
        model.assists.insert(call.assist, call);
    }
    ring(model, rings)
}

/// Whether this call makes somebody look up: it is new, or nobody took it and it rings wider.
fn is_news(known: &Assists, call: &AssistView) -> bool {
    let before = known.get(&call.assist).map(|before| before.phase);
    let rang = before.is_some_and(|before| {
        before == AssistPhase::Escalated || call.phase != AssistPhase::Escalated
    });
    is_waiting(call.phase) && !rang
}

fn ring(model: &Model, rings: bool) -> Vec<Effect> {
    if rings && !model.is_muted {
        vec![Effect::Ring]
    } else {
        Vec::new()
    }
}
