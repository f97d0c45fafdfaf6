//! Every frame of both sockets against docs/api/sockets.md: the document shows what is on the wire, and the wire does not
//! change unseen.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::macros::datetime;
use uuid::Uuid;

use crate::{
    AccessId, ApprovalId, AssistId, CaseId, CommandId, GrantId, JobId, OrganisationId, PersonId,
    RobotId, SiteId, UnixMicros,
    assist::{AssistQuestion, AssistReason},
    case::{CaseKind, CasePhase},
    command::{CommandRequest, Fate, Order, RobotRefusal, Verb},
    console_socket::{FromConsole, Link, ToConsole},
    control::{
        ControlHolderView, ControlNotice, ControlRequestView, ControlSpan, ControlTurn,
        ControlTurnView, ControlView,
    },
    grant::{OpenSession, Presentation, RobotTrust},
    job::{
        AccessPlan, ApprovalVerdict, Assignment, AssistVerdict, Directive, Plan, PlanStep,
        StepAction, Window,
    },
    limits::{CONTROL_LASTS_MS, PROTOCOL_VERSION},
    robot::{
        Activity, Advert, Battery, CameraAdvert, Capability, Codec, Component, Goal, Health, Place,
        Pose, Scan, Segment, Shape, ShapeKind, SiteMap, Telemetry,
    },
    robot_socket::{Demand, FromRobot, Goodbye, ToRobot},
    sealed::KeyId,
    views::{CaseView, CommandView, Degradation, Presence, RobotView},
};

const DOCUMENT: &str = include_str!("../../docs/api/sockets.md");

const ROBOT: RobotId = RobotId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0014));
const COMMAND: CommandId = CommandId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00c1));
const NOW: UnixMicros = UnixMicros(1_767_254_400_000_000);

/// The examples of one direction by the frame's name: both stand behind "json" where a block opens.
fn examples(direction: &str) -> BTreeMap<String, Value> {
    let mut examples = BTreeMap::new();
    for block in DOCUMENT.split("```json ").skip(1) {
        let (heading, rest) = block.split_once('\n').unwrap();
        let (of, name) = heading.split_once(' ').unwrap();
        if of == direction {
            let (text, _prose) = rest.split_once("```").unwrap();
            let example = serde_json::from_str(text)
                .unwrap_or_else(|error| panic!("the example of {heading}: {error}"));
            assert!(
                examples.insert(name.to_owned(), example).is_none(),
                "{heading} is shown twice"
            );
        }
    }
    examples
}

/// Each frame must be written as the document shows it, be read back from there, and no other may be shown.
fn are_shown<T>(direction: &str, frames: Vec<T>)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut shown = examples(direction);
    for frame in frames {
        let written = serde_json::to_value(&frame).unwrap();
        let name = written["type"].as_str().unwrap().to_owned();
        let example = shown
            .remove(&name)
            .unwrap_or_else(|| panic!("{direction} {name} is not shown: {written:#}"));
        assert_eq!(written, example, "{direction} {name}: {written:#}");
        assert_eq!(serde_json::from_value::<T>(example).unwrap(), frame);
    }
    assert!(shown.is_empty(), "nobody sends {:?}", shown.keys());
}

fn advert() -> Advert {
    Advert {
        model: "Nooterra simulator, differential drive".to_owned(),
        software: "0.1.0".to_owned(),
        capabilities: vec![Capability::Navigate, Capability::Stop, Capability::Lidar],
        cameras: vec![CameraAdvert {
            name: "head".to_owned(),
            label: "Head".to_owned(),
            codec: Codec::H264,
            width: 640,
            height: 480,
            frames_per_second: 30,
            has_thumbnails: true,
        }],
        components: vec![Component {
            name: "lidar".to_owned(),
            health: Health::Degraded,
            words: "every tenth range is missing".to_owned(),
        }],
        radius_m: 0.25,
        map: Some(SiteMap {
            width_m: 24.0,
            height_m: 12.0,
            walls: vec![Segment {
                from: [0.0, 0.0],
                to: [24.0, 0.0],
            }],
            shapes: vec![Shape {
                kind: ShapeKind::Room,
                label: "Room 3".to_owned(),
                corners: vec![[0.0, 0.0], [4.0, 0.0], [4.0, 3.0]],
            }],
            places: vec![Place {
                name: "Dock".to_owned(),
                pose: POSE,
            }],
        }),
    }
}

const POSE: Pose = Pose {
    x_m: 2.5,
    y_m: 1.25,
    heading_rad: 0.5,
};

fn telemetry() -> Telemetry {
    Telemetry {
        tick_ms: 90_500,
        at: NOW,
        pose: POSE,
        speed_mps: 0.75,
        turn_rps: -0.25,
        odometer_m: 318.5,
        battery: Battery {
            percent: 81.5,
            volts: 25.5,
            charging: false,
        },
        activity: Activity::Navigating,
        health: Health::Ok,
        goal: Some(Goal {
            command: Some(COMMAND),
            target: Pose { x_m: 6.5, ..POSE },
            remaining_m: 4.25,
        }),
    }
}

fn scan() -> Scan {
    Scan {
        at: NOW,
        pose: POSE,
        first_rad: -0.5,
        step_rad: 0.25,
        ranges_cm: vec![210, 0, 195],
        path: vec![[2.5, 1.25], [6.5, 1.25]],
    }
}

fn assignment() -> Assignment {
    let id = |last: u128| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + last);
    let step = |title: &str, action| PlanStep {
        title: title.to_owned(),
        action,
    };
    Assignment {
        job: JobId(id(0x48)),
        epoch: 2,
        plan: Plan {
            title: "Reset Room 3".to_owned(),
            place: "Room 3".to_owned(),
            steps: vec![
                step("Clear the table", StepAction::Work { seconds: 8 }),
                step(
                    "Take the mug",
                    StepAction::UnsureWork {
                        seconds: 6,
                        question: AssistQuestion {
                            reason: AssistReason::Unsure,
                            words: "How should I hold the mug?".to_owned(),
                            options: vec!["By the handle".to_owned(), "Around the body".to_owned()],
                            camera: "head".to_owned(),
                        },
                    },
                ),
                step(
                    "Open the drawer",
                    StepAction::ApprovedWork {
                        seconds: 5,
                        words: "May the robot open the drawer?".to_owned(),
                        answer_within_s: 120,
                    },
                ),
                step("Photograph the room", StepAction::Photograph),
            ],
        },
        checkpoint: 2,
        access: Some(AccessPlan {
            access: AccessId(id(0x51)),
            place: "Room 3 and corridor B".to_owned(),
            window: Window {
                from: NOW,
                until: NOW.plus(1_800_000_000),
            },
            secret: None,
        }),
        approval: Some(ApprovalVerdict {
            approval: ApprovalId(id(0x61)),
            is_granted: true,
        }),
        assist: Some(AssistVerdict {
            assist: AssistId(id(0x71)),
            option: Some(1),
            is_over: true,
        }),
        directive: Directive::Proceed,
    }
}

const TO_ROOM_3: Verb = Verb::NavigateTo {
    x_m: 6.5,
    y_m: 1.25,
    heading_rad: Some(0.5),
};

const LINK: Link = Link {
    rtt_ms: Some(3.5),
    clock_offset_us: -1_200,
    heard_at: NOW,
};

fn robot_view() -> RobotView {
    RobotView {
        robot: ROBOT,
        name: "R-014 Juniper".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)),
        site: SiteId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000b)),
        site_name: "Wing B".to_owned(),
        presence: Presence::Online {
            since: datetime!(2026-01-01 07:00 UTC),
        },
        advert: None,
        telemetry: None,
        link: Some(LINK),
        trust: None,
    }
}

fn command_view(fate: Fate) -> CommandView {
    let answered = (fate != Fate::Sent).then_some(datetime!(2026-01-01 08:00:00.04 UTC));
    CommandView {
        command: COMMAND,
        robot: ROBOT,
        verb: TO_ROOM_3,
        issued_by: PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0021)),
        issued_by_name: "Mira Kovač".to_owned(),
        issued_at: datetime!(2026-01-01 08:00 UTC),
        fate,
        answered_at: answered,
        ended_at: answered.filter(|_| fate.is_over()),
    }
}

fn degraded() -> Vec<Degradation> {
    vec![Degradation {
        part: "redis".to_owned(),
        words: "Live work, video and stop are not affected.".to_owned(),
        since: datetime!(2026-01-01 07:59 UTC),
    }]
}

const SDP: &str = "v=0\r\n…";

#[test]
fn what_a_robot_says_is_written_as_the_document_shows_it() {
    are_shown(
        "robot-says",
        vec![
            FromRobot::Hello {
                protocol: PROTOCOL_VERSION,
                run: 6_148_914_691,
                advert: advert(),
            },
            FromRobot::Telemetry(telemetry()),
            FromRobot::Scan(scan()),
            FromRobot::Advert(Advert {
                map: None,
                ..advert()
            }),
            FromRobot::RtcOffer {
                negotiation: 1,
                sdp: SDP.to_owned(),
            },
            FromRobot::Event {
                number: 3,
                sealed: "hFhMowEn…".to_owned(),
            },
            FromRobot::Trust(RobotTrust {
                nonce: [0x4e; 32],
                root: Some(KeyId([0x52; 32])),
                roster: 3,
                revocations: 17,
                session: Some(OpenSession {
                    grant: GrantId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_006a)),
                    person: PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0021)),
                    key: KeyId([5; 32]),
                    epoch: 41,
                }),
                refused: None,
            }),
            FromRobot::Pong {
                at: NOW,
                robot_at: NOW.plus(1_700),
            },
        ],
    );
}

fn presentation() -> Presentation {
    Presentation {
        grant: "hEyj".to_owned(),
        assertion: Some("hEyj".to_owned()),
        passkey: None,
    }
}

#[test]
fn what_a_robot_is_told_is_written_as_the_document_shows_it() {
    are_shown(
        "robot-hears",
        vec![
            ToRobot::Welcome {
                robot: ROBOT,
                name: "R-014 Juniper".to_owned(),
                gateway_at: NOW,
                events_held: 2,
            },
            ToRobot::Ping { at: NOW },
            ToRobot::RtcAnswer {
                negotiation: 1,
                sdp: SDP.to_owned(),
            },
            ToRobot::RtcRefused {
                negotiation: 1,
                code: "sdp_malformed".to_owned(),
                words: "the session description can't be read".to_owned(),
            },
            ToRobot::Demand(Demand {
                cameras: vec!["head".to_owned()],
                thumbnails: true,
                scans: false,
            }),
            ToRobot::Order(Order::Signed {
                command: COMMAND,
                sealed: "hEyj".to_owned(),
            }),
            ToRobot::Roster {
                sealed: "hEyj".to_owned(),
            },
            ToRobot::Revocations {
                sealed: "hEyj".to_owned(),
            },
            ToRobot::Grant(presentation()),
            ToRobot::Drive {
                sealed: "hEyj".to_owned(),
            },
            ToRobot::Control(ControlNotice {
                epoch: 41,
                held: Some(ControlSpan {
                    seen_tick_ms: 90_500,
                    lasts_ms: CONTROL_LASTS_MS,
                }),
                is_let_go: false,
            }),
            ToRobot::Assignment(Box::new(assignment())),
            ToRobot::NoAssignment,
            ToRobot::EventsHeld { number: 3 },
            ToRobot::EventRefused {
                number: 4,
                code: "signature_refused".to_owned(),
            },
            ToRobot::Goodbye {
                reason: Goodbye::Superseded,
                words: "another agent signed in with this robot's identity; the newer one stays"
                    .to_owned(),
            },
        ],
    );
}

#[test]
fn what_a_console_says_is_written_as_the_document_shows_it() {
    are_shown(
        "console-says",
        vec![
            FromConsole::Hello {
                protocol: PROTOCOL_VERSION,
            },
            FromConsole::WantThumbnails {
                robots: vec![ROBOT],
            },
            FromConsole::View {
                view: 1,
                robot: ROBOT,
                cameras: vec!["head".to_owned()],
                sdp: SDP.to_owned(),
            },
            FromConsole::EndView { view: 1 },
            FromConsole::Command(CommandRequest {
                command: COMMAND,
                robot: ROBOT,
                epoch: Some(41),
                verb: TO_ROOM_3,
                signed: Some("hEyj".to_owned()),
            }),
            FromConsole::Drive {
                robot: ROBOT,
                sealed: "hEyj".to_owned(),
            },
            FromConsole::Present {
                robot: ROBOT,
                epoch: 41,
                at: NOW,
            },
            FromConsole::Ping { at: NOW },
        ],
    );
}

fn snapshot() -> ToConsole {
    ToConsole::Snapshot {
        robots: vec![robot_view()],
        degraded: degraded(),
        commands: vec![command_view(Fate::Sent)],
        assists: Vec::new(),
        controls: Some(vec![control_view()]),
    }
}

fn control_view() -> ControlView {
    let person = PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0021));
    let other = PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0022));
    let at = datetime!(2026-01-01 8:00 UTC);
    ControlView {
        robot: ROBOT,
        epoch: 41,
        holder: Some(ControlHolderView {
            person,
            name: "Mira Kovač".to_owned(),
            key: Some("03".repeat(32)),
            since: at,
        }),
        request: Some(ControlRequestView {
            person: other,
            name: "Tobi Okafor".to_owned(),
            key: None,
            words: "I know this drawer.".to_owned(),
            until: at,
        }),
        last: Some(ControlTurnView {
            turn: ControlTurn::Claimed,
            person,
            name: "Mira Kovač".to_owned(),
            words: String::new(),
            at,
        }),
        version: 83,
    }
}

fn taken() -> ToConsole {
    ToConsole::Present {
        robot: ROBOT,
        epoch: 41,
        at: NOW,
    }
}

fn case_view() -> CaseView {
    let id = |last: u128| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + last);
    CaseView {
        case: CaseId(id(0x81)),
        number: "C-0112".to_owned(),
        job: JobId(id(0x48)),
        job_title: "Reset Room 3".to_owned(),
        organisation: OrganisationId(id(0x01)),
        site: SiteId(id(0x0b)),
        about: CaseKind::PropertyDamage,
        severity: 3,
        triaged_severity: None,
        words: Some("The mug came back chipped.".to_owned()),
        pictures: Vec::new(),
        requester: PersonId(id(0x22)),
        requester_name: "Rosa Lindqvist".to_owned(),
        phase: CasePhase::EvidenceFrozen,
        frozen_entries: Some(57),
        ruling: None,
        reason: None,
        opened_at: datetime!(2026-01-01 8:00 UTC),
        updated_at: datetime!(2026-01-01 8:00 UTC),
        version: 2,
    }
}

#[test]
fn what_a_console_is_told_is_written_as_the_document_shows_it() {
    let refused = Fate::Refused {
        reason: RobotRefusal::InsideObstacle,
    };
    are_shown(
        "console-hears",
        vec![
            ToConsole::Welcome { gateway_at: NOW },
            snapshot(),
            ToConsole::Robot(Box::new(RobotView {
                presence: Presence::Offline { since: None },
                link: None,
                ..robot_view()
            })),
            ToConsole::RobotGone { robot: ROBOT },
            ToConsole::Telemetry {
                robot: ROBOT,
                telemetry: telemetry(),
                link: LINK,
            },
            ToConsole::Scan {
                robot: ROBOT,
                scan: scan(),
            },
            ToConsole::ViewAnswer {
                view: 1,
                sdp: SDP.to_owned(),
            },
            ToConsole::ViewRefused {
                view: 1,
                code: "unknown_robot".to_owned(),
                words: "there is no such robot".to_owned(),
            },
            ToConsole::ViewEnded {
                view: 1,
                code: "closed_by_peer".to_owned(),
            },
            ToConsole::Command(command_view(refused)),
            ToConsole::CommandRefused {
                command: COMMAND,
                code: "robot_offline".to_owned(),
                words: "R-014 Juniper is not connected; nothing was sent".to_owned(),
            },
            ToConsole::Case(Box::new(case_view())),
            ToConsole::Control(Box::new(control_view())),
            taken(),
            ToConsole::Degraded {
                degraded: degraded(),
            },
            ToConsole::Resync,
            ToConsole::Pong {
                at: NOW,
                gateway_at: NOW.plus(800),
            },
            ToConsole::Goodbye {
                reason: Goodbye::SessionEnded,
                words: "the sign-in ended".to_owned(),
            },
        ],
    );
}

#[test]
fn the_document_names_every_reason_for_a_goodbye_with_its_close_code() {
    for reason in [
        Goodbye::Superseded,
        Goodbye::Revoked,
        Goodbye::ProtocolUnsupported,
        Goodbye::BadFrame,
        Goodbye::Restarting,
        Goodbye::Silent,
        Goodbye::Overloaded,
        Goodbye::SessionEnded,
    ] {
        let close_code = if reason.may_return() { "1013" } else { "1008" };
        let row = format!("| `{}` | {close_code} |", reason.code());
        assert!(DOCUMENT.contains(&row), "{row}");
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
    }
}
