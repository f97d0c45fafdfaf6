//! Who is in control of the robot, for the band above the picture.

use protocol::{job::PhaseName, views::JobView};

use super::{
    Mark, Mood,
    state::{HelpToCome, Standing, help_to_come, robot, standing},
};

/// Who is in control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// "Juniper works by itself".
    pub headline: String,
    /// What that means.
    pub rest: String,
    /// The shape.
    pub mark: Mark,
    /// The colour.
    pub mood: Mood,
}

fn told(mark: Mark, mood: Mood, headline: String, rest: String) -> Control {
    Control {
        headline,
        rest,
        mark,
        mood,
    }
}

/// Who is in control; absent once the job is over.
pub fn control(job: &JobView) -> Option<Control> {
    let name = robot(job);
    let place = &job.plan.place;
    if let Some(help) = help_to_come(job) {
        return Some(called(help, name));
    }
    Some(match job.phase {
        PhaseName::Requested => unassigned(job),
        PhaseName::Dispatching => asked(name),
        PhaseName::Reserved => reserved(name),
        PhaseName::Travelling => told(
            Mark::Running,
            Mood::Calm,
            format!("{name} drives by itself"),
            format!("On its way to {place}. No person is in control."),
        ),
        PhaseName::AtSite => at_the_door(job, name),
        PhaseName::Executing => told(
            Mark::Running,
            Mood::Calm,
            format!("{name} works by itself"),
            "No person is in control.".to_owned(),
        ),
        PhaseName::AwaitingApproval => told(
            Mark::Person,
            Mood::Human,
            format!("{name} waits for you"),
            "It asks what only you may allow.".to_owned(),
        ),
        PhaseName::Assisted => helped(job, name),
        PhaseName::Stalled => unheard(job, name),
        PhaseName::Stopping => stopping(job, name),
        PhaseName::Paused => paused(job, name),
        PhaseName::Incident => told(
            Mark::Alarm,
            Mood::Alarm,
            "Something went wrong".to_owned(),
            "A person decides whether the job goes on.".to_owned(),
        ),
        PhaseName::Verifying => told(
            Mark::Person,
            Mood::Human,
            format!("{name} has finished"),
            "Look at it and say whether it is good.".to_owned(),
        ),
        PhaseName::Completed | PhaseName::Aborted | PhaseName::Cancelled => return None,
    })
}

fn unassigned(job: &JobView) -> Control {
    told(
        Mark::Coming,
        Mood::Calm,
        "No robot has it yet".to_owned(),
        format!("A person of {} chooses one.", job.site_name),
    )
}

fn asked(name: &str) -> Control {
    told(
        Mark::Underway,
        Mood::Calm,
        format!("{name} is being asked"),
        "You see here when it takes the job.".to_owned(),
    )
}

fn reserved(name: &str) -> Control {
    told(
        Mark::Coming,
        Mood::Calm,
        format!("{name} has taken the job"),
        "It has not set out yet.".to_owned(),
    )
}

fn paused(job: &JobView, name: &str) -> Control {
    let then = match (standing(job), job.access.is_some()) {
        (Standing::Done, _) => "Every step is done. Say whether all is good.",
        (Standing::YourWord, true) => {
            "You let it go on. It does once it has found the way in open."
        }
        (Standing::YourWord, false) => "It stands and keeps your job. It goes on when you let it.",
        (Standing::OperatorsWord, _) => {
            "An operator has it stand, and it keeps your job. It goes on when they let it."
        }
        (Standing::BothWords, true) => "You let it go on. It does once an operator does, too.",
        (Standing::BothWords, false) => {
            "An operator has it stand, and it keeps your job. It goes on when both of you let it."
        }
    };
    told(
        Mark::Still,
        Mood::Calm,
        // One that is done was let go: it says nothing of standing.
        if standing(job) == Standing::Done {
            format!("{name} has finished")
        } else {
            format!("{name} reports stopped")
        },
        then.to_owned(),
    )
}

fn at_the_door(job: &JobView, name: &str) -> Control {
    let place = &job.plan.place;
    if job.access.is_none() {
        return told(
            Mark::Person,
            Mood::Human,
            format!("{name} waits at {place}"),
            "It comes in when you give access.".to_owned(),
        );
    }
    told(
        Mark::Running,
        Mood::Calm,
        format!("{name} is at {place}"),
        "It checks the way in. No person is in control.".to_owned(),
    )
}

/// Nobody helps yet: it is never said that somebody does before they began.
fn called(help: HelpToCome<'_>, name: &str) -> Control {
    match help {
        HelpToCome::Awaited => told(
            Mark::Underway,
            Mood::Calm,
            format!("{name} has asked for help"),
            "It waits until a person takes the call.".to_owned(),
        ),
        HelpToCome::Promised(operator) => told(
            Mark::Person,
            Mood::Calm,
            format!("{operator} comes to help"),
            format!("{operator} is an operator and has taken the call of {name}."),
        ),
    }
}

fn helped(job: &JobView, name: &str) -> Control {
    let operator = job.operator_name.as_deref();
    let headline = operator.map_or_else(
        || "A person is helping".to_owned(),
        |operator| format!("A person is helping: {operator}"),
    );
    let operator = operator.unwrap_or("This person");
    told(
        Mark::Person,
        Mood::Human,
        headline,
        format!("{operator} is an operator and sees what {name} sees."),
    )
}

fn unheard(job: &JobView, name: &str) -> Control {
    let called = match (job.assist, &job.operator_name) {
        (Some(_), Some(operator)) => format!(" {operator}, an operator, has taken the call."),
        (Some(_), None) => " An operator was called.".to_owned(),
        (None, _) => String::new(),
    };
    told(
        Mark::Caution,
        Mood::Caution,
        format!("Nothing is heard of {name}"),
        format!("Where it is and what it does is unknown until it reports.{called}"),
    )
}

/// The stop is a wish. That the robot stands, only the robot says.
fn stopping(job: &JobView, name: &str) -> Control {
    let then = if job.stops_for == Some(PhaseName::Cancelled) {
        " Then the job is cancelled."
    } else if job.stops_for == Some(PhaseName::Incident) {
        " Then a person decides."
    } else {
        ""
    };
    told(
        Mark::Underway,
        Mood::Caution,
        "Stop sent".to_owned(),
        format!("{name} has not reported yet that it stands.{then}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::state::waits_for_requester;
    use protocol::AssistId;
    use uuid::Uuid;

    use super::super::fixture::job;
    use super::*;

    #[test]
    fn a_person_who_helps_is_named_and_one_who_has_not_come_is_not_claimed() {
        let mut called = job(PhaseName::Executing);
        called.assist = Some(AssistId(Uuid::from_u128(7)));
        let headline = |job: &JobView| control(job).unwrap().headline;
        assert_eq!(headline(&called), "Juniper has asked for help");

        called.operator_name = Some("Mira K.".to_owned());
        assert_eq!(headline(&called), "Mira K. comes to help");

        called.phase = PhaseName::Assisted;
        assert_eq!(headline(&called), "A person is helping: Mira K.");
    }

    #[test]
    fn only_a_paused_robot_is_told_to_stand() {
        for phase in PhaseName::ALL {
            let says_stopped = control(&job(phase))
                .is_some_and(|control| control.headline.contains("reports stopped"));

            assert_eq!(says_stopped, phase == PhaseName::Paused, "{phase:?}");
        }
    }

    #[test]
    fn a_requester_is_not_promised_that_a_held_robot_goes_on_by_their_word_alone() {
        let paused = job(PhaseName::Paused);
        let held = JobView {
            is_held: true,
            ..paused.clone()
        };

        let on_its_way = JobView {
            interrupted: Some(PhaseName::Travelling),
            ..held.clone()
        };

        assert!(!control(&paused).unwrap().rest.contains("operator"));
        assert!(control(&held).unwrap().rest.contains("both of you"));
        let rest = control(&on_its_way).unwrap().rest;
        assert!(rest.contains("when they let it"), "{rest}");
        assert!(!waits_for_requester(&on_its_way) && waits_for_requester(&held));
    }

    #[test]
    fn the_band_goes_when_the_job_is_over() {
        for phase in PhaseName::ALL {
            assert_eq!(control(&job(phase)).is_none(), phase.is_over(), "{phase:?}");
        }
    }
}
