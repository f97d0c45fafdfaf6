//! Where a job stands, in a requester's words, and which of the four stages that is.

use protocol::{UnixMicros, job::PhaseName, views::JobView};

use super::{Mark, Mood, when::Zone};
use crate::live::commands::micros_of;

/// A state as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// In few words: "On its way".
    pub words: &'static str,
    /// The shape.
    pub mark: Mark,
    /// The colour.
    pub mood: Mood,
}

/// The four steps from asking to the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waits for a robot.
    Asked,
    /// A robot has it, or is being asked.
    Booked,
    /// The robot moves or works for it.
    Live,
    /// There is something to look at.
    Receipt,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Booked, Self::Live, Self::Receipt];

    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asked => "Asked",
            Self::Booked => "Booked",
            Self::Live => "Live",
            Self::Receipt => "Receipt",
        }
    }
}

/// What to call the robot.
pub fn robot(job: &JobView) -> &str {
    job.robot_name.as_deref().unwrap_or("The robot")
}

/// The same within a sentence.
pub fn robot_within(job: &JobView) -> &str {
    job.robot_name.as_deref().unwrap_or("the robot")
}

/// A person's help while it has not begun: called for, or promised by somebody who took the call. The job's phase says nothing of
/// it before they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpToCome<'job> {
    /// Nobody has taken the call yet.
    Awaited,
    /// This operator has.
    Promised(&'job str),
}

/// The help that a robot which goes on otherwise waits for. What the requester is asked, and what stops the robot, is told first.
pub fn help_to_come(job: &JobView) -> Option<HelpToCome<'_>> {
    job.assist?;
    match job.phase {
        PhaseName::AtSite if job.access.is_none() => return None,
        PhaseName::Travelling | PhaseName::AtSite | PhaseName::Executing => {}
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => return None,
    }
    Some(match &job.operator_name {
        Some(operator) => HelpToCome::Promised(operator),
        None => HelpToCome::Awaited,
    })
}

/// Whether every step is done and only the requester's word is missing, whatever else interrupts that.
pub const fn is_done(job: &JobView) -> bool {
    matches!(job.phase, PhaseName::Verifying) || job.accept_by.is_some()
}

/// Whose word a paused robot goes on by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody's: it has done everything.
    Done,
    /// The requester's.
    YourWord,
    /// An operator's: on its way it needs no leave.
    OperatorsWord,
    /// An operator's, and new leave behind the door.
    BothWords,
}

/// Whose word the robot of a paused job goes on by.
pub fn standing(job: &JobView) -> Standing {
    let is_outside = matches!(
        job.interrupted,
        Some(PhaseName::Travelling | PhaseName::AtSite)
    );
    match (is_done(job), job.is_held, is_outside) {
        (true, _, _) => Standing::Done,
        (false, false, _) => Standing::YourWord,
        (false, true, true) => Standing::OperatorsWord,
        (false, true, false) => Standing::BothWords,
    }
}

/// Whether it goes no further before the requester does something.
pub fn waits_for_requester(job: &JobView) -> bool {
    match job.phase {
        PhaseName::AwaitingApproval | PhaseName::Verifying => true,
        PhaseName::AtSite => job.access.is_none(),
        PhaseName::Paused => match standing(job) {
            Standing::Done => true,
            Standing::YourWord | Standing::BothWords => job.access.is_none(),
            Standing::OperatorsWord => false,
        },
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::Executing
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Incident
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

/// Where it stands.
pub fn state(job: &JobView) -> State {
    if let Some(help) = help_to_come(job) {
        let (words, mark) = match help {
            HelpToCome::Awaited => ("Waiting for a person's help", Mark::Underway),
            HelpToCome::Promised(_) => ("A person comes to help", Mark::Person),
        };
        let mood = Mood::Calm;
        return State { words, mark, mood };
    }
    let (words, mark, mood) = match job.phase {
        PhaseName::Requested => ("Waiting for a robot", Mark::Coming, Mood::Calm),
        PhaseName::Dispatching => ("A robot is being asked", Mark::Underway, Mood::Calm),
        PhaseName::Reserved => ("A robot has taken it", Mark::Coming, Mood::Calm),
        PhaseName::Travelling => ("On its way", Mark::Running, Mood::Calm),
        PhaseName::AtSite if job.access.is_none() => {
            ("Waiting to be let in", Mark::Person, Mood::Human)
        }
        PhaseName::AtSite => ("At the door", Mark::Running, Mood::Calm),
        PhaseName::Executing => ("Working", Mark::Running, Mood::Calm),
        PhaseName::AwaitingApproval => ("Needs your answer", Mark::Person, Mood::Human),
        PhaseName::Assisted => ("A person is helping", Mark::Person, Mood::Human),
        PhaseName::Stalled => ("Nothing heard of it", Mark::Caution, Mood::Caution),
        PhaseName::Stopping => ("Stop sent", Mark::Underway, Mood::Caution),
        PhaseName::Paused => ("Paused", Mark::Still, Mood::Calm),
        PhaseName::Incident => ("Something went wrong", Mark::Alarm, Mood::Alarm),
        PhaseName::Verifying => ("Done, please check", Mark::Person, Mood::Human),
        PhaseName::Completed => ("Done", Mark::Done, Mood::Ok),
        PhaseName::Aborted => ("Ended early", Mark::Over, Mood::Caution),
        PhaseName::Cancelled => ("Cancelled", Mark::Over, Mood::Calm),
    };
    State { words, mark, mood }
}

/// Which stage it is in.
pub const fn stage(phase: PhaseName) -> Stage {
    match phase {
        PhaseName::Requested => Stage::Asked,
        PhaseName::Dispatching | PhaseName::Reserved => Stage::Booked,
        PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident => Stage::Live,
        PhaseName::Verifying | PhaseName::Completed | PhaseName::Aborted | PhaseName::Cancelled => {
            Stage::Receipt
        }
    }
}

/// The moment that matters: when it is to be done by, or was over. Words and the moment.
pub fn due(job: &JobView, zone: Zone, now: UnixMicros) -> (&'static str, String) {
    let updated = zone.moment(micros_of(job.updated_at), now);
    match job.phase {
        PhaseName::Completed => ("Done", updated),
        PhaseName::Aborted => ("Ended", updated),
        PhaseName::Cancelled => ("Cancelled", updated),
        PhaseName::Verifying => match job.accept_by {
            Some(accept_by) => ("Check by", zone.moment(micros_of(accept_by), now)),
            None => ("Done", updated),
        },
        PhaseName::Requested | PhaseName::Dispatching | PhaseName::Reserved
            if job.window.from > now =>
        {
            ("", zone.span(job.window, now))
        }
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident => ("Done by", zone.moment(job.window.until, now)),
    }
}

/// The order of a requester's list: what waits for them first, then what moves, then what is to come, then what is over;
/// the latest first within each.
pub fn sort(jobs: &mut [JobView]) {
    jobs.sort_by_key(|job| {
        let group = match stage(job.phase) {
            _ if waits_for_requester(job) || job.phase == PhaseName::Incident => 0,
            Stage::Live => 1,
            Stage::Asked | Stage::Booked => 2,
            Stage::Receipt => 3,
        };
        (group, std::cmp::Reverse(job.updated_at))
    });
}

#[cfg(test)]
mod tests {
    use protocol::AssistId;
    use uuid::Uuid;

    use super::super::fixture::{CET, NOW, job};
    use super::*;

    #[test]
    fn every_phase_has_words_of_its_own_and_none_of_the_domains() {
        let mut seen: Vec<&str> = Vec::new();
        for phase in PhaseName::ALL {
            let words = state(&job(phase)).words;

            assert!(!seen.contains(&words), "{words} twice");
            assert!(!words.contains("Stalled") && !words.contains("Dispatching"));
            seen.push(words);
        }
    }

    #[test]
    fn a_stop_that_was_sent_is_never_told_as_a_robot_that_stands() {
        assert_eq!(state(&job(PhaseName::Stopping)).words, "Stop sent");
        assert_eq!(state(&job(PhaseName::Stopping)).mark, Mark::Underway);
        assert_eq!(state(&job(PhaseName::Paused)).mark, Mark::Still);
    }

    #[test]
    fn what_waits_for_the_requester_stands_first() {
        let mut jobs = [
            PhaseName::Completed,
            PhaseName::Requested,
            PhaseName::Executing,
            PhaseName::AwaitingApproval,
        ]
        .map(job);

        sort(&mut jobs);

        let phases = jobs.map(|job| job.phase);
        assert_eq!(
            phases,
            [
                PhaseName::AwaitingApproval,
                PhaseName::Executing,
                PhaseName::Requested,
                PhaseName::Completed,
            ]
        );
    }

    #[test]
    fn help_that_is_waited_for_is_told_before_anybody_has_come() {
        let mut called = job(PhaseName::Executing);
        called.assist = Some(AssistId(Uuid::from_u128(7)));
        assert_eq!(state(&called).words, "Waiting for a person's help");

        called.operator_name = Some("Mira K.".to_owned());
        assert_eq!(state(&called).words, "A person comes to help");
        assert!(!waits_for_requester(&called));

        // What only the requester can do comes first.
        called.phase = PhaseName::AwaitingApproval;
        assert_eq!(state(&called).words, "Needs your answer");
        called.phase = PhaseName::AtSite;
        assert_eq!(state(&called).words, "Waiting to be let in");
    }

    #[test]
    fn the_head_names_the_moment_that_matters() {
        let told = |phase| due(&job(phase), CET, NOW);

        assert_eq!(told(PhaseName::Executing), ("Done by", "15:30".to_owned()));
        assert_eq!(told(PhaseName::Completed), ("Done", "14:31".to_owned()));
    }
}
