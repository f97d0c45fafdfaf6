//! `DELETE /api/v1/session`

use axum::{extract::State, http::StatusCode};
use axum_extra::extract::cookie::CookieJar;
use protocol::views::Problem;

use crate::{
    app::App,
    error::ApiError,
    flows::sign_out::sign_out,
    http::auth::{Caller, no_cookie},
};

/// Signs out. Live pages of this sign-in are closed.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204, description = "Signed out"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "`not_a_session`: the caller uses a bearer token", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar), ApiError> {
    sign_out(&app, &caller).await?;
    Ok((StatusCode::NO_CONTENT, jar.add(no_cookie())))
}
