//! Complaints: what may become of a case and by whom, and how what people wrote and photographed is checked.
//!
//! Pure by default; the feature `store` adds the tables. Opens no job, signs nothing and reads no clock.

mod case;
mod complaint;
mod cursor;
mod machine;
mod refusal;
pub mod replay;
mod rules;
#[cfg(feature = "store")]
pub mod store;

pub use case::{Actor, Case, FrozenEvidence};
pub use complaint::{
    Picture, PictureType, SaltedText, check_complaint, check_job, check_picture, check_reason,
    matches_picture, matches_text,
};
pub use cursor::{CaseCursor, UnknownCursor};
pub use machine::{MAX_FROZEN_FILES, OPERATOR_RULES_UP_TO, apply, decide};
pub use refusal::Refusal;
pub use rules::CaseRules;
