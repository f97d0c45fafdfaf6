//! What changes when a robot is stopped, stands, goes on or ends.

use protocol::UnixMicros;

use crate::{
    bounds::{ACCEPT_WITHIN_MICROS, STOP_WITHIN_MICROS},
    job::{Engaged, Halt, Job, Phase, StopsFor, Work},
};

/// Tells the robot to stop. One that stands already does not move again; one that is stopping goes on stopping, for the
/// graver reason.
pub(super) fn begin(job: &mut Job, then: StopsFor, at: UnixMicros) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    if engaged.is_active() && matches!(engaged.work, Work::Verifying { .. }) {
        return keep_from_acceptance(job, then);
    }
    engaged.halt = match engaged.halt {
        Halt::None | Halt::Stalled => Halt::Stopping {
            then,
            report_by: at.plus(STOP_WITHIN_MICROS),
        },
        Halt::Stopping {
            then: earlier,
            report_by,
        } => Halt::Stopping {
            then: then.max(earlier),
            report_by,
        },
        Halt::Paused => match then {
            StopsFor::Incident => Halt::Incident {
                stop_confirmed: true,
            },
            StopsFor::Paused | StopsFor::Cancelled => return None,
        },
        Halt::Incident { .. } => return None,
    };
    end_leave(job, then);
    Some(())
}

/// The robot said that every step is done and was let go: there is nobody to stop, and nobody to say that it stands.
fn keep_from_acceptance(job: &mut Job, then: StopsFor) -> Option<()> {
    let halt = match then {
        StopsFor::Paused => Halt::Paused,
        StopsFor::Cancelled => {
            end(job);
            return Some(());
        }
        StopsFor::Incident => Halt::Incident {
            stop_confirmed: true,
        },
    };
    job.phase.engaged_mut()?.halt = halt;
    Some(())
}

/// Who stops a robot to keep or to call off the job wants it to have new leave before it goes on. After an incident a person
/// decides.
fn end_leave(job: &mut Job, then: StopsFor) {
    match then {
        StopsFor::Paused | StopsFor::Cancelled => job.access = None,
        StopsFor::Incident => {}
    }
}

/// The robot says that it stands.
pub(super) fn reached(job: &mut Job) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    // From here on it knows what it may not do.
    engaged.is_taken_back = false;
    let stands = match engaged.halt {
        Halt::Stopping { then, .. } => match then {
            StopsFor::Paused => Halt::Paused,
            StopsFor::Cancelled => {
                end(job);
                return Some(());
            }
            StopsFor::Incident => Halt::Incident {
                stop_confirmed: true,
            },
        },
        Halt::Incident {
            stop_confirmed: false,
        } => Halt::Incident {
            stop_confirmed: true,
        },
        Halt::None
        | Halt::Stalled
        | Halt::Paused
        | Halt::Incident {
            stop_confirmed: true,
        } => return None,
    };
    engaged.halt = stands;
    Some(())
}

/// The robot did not say that it stands. Silence is an incident, never a stop.
pub(super) fn unconfirmed(job: &mut Job) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    let Halt::Stopping { .. } = engaged.halt else {
        return None;
    };
    engaged.halt = Halt::Incident {
        stop_confirmed: false,
    };
    Some(())
}

/// After an incident: back to what was interrupted, or to a stand until there is leave for it.
pub(super) fn go_on(job: &mut Job, at: UnixMicros) -> Option<()> {
    let is_let_in = job.is_let_in(at);
    let engaged = job.phase.engaged_mut()?;
    release(engaged, at);
    engaged.halt = if engaged.work.needs_access() && !is_let_in {
        Halt::Paused
    } else {
        Halt::None
    };
    Some(())
}

/// Nobody holds the robot any more. Work that is looked at is looked at anew: while it stood still, nobody's silence was a yes.
pub(super) fn release(engaged: &mut Engaged, at: UnixMicros) {
    engaged.is_held = false;
    if let Work::Verifying { accept_by } = &mut engaged.work {
        *accept_by = at.plus(ACCEPT_WITHIN_MICROS);
    }
}

pub(super) fn abort(job: &mut Job) -> Option<()> {
    let reservation = job.phase.engaged()?.reservation;
    job.access = None;
    job.phase = Phase::Aborted { reservation };
    Some(())
}

/// Before the robot set out, and when it stands, at once; otherwise it must come to a stand first.
pub(super) fn cancel(job: &mut Job, at: UnixMicros) -> Option<()> {
    let must_stop = job
        .phase
        .engaged()
        .is_some_and(|engaged| engaged.halt != Halt::Paused);
    if must_stop {
        return begin(job, StopsFor::Cancelled, at);
    }
    end(job);
    Some(())
}

fn end(job: &mut Job) {
    let reservation = job.holder();
    job.access = None;
    job.phase = Phase::Cancelled { reservation };
}
