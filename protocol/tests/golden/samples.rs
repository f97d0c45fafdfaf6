//! One of everything that is signed, always the same. A variant without a sample does not compile.

mod job_events;
mod payloads;
mod steering;

use std::collections::BTreeMap;

use protocol::{
    PersonId, RobotId, UnixMicros,
    assist::{AssistEnding, AssistReason},
    case::{CaseKind, Ruling},
    command::{AbandonReason, RobotRefusal},
    control::ControlEnding,
    drive::{Clamp, Disarm, StopCause},
    event::{ActorChain, ActorEvent, EnrolmentProof, Payload, SessionKeyProof},
    grant::{GrantRefusal, GrantedVerb},
    job::{AccessFailure, ForfeitReason, IncidentDecision, IncidentKind},
    ladder::Level,
    roster::KeyTier,
    sealed::Kind,
    views::Role,
};
use uuid::Uuid;

use super::sample::Sample;

/// An array with each variant of an enum. It does not compile when one is missing.
macro_rules! one_of_each {
    ($type:ident: $($variant:ident $content:tt),* $(,)?) => {{
        const fn is_named(value: &$type) -> bool {
            match value {
                $($type::$variant { .. })|* => true,
            }
        }
        let each = [$($type::$variant $content),*];
        assert!(each.iter().all(is_named));
        each
    }};
}
pub(crate) use one_of_each;

/// Each of some enums of plain words, under its name.
macro_rules! words {
    ($($type:ident { $($variant:ident),* $(,)? })*) => {{
        let mut words = Vec::new();
        $(
            for word in one_of_each![$type: $($variant {}),*] {
                let name = format!("{}.{word:?}", stringify!($type));
                words.push(Sample::part(&name, word));
            }
        )*
        words
    }};
}

/// The id that ends in these digits.
const fn id(last: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + last)
}

const PERSON: PersonId = PersonId(id(0x21));
const ROBOT: RobotId = RobotId(id(0x14));
const NOW: UnixMicros = UnixMicros(1_767_254_400_000_000);

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    let mut samples = kinds();
    samples.extend(proofs());
    samples.extend(steering::all());
    samples.extend(steering::driving());
    samples.extend(words());
    let payloads = payloads::one_of_each_kind().into_iter();
    samples.extend(payloads.map(|payload| event(payload.kind(), payload.clone())));
    let forms = payloads::other_forms().into_iter();
    samples
        .extend(forms.map(|(form, payload)| event(&format!("{} {form}", payload.kind()), payload)));
    samples.extend(signers());
    samples
}

/// Every kind of envelope.
pub(crate) fn every_kind() -> [Kind; 13] {
    one_of_each![Kind:
        Event {}, Entry {}, Enrolment {}, SessionKey {}, Bundle {}, Roster {}, Revocations {}, Grant {}, Assertion {},
        PersonKey {}, Command {}, Drive {}, SafetyPolicy {},
    ]
}

/// Every kind of envelope around the same map: each makes other bytes of it.
fn kinds() -> Vec<Sample> {
    let arrived = BTreeMap::from([("arrived".to_owned(), 3_u64)]);
    every_kind()
        .map(|kind| Sample::sealed(&format!("sealed as {kind:?}"), kind, arrived.clone()))
        .into()
}

fn proofs() -> [Sample; 2] {
    let enrolment = EnrolmentProof {
        token_hash: [0x7a; 32],
    };
    let session_key = SessionKeyProof {
        person: PERSON,
        at: NOW,
    };
    [
        Sample::sealed("EnrolmentProof", Kind::Enrolment, enrolment),
        Sample::sealed("SessionKeyProof", Kind::SessionKey, session_key),
    ]
}

/// Words that stand in events. An event of each would show nothing more of them.
fn words() -> Vec<Sample> {
    words! {
        Role { Operator, Supervisor, Requester, Owner, Admin }
        RobotRefusal {
            OutsideMap, InsideObstacle, Unreachable, BatteryLow, Stale, Unsupported, Fault,
            StaleEpoch, NotSigned, NoGrant, OutsideGrant, OutOfSequence, AnotherRobot,
            Stopped, NotReleasable, NotArmed, StaleFrame, Delay, KeepOut,
            UnknownFrame,
        }
        AbandonReason {
            Blocked, Superseded, Stopped, Fault, Restarted, ControlEnded, DeadMan, StaleFrame, Delay, BatteryLow,
        }
        Disarm { NotArmed, DeadMan, StaleFrame, Delay, Stopped, ControlEnded, BatteryLow, Fault }
        StopCause { Button, Policy }
        Clamp { TopSpeed, Granted, Delay, PeopleNear, KeepOut, Workspace, NudgeOver }
        Level { Question, Waypoint, Nudge, Drive }
        ControlEnding { Absent, SignedOut, RightLost }
        GrantRefusal {
            NoRoot, NoRoster, RosterExpired, RevocationsExpired, Unreadable, NotByPolicy, AnotherRobot, Expired, StaleEpoch,
            NotRostered, KeyNotRostered, NotBound, Revoked, NotARenewal,
            Unenforceable, ClockBehind, AnotherSite, Unverified,
        }
        KeyTier { Browser, Passkey }
        GrantedVerb { NavigateTo, Drive, ReleaseStop }
        ForfeitReason {
            NotAcknowledged, Busy, PlaceUnknown, Unreachable, BatteryLow, Unsupported, Fault,
        }
        AccessFailure { OutsideWindow, DoorClosed, WrongPlace }
        IncidentKind {
            StopUnconfirmed, HumanContact, PropertyDamage, PrivacyViolation, RobotStuck, Other,
        }
        IncidentDecision { Resume, Abort }
        AssistReason { Unsure, Blocked, Stalled, Asked }
        AssistEnding { Resolved, GivenUp }
        CaseKind {
            PropertyDamage, PrivacyViolation, SafetyNearMiss, FailureToComplete, AccessFailure,
            TheftAllegation, RobotStuck, HumanContact, Billing,
        }
        Ruling { Upheld, PartlyUpheld, Rejected }
    }
}

/// As a robot says it.
fn event(name: &str, payload: Payload) -> Sample {
    let event = ActorEvent {
        stream: payloads::stream_of(&payload),
        chain: Some(ActorChain {
            number: 300,
            previous: [9; 32],
        }),
        on_behalf_of: None,
        acting_as: None,
        payload,
    };
    Sample::sealed(name, Kind::Event, event)
}

/// The same event as everybody says it.
fn signers() -> Vec<Sample> {
    let payload = Payload::SessionOpened {
        person: PERSON,
        passkey: None,
    };
    let by_cloud = ActorEvent {
        stream: payloads::stream_of(&payload),
        chain: None,
        on_behalf_of: None,
        acting_as: None,
        payload,
    };
    let by_person = |number| ActorEvent {
        chain: Some(ActorChain {
            number,
            previous: [9; 32],
        }),
        acting_as: Some(Role::Requester),
        ..by_cloud.clone()
    };
    let for_person = ActorEvent {
        on_behalf_of: Some(PERSON),
        acting_as: Some(Role::Admin),
        ..by_cloud.clone()
    };
    vec![
        Sample::sealed("signed by a person", Kind::Event, by_person(1)),
        Sample::sealed(
            "signed by a person at length",
            Kind::Event,
            by_person(u64::MAX),
        ),
        Sample::sealed("signed by the cloud for a person", Kind::Event, for_person),
        Sample::sealed("signed by the cloud", Kind::Event, by_cloud),
    ]
}
