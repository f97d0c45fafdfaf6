//! A person's command as it comes in on a socket or a data channel: with the rights that hold now, and carried through.

use identity::Person;
use protocol::{command::CommandRequest, views::CommandView};

use crate::{
    app::App,
    error::ApiError,
    flows::issue_command::issue_command,
    http::auth::{Caller, Credential},
};

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
    let work = app.sessions.spawn(async move {
        let person = person_now(&shared, &caller).await?;
        issue_command(&shared, &person, request).await
    });
    match work.await {
        Ok(issued) => issued,
        Err(broken) => Err(ApiError::internal(&broken)),
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
