//! What happened, in the words that an actor signs. Names and meanings never change; new ones are added.

use serde::{Deserialize, Serialize};

use crate::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId, TokenId, UnixMicros,
    case::CaseEvent,
    command::{Receipt, SealedCommand, Verb},
    console_code::ConsoleHash,
    control::ControlEvent,
    drive::DriveEvent,
    grant::GrantEvent,
    job::JobEvent,
    sealed::{KeyId, bytes32},
    views::Role,
};

/// What an actor signs: an event and its place in the actor's own chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActorEvent {
    /// "robot/0190…": the history that this belongs to.
    pub stream: String,
    /// The actor's own chain. The gateway's own events have none: the entry that it signs around them is their chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ActorChain>,
    /// The person for whom the gateway signs because they hold no key yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<PersonId>,
    /// In which role a person acts; absent for robots and the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_as: Option<Role>,
    /// What happened.
    pub payload: Payload,
}

/// An event's place among all events of one key: a lost or swapped one shows, also when streams differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorChain {
    /// From 1, rising by 1.
    pub number: u64,
    /// SHA-256 of the actor's previous sealed event; zeros before the first.
    #[serde(with = "bytes32")]
    pub previous: [u8; 32],
}

/// Everything that can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Payload {
    /// An organisation began to exist.
    #[serde(rename = "organisation.created")]
    OrganisationCreated {
        /// Its id.
        organisation: OrganisationId,
        /// Its name.
        name: String,
    },
    /// A site was added.
    #[serde(rename = "site.created")]
    SiteCreated {
        /// Its id.
        site: SiteId,
        /// Its name.
        name: String,
    },
    /// A gateway began to work for the organisation, and says what it serves.
    #[serde(rename = "gateway.started")]
    GatewayStarted {
        /// Its version.
        version: String,
        /// The code of its console; absent where it serves none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        console: Option<ConsoleHash>,
    },
    /// A person was added. The name stays out of the log: people may ask to be forgotten.
    #[serde(rename = "person.added")]
    PersonAdded {
        /// Their id.
        person: PersonId,
    },
    /// A person got a role.
    #[serde(rename = "role.granted")]
    RoleGranted {
        /// Who.
        person: PersonId,
        /// Which.
        role: Role,
        /// Where; absent for all sites.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<SiteId>,
    },
    /// A person lost a role.
    #[serde(rename = "role.revoked")]
    RoleRevoked {
        /// Who.
        person: PersonId,
        /// Which.
        role: Role,
        /// Where; absent for all sites.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<SiteId>,
    },
    /// A person signed in.
    #[serde(rename = "session.opened")]
    SessionOpened {
        /// Who.
        person: PersonId,
        /// The passkey that they showed; absent for a link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passkey: Option<KeyId>,
    },
    /// A person signed out, or was.
    #[serde(rename = "session.closed")]
    SessionClosed {
        /// Who.
        person: PersonId,
    },
    /// A person got a bearer token for scripts.
    #[serde(rename = "token.issued")]
    TokenIssued {
        /// Whose.
        person: PersonId,
        /// Its public name.
        token: TokenId,
    },
    /// A person's bearer token was revoked.
    #[serde(rename = "token.revoked")]
    TokenRevoked {
        /// Whose.
        person: PersonId,
        /// Its public name.
        token: TokenId,
    },
    /// A robot was put on a site's roster.
    #[serde(rename = "robot.added")]
    RobotAdded {
        /// Which.
        robot: RobotId,
        /// Its name.
        name: String,
    },
    /// A robot got a bearer token.
    #[serde(rename = "robot.token_issued")]
    RobotTokenIssued {
        /// Which robot.
        robot: RobotId,
        /// The token's public name.
        token: TokenId,
    },
    /// A robot's token was revoked.
    #[serde(rename = "robot.token_revoked")]
    RobotTokenRevoked {
        /// Which robot.
        robot: RobotId,
        /// The token's public name.
        token: TokenId,
    },
    /// A robot proved that it holds a key; its events are believed under that key from here on.
    #[serde(rename = "robot.key_bound")]
    RobotKeyBound {
        /// Which robot.
        robot: RobotId,
        /// The key's name.
        key: KeyId,
        /// The key.
        #[serde(with = "bytes32")]
        public_key: [u8; 32],
    },
    /// A person told a robot to do something.
    #[serde(rename = "command.issued")]
    CommandIssued {
        /// Which command.
        command: CommandId,
        /// To whom.
        robot: RobotId,
        /// Who.
        person: PersonId,
        /// What.
        order: Verb,
        /// Under which epoch of control; absent for stops, which need none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<u64>,
        /// The command as the person's page signed it; absent for stops.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<SealedCommand>,
        /// Why, in their words, where it has to be said; as the signed command has it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        words: String,
    },
    /// A robot's word on a command. Signed by the robot.
    #[serde(rename = "command.receipt")]
    CommandReceipt(Receipt),
    /// A command's time ran out without a word from the robot.
    #[serde(rename = "command.unanswered")]
    CommandUnanswered {
        /// Which command.
        command: CommandId,
    },
    /// A person's browser proved that it holds a key; what it signs is theirs until then.
    #[serde(rename = "session.key_bound")]
    SessionKeyBound {
        /// Whose.
        person: PersonId,
        /// The key's name.
        key: KeyId,
        /// The key.
        #[serde(with = "bytes32")]
        public_key: [u8; 32],
        /// The sign-in's end; nothing is believed under the key from then on.
        expires_at: UnixMicros,
    },
    /// A person's key is believed no more: the sign-in ended.
    #[serde(rename = "session.key_ended")]
    SessionKeyEnded {
        /// Whose.
        person: PersonId,
        /// The key's name.
        key: KeyId,
    },
    /// Something happened to a job.
    #[serde(untagged)]
    Job(JobEvent),
    /// Something happened to a case.
    #[serde(untagged)]
    Case(CaseEvent),
    /// Something happened to who steers a robot.
    #[serde(untagged)]
    Control(ControlEvent),
    /// Something happened to what lets a person steer.
    #[serde(untagged)]
    Grant(GrantEvent),
    /// Somebody drove a robot. Signed by the robot.
    #[serde(untagged)]
    Drive(DriveEvent),
}

impl Payload {
    /// The frozen name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OrganisationCreated { .. } => "organisation.created",
            Self::SiteCreated { .. } => "site.created",
            Self::GatewayStarted { .. } => "gateway.started",
            Self::PersonAdded { .. } => "person.added",
            Self::RoleGranted { .. } => "role.granted",
            Self::RoleRevoked { .. } => "role.revoked",
            Self::SessionOpened { .. } => "session.opened",
            Self::SessionClosed { .. } => "session.closed",
            Self::TokenIssued { .. } => "token.issued",
            Self::TokenRevoked { .. } => "token.revoked",
            Self::RobotAdded { .. } => "robot.added",
            Self::RobotTokenIssued { .. } => "robot.token_issued",
            Self::RobotTokenRevoked { .. } => "robot.token_revoked",
            Self::RobotKeyBound { .. } => "robot.key_bound",
            Self::CommandIssued { .. } => "command.issued",
            Self::CommandReceipt(_) => "command.receipt",
            Self::CommandUnanswered { .. } => "command.unanswered",
            Self::SessionKeyBound { .. } => "session.key_bound",
            Self::SessionKeyEnded { .. } => "session.key_ended",
            Self::Job(event) => event.kind(),
            Self::Case(event) => event.kind(),
            Self::Control(event) => event.kind(),
            Self::Grant(event) => event.kind(),
            Self::Drive(event) => event.kind(),
        }
    }
}

/// Sealed as [`crate::sealed::Kind::Enrolment`] by a robot's new key: proves possession, for this robot's token only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentProof {
    /// SHA-256 of the bearer token that the enrolment is sent under.
    #[serde(with = "bytes32")]
    pub token_hash: [u8; 32],
}

/// Sealed as [`crate::sealed::Kind::SessionKey`] by a browser's new key: proves possession, for this person only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionKeyProof {
    /// Who is signed in.
    pub person: PersonId,
    /// The browser's clock: a proof that is minutes old is not taken.
    pub at: UnixMicros,
}

/// The name of a robot's stream.
pub fn robot_stream(robot: RobotId) -> String {
    format!("robot/{robot}")
}

/// The name of a person's stream.
pub fn person_stream(person: PersonId) -> String {
    format!("person/{person}")
}

/// The name of an organisation's stream.
pub fn organisation_stream(organisation: OrganisationId) -> String {
    format!("organisation/{organisation}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        EvidenceId, UnixMicros,
        case::{Ruling, SaltedHash},
        command::{AbandonReason, CommandHash, Outcome, RobotRefusal},
        deterministic,
        job::EvidenceHash,
        robot::Pose,
    };

    const ID: Uuid = Uuid::from_u128(7);

    fn receipt(outcome: Outcome) -> Payload {
        Payload::CommandReceipt(Receipt {
            command: CommandId(ID),
            outcome,
            tick_ms: 12_345,
            at: UnixMicros(1_700_000_000_000_000),
            pose: Pose {
                x_m: 1.25,
                y_m: -2.0,
                heading_rad: 0.1,
            },
            sealed_sha256: Some(CommandHash([5; 32])),
            frame: None,
            picture: None,
        })
    }

    fn one_of_each() -> Vec<Payload> {
        let (person, robot, token) = (PersonId(ID), RobotId(ID), TokenId(ID));
        let site = Some(SiteId(ID));
        let role = Role::Operator;
        let name = "R-014 Juniper".to_owned();
        vec![
            Payload::OrganisationCreated {
                organisation: OrganisationId(ID),
                name: name.clone(),
            },
            Payload::SiteCreated {
                site: SiteId(ID),
                name: name.clone(),
            },
            Payload::PersonAdded { person },
            Payload::RoleGranted { person, role, site },
            Payload::RoleRevoked {
                person,
                role,
                site: None,
            },
            Payload::SessionOpened {
                person,
                passkey: None,
            },
            Payload::SessionClosed { person },
            Payload::TokenIssued { person, token },
            Payload::TokenRevoked { person, token },
            Payload::RobotAdded { robot, name },
            Payload::RobotTokenIssued { robot, token },
            Payload::RobotTokenRevoked { robot, token },
            Payload::RobotKeyBound {
                robot,
                key: KeyId([3; 32]),
                public_key: [4; 32],
            },
            Payload::CommandIssued {
                command: CommandId(ID),
                robot,
                person,
                order: Verb::NavigateTo {
                    x_m: 2.41,
                    y_m: 1.1,
                    heading_rad: None,
                },
                epoch: Some(41),
                signed: Some(SealedCommand(vec![7; 9])),
                words: String::new(),
            },
            receipt(Outcome::Accepted),
            receipt(Outcome::Refused {
                reason: RobotRefusal::Unreachable,
            }),
            receipt(Outcome::Abandoned {
                reason: AbandonReason::Superseded,
            }),
            Payload::CommandUnanswered {
                command: CommandId(ID),
            },
        ]
    }

    fn one_of_each_later() -> Vec<Payload> {
        let person = PersonId(ID);
        vec![
            Payload::SessionKeyBound {
                person,
                key: KeyId([3; 32]),
                public_key: [4; 32],
                expires_at: UnixMicros(1_700_000_000_000_000),
            },
            Payload::SessionKeyEnded {
                person,
                key: KeyId([3; 32]),
            },
            Payload::GatewayStarted {
                version: "0.1.0".to_owned(),
                console: Some(ConsoleHash([6; 32])),
            },
            Payload::GatewayStarted {
                version: "0.1.0".to_owned(),
                console: None,
            },
            Payload::Job(JobEvent::Paused {}),
            Payload::Job(JobEvent::CheckpointDone {
                epoch: 3,
                number: 2,
                left_out: false,
                evidence: vec![EvidenceHash {
                    evidence: EvidenceId(ID),
                    media_type: "image/jpeg".to_owned(),
                    salted_sha256: [8; 32],
                }],
            }),
            Payload::Case(CaseEvent::Withdrawn {}),
            Payload::Control(ControlEvent::Released {}),
            Payload::Control(ControlEvent::Granted {
                epoch: 41,
                person,
                key: Some(KeyId([3; 32])),
            }),
            Payload::Case(CaseEvent::Ruled {
                ruling: Ruling::PartlyUpheld,
                reason: SaltedHash::of(&[1; 32], b"because"),
            }),
        ]
    }

    #[test]
    fn every_payload_reads_back_as_it_was_written() {
        for payload in one_of_each().into_iter().chain(one_of_each_later()) {
            let event = ActorEvent {
                stream: robot_stream(RobotId(ID)),
                chain: Some(ActorChain {
                    number: 3,
                    previous: [9; 32],
                }),
                on_behalf_of: Some(PersonId(ID)),
                acting_as: Some(Role::Operator),
                payload,
            };

            let bytes = deterministic::to_vec(&event).unwrap();

            assert_eq!(
                deterministic::from_slice::<ActorEvent>(&bytes).unwrap(),
                event
            );
            let as_json = serde_json::to_value(&event.payload).unwrap();
            assert_eq!(as_json["kind"], event.payload.kind());
            assert_eq!(
                serde_json::from_value::<Payload>(as_json).unwrap(),
                event.payload
            );
        }
    }
}
