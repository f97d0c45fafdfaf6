//! A job to try the words on.

use protocol::{
    JobId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    job::{PhaseName, Plan, PlanStep, StepAction, TemplateName, Window},
    views::JobView,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// 2023-11-21 14:31:40 on a wall one hour east of UTC.
pub(super) const NOW: UnixMicros = UnixMicros(1_700_573_500_000_000);

/// One hour east of UTC.
pub(super) const CET: super::when::Zone = super::when::Zone(|_| 3_600);

pub(super) fn moment(at: UnixMicros) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.0 / 1_000_000).unwrap()
}

fn step(title: &str, action: StepAction) -> PlanStep {
    PlanStep {
        title: title.to_owned(),
        action,
    }
}

/// "Reset Room 3" by Juniper, in a phase.
pub(super) fn job(phase: PhaseName) -> JobView {
    JobView {
        job: JobId(Uuid::from_u128(1)),
        number: "J-48210".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(2)),
        site: SiteId(Uuid::from_u128(3)),
        site_name: "St. Anne".to_owned(),
        template: TemplateName {
            name: "reset_room".to_owned(),
            version: 1,
        },
        plan: Plan {
            title: "Reset Room 3".to_owned(),
            place: "Room 3".to_owned(),
            steps: vec![
                step("Wipe rail", StepAction::Work { seconds: 5 }),
                step("Clear bedside table", StepAction::Work { seconds: 5 }),
                step("Take photos", StepAction::Photograph),
            ],
        },
        window: Window {
            from: NOW.plus(-1_900_000_000),
            until: NOW.plus(3_500_000_000),
        },
        operator_cover: true,
        requester: PersonId(Uuid::from_u128(4)),
        requester_name: "Rosa Lind".to_owned(),
        phase,
        interrupted: None,
        stops_for: None,
        is_held: false,
        robot: Some(RobotId(Uuid::from_u128(5))),
        robot_name: Some("Juniper".to_owned()),
        epoch: 1,
        checkpoint: 1,
        access: None,
        is_access_verified: false,
        approval: None,
        allowed: None,
        assist: None,
        operator_name: None,
        accept_by: None,
        requested_at: moment(NOW.plus(-2_000_000_000)),
        updated_at: moment(NOW),
        version: 9,
        cases: Vec::new(),
    }
}
