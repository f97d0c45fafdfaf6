//! `/api/v1/log`: the log of events as anyone may check it. Hashes and signatures only; events are read at `/api/v1/events`.

pub(super) mod checkpoint;
pub(super) mod keys;
pub(super) mod proof;
pub(super) mod tile;
