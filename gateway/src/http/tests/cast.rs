//! The people and the robots of the test house, and what such a robot says of itself.

use ed25519_dalek::SigningKey;
use identity::{Secret, SecretKind};
use protocol::{
    OrganisationId, PersonId, RobotId, SiteId, TokenId, UnixMicros,
    robot::{Activity, Advert, Battery, CameraAdvert, Codec, Health, Pose, Telemetry},
    views::{Role, RoleGrant},
};
use uuid::Uuid;

pub(crate) const PUBLIC_URL: &str = "https://fleet.example";
pub(crate) const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
pub(crate) const OTHER: OrganisationId = OrganisationId(Uuid::from_u128(2));
pub(crate) const WING_A: SiteId = SiteId(Uuid::from_u128(11));
pub(crate) const WING_B: SiteId = SiteId(Uuid::from_u128(12));
pub(crate) const ELSEWHERE: SiteId = SiteId(Uuid::from_u128(13));

/// The robot's clock when it was heard of last.
pub(crate) const TICK_MS: u64 = 77_000;

/// The people of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Operator,
    Requester,
    Owner,
    Admin,
    /// An operator at Wing A and nowhere else.
    WingA,
    /// An admin at Wing A and nowhere else.
    WingAAdmin,
    /// Without any role.
    Roleless,
    /// Operator and admin of the other organisation.
    Stranger,
    /// An operator who may take over.
    Supervisor,
}

impl Who {
    pub(crate) const ALL: [Self; 9] = [
        Self::Operator,
        Self::Requester,
        Self::Owner,
        Self::Admin,
        Self::WingA,
        Self::WingAAdmin,
        Self::Roleless,
        Self::Stranger,
        Self::Supervisor,
    ];

    pub(super) const fn seed(self) -> u8 {
        100 + self as u8
    }

    pub(crate) const fn id(self) -> PersonId {
        PersonId(Uuid::from_u128(self.seed() as u128))
    }

    pub(crate) const fn organisation(self) -> OrganisationId {
        match self {
            Self::Stranger => OTHER,
            Self::Operator
            | Self::Requester
            | Self::Owner
            | Self::Admin
            | Self::WingA
            | Self::WingAAdmin
            | Self::Roleless
            | Self::Supervisor => LINDEN,
        }
    }

    pub(crate) fn roles(self) -> Vec<RoleGrant> {
        let (roles, site): (&[Role], _) = match self {
            Self::Operator => (&[Role::Operator], None),
            Self::Requester => (&[Role::Requester], None),
            Self::Owner => (&[Role::Owner], None),
            Self::Admin => (&[Role::Admin], None),
            Self::WingA => (&[Role::Operator], Some(WING_A)),
            Self::WingAAdmin => (&[Role::Admin], Some(WING_A)),
            Self::Roleless => (&[], None),
            Self::Stranger => (&[Role::Operator, Role::Admin], None),
            Self::Supervisor => (&[Role::Supervisor], None),
        };
        let grant = |role: &Role| RoleGrant { role: *role, site };
        roles.iter().map(grant).collect()
    }

    pub(super) fn secret(self) -> Secret {
        Secret::new(SecretKind::Api, &[self.seed(); 32])
    }

    /// The bearer token of the person's scripts.
    pub(crate) fn token(self) -> String {
        self.secret().expose().to_owned()
    }

    /// The token's public name.
    pub(crate) const fn token_id(self) -> TokenId {
        TokenId(Uuid::from_u128(self.seed() as u128))
    }
}

/// A robot of the house.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    seed: u8,
    pub(super) name: &'static str,
    pub(super) organisation: OrganisationId,
    pub(super) site: SiteId,
}

pub(crate) const JUNIPER: Machine = Machine {
    seed: 201,
    name: "R-014 Juniper",
    organisation: LINDEN,
    site: WING_A,
};
pub(crate) const ROWAN: Machine = Machine {
    seed: 202,
    name: "R-021 Rowan",
    organisation: LINDEN,
    site: WING_B,
};
pub(crate) const FOREIGN: Machine = Machine {
    seed: 203,
    name: "R-900 Foreign",
    organisation: OTHER,
    site: ELSEWHERE,
};

impl Machine {
    pub(crate) const ALL: [Self; 3] = [JUNIPER, ROWAN, FOREIGN];

    pub(crate) const fn id(self) -> RobotId {
        RobotId(Uuid::from_u128(self.seed as u128))
    }

    pub(crate) const fn token_id(self) -> TokenId {
        TokenId(Uuid::from_u128(self.seed as u128))
    }

    pub(super) fn secret(self) -> Secret {
        Secret::new(SecretKind::Robot, &[self.seed; 32])
    }

    pub(crate) fn token(self) -> String {
        self.secret().expose().to_owned()
    }

    /// The key that it signs its events with, bound already.
    pub(crate) fn key(self) -> SigningKey {
        SigningKey::from_bytes(&[self.seed; 32])
    }
}

pub(crate) fn advert() -> Advert {
    Advert {
        model: "Simulator".to_owned(),
        cameras: vec![CameraAdvert {
            name: "head".to_owned(),
            label: "Head".to_owned(),
            codec: Codec::H264,
            width: 640,
            height: 480,
            frames_per_second: 30,
            has_thumbnails: true,
        }],
        ..Advert::default()
    }
}

pub(crate) fn telemetry(tick_ms: u64) -> Telemetry {
    Telemetry {
        tick_ms,
        at: UnixMicros(1_700_000_000_000_000),
        pose: Pose::default(),
        speed_mps: 0.0,
        turn_rps: 0.0,
        odometer_m: 0.0,
        battery: Battery::default(),
        activity: Activity::Idle,
        health: Health::Ok,
        goal: None,
    }
}
