//! Jobs, complaints and calls for help: the newer word counts, and what is new rings once.

use protocol::{
    AssistId, CaseId, JobId,
    assist::{AssistPhase, AssistQuestion, AssistReason},
    case::{CaseKind, CasePhase},
    job::{PhaseName, Plan, TemplateName, Window},
    views::{AssistView, CaseView, JobView},
};

use super::*;

fn call(number: u128, phase: AssistPhase) -> AssistView {
    AssistView {
        assist: AssistId(Uuid::from_u128(number)),
        job: JobId(Uuid::from_u128(100 + number)),
        title: "Reset Room 3".to_owned(),
        site: SiteId(Uuid::from_u128(2)),
        organisation: OrganisationId(Uuid::from_u128(1)),
        robot: JUNIPER,
        robot_name: "Juniper".to_owned(),
        question: AssistQuestion {
            reason: AssistReason::Unsure,
            words: "Which grasp for the mug?".to_owned(),
            options: vec!["Handle".to_owned(), "Rim".to_owned()],
            camera: "head".to_owned(),
        },
        phase,
        requested_at: OffsetDateTime::UNIX_EPOCH,
        answer_by: OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(3),
        operator: None,
        operator_name: None,
        option: None,
        ended_at: None,
    }
}

fn hears(model: &mut Model, call: AssistView) -> Vec<Effect> {
    reduce(model, heard(ToConsole::Assist(Box::new(call))), at(0))
}

fn snapshot_of(assists: Vec<AssistView>) -> Input {
    heard(ToConsole::Snapshot {
        robots: vec![robot(JUNIPER)],
        degraded: Vec::new(),
        commands: Vec::new(),
        assists,
        controls: None,
    })
}

fn job(version: u64, phase: PhaseName) -> JobView {
    let window = Window {
        from: UnixMicros(0),
        until: UnixMicros(1),
    };
    JobView {
        job: JobId(Uuid::from_u128(9)),
        number: "J-9".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(2)),
        site_name: "Wing B".to_owned(),
        template: TemplateName {
            name: "reset_room".to_owned(),
            version: 1,
        },
        plan: Plan {
            title: "Reset Room 3".to_owned(),
            place: "Room 3".to_owned(),
            steps: Vec::new(),
        },
        window,
        operator_cover: true,
        requester: PersonId(Uuid::from_u128(5)),
        requester_name: "Mira".to_owned(),
        phase,
        interrupted: None,
        stops_for: None,
        is_held: false,
        robot: None,
        robot_name: None,
        epoch: 0,
        checkpoint: 0,
        access: None,
        is_access_verified: false,
        approval: None,
        allowed: None,
        assist: None,
        operator_name: None,
        accept_by: None,
        requested_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
        version,
        cases: Vec::new(),
    }
}

fn complaint(version: u64, phase: CasePhase) -> CaseView {
    CaseView {
        case: CaseId(Uuid::from_u128(8)),
        number: "C-0008".to_owned(),
        job: JobId(Uuid::from_u128(9)),
        job_title: "Reset Room 3".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(2)),
        about: CaseKind::PropertyDamage,
        severity: 3,
        triaged_severity: None,
        words: None,
        pictures: Vec::new(),
        requester: PersonId(Uuid::from_u128(5)),
        requester_name: "Mira".to_owned(),
        phase,
        frozen_entries: None,
        ruling: None,
        reason: None,
        opened_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
        version,
    }
}

#[test]
fn a_call_rings_when_it_comes_and_when_it_rings_wider_and_not_in_between() {
    let mut model = live(&[JUNIPER]);

    let path = [
        (AssistPhase::Opened, true),
        (AssistPhase::Offered, false),
        (AssistPhase::Escalated, true),
        (AssistPhase::Escalated, false),
        (AssistPhase::Claimed, false),
        (AssistPhase::Active, false),
        (AssistPhase::Resolved, false),
    ];
    for (phase, rings) in path {
        let effects = hears(&mut model, call(1, phase));
        assert_eq!(effects == [Effect::Ring], rings, "{phase:?}");
    }
}

#[test]
fn a_call_that_is_over_is_gone() {
    let mut model = live(&[JUNIPER]);
    hears(&mut model, call(1, AssistPhase::Offered));
    hears(&mut model, call(2, AssistPhase::Active));

    hears(&mut model, call(1, AssistPhase::Expired));

    let left: Vec<_> = model.assists.keys().copied().collect();
    assert_eq!(left, [AssistId(Uuid::from_u128(2))]);
}

#[test]
fn muted_calls_are_seen_and_not_heard() {
    let mut model = live(&[JUNIPER]);
    let muted = reduce(&mut model, Input::Mute(true), at(0));

    let effects = hears(&mut model, call(1, AssistPhase::Offered));

    assert_eq!(muted, [Effect::RememberMute(true)]);
    assert!(effects.is_empty());
    assert_eq!(model.assists.len(), 1);
    reduce(&mut model, Input::Stop, at(0));
    assert!(model.is_muted);
}

#[test]
fn calls_that_came_while_the_connection_was_lost_ring_and_those_before_the_visit_do_not() {
    let mut model = Model::default();
    reduce(&mut model, Input::Start, at(0));
    reduce(&mut model, Input::SocketOpened, at(0));

    let first = reduce(
        &mut model,
        snapshot_of(vec![call(1, AssistPhase::Offered)]),
        at(0),
    );
    let again = reduce(
        &mut model,
        snapshot_of(vec![
            call(1, AssistPhase::Offered),
            call(2, AssistPhase::Offered),
        ]),
        at(0),
    );
    let without = reduce(&mut model, snapshot_of(Vec::new()), at(0));

    assert!(!first.contains(&Effect::Ring));
    assert!(again.contains(&Effect::Ring));
    assert!(!without.contains(&Effect::Ring));
    assert!(model.assists.is_empty());
}

#[test]
fn an_answer_that_was_overtaken_by_the_socket_does_not_undo_its_news() {
    let mut model = live(&[JUNIPER]);
    let newer = ToConsole::Job(Box::new(job(3, PhaseName::Reserved)));
    reduce(&mut model, heard(newer), at(0));
    let changes = model.jobs.changes;

    reduce(
        &mut model,
        Input::Jobs(vec![
            job(2, PhaseName::Dispatching),
            job(3, PhaseName::Reserved),
        ]),
        at(0),
    );

    let known = model.jobs.get(JobId(Uuid::from_u128(9))).unwrap();
    assert_eq!(known.phase, PhaseName::Reserved);
    assert_eq!(model.jobs.changes, changes);
}

#[test]
fn news_of_a_complaint_reach_the_model_and_older_answers_do_not_undo_them() {
    let mut model = live(&[JUNIPER]);
    let ruled = ToConsole::Case(Box::new(complaint(5, CasePhase::Upheld)));
    reduce(&mut model, heard(ruled), at(0));
    let changes = model.cases.changes;

    let older = vec![complaint(4, CasePhase::UnderReview)];
    reduce(&mut model, Input::Cases(older), at(0));

    let known = model.cases.get(CaseId(Uuid::from_u128(8))).unwrap();
    assert_eq!(known.phase, CasePhase::Upheld);
    assert_eq!(model.cases.changes, changes);
}
