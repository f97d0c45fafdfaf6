//! What the picture of a job says, for jobs that the rules themselves made.

use std::collections::BTreeMap;

use protocol::{
    JobId, OrganisationId, SiteId,
    job::{IncidentKind, JobRequest, ParameterValue, TemplateName, Window},
};
use time::OffsetDateTime;

use super::*;

const ME: PersonId = PersonId(Uuid::from_u128(5));
const OPERATOR: Actor = Actor::Operator(PersonId(Uuid::from_u128(6)));
const ROBOT: RobotId = RobotId(Uuid::from_u128(14));
const HOUR: i64 = 3_600_000_000;

fn request() -> JobRequest {
    JobRequest {
        job: JobId(Uuid::from_u128(9)),
        site: SiteId(Uuid::from_u128(2)),
        template: TemplateName {
            name: "reset_room".to_owned(),
            version: 1,
        },
        parameters: BTreeMap::from([(
            "room".to_owned(),
            ParameterValue::Text("Room 3".to_owned()),
        )]),
        window: Window {
            from: UnixMicros(HOUR),
            until: UnixMicros(3 * HOUR),
        },
        operator_cover: true,
    }
}

fn requested() -> History {
    let request = request();
    let plan = jobs::template::plan(&request).unwrap();
    let mut history = History::default();
    let event = JobEvent::Requested {
        request,
        plan,
        requester: ME,
    };
    history.play(&event, Actor::Requester(ME), UnixMicros(HOUR));
    history
}

fn travelling() -> History {
    let mut history = requested();
    let robot = Actor::Robot(ROBOT);
    let path = [
        (JobEvent::Assigned { robot: ROBOT }, OPERATOR),
        (
            JobEvent::ReservationProposed {
                robot: ROBOT,
                epoch: 1,
                acknowledge_by: UnixMicros(HOUR + jobs::ACKNOWLEDGE_WITHIN_MICROS),
            },
            Actor::Cloud,
        ),
        (JobEvent::ReservationConfirmed { epoch: 1 }, robot),
        (JobEvent::Departed { epoch: 1 }, robot),
    ];
    for (event, actor) in path {
        history.play(&event, actor, UnixMicros(HOUR));
    }
    history
}

fn view(history: &History) -> JobView {
    let job = history.job.as_ref().unwrap();
    JobView {
        job: job.id(),
        number: "J-9".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: job.site(),
        site_name: "Wing B".to_owned(),
        template: job.request.template.clone(),
        plan: job.plan.clone(),
        window: job.window,
        operator_cover: true,
        requester: ME,
        requester_name: "Mira".to_owned(),
        phase: job.phase_name(),
        interrupted: job.interrupted(),
        stops_for: job.stops_for(),
        is_held: job.is_held(),
        robot: job.robot(),
        robot_name: None,
        epoch: job.epoch,
        checkpoint: job.checkpoint,
        access: None,
        is_access_verified: false,
        approval: None,
        allowed: None,
        assist: None,
        operator_name: None,
        accept_by: None,
        requested_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
        version: job.version,
        cases: Vec::new(),
    }
}

fn drawn(history: &History) -> Vec<(PhaseName, StepStanding)> {
    let steps = lane(&view(history), history);
    steps
        .into_iter()
        .map(|step| (step.phase, step.standing))
        .collect()
}

#[test]
fn a_job_on_its_way_shows_what_was_and_what_comes() {
    use PhaseName as P;
    use StepStanding as S;

    assert_eq!(
        drawn(&travelling()),
        [
            (P::Requested, S::Was),
            (P::Dispatching, S::Was),
            (P::Reserved, S::Was),
            (P::Travelling, S::Is),
            (P::AtSite, S::Ahead),
            (P::Executing, S::Ahead),
            (P::Verifying, S::Ahead),
            (P::Completed, S::Ahead),
        ]
    );
}

#[test]
fn an_interrupted_job_stands_beside_the_phase_that_it_returns_to() {
    let mut history = travelling();
    history.play(&JobEvent::Paused {}, OPERATOR, UnixMicros(HOUR));

    let drawn = drawn(&history);

    assert_eq!(drawn[3], (PhaseName::Travelling, StepStanding::Held));
    assert_eq!(drawn[4], (PhaseName::Stopping, StepStanding::Is));
    assert_eq!(drawn[5], (PhaseName::AtSite, StepStanding::Ahead));
}

#[test]
fn what_interrupted_a_phase_stays_with_it() {
    let mut history = travelling();
    let stand = JobEvent::SafeStateReached { epoch: 1 };
    for _ in 0..2 {
        history.play(&JobEvent::Paused {}, OPERATOR, UnixMicros(HOUR));
        history.play(&stand, Actor::Robot(ROBOT), UnixMicros(HOUR));
        history.play(&JobEvent::Resumed {}, OPERATOR, UnixMicros(HOUR));
    }

    let steps = lane(&view(&history), &history);

    assert_eq!(
        steps[3].arms,
        [(PhaseName::Stopping, 2), (PhaseName::Paused, 2)]
    );
    assert!(steps[2].arms.is_empty());
}

#[test]
fn a_job_that_was_called_off_ends_behind_what_it_reached() {
    let mut history = requested();
    history.play(
        &JobEvent::Cancelled {},
        Actor::Requester(ME),
        UnixMicros(HOUR),
    );

    assert_eq!(
        drawn(&history),
        [
            (PhaseName::Requested, StepStanding::Was),
            (PhaseName::Cancelled, StepStanding::Is),
        ]
    );
}

#[test]
fn the_ways_say_who_may_move_the_job() {
    let history = requested();
    let ways = ways(history.job.as_ref().unwrap(), UnixMicros(HOUR));

    let to = |phase| ways.iter().find(|way| way.to == Some(phase)).unwrap();

    assert_eq!(to(PhaseName::Dispatching).kinds, ["job.assigned"]);
    assert_eq!(to(PhaseName::Dispatching).who, ["operator", "admin"]);
    assert!(to(PhaseName::Cancelled).who.contains(&"requester"));
}

#[test]
fn what_is_offered_is_what_the_persons_roles_allow_here() {
    let offered = |history: &History, roles: &[Role]| -> Vec<Deed> {
        let found = deeds(history.job.as_ref().unwrap(), roles, UnixMicros(HOUR));
        found.into_iter().map(|(deed, _)| deed).collect()
    };
    let mut incident = travelling();
    let raised = JobEvent::IncidentRaised {
        incident: IncidentKind::Other,
        epoch: None,
    };
    incident.play(&raised, OPERATOR, UnixMicros(HOUR));
    let stand = JobEvent::SafeStateReached { epoch: 1 };
    incident.play(&stand, Actor::Robot(ROBOT), UnixMicros(HOUR));

    assert_eq!(
        offered(&requested(), &[Role::Operator]),
        [Deed::Assign, Deed::Cancel]
    );
    assert_eq!(offered(&requested(), &[Role::Owner]), []);
    assert!(offered(&travelling(), &[Role::Requester]).contains(&Deed::Pause));
    let decisions = offered(&incident, &[Role::Admin]);
    assert!(decisions.contains(&Deed::DecideResume) && decisions.contains(&Deed::DecideAbort));
}

#[test]
fn a_deed_is_done_in_the_first_role_that_allows_it() {
    let history = requested();
    let job = history.job.as_ref().unwrap();

    let found = deeds(
        job,
        &[Role::Owner, Role::Admin, Role::Operator],
        UnixMicros(HOUR),
    );

    assert_eq!(found[0], (Deed::Assign, Role::Admin));
}

#[test]
fn a_job_that_waits_for_the_requesters_word_stands_beside_executing() {
    let mut waiting = view(&travelling());
    waiting.phase = PhaseName::AwaitingApproval;

    let steps = lane(&waiting, &History::default());

    let drawn: Vec<_> = steps[4..8]
        .iter()
        .map(|step| (step.phase, step.standing))
        .collect();
    assert_eq!(
        drawn,
        [
            (PhaseName::AtSite, StepStanding::Was),
            (PhaseName::Executing, StepStanding::Held),
            (PhaseName::AwaitingApproval, StepStanding::Is),
            (PhaseName::Verifying, StepStanding::Ahead),
        ]
    );
}

#[test]
fn an_operator_is_told_what_a_robot_that_stands_waits_for() {
    let operator = [Role::Operator];
    let mut history = travelling();
    history.play(&JobEvent::Paused {}, OPERATOR, UnixMicros(HOUR));
    let stand = JobEvent::SafeStateReached { epoch: 1 };
    let stopping = history.job.clone().unwrap();
    history.play(&stand, Actor::Robot(ROBOT), UnixMicros(HOUR));
    let stands = history.job.clone().unwrap();

    assert_eq!(waits_for(&stopping, &operator, UnixMicros(HOUR)), None);
    assert_eq!(
        waits_for(&stands, &[Role::Requester], UnixMicros(HOUR)),
        None
    );
    let told = waits_for(&stands, &operator, UnixMicros(HOUR)).unwrap();
    assert!(told.contains("when you resume"), "{told}");
}
