//! The job machine: what may happen to a job, who may do it, what it is then, and the rows that remember it.
//!
//! The payload is the command: people, robots and the cloud propose a [`protocol::job::JobEvent`], [`decide`] says whether
//! it may happen and [`apply`] makes it happen. Pure by default; the feature `store` adds the tables. Sends nothing and
//! reads no clock.

mod actor;
mod apply;
mod assignment;
mod bounds;
mod deadline;
mod decide;
mod evidence;
mod invariant;
mod job;
mod moves;
mod refusal;
pub mod replay;
mod roles;
mod rules;
#[cfg(feature = "store")]
pub mod store;
#[cfg(all(feature = "store", any(test, feature = "walk")))]
pub mod stored_walk;
pub mod template;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "walk"))]
pub mod walk;

pub use actor::{Actor, ActorKind};
pub use apply::{apply, apply_all};
pub use assignment::{assignment, release, wants_cover};
pub use bounds::{
    ACCEPT_WITHIN_MICROS, ACKNOWLEDGE_WITHIN_MICROS, MAX_AHEAD_MICROS, STOP_WITHIN_MICROS,
};
pub use deadline::{DeadlineKind, deadlines, lapse};
pub use decide::{Decision, decide};
pub use evidence::{EVIDENCE_KINDS, EvidenceRecord, EvidenceRefusal, NamedEvidence, check_room};
pub use invariant::check_invariants;
pub use job::{
    Access, Caller, Engaged, Halt, Help, HelpStage, Job, Offer, Phase, Question, Reservation,
    StopsFor, Work,
};
pub use moves::{Move, moves};
pub use refusal::{Inapplicable, Refusal};
pub use roles::movers;
pub use rules::JobRules;
