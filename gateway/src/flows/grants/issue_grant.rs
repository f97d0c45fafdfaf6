//! Somebody who steers a robot asks for leave to move it from their page. The policy is `assist::decide_grant`; what it
//! decides is recorded, yes or no.

use assist::{Control, GrantDenial, GrantFacts, GrantWish, GrantedRobot, decide_grant, store};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::{Permission, Robot};
use protocol::{
    GrantId,
    grant::{Grant, RobotTrust},
    roster::name_of,
    sealed::{self, KeyId, Kind},
    views::{BindSessionKey, GrantAsk, GrantView},
};
use sha2::{Digest as _, Sha256};
use spine::Tx;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    app::App,
    error::ApiError,
    flows::{
        bind_session_key::proven_key, control::act_on_control::refused,
        jobs::act_on_job::limit_acts,
    },
    http::auth::Caller,
};

/// Issues a grant to the caller, or says why not.
pub async fn issue_grant(
    app: &App,
    caller: &Caller,
    robot: &Robot,
    ask: &GrantAsk,
) -> Result<GrantView, ApiError> {
    limit_acts(app, caller).await?;
    let now = app.clock.micros();
    let proof = BindSessionKey {
        proof: ask.proof.clone(),
        public_key: ask.public_key.clone(),
    };
    let wish = GrantWish {
        person: caller.person.person,
        epoch: ask.epoch,
        session_key: proven_key(caller.person.person, now, &proof)?,
        bound_by: ask.bound_by.as_deref().map(key_named).transpose()?,
        bounds: ask.no_more_than.clone().unwrap_or_default(),
    };
    let granted_robot = GrantedRobot {
        robot: robot.robot,
        organisation: robot.organisation,
        site: robot.site,
    };
    let mut tx = Tx::begin(&app.pool);
    // The nonce is of the same moment as what is decided: the robot's own word.
    let trust = app.live.trust_of(robot.robot);
    let asked = (&wish, trust.as_ref());
    let decided = decide(app, &mut tx, caller, asked, &granted_robot).await?;
    let grant = match decided {
        Ok(grant) => grant,
        Err(denial) => return Err(deny(app, tx, caller, &granted_robot, denial).await),
    };
    let sealed = sealed::seal(Kind::Grant, &grant, app.policy.key())
        .map_err(|error| ApiError::internal(&error))?;
    store::insert_grant(
        &mut tx,
        &granted_robot,
        &grant,
        Sha256::digest(&sealed).into(),
    )
    .await?;
    tx.commit(&app.signer, now).await?;
    tracing::info!(grant.id = %grant.grant, robot.id = %robot.robot, "grant issued");
    view(
        &grant,
        &sealed,
        trust.map(|trust| trust.nonce).unwrap_or_default(),
    )
}

async fn decide(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    (wish, trust): (&GrantWish, Option<&RobotTrust>),
    robot: &GrantedRobot,
) -> Result<Result<Grant, GrantDenial>, ApiError> {
    let stored = store::load_control(tx, robot.robot).await?;
    let control = stored.map_or(Control::never(robot.robot), |stored| stored.control);
    let connection = tx.connection().await?;
    let named = identity::store::root_of(&mut *connection, robot.organisation).await?;
    let roster = identity::store::latest_roster(&mut *connection, robot.organisation).await?;
    let list = identity::store::latest_revocations(&mut *connection, robot.organisation).await?;
    let keys = identity::store::person_keys(&mut *connection, wish.person).await?;
    let keys: Vec<KeyId> = keys.into_iter().map(|key| key.key).collect();
    let facts = GrantFacts {
        may_command: identity::allows(&caller.person.roles, Permission::Command, Some(robot.site)),
        control: &control,
        root: named.as_ref().map(name_of),
        policy_key: app.policy.id(),
        list: list.map_or(0, |stored| stored.revocations.number),
        roster: roster.as_ref().map(|stored| &stored.roster),
        keys: &keys,
        trust,
    };
    let id = GrantId(Uuid::now_v7());
    Ok(decide_grant(wish, robot, &facts, id, app.clock.micros()))
}

/// Recorded as well: who asked in vain, and why, is part of what happened.
async fn deny(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    robot: &GrantedRobot,
    denial: GrantDenial,
) -> ApiError {
    store::record_denial(&mut tx, robot, caller.person.person, denial);
    let error = match denial {
        GrantDenial::Control(refusal) => refused(app, &mut tx, refusal).await,
        GrantDenial::RoleMissing => ApiError::forbidden(denial.code(), denial.to_string()),
        denial => ApiError::refused(denial.code(), denial.to_string()),
    };
    tracing::info!(robot.id = %robot.robot, code = denial.code(), "no grant");
    match tx.commit(&app.signer, app.clock.micros()).await {
        Ok(_recorded) => error,
        Err(failed) => failed.into(),
    }
}

/// A key's name from hex.
pub fn key_named(hex_name: &str) -> Result<KeyId, ApiError> {
    hex::decode(hex_name)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(KeyId)
        .ok_or_else(|| {
            ApiError::malformed("key_malformed", "a key is named by 64 hexadecimal digits")
        })
}

fn view(grant: &Grant, sealed: &[u8], nonce: [u8; 32]) -> Result<GrantView, ApiError> {
    Ok(GrantView {
        grant: grant.grant,
        sealed: BASE64_STANDARD.encode(sealed),
        nonce: hex::encode(nonce),
        epoch: grant.epoch,
        verbs: grant.verbs.iter().copied().collect(),
        expires_at: OffsetDateTime::from_unix_timestamp(grant.expires_s)
            .map_err(|error| ApiError::internal(&error))?,
    })
}
