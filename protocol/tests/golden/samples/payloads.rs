//! What can happen, but for what happens to jobs.

use protocol::{
    CommandId, EvidenceId, GrantId, JobId, OrganisationId, SiteId, TokenId,
    case::{CaseEvent, CaseKind, Ruling, SaltedHash, case_stream},
    command::{
        AbandonReason, CommandHash, FrameSeen, Outcome, Receipt, RobotRefusal, SealedCommand, Verb,
    },
    console_code::ConsoleHash,
    control::{ControlEnding, ControlEvent},
    drive::{Clamp, Disarm, DriveEvent, DriveSegment, DriveStep, StopCause, Twist},
    event::{Payload, organisation_stream, person_stream, robot_stream},
    grant::{GrantEvent, GrantRefusal},
    job::{EvidenceHash, JobEvent, job_stream},
    ladder::Level,
    picture::{ClipHash, FrameHash, PictureSeen},
    robot::Pose,
    roster::KeyTier,
    sealed::KeyId,
    views::Role,
};

use super::{NOW, PERSON, ROBOT, id, job_events, one_of_each};

const COMMAND: CommandId = CommandId(id(0xc1));
pub(crate) const JOB: JobId = JobId(id(0x48));
const CASE: protocol::CaseId = protocol::CaseId(id(0xca));
const KEY: KeyId = KeyId([3; 32]);

/// The history that an event like this belongs to.
pub(crate) fn stream_of(payload: &Payload) -> String {
    match payload {
        Payload::Job(_) => job_stream(JOB),
        Payload::Case(_) => case_stream(CASE),
        Payload::OrganisationCreated { organisation, .. } => organisation_stream(*organisation),
        Payload::PersonAdded { person }
        | Payload::RoleGranted { person, .. }
        | Payload::RoleRevoked { person, .. }
        | Payload::SessionOpened { person, .. }
        | Payload::SessionClosed { person }
        | Payload::TokenIssued { person, .. }
        | Payload::TokenRevoked { person, .. }
        | Payload::SessionKeyBound { person, .. }
        | Payload::SessionKeyEnded { person, .. } => person_stream(*person),
        Payload::GatewayStarted { .. } => organisation_stream(OrganisationId(id(1))),
        Payload::SiteCreated { .. }
        | Payload::RobotAdded { .. }
        | Payload::RobotTokenIssued { .. }
        | Payload::RobotTokenRevoked { .. }
        | Payload::RobotKeyBound { .. }
        | Payload::CommandIssued { .. }
        | Payload::CommandReceipt(_)
        | Payload::CommandUnanswered { .. }
        | Payload::Control(_)
        | Payload::Drive(_) => robot_stream(ROBOT),
        Payload::Grant(event) => stream_of_grant(event),
    }
}

/// One of each kind.
pub(crate) fn one_of_each_kind() -> Vec<Payload> {
    let (person, robot, token) = (PERSON, ROBOT, TokenId(id(0x31)));
    let (organisation, site) = (OrganisationId(id(1)), SiteId(id(0xb)));
    let name = "R-014 Juniper".to_owned();
    let role = Role::Operator;
    let (key, public_key) = (KEY, [4; 32]);
    let each = one_of_each![Payload:
        OrganisationCreated { organisation, name: "Linden & Söhne".to_owned() },
        SiteCreated { site, name: "Wing B".to_owned() },
        GatewayStarted { version: "0.1.0".to_owned(), console: Some(ConsoleHash([6; 32])) },
        PersonAdded { person },
        RoleGranted { person, role, site: Some(site) },
        RoleRevoked { person, role, site: Some(site) },
        SessionOpened { person, passkey: None },
        SessionClosed { person },
        TokenIssued { person, token },
        TokenRevoked { person, token },
        RobotAdded { robot, name },
        RobotTokenIssued { robot, token },
        RobotTokenRevoked { robot, token },
        RobotKeyBound { robot, key, public_key },
        CommandIssued { command: COMMAND, robot, person, order: orders()[0], epoch: None, signed: None,
            words: String::new() },
        CommandReceipt (receipt(outcomes()[0])),
        CommandUnanswered { command: COMMAND },
        SessionKeyBound { person, key, public_key, expires_at: NOW.plus(3_600_000_000) },
        SessionKeyEnded { person, key },
        Job (JobEvent::Paused {}),
        Case (CaseEvent::Withdrawn {}),
        Control (ControlEvent::Released {}),
        Grant (GrantEvent::RootNamed { public_key }),
        Drive (DriveEvent::Segment(Box::new(segment()))),
    ];
    // What happens to jobs, cases and who steers has lists of its own.
    let each = each.into_iter().filter(|one| {
        !matches!(
            one,
            Payload::Job(_) | Payload::Case(_) | Payload::Control(_) | Payload::Grant(_)
        )
    });
    each.chain(job_events::one_of_each_kind().map(Payload::Job))
        .chain(one_of_each_case_event().map(Payload::Case))
        .chain(
            one_of_each_control_event()
                .into_iter()
                .map(Payload::Control),
        )
        .chain(one_of_each_grant_event().into_iter().map(Payload::Grant))
        .collect()
}

/// What a page signed, what answers it, and a grant that nobody could read.
fn signed_forms() -> Vec<(&'static str, Payload)> {
    let heading_open = Verb::NavigateTo {
        x_m: 2.41,
        y_m: -100_000.5,
        heading_rad: None,
    };
    vec![
        (
            "signed by a page",
            Payload::CommandIssued {
                command: COMMAND,
                robot: ROBOT,
                person: PERSON,
                order: heading_open,
                epoch: Some(41),
                signed: Some(SealedCommand(vec![0x84, 0x4c])),
                words: String::new(),
            },
        ),
        (
            "of a signed command",
            Payload::CommandReceipt(Receipt {
                sealed_sha256: Some(CommandHash([9; 32])),
                ..receipt(outcomes()[0])
            }),
        ),
        (
            "that can't be read",
            Payload::Grant(GrantEvent::Refused {
                grant: None,
                reason: GrantRefusal::Unreadable,
            }),
        ),
    ]
}

/// What belongs to driving and to stops.
fn driving_forms() -> Vec<(&'static str, Payload)> {
    let issued = |order, words: &str| Payload::CommandIssued {
        command: COMMAND,
        robot: ROBOT,
        person: PERSON,
        order,
        epoch: Some(41),
        signed: (!words.is_empty()).then(|| SealedCommand(vec![0x84, 0x4c])),
        words: words.to_owned(),
    };
    vec![
        ("to be ready to be driven", issued(orders()[2], "")),
        (
            "to release a stop",
            issued(orders()[3], "Das Kind ist aus dem Weg."),
        ),
        ("that went undisturbed", Payload::Drive(undisturbed())),
        (
            "under a picture that is kept",
            Payload::Drive(DriveEvent::Segment(Box::new(DriveSegment {
                frame: Some(frame()),
                picture: Some(PictureSeen::Kept {
                    clip: ClipHash([0xc1; 32]),
                }),
                ..segment()
            }))),
        ),
        (
            "under a picture that is known",
            Payload::CommandReceipt(Receipt {
                frame: Some(frame()),
                picture: Some(PictureSeen::Known),
                ..receipt(outcomes()[0])
            }),
        ),
        (
            "under a picture that is nobody's",
            Payload::CommandReceipt(Receipt {
                frame: Some(frame()),
                picture: Some(PictureSeen::Unknown),
                ..receipt(outcomes()[0])
            }),
        ),
        (
            "by itself",
            Payload::Drive(DriveEvent::Stopped {
                cause: StopCause::Button,
                at: NOW,
                pose: receipt(outcomes()[0]).pose,
            }),
        ),
    ]
}

/// The same kinds with what may be absent, and with what may stand in its place.
pub(crate) fn other_forms() -> Vec<(&'static str, Payload)> {
    let (person, robot, role) = (PERSON, ROBOT, Role::Owner);
    let issued = |order, epoch| Payload::CommandIssued {
        command: COMMAND,
        robot,
        person,
        order,
        epoch,
        signed: None,
        words: String::new(),
    };
    let heading_open = Verb::NavigateTo {
        x_m: 2.41,
        y_m: -100_000.5,
        heading_rad: None,
    };
    let mut forms = vec![
        (
            "by a passkey",
            Payload::SessionOpened {
                person,
                passkey: Some(KEY),
            },
        ),
        (
            "everywhere",
            Payload::RoleGranted {
                person,
                role,
                site: None,
            },
        ),
        (
            "everywhere",
            Payload::RoleRevoked {
                person,
                role,
                site: None,
            },
        ),
        ("to anywhere in sight", issued(heading_open, None)),
        ("under an epoch", issued(heading_open, Some(41))),
        ("to stop", issued(orders()[1], None)),
        ("refused", Payload::CommandReceipt(receipt(outcomes()[1]))),
        ("done", Payload::CommandReceipt(receipt(outcomes()[2]))),
        ("abandoned", Payload::CommandReceipt(receipt(outcomes()[3]))),
        ("without pictures", Payload::Case(opened(Vec::new()))),
        ("without files", Payload::Case(frozen(Vec::new()))),
    ];
    forms.extend(signed_forms());
    forms.extend(driving_forms());
    forms.extend(control_without_words().map(|(form, event)| (form, Payload::Control(event))));
    let jobs = job_events::other_forms();
    forms.extend(jobs.map(|(form, event)| (form, Payload::Job(event))));
    forms
}

fn control_without_words() -> [(&'static str, ControlEvent); 4] {
    let nothing = String::new;
    [
        (
            "without words",
            ControlEvent::Requested { words: nothing() },
        ),
        (
            "without words",
            ControlEvent::Declined {
                to: PERSON,
                words: nothing(),
            },
        ),
        (
            "without a note",
            ControlEvent::HandedOver {
                to: PERSON,
                note: nothing(),
            },
        ),
        (
            "to a script",
            ControlEvent::Granted {
                epoch: 41,
                person: PERSON,
                key: None,
            },
        ),
    ]
}

fn one_of_each_control_event() -> [ControlEvent; 9] {
    let words = "Die Schublade klemmt.".to_owned();
    one_of_each![ControlEvent:
        Claimed {},
        Requested { words: words.clone() },
        Withdrawn {},
        Declined { to: PERSON, words: words.clone() },
        HandedOver { to: PERSON, note: words.clone() },
        TakenOver { epoch: 41, reason: words },
        Released {},
        Granted { epoch: 41, person: PERSON, key: Some(KEY) },
        Ended { epoch: 41, cause: ControlEnding::Absent },
    ]
}

/// Each number is of another width: a half, a single, a double.
fn orders() -> [Verb; 4] {
    one_of_each![Verb:
        NavigateTo { x_m: 6.5, y_m: 100_000.5, heading_rad: Some(0.1) },
        Stop {},
        ArmDrive {},
        ReleaseStop {},
    ]
}

fn frame() -> FrameSeen {
    FrameSeen {
        camera: "head".to_owned(),
        captured_at: NOW,
        age_ms: 48,
        sha256: Some(FrameHash([0xf1; 32])),
    }
}

fn segment() -> DriveSegment {
    let asked = Twist {
        speed_mm_s: 900,
        turn_mrad_s: -400,
    };
    DriveSegment {
        armed_by: COMMAND,
        grant: GrantId(id(0x6a)),
        epoch: 41,
        from_tick_ms: 90_500,
        at: NOW,
        lasts_ms: 1_000,
        from: Pose {
            x_m: 1.25,
            y_m: -2.0,
            heading_rad: 0.1,
        },
        to: Pose {
            x_m: 1.5,
            y_m: -2.0,
            heading_rad: 0.0,
        },
        steps: vec![DriveStep {
            sequence: 300,
            after_ms: 40,
            asked,
            given: Twist {
                speed_mm_s: 120,
                ..asked
            },
        }],
        commands_sha256: CommandHash([9; 32]),
        last: SealedCommand(vec![0x84, 0x4c]),
        frame: Some(FrameSeen {
            camera: "head".to_owned(),
            captured_at: NOW,
            age_ms: 48,
            sha256: None,
        }),
        picture: None,
        refused: vec![(RobotRefusal::Stale, 2)],
        dropped: 1,
        clamp: Some(Clamp::KeepOut),
        zone: "bed".to_owned(),
        level: Level::Nudge,
        delay_ms: Some(268),
        disarmed: Some(Disarm::DeadMan),
    }
}

fn undisturbed() -> DriveEvent {
    DriveEvent::Segment(Box::new(DriveSegment {
        frame: None,
        refused: Vec::new(),
        dropped: 0,
        clamp: None,
        zone: String::new(),
        level: Level::Drive,
        delay_ms: None,
        disarmed: None,
        ..segment()
    }))
}

fn outcomes() -> [Outcome; 4] {
    one_of_each![Outcome:
        Accepted {},
        Refused { reason: RobotRefusal::Unreachable },
        Done {},
        Abandoned { reason: AbandonReason::Superseded },
    ]
}

fn receipt(outcome: Outcome) -> Receipt {
    Receipt {
        command: COMMAND,
        outcome,
        tick_ms: 90_500,
        at: NOW,
        pose: Pose {
            x_m: 1.25,
            y_m: -2.0,
            heading_rad: 0.1,
        },
        sealed_sha256: None,
        frame: None,
        picture: None,
    }
}

fn stream_of_grant(event: &GrantEvent) -> String {
    match event {
        GrantEvent::RootNamed { .. }
        | GrantEvent::RosterPublished { .. }
        | GrantEvent::RevocationsPublished { .. } => organisation_stream(OrganisationId(id(1))),
        GrantEvent::PersonKeyOffered { person, .. }
        | GrantEvent::PasskeyAdded { person, .. }
        | GrantEvent::PersonKeyRemoved { person, .. } => person_stream(*person),
        GrantEvent::Issued { .. }
        | GrantEvent::Denied { .. }
        | GrantEvent::Accepted { .. }
        | GrantEvent::Refused { .. } => robot_stream(ROBOT),
    }
}

fn one_of_each_grant_event() -> Vec<GrantEvent> {
    let (person, key, public_key) = (PERSON, KEY, [4; 32]);
    let (grant, session_key) = (GrantId(id(0x6a)), KeyId([5; 32]));
    let each = one_of_each![GrantEvent:
        RootNamed { public_key },
        RosterPublished { number: 3, sha256: [6; 32], expires_at: NOW },
        RevocationsPublished { number: 17, sha256: [6; 32] },
        PersonKeyOffered { person, key, public_key, tier: KeyTier::Browser },
        PasskeyAdded { person, key, public_key: [2; 33], relying_party: "fleet.example".to_owned() },
        PersonKeyRemoved { person, key },
        Issued { grant, person, session_key, epoch: 41, sha256: [6; 32], expires_s: 1_767_255_000 },
        Denied { person, code: "key_not_rostered".to_owned() },
        Accepted { grant, person, session_key, bound_by: key, epoch: 41, roster: 3 },
        Refused { grant: Some(grant), reason: GrantRefusal::NotBound },
    ];
    each.into()
}

pub(crate) fn file() -> EvidenceHash {
    EvidenceHash {
        evidence: EvidenceId(id(0xe1)),
        media_type: "image/jpeg".to_owned(),
        salted_sha256: [8; 32],
    }
}

fn opened(pictures: Vec<EvidenceHash>) -> CaseEvent {
    CaseEvent::Opened {
        case: CASE,
        job: JOB,
        about: CaseKind::PropertyDamage,
        severity: 3,
        requester: PERSON,
        words: SaltedHash([5; 32]),
        pictures,
    }
}

fn frozen(files: Vec<EvidenceHash>) -> CaseEvent {
    CaseEvent::EvidenceFrozen {
        entries: 24,
        head: [6; 32],
        files,
    }
}

fn one_of_each_case_event() -> impl Iterator<Item = CaseEvent> {
    let reason = SaltedHash([7; 32]);
    let each = one_of_each![CaseEvent:
        Opened { case: CASE, job: JOB, about: CaseKind::PropertyDamage, severity: 3, requester: PERSON,
            words: SaltedHash([5; 32]), pictures: vec![file()] },
        EvidenceFrozen { entries: 24, head: [6; 32], files: vec![file(), file()] },
        Triaged { severity: 4 },
        ReviewStarted {},
        Ruled { ruling: Ruling::PartlyUpheld, reason },
        Withdrawn {},
    ];
    each.into_iter()
}
