//! Somebody shows the robot the grant that they got, bound by their own key. Whether it is believed the robot says, in its next
//! word on whom it trusts and as an event.

use assist::store::load_grant;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::Robot;
use protocol::{
    GrantId,
    grant::{Grant, Presentation},
    robot_socket::ToRobot,
    sealed::{self, Kind},
};

use crate::{app::App, error::ApiError, flows::jobs::act_on_job::limit_acts, http::auth::Caller};

/// Hands a grant of the caller's own on to the robot. Another's, or one that nobody issued, goes nowhere.
pub async fn present_grant(
    app: &App,
    caller: &Caller,
    robot: &Robot,
    id: GrantId,
    presentation: Presentation,
) -> Result<(), ApiError> {
    limit_acts(app, caller).await?;
    let issued = load_grant(&app.pool, id)
        .await?
        .filter(|issued| {
            issued.person == caller.person.person
                && issued.robot == robot.robot
                && app.clock.now() < issued.expires_at
        })
        .ok_or_else(|| {
            ApiError::refused(
                "grant_unknown",
                "the grant is not yours, or is past its time",
            )
        })?;
    let is_the_one = BASE64_STANDARD
        .decode(&presentation.grant)
        .ok()
        .and_then(|sealed| {
            let policy = app.policy.verifying_key();
            sealed::open::<Grant>(Kind::Grant, &sealed, &policy).ok()
        })
        .is_some_and(|grant| grant.grant == issued.grant);
    if presentation.assertion.is_some() && presentation.passkey.is_some() {
        return Err(malformed());
    }
    let by_passkey = presentation.passkey.as_ref().map(|passkey| passkey.key);
    let asserted_by = (presentation.assertion.as_deref())
        .map(|assertion| BASE64_STANDARD.decode(assertion))
        .transpose()
        .map_err(|_not_base64| malformed())?
        .map(|assertion| sealed::claimed_key(&assertion).map_err(|_unreadable| malformed()))
        .transpose()?;
    if let Some(key) = asserted_by.or(by_passkey) {
        let keys = identity::store::person_keys(&app.pool, caller.person.person).await?;
        // One that they removed, or another's: the robot would see it too, once it has heard so.
        (keys.iter().any(|theirs| theirs.key == key))
            .then_some(())
            .ok_or_else(|| {
                ApiError::refused("key_not_rostered", "the grant is bound by no key of yours")
            })?;
    }
    if !is_the_one {
        return Err(malformed());
    }
    app.live
        .order(robot.robot, ToRobot::Grant(presentation))
        .map_err(|_gone| {
            ApiError::refused("robot_offline", format!("{} is not connected", robot.name))
        })
}

fn malformed() -> ApiError {
    ApiError::malformed(
        "grant_malformed",
        "the grant is not the one that was issued under this id, or what binds it can't be read",
    )
}
