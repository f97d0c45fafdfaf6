//! `/api/v1/robots/{robot}/receipts` and `…/clips/{clip}`: a robot's signed words on what was asked of it, and what people saw.

pub(super) mod bring_clip;
pub(super) mod list;
pub(super) mod read_clip;
