//! A script that steers: a key of its person's on the roster, a session key, and a grant that the robot believes. `docs/grants.md`
//! in Rust.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use protocol::{
    CommandId, PersonId, RobotId, UnixMicros,
    command::{CommandBody, SignedCommand, Verb},
    event::SessionKeyProof,
    grant::{Assertion, Binding, PersonKeyProof, Presentation},
    limits::COMMAND_VALID_MS,
    roster::{KeyTier, name_of},
    sealed::{self, Kind},
    views::{
        CommandView, GrantAsk, GrantView, OfferPersonKey, PersonKeyView, Problem, SessionView,
    },
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{api::Api, until::until};

/// From an offer to a roster at the robot, and from a presentation to the robot's word.
const BELIEVED_WITHIN: Duration = Duration::from_secs(10);

/// One script's keys.
#[derive(Debug)]
pub struct Hand {
    api: Api,
    person: PersonId,
    own: SigningKey,
    session: SigningKey,
    sequence: u64,
    /// The grant, and the challenge that bound it.
    grant: Option<(GrantView, [u8; 32])>,
}

impl Hand {
    /// Makes both keys and offers the person's own for the roster. In a demo it is there at once.
    pub async fn of(api: &Api) -> Result<Self> {
        let session: SessionView = api.read("/api/v1/session").await?;
        let hand = Self {
            api: api.clone(),
            person: session.person,
            own: fresh_key()?,
            session: fresh_key()?,
            sequence: 0,
            grant: None,
        };
        let proof = PersonKeyProof {
            person: hand.person,
        };
        let offer = OfferPersonKey {
            proof: seal(Kind::PersonKey, &proof, &hand.own)?,
            public_key: BASE64_STANDARD.encode(hand.own.verifying_key().as_bytes()),
            tier: KeyTier::Browser,
        };
        let kept: PersonKeyView = api.write("/api/v1/session/person-keys", &offer).await?;
        ensure!(kept.is_rostered && kept.is_demo, "{kept:?}");
        Ok(hand)
    }

    /// Gets a grant for the robot under this epoch, binds it and waits until the robot believes it.
    pub async fn bind(&mut self, robot: RobotId, epoch: u64) -> Result<()> {
        let grant = until("a grant", BELIEVED_WITHIN, async || {
            match self.ask(robot, epoch).await? {
                Ok(grant) => Ok(Some(grant)),
                Err(problem) if problem.code == "robot_behind" => Ok(None),
                Err(problem) => Err(anyhow::anyhow!("{problem:?}")),
            }
        })
        .await?;
        let sealed = BASE64_STANDARD.decode(&grant.sealed)?;
        let nonce: [u8; 32] = hex::decode(&grant.nonce)?
            .try_into()
            .ok()
            .context("a nonce has 32 bytes")?;
        let binding = Binding {
            grant: &sealed,
            session_key: self.session.verifying_key().to_bytes(),
            robot,
            nonce,
        };
        let challenge = binding.challenge()?;
        let assertion = Assertion { challenge };
        let shown = Presentation {
            passkey: None,
            grant: grant.sealed.clone(),
            assertion: Some(seal(Kind::Assertion, &assertion, &self.own)?),
        };
        let path = format!("/api/v1/robots/{robot}/grants/{}/presentation", grant.grant);
        self.api.hand_in(&path, &shown).await?;
        until("the robot to believe it", BELIEVED_WITHIN, async || {
            let trust = self.api.robot(robot).await?.trust;
            let session = trust.and_then(|trust| trust.session);
            Ok(session
                .is_some_and(|session| session.grant == grant.grant)
                .then_some(()))
        })
        .await?;
        self.grant = Some((grant, challenge));
        Ok(())
    }

    /// Asks for a grant alone.
    pub async fn ask(
        &self,
        robot: RobotId,
        epoch: u64,
    ) -> Result<std::result::Result<GrantView, Problem>> {
        let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
        let proof = SessionKeyProof {
            person: self.person,
            at: UnixMicros(i64::try_from(now)?),
        };
        let ask = GrantAsk {
            epoch,
            public_key: BASE64_STANDARD.encode(self.session.verifying_key().as_bytes()),
            proof: seal(Kind::SessionKey, &proof, &self.session)?,
            bound_by: Some(name_of(&self.own.verifying_key().to_bytes()).to_string()),
            no_more_than: None,
        };
        let path = format!("/api/v1/robots/{robot}/grants");
        self.api.try_write(&path, &ask).await
    }

    /// Removes the person's own key: nothing is believed any more that it bound.
    pub async fn removes_its_key(&self) -> Result<()> {
        let name = name_of(&self.own.verifying_key().to_bytes());
        let path = format!("/api/v1/session/person-keys/{name}");
        self.api.remove(&path).await
    }

    /// Signs a command under the grant and sends it.
    pub async fn command(
        &mut self,
        robot: RobotId,
        command: CommandId,
        verb: Verb,
    ) -> Result<std::result::Result<CommandView, Problem>> {
        let body = self.sign(robot, command, verb).await?;
        self.api.send_command(robot, command, &body).await
    }

    /// The body of a command, signed under the grant.
    pub async fn sign(
        &mut self,
        robot: RobotId,
        command: CommandId,
        verb: Verb,
    ) -> Result<CommandBody> {
        let (grant, binding) = self.grant.as_ref().context("no grant was bound")?;
        let telemetry = self.api.robot(robot).await?.telemetry;
        self.sequence += 1;
        let signed = SignedCommand {
            command,
            robot,
            grant: grant.grant,
            binding: *binding,
            epoch: grant.epoch,
            sequence: self.sequence,
            seen_tick_ms: telemetry.context("the robot says nothing")?.tick_ms,
            valid_ms: COMMAND_VALID_MS,
            frame: None,
            verb,
            words: String::new(),
        };
        Ok(CommandBody {
            epoch: Some(grant.epoch),
            verb,
            signed: Some(seal(Kind::Command, &signed, &self.session)?),
        })
    }
}

fn fresh_key() -> Result<SigningKey> {
    // Random enough for a key of a test: two version-4 ids.
    let (one, two) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let seed: Vec<u8> = [*one.as_bytes(), *two.as_bytes()].concat();
    let seed: [u8; 32] = seed.try_into().ok().context("two ids have 32 bytes")?;
    Ok(SigningKey::from_bytes(&seed))
}

fn seal(kind: Kind, payload: &impl Serialize, key: &SigningKey) -> Result<String> {
    Ok(BASE64_STANDARD.encode(sealed::seal(kind, payload, key)?))
}
