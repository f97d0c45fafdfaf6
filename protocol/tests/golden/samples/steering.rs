//! What lets a person steer, and what they say then.

use protocol::{
    CommandId, GrantId, JobId, OrganisationId, SiteId,
    command::{FrameSeen, SignedCommand, Verb},
    grant::{Assertion, Grant, GrantedVerb, PersonKeyProof, Place, Zone},
    roster::{KeyTier, PolicyKey, Revocations, Roster, RosteredKey, RosteredPerson},
    sealed::{KeyId, Kind},
    views::{Role, RoleGrant},
};

use super::super::sample::Sample;
use super::{NOW, PERSON, ROBOT, id};

const HOUSE: OrganisationId = OrganisationId(id(1));

fn roster() -> Roster {
    Roster {
        organisation: HOUSE,
        number: 3,
        issued_at: NOW,
        expires_at: NOW.plus(90 * 86_400_000_000),
        policy_keys: vec![PolicyKey([0x70; 32])],
        people: vec![RosteredPerson {
            person: PERSON,
            roles: vec![
                RoleGrant {
                    role: Role::Operator,
                    site: Some(SiteId(id(0xb))),
                },
                RoleGrant {
                    role: Role::Supervisor,
                    site: None,
                },
            ],
            keys: [true, false]
                .map(|is_demo| RosteredKey {
                    public_key: [u8::from(is_demo); 32],
                    tier: KeyTier::Browser,
                    is_demo,
                })
                .into(),
        }],
    }
}

fn grant() -> Grant {
    Grant {
        grant: GrantId(id(0x6a)),
        organisation: HOUSE,
        person: PERSON,
        place: Place::Robot(ROBOT),
        not_before_s: 1_767_254_400,
        expires_s: 1_767_255_000,
        session_key: [5; 32],
        epoch: 41,
        verbs: GrantedVerb::ALL.into(),
        zone: None,
        speed_cap_mm_s: None,
        job: None,
    }
}

fn command() -> SignedCommand {
    SignedCommand {
        command: CommandId(id(0xc1)),
        robot: ROBOT,
        grant: GrantId(id(0x6a)),
        binding: [0xc4; 32],
        epoch: 41,
        sequence: 12,
        seen_tick_ms: 90_500,
        valid_ms: 5_000,
        frame: None,
        verb: Verb::NavigateTo {
            x_m: 2.41,
            y_m: 1.1,
            heading_rad: None,
        },
    }
}

/// Every one, in every form.
pub(super) fn all() -> Vec<Sample> {
    let revocations = Revocations {
        organisation: HOUSE,
        number: 17,
        issued_at: NOW,
        expires_at: NOW.plus(3_600_000_000),
        keys: vec![KeyId([5; 32])],
        people: vec![PERSON],
        grants: vec![GrantId(id(0x6a))],
    };
    let nobody = Revocations {
        keys: Vec::new(),
        people: Vec::new(),
        grants: Vec::new(),
        ..revocations.clone()
    };
    let narrow = Grant {
        place: Place::Site(SiteId(id(0xb))),
        zone: Some(Zone {
            west_mm: -1_000,
            south_mm: 0,
            east_mm: 4_000,
            north_mm: 9_000,
        }),
        speed_cap_mm_s: Some(600),
        job: Some(JobId(id(0x48))),
        ..grant()
    };
    let seen = SignedCommand {
        frame: Some(FrameSeen {
            camera: "head".to_owned(),
            captured_at: NOW,
            age_ms: 48,
        }),
        ..command()
    };
    let assertion = Assertion {
        challenge: [0xc4; 32],
    };
    let proof = PersonKeyProof { person: PERSON };
    vec![
        Sample::sealed("Roster", Kind::Roster, roster()),
        Sample::sealed("Revocations", Kind::Revocations, revocations),
        Sample::sealed("Revocations of nothing", Kind::Revocations, nobody),
        Sample::sealed("Grant", Kind::Grant, grant()),
        Sample::sealed("Grant that allows less", Kind::Grant, narrow),
        Sample::sealed("Assertion", Kind::Assertion, assertion),
        Sample::sealed("PersonKeyProof", Kind::PersonKey, proof),
        Sample::sealed("SignedCommand", Kind::Command, command()),
        Sample::sealed("SignedCommand under a picture", Kind::Command, seen),
    ]
}
