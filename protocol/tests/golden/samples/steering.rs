//! What lets a person steer, and what they say then.

use protocol::{
    CommandId, GrantId, JobId, OrganisationId, SiteId,
    command::{FrameSeen, SignedCommand, Verb},
    drive::{DriveCommand, Twist},
    grant::{Assertion, Grant, GrantedVerb, PersonKeyProof, Place, Zone},
    picture::FrameHash,
    roster::{
        KeyTier, PolicyKey, RelyingParty, Revocations, Roster, RosteredKey, RosteredPasskey,
        RosteredPerson,
    },
    safety::{Envelope, KeepOut, Mask, PrivateZone, SafetyPolicy},
    sealed::{KeyId, Kind},
    views::{Role, RoleGrant},
};

use super::super::sample::Sample;
use super::{NOW, PERSON, ROBOT, id};

const HOUSE: OrganisationId = OrganisationId(id(1));

fn roster() -> Roster {
    Roster {
        relying_parties: Vec::new(),
        organisation: HOUSE,
        number: 3,
        issued_at: NOW,
        expires_at: NOW.plus(90 * 86_400_000_000),
        policy_keys: vec![PolicyKey([0x70; 32])],
        people: vec![RosteredPerson {
            passkeys: Vec::new(),
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

fn roster_with_passkeys() -> Roster {
    let mut with_passkeys = roster();
    with_passkeys.relying_parties = ["fleet.example", "before.example"]
        .map(|id| RelyingParty {
            id: id.to_owned(),
            origins: vec![format!("https://{id}")],
        })
        .into();
    with_passkeys.people[0].passkeys = [(0, true), (1, false)]
        .map(|(site, is_demo)| RosteredPasskey {
            public_key: [2 + site; 33],
            site,
            is_demo,
        })
        .into();
    with_passkeys
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
        verbs: [GrantedVerb::NavigateTo].into(),
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
        words: String::new(),
    }
}

fn drive() -> DriveCommand {
    DriveCommand {
        robot: ROBOT,
        grant: GrantId(id(0x6a)),
        binding: [0xc4; 32],
        epoch: 41,
        sequence: 300,
        seen_tick_ms: 90_500,
        frame: None,
        twist: Twist {
            speed_mm_s: 900,
            turn_mrad_s: -400,
        },
    }
}

fn policy() -> SafetyPolicy {
    SafetyPolicy {
        organisation: HOUSE,
        robot: Some(ROBOT),
        number: 3,
        issued_at: NOW,
        envelope: Envelope::default(),
        workspace: vec![[0, 0], [20_000, 0], [20_000, 12_000]],
        keep_out: vec![KeepOut {
            name: "bed".to_owned(),
            corners: vec![[-1, 0], [2_000, 0], [2_000, 900]],
        }],
        masks: vec![Mask {
            camera: "head".to_owned(),
            corners: vec![[0, 0], [300, 0], [300, 1_000]],
        }],
        private: Vec::new(),
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
            sha256: None,
        }),
        ..command()
    };
    let assertion = Assertion {
        challenge: [0xc4; 32],
    };
    let proof = PersonKeyProof { person: PERSON };
    vec![
        Sample::sealed("Roster", Kind::Roster, roster()),
        Sample::sealed("Roster with passkeys", Kind::Roster, roster_with_passkeys()),
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

fn with_private_zone() -> SafetyPolicy {
    SafetyPolicy {
        private: vec![PrivateZone {
            name: "washroom".to_owned(),
            corners: vec![[2_000, 0], [4_000, 0], [4_000, 3_000], [2_000, 3_000]],
            cameras: vec!["head".to_owned()],
        }],
        ..policy()
    }
}

/// What belongs to driving and to stops.
pub(super) fn driving() -> Vec<Sample> {
    let said = SignedCommand {
        verb: Verb::ReleaseStop,
        words: "Das Kind ist aus dem Weg.".to_owned(),
        ..command()
    };
    let driven = DriveCommand {
        frame: Some(FrameSeen {
            camera: "head".to_owned(),
            captured_at: NOW,
            age_ms: 48,
            sha256: None,
        }),
        ..drive()
    };
    let hashed = |frame: Option<FrameSeen>| {
        frame.map(|frame| FrameSeen {
            sha256: Some(FrameHash([0xf1; 32])),
            ..frame
        })
    };
    let commanded = SignedCommand {
        frame: hashed(driven.frame.clone()),
        ..command()
    };
    let followed = DriveCommand {
        frame: hashed(driven.frame.clone()),
        ..drive()
    };
    let anywhere = SafetyPolicy {
        robot: None,
        workspace: Vec::new(),
        keep_out: Vec::new(),
        masks: Vec::new(),
        private: Vec::new(),
        ..policy()
    };
    let more = Grant {
        verbs: GrantedVerb::ALL.into(),
        ..grant()
    };
    vec![
        Sample::sealed("SignedCommand that says why", Kind::Command, said),
        Sample::sealed("Grant of every verb", Kind::Grant, more),
        Sample::sealed("DriveCommand", Kind::Drive, drive()),
        Sample::sealed("DriveCommand under a picture", Kind::Drive, driven),
        Sample::sealed("DriveCommand under a frame", Kind::Drive, followed),
        Sample::sealed("SignedCommand under a frame", Kind::Command, commanded),
        Sample::sealed("SafetyPolicy", Kind::SafetyPolicy, policy()),
        Sample::sealed("SafetyPolicy of anywhere", Kind::SafetyPolicy, anywhere),
        Sample::sealed(
            "SafetyPolicy with a private zone",
            Kind::SafetyPolicy,
            with_private_zone(),
        ),
    ]
}
