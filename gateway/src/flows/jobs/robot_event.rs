//! A robot says what happened to the job that it holds. Its word is always recorded; whether it moves the job, the rules say.

use identity::Robot;
use jobs::Actor;
use protocol::{
    JobId, RobotId, UnixMicros,
    event::ActorEvent,
    job::{JobEvent, job_stream},
    robot_socket::ToRobot,
    sealed::KeyId,
};
use spine::Tx;

use super::{
    happen::{Happened, Proposal, happen, happen_together, task},
    word::{Sealed, Word, is_keepable},
};
use crate::{app::App, error::ApiError};

/// What became of a robot's word on a job.
#[derive(Debug)]
pub enum RobotSaid {
    /// Recorded in this transaction.
    Taken(Box<Happened>),
    /// Not recorded, and never will be.
    Refused(&'static str),
}

/// What a robot says, and how it said it.
#[derive(Debug)]
pub struct RobotWord {
    /// What.
    pub event: JobEvent,
    /// The bytes that it sealed.
    pub bytes: Vec<u8>,
    /// What they hold; verified.
    pub opened: ActorEvent,
    /// With which key.
    pub key: KeyId,
}

/// Takes in what the robot says of one job, one word after the other, or nothing of it. The caller commits, and tells.
pub async fn hear_robot(
    app: &App,
    tx: &mut Tx,
    robot: &Robot,
    words: Vec<RobotWord>,
    now: UnixMicros,
) -> Result<RobotSaid, ApiError> {
    if !words.iter().all(|word| is_keepable(&word.opened.payload)) {
        return Ok(RobotSaid::Refused("unprintable"));
    }
    let mut jobs = words.iter().map(|word| job_of(&word.opened.stream));
    let Some(job) = jobs
        .next()
        .flatten()
        .filter(|job| jobs.all(|other| other == Some(*job)))
    else {
        return Ok(RobotSaid::Refused("foreign_stream"));
    };
    let before = jobs::store::load(tx, job)
        .await?
        .filter(|stored| stored.organisation == robot.organisation);
    let Some(before) = before else {
        return Ok(RobotSaid::Refused("job_unknown"));
    };
    let propose = |word: RobotWord| Proposal {
        event: word.event,
        actor: Actor::Robot(robot.robot),
        word: Word::Robot(Sealed {
            bytes: word.bytes,
            opened: Box::new(word.opened),
            key: word.key,
        }),
    };
    let proposals = words.into_iter().map(propose).collect();
    let organisation = before.organisation;
    match happen_together(app, tx, organisation, Some(before), proposals, now).await {
        Ok(happened) => Ok(RobotSaid::Taken(Box::new(happened))),
        // What will never be taken, however often it comes: out of the robot's own order, or no word that robots have.
        Err(error)
            if matches!(
                error.code(),
                "gap" | "forked" | "unnumbered" | "role_not_allowed"
            ) =>
        {
            Ok(RobotSaid::Refused(error.code()))
        }
        Err(error) => Err(error),
    }
}

/// A person's Stop reached the robot while it was at a job: the job is paused with it, so that nothing goes on by itself, not
/// even after the robot started anew, or by leave of a requester who had paused it before. An operator who is helping goes on
/// by answering.
pub async fn pause_if_at_work(
    app: &App,
    tx: &mut Tx,
    robot: &Robot,
    now: UnixMicros,
) -> Result<Option<Happened>, ApiError> {
    let Some(before) = jobs::store::held_by(tx.connection().await?, robot.robot).await? else {
        return Ok(None);
    };
    let engaged = before.job.phase.engaged();
    let is_paused_by_it = engaged.is_some_and(|engaged| {
        (engaged.is_active() && !engaged.is_helped()) || engaged.can_be_held()
    });
    if !is_paused_by_it {
        return Ok(None);
    }
    let proposal = Proposal {
        event: JobEvent::Paused {},
        actor: Actor::Cloud,
        word: Word::Cloud,
    };
    let organisation = before.organisation;
    let happened = happen(app, tx, organisation, Some(before), proposal, now).await?;
    Ok(Some(happened))
}

/// What a robot that comes is to be told of its job.
pub async fn job_of_robot(app: &App, robot: RobotId) -> Result<ToRobot, ApiError> {
    let held = jobs::store::held_by(&app.pool, robot).await?;
    let assignment = held.and_then(|stored| task(&stored.job));
    Ok(match assignment {
        Some((holder, assignment)) if holder == robot => ToRobot::Assignment(Box::new(assignment)),
        Some(_) | None => ToRobot::NoAssignment,
    })
}

fn job_of(stream: &str) -> Option<JobId> {
    let job: JobId = stream.strip_prefix("job/")?.parse().ok()?;
    (job_stream(job) == stream).then_some(job)
}
