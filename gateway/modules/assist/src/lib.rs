//! What people tell robots and what robots ask of people: who steers, commands and their fates, calls for help and who takes
//! them, and the rows that remember all of it.
//!
//! Pure by default; the feature `store` adds the tables. Sends nothing and reads no clock.

mod call;
mod command;
mod control;
mod grant;
mod machine;
mod request;
#[cfg(feature = "store")]
pub mod store;

pub use call::{
    Call, CallActor, CallDeadline, CallRefusal, Caller, ESCALATE_AFTER_US, EXPIRE_AFTER_US,
    MAX_OFFERED_PEOPLE, START_WITHIN_US, apply_call, call_due, call_of, decide_call, end_with_job,
    lapse_call,
};
pub use command::{Command, Issue};
pub use control::{
    CONTROL_LASTS_US, Control, ControlActor, ControlRefusal, Holder, REQUEST_LASTS_US, Request,
    Seat, Turn, apply_control, decide_control, lapse_control, may_steer, notice, renew_control,
};
pub use grant::{GrantDenial, GrantFacts, GrantWish, GrantedRobot, decide_grant};
pub use machine::{ANSWER_WITHIN, Event, Input, apply, decide};
pub use request::{MAX_REACH_M, Refusal, check, check_words};
