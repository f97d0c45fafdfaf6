//! A person's command as it comes in on a socket or a data channel: with the rights that hold now, and carried through.

use std::time::Duration;

use identity::Person;
use protocol::{
    command::{CommandRequest, Verb},
    views::CommandView,
};

use crate::{
    app::App,
    error::ApiError,
    flows::{carried::carried_through, issue_command::issue_command},
    http::auth::{Caller, Credential},
};

/// An answer takes a millisecond or two; a robot at its highest speed goes some centimetres in this time.
const STOP_ASKS_FOR: Duration = Duration::from_millis(50);

/// Issues the command if what the caller stands on still stands, with the roles of this moment: those that were read when
/// the session began may have been taken away since.
///
/// The work outlives the session that asked for it: a command that was recorded must also be sent.
pub(super) async fn issue(
    app: &App,
    caller: &Caller,
    request: CommandRequest,
) -> Result<CommandView, ApiError> {
    let (shared, caller) = (app.clone(), caller.clone());
    let issued = async move {
        let person = if request.verb == Verb::Stop {
            person_soon(&shared, &caller).await?
        } else {
            person_now(&shared, &caller).await?
        };
        issue_command(&shared, &person, request).await
    };
    carried_through(app, issued).await
}

/// A stop waits for no database: where that says nothing in time, the rights are those of the session's beginning. Whoever lost
/// them since loses the session as soon as that is known.
async fn person_soon(app: &App, caller: &Caller) -> Result<Person, ApiError> {
    match tokio::time::timeout(STOP_ASKS_FOR, person_now(app, caller)).await {
        Ok(Err(error)) if error.code() == "unavailable" => Ok(caller.person.clone()),
        Ok(answer) => answer,
        Err(_too_late) => Ok(caller.person.clone()),
    }
}

async fn person_now(app: &App, caller: &Caller) -> Result<Person, ApiError> {
    let now = app.clock.now();
    match caller.credential {
        Credential::Session(hash) => identity::store::person_by_session(&app.pool, hash, now)
            .await?
            .map(|signed_in| signed_in.person)
            .ok_or_else(|| {
                ApiError::signed_out("session_over", "the sign-in ended; sign in again")
            }),
        Credential::Token(hash, _) => identity::store::person_by_api_token(&app.pool, hash, now)
            .await?
            .map(|signed_in| signed_in.person)
            .ok_or_else(|| {
                ApiError::signed_out(
                    "token_unknown",
                    "the bearer token is unknown or was revoked",
                )
            }),
    }
}
