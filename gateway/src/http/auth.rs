//! Who is asking: a person by cookie or bearer token, or a robot by its token. Everything else starts here.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use identity::{Permission, Person, Reach, Robot, SecretHash, SecretKind};
use protocol::{SiteId, TokenId, sealed::KeyId};

use crate::{
    app::App,
    error::ApiError,
    http::origin,
    live::{Sight, rate_limit::SIGN_IN},
};
use time::OffsetDateTime;

/// `__Host-`: only over TLS or on this machine, only this host, every path (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "__Host-nooterra";

/// What a caller stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A sign-in of a browser, by the hash of its secret.
    Session(SecretHash),
    /// A bearer token, by its hash and its public name.
    Token(SecretHash, TokenId),
}

impl Credential {
    /// A name for it that is no secret.
    pub fn name(&self) -> String {
        match self {
            Self::Session(hash) => hex::encode(hash.as_bytes()),
            Self::Token(_, token) => token.to_string(),
        }
    }
}

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who, and what they may do.
    pub person: Person,
    /// By what.
    pub credential: Credential,
    /// When a browser's sign-in ends.
    pub expires_at: Option<OffsetDateTime>,
    /// When whoever is behind a browser's sign-in last showed who they are.
    pub proven_at: Option<OffsetDateTime>,
    /// The passkey that opened it.
    pub passkey: Option<KeyId>,
}

impl Caller {
    /// Where the caller has `permission`, or the refusal that says what is missing.
    pub fn may(&self, permission: Permission) -> Result<Sight, ApiError> {
        let reach = identity::reach(&self.person.roles, permission);
        if reach.is_nowhere() {
            return Err(ApiError::forbidden(
                "role_missing",
                format!("none of your roles allows to {}", words(permission)),
            ));
        }
        Ok(Sight {
            organisation: self.person.organisation,
            sites: match reach {
                Reach::Everywhere => None,
                Reach::Sites(sites) => Some(sites),
            },
        })
    }

    /// The robots that the caller may see.
    pub fn sight(&self) -> Result<Sight, ApiError> {
        self.may(Permission::SeeFleet)
    }

    /// Whether the caller may do this at that site.
    pub fn may_at(&self, permission: Permission, site: SiteId) -> Result<(), ApiError> {
        let sight = self.may(permission)?;
        let is_there = sight.sites.is_none_or(|sites| sites.contains(&site));
        is_there
            .then_some(())
            .ok_or_else(|| ApiError::forbidden("role_missing", "your roles don't reach this site"))
    }

    /// Whether the sign-in still stands, with every right that was read at its start.
    pub async fn still_holds(&self, app: &App) -> Result<bool, ApiError> {
        let now = app.clock.now();
        let person = match self.credential {
            Credential::Session(hash) => identity::store::person_by_session(&app.pool, hash, now)
                .await?
                .map(|signed_in| signed_in.person),
            Credential::Token(hash, _) => {
                identity::store::person_by_api_token(&app.pool, hash, now)
                    .await?
                    .map(|signed_in| signed_in.person)
            }
        };
        Ok(person.is_some_and(|person| {
            let mut at_start = self.person.roles.iter();
            at_start.all(|role| person.roles.contains(role))
        }))
    }
}

const fn words(permission: Permission) -> &'static str {
    match permission {
        Permission::SeeFleet => "see robots",
        Permission::Watch => "watch a robot's cameras",
        Permission::Command => "steer robots",
        Permission::TakeOver => "take control from another",
        Permission::SeeEvents => "read the event log",
        Permission::Administer => "administer this installation",
        Permission::RequestWork => "ask for work",
        Permission::SeeJobs => "see everybody's jobs",
        Permission::RunJobs => "run jobs",
        Permission::Review => "review complaints",
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        caller(app, &parts.headers).await
    }
}

async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let now = app.clock.now();
    if let Some(bearer) = bearer(headers) {
        let found = match SecretHash::of(SecretKind::Api, bearer) {
            Some(hash) => identity::store::person_by_api_token(&app.pool, hash, now)
                .await?
                .map(|signed_in| (signed_in, hash)),
            None => None,
        };
        let Some((signed_in, hash)) = found else {
            limit_tries(app, "people").await?;
            return Err(ApiError::signed_out(
                "token_unknown",
                "the bearer token is unknown or was revoked",
            ));
        };
        return Ok(Caller {
            person: signed_in.person,
            credential: Credential::Token(hash, signed_in.token),
            expires_at: None,
            proven_at: None,
            passkey: None,
        });
    }
    let jar = CookieJar::from_headers(headers);
    let Some(cookie) = jar.get(COOKIE) else {
        return Err(ApiError::signed_out(
            "signed_out",
            "sign in first, or send a bearer token",
        ));
    };
    let found = match SecretHash::of(SecretKind::Session, cookie.value()) {
        Some(hash) => identity::store::person_by_session(&app.pool, hash, now)
            .await?
            .map(|signed_in| (signed_in, hash)),
        None => None,
    };
    let Some((signed_in, hash)) = found else {
        return Err(ApiError::signed_out(
            "session_over",
            "the sign-in ended; sign in again",
        ));
    };
    Ok(Caller {
        person: signed_in.person,
        credential: Credential::Session(hash),
        expires_at: Some(signed_in.expires_at),
        proven_at: Some(signed_in.proven_at),
        passkey: signed_in.passkey,
    })
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// Proof that a socket's upgrade comes from our own page, or from a script with a bearer token.
#[derive(Debug)]
pub struct SameOrigin;

impl FromRequestParts<App> for SameOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if bearer(&parts.headers).is_none() || parts.headers.contains_key(header::ORIGIN) {
            origin::check(&parts.headers, &app.config.public_url)?;
        }
        Ok(Self)
    }
}

/// A robot that signed in.
#[derive(Debug, Clone)]
pub struct RobotCaller {
    /// Which robot.
    pub robot: Robot,
    /// The public name of its token.
    pub token: TokenId,
    hash: SecretHash,
}

impl RobotCaller {
    /// Whether the token still stands.
    pub async fn still_holds(&self, app: &App) -> Result<bool, ApiError> {
        let now = app.clock.now();
        let found = identity::store::robot_by_token(&app.pool, self.hash, now).await?;
        Ok(found.is_some())
    }
}

impl FromRequestParts<App> for RobotCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        robot_of(app, &parts.headers).await
    }
}

/// The robot that a request comes from. Wrong tokens are counted against guessing.
pub async fn robot_of(app: &App, headers: &HeaderMap) -> Result<RobotCaller, ApiError> {
    let now = app.clock.now();
    let hash = bearer(headers).and_then(|token| SecretHash::of(SecretKind::Robot, token));
    if let Some(hash) = hash
        && let Some(signed_in) = identity::store::robot_by_token(&app.pool, hash, now).await?
    {
        return Ok(RobotCaller {
            robot: signed_in.robot,
            token: signed_in.token,
            hash,
        });
    }
    limit_tries(app, "robots").await?;
    Err(ApiError::signed_out(
        "robot_token_unknown",
        "the robot's token is unknown or was revoked; enrol the robot again",
    ))
}

/// Counts a try against guessing.
pub(super) async fn limit_tries(app: &App, who: &str) -> Result<(), ApiError> {
    let now_s = u64::try_from(app.clock.now().unix_timestamp()).unwrap_or_default();
    if app.limits.try_once(&app.redis, SIGN_IN, who, now_s).await {
        Ok(())
    } else {
        Err(ApiError::too_many(
            u32::try_from(SIGN_IN.window_s).unwrap_or(60),
        ))
    }
}

/// The cookie that carries a sign-in. No script can read it, no other site can send it.
pub(super) fn session_cookie(secret: String, lives: time::Duration) -> Cookie<'static> {
    Cookie::build((COOKIE, secret))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(lives)
        .build()
}

/// The cookie that takes it away.
pub(super) fn no_cookie() -> Cookie<'static> {
    session_cookie(String::new(), time::Duration::ZERO)
}
