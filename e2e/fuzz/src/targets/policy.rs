//! A robot's safety policy: one that is believed is sound, and a robot that keeps to it says numbers that are numbers.

use std::time::Duration;

use agent::safety::{Body, Motion, Safety, believed};
use ed25519_dalek::SigningKey;
use protocol::{
    OrganisationId, RobotId,
    robot::Pose,
    safety::{
        MAX_CORNERS, MAX_MASKS, MAX_POLICY_BYTES, MAX_PRIVATE_ZONES, MAX_ZONES, SafetyPolicy,
    },
    sealed::{self, Kind},
};
use uuid::Uuid;

use super::signed::settled;
use crate::{Seed, Target, golden, input::Input};

pub(crate) const TARGET: Target = Target {
    name: "policy",
    run,
    seeds,
    longest: 8_192,
};

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let how = input.byte();
    let body = Body {
        pose: Pose {
            x_m: input.f64(),
            y_m: input.f64(),
            heading_rad: input.f64(),
        },
        motion: Motion {
            speed_mps: input.f64(),
            turn_rps: input.f64(),
        },
        person_m: input.coin().then(|| input.f64()),
    };
    let root = SigningKey::from_bytes(&[how; 32]);
    let ours = OrganisationId(Uuid::from_bytes([how; 16]));
    let me = RobotId(Uuid::from_bytes([how; 16]));
    let raw = believed(input.rest(), Some(&root.verifying_key()), ours, me);
    let Some(policy) = settled::<SafetyPolicy>(input.rest()) else {
        return raw.is_ok();
    };
    assert!(raw.is_err(), "nobody signed it");
    let sealed = sealed::seal(Kind::SafetyPolicy, &policy, &root).unwrap();
    let taken = believed(
        &sealed,
        Some(&root.verifying_key()),
        policy.organisation,
        me,
    );
    let is_ours = policy.robot.is_none_or(|named| named == me);
    let is_small = sealed.len() <= MAX_POLICY_BYTES;
    assert_eq!(taken.is_ok(), is_ours && is_small && policy.check().is_ok());
    policy.check().is_ok() && {
        keep_to(&policy, &body);
        true
    }
}

fn keep_to(policy: &SafetyPolicy, body: &Body) {
    assert!(policy.keep_out.len() <= MAX_ZONES && policy.masks.len() <= MAX_MASKS);
    let corners = policy.keep_out.iter().map(|zone| zone.corners.len());
    assert!(
        corners
            .chain([policy.workspace.len()])
            .all(|count| count <= MAX_CORNERS)
    );
    let safety = Safety::new(Some(policy), 0.26);
    for mask in &policy.masks {
        let shares = safety.masks(&mask.camera);
        assert!(
            shares
                .iter()
                .flatten()
                .flatten()
                .all(|share| *share <= 1_000)
        );
    }
    assert!(policy.private.len() <= MAX_PRIVATE_ZONES);
    for zone in &policy.private {
        let camera = zone.cameras.first().map_or("any", String::as_str);
        for corner in &zone.corners {
            let at = corner.map(|mm| f64::from(mm) / 1_000.0);
            assert!(safety.is_private(camera, at), "{camera} sees {zone:?}");
        }
        // Who does not know where it is may be there.
        assert!(safety.is_private(camera, [f64::NAN; 2]));
    }
    let at = [body.pose.x_m, body.pose.y_m];
    assert!(!safety.room_to_plan(at).is_nan() || at.iter().any(|part| !part.is_finite()));
    let cap = safety.cap(body.person_m);
    assert!(cap.speed_mps >= 0.0 && cap.speed_mps <= 3.0);
    let is_true = [
        at[0],
        at[1],
        body.pose.heading_rad,
        body.motion.speed_mps,
        body.motion.turn_rps,
    ];
    // Where a robot is it measures itself: nowhere near the end of numbers.
    if is_true.iter().all(|part| part.abs() < 1e9) {
        let wish = Motion {
            speed_mps: body.pose.heading_rad,
            turn_rps: body.pose.x_m,
        };
        let given = safety
            .govern(body, wish, cap, Duration::from_millis(20))
            .motion;
        assert!(
            given.speed_mps.is_finite() && given.turn_rps.is_finite(),
            "{given:?}"
        );
        let most_turn = f64::from(policy.envelope.turn_mrad_s) / 1_000.0;
        assert!(given.turn_rps.abs() <= most_turn + 1e-9, "{given:?}");
    }
}

fn seeds() -> Vec<Seed> {
    let head = [7_u8; 50];
    let policies = golden::payloads_of(&[Kind::SafetyPolicy]).into_iter();
    policies
        .map(|seed| Seed::new(&seed.name, [&head, &seed.bytes[1..]].concat()))
        .collect()
}
