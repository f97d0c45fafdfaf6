//! Jobs, complaints and calls for help as the console knows them: what the socket tells and what pages asked for, the newer of
//! the two.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{
    AssistId, CaseId, JobId,
    assist::AssistPhase,
    views::{AssistView, CaseView, JobView},
};
use time::OffsetDateTime;

use super::{model::Model, reduce::Effect};

/// Of each kind that are remembered: forty pages of a list, after which the longest untouched are forgotten.
const MOST_KEPT: usize = 2_000;

/// Something that is told of again and again, each time as it is then.
pub trait Told: PartialEq {
    /// What names it.
    type Id: Copy + Ord + std::fmt::Debug;

    /// Its name.
    fn id(&self) -> Self::Id;

    /// Count of what happened to it: of two the higher is the newer.
    fn version(&self) -> u64;

    /// When anything last happened to it.
    fn updated_at(&self) -> OffsetDateTime;
}

impl Told for JobView {
    type Id = JobId;

    fn id(&self) -> JobId {
        self.job
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn updated_at(&self) -> OffsetDateTime {
        self.updated_at
    }
}

impl Told for CaseView {
    type Id = CaseId;

    fn id(&self) -> CaseId {
        self.case
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn updated_at(&self) -> OffsetDateTime {
        self.updated_at
    }
}

/// What was told of, by id.
#[derive(Debug, Clone)]
pub struct Kept<View: Told> {
    known: BTreeMap<View::Id, Arc<View>>,
    /// Rises with every change, so that who follows one of them need not compare it.
    pub changes: u64,
}

impl<View: Told> Default for Kept<View> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            changes: 0,
        }
    }
}

/// Jobs by id.
pub type Jobs = Kept<JobView>;

/// Complaints by id.
pub type Cases = Kept<CaseView>;

impl<View: Told> Kept<View> {
    /// One of them, as it was last told.
    pub fn get(&self, id: View::Id) -> Option<&Arc<View>> {
        self.known.get(&id)
    }

    /// Every one that was told of.
    pub fn all(&self) -> impl Iterator<Item = &Arc<View>> {
        self.known.values()
    }

    /// Takes several in.
    pub(super) fn learn_all(&mut self, views: Vec<View>) {
        for view in views {
            self.learn(view);
        }
    }

    /// Takes one in, unless a newer state of it is known: an answer may be overtaken by the socket.
    pub(super) fn learn(&mut self, view: View) {
        let known = self.known.get(&view.id());
        if known.is_some_and(|known| known.version() > view.version() || **known == view) {
            return;
        }
        self.known.insert(view.id(), Arc::new(view));
        self.changes += 1;
        if self.known.len() > MOST_KEPT {
            let oldest = self.known.values().min_by_key(|kept| kept.updated_at());
            if let Some(oldest) = oldest.map(|kept| kept.id()) {
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
