//! What can become of a command: pure rules. The robot's word is the truth; silence is only silence.

use protocol::{
    command::{AbandonReason, Fate, Outcome, RobotRefusal},
    limits::COMMAND_VALID_MS,
};
use time::{Duration, OffsetDateTime};

use crate::{
    command::{Command, Issue},
    request::{Refusal, check},
};

/// After this long without a receipt a command has gone unanswered: the robot obeys no order older than
/// [`COMMAND_VALID_MS`], and its refusal of a stale one has two more seconds to come back.
pub const ANSWER_WITHIN: Duration = Duration::milliseconds(COMMAND_VALID_MS as i64 + 2_000);

/// What comes in.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person's wish.
    Issue(Issue),
    /// The robot's signed word.
    Receipt(Outcome),
    /// The clock.
    TimeOut,
}

/// What happened to a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A person told a robot to do something.
    Issued {
        /// What was asked.
        issue: Issue,
        /// When.
        at: OffsetDateTime,
    },
    /// The robot will do it.
    Accepted {
        /// When we heard.
        at: OffsetDateTime,
    },
    /// The robot won't.
    Refused {
        /// Why.
        reason: RobotRefusal,
        /// When we heard.
        at: OffsetDateTime,
    },
    /// The robot has done it.
    Finished {
        /// When we heard.
        at: OffsetDateTime,
    },
    /// The robot gave it up.
    Abandoned {
        /// Why.
        reason: AbandonReason,
        /// When we heard.
        at: OffsetDateTime,
    },
    /// Nothing came in time.
    WentUnanswered {
        /// When that was noted.
        at: OffsetDateTime,
    },
}

/// Turns what comes in into what happened, or says why not.
///
/// No event means that nothing changes: a repeated request, or a receipt that comes too late to count. Such a receipt is
/// still recorded as the robot signed it.
pub fn decide(
    command: Option<&Command>,
    input: Input,
    now: OffsetDateTime,
) -> Result<Vec<Event>, Refusal> {
    match (command, input) {
        (None, Input::Issue(issue)) => {
            check(&issue.verb)?;
            Ok(vec![Event::Issued { issue, at: now }])
        }
        (None, Input::Receipt(_) | Input::TimeOut) => Err(Refusal::CommandUnknown),
        (Some(command), Input::Issue(issue)) if command.issue == issue => Ok(Vec::new()),
        (Some(_), Input::Issue(_)) => Err(Refusal::CommandIdReused),
        (Some(command), Input::Receipt(outcome)) => {
            Ok(heard(command.fate, outcome, now).into_iter().collect())
        }
        (Some(command), Input::TimeOut) => timed_out(command, now),
    }
}

fn heard(fate: Fate, outcome: Outcome, at: OffsetDateTime) -> Option<Event> {
    match (fate, outcome) {
        (Fate::Sent | Fate::Unanswered, Outcome::Accepted) => Some(Event::Accepted { at }),
        (Fate::Sent | Fate::Unanswered, Outcome::Refused { reason }) => {
            Some(Event::Refused { reason, at })
        }
        (Fate::Accepted | Fate::Unanswered, Outcome::Done) => Some(Event::Finished { at }),
        (Fate::Accepted | Fate::Unanswered, Outcome::Abandoned { reason }) => {
            Some(Event::Abandoned { reason, at })
        }
        // A robot accepts first and ends later; what it says out of turn stays on record and moves nothing.
        (Fate::Sent, Outcome::Done | Outcome::Abandoned { .. })
        | (Fate::Accepted, Outcome::Accepted | Outcome::Refused { .. })
        | (
            Fate::Refused { .. } | Fate::Done | Fate::Abandoned { .. },
            Outcome::Accepted | Outcome::Refused { .. } | Outcome::Done | Outcome::Abandoned { .. },
        ) => None,
    }
}

fn timed_out(command: &Command, now: OffsetDateTime) -> Result<Vec<Event>, Refusal> {
    match command.fate {
        Fate::Sent if now < command.answer_by => Err(Refusal::NotDueYet),
        Fate::Sent => Ok(vec![Event::WentUnanswered { at: now }]),
        Fate::Accepted
        | Fate::Refused { .. }
        | Fate::Done
        | Fate::Abandoned { .. }
        | Fate::Unanswered => Ok(Vec::new()),
    }
}

/// Applies a fact. Total: an event that was recorded always applies; one about a command that nobody issued makes none.
#[must_use]
pub fn apply(command: Option<Command>, event: Event) -> Option<Command> {
    let (fate, at) = match event {
        Event::Issued { issue, at } => return Some(issued(issue, at)),
        Event::Accepted { at } => (Fate::Accepted, at),
        Event::Refused { reason, at } => (Fate::Refused { reason }, at),
        Event::Finished { at } => (Fate::Done, at),
        Event::Abandoned { reason, at } => (Fate::Abandoned { reason }, at),
        Event::WentUnanswered { at } => (Fate::Unanswered, at),
    };
    let command = command?;
    let is_robots_word = fate != Fate::Unanswered;
    Some(Command {
        fate,
        answered_at: command.answered_at.or(is_robots_word.then_some(at)),
        ended_at: fate.is_over().then_some(at),
        version: command.version + 1,
        ..command
    })
}

fn issued(issue: Issue, at: OffsetDateTime) -> Command {
    Command {
        issue,
        fate: Fate::Sent,
        issued_at: at,
        answer_by: at + ANSWER_WITHIN,
        answered_at: None,
        ended_at: None,
        version: 1,
    }
}

#[cfg(test)]
mod tests;
