//! Whose word an event is: a person's by their session key, a person's by the cloud on their behalf, a robot's, or the cloud's.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use identity::Person;
use protocol::{
    OrganisationId, PersonId, SiteId, UnixMicros,
    event::{ActorEvent, Payload},
    limits::MAX_SEALED_EVENT_BYTES,
    sealed::{self, KeyId, Kind},
    views::Role,
};
use spine::{Recording, Tx};
use sqlx::PgExecutor;

use crate::{
    app::App,
    error::ApiError,
    http::auth::{Caller, Credential},
};

/// How an event that is to be recorded was said.
#[derive(Debug, Clone)]
pub enum Word {
    /// By the cloud, for itself.
    Cloud,
    /// By a person without a key: the cloud signs on their behalf.
    OnBehalf(PersonId, Role),
    /// By a person, with the key that their sign-in bound.
    Person(Sealed),
    /// By a robot, with the key that it enrolled with.
    Robot(Sealed),
}

/// An event under its actor's own signature.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// What they hold; verified.
    pub opened: Box<ActorEvent>,
    /// The key.
    pub key: KeyId,
}

impl Word {
    /// Records `payload`, which is what was said, as recorded at `now`. False when the log holds exactly this already.
    pub async fn record(
        self,
        tx: &mut Tx,
        stream: String,
        organisation: OrganisationId,
        site: Option<SiteId>,
        payload: Payload,
        now: UnixMicros,
    ) -> Result<bool, ApiError> {
        match self {
            Self::Cloud => tx.record(stream, organisation, site, None, payload),
            Self::OnBehalf(person, role) => {
                tx.record_for(stream, organisation, site, (person, role), payload);
            }
            Self::Person(sealed) => {
                // A key never signs what stands behind its end in the log: nobody who verifies the log would believe it.
                if !identity::store::hold_session_key(tx, sealed.key, now).await? {
                    return Err(unbound());
                }
                return sealed.record(tx, organisation, site).await;
            }
            Self::Robot(sealed) => return sealed.record(tx, organisation, site).await,
        }
        Ok(true)
    }
}

impl Sealed {
    async fn record(
        self,
        tx: &mut Tx,
        organisation: OrganisationId,
        site: Option<SiteId>,
    ) -> Result<bool, ApiError> {
        let recording = tx
            .record_sealed(organisation, site, self.bytes, *self.opened, self.key)
            .await?;
        Ok(recording == Recording::New)
    }
}

/// A person's act as it came: the event itself, or sealed.
#[derive(Debug)]
pub struct Act<E> {
    /// For callers without a key.
    pub event: Option<E>,
    /// Base64.
    pub sealed: Option<String>,
    /// In which role, for callers without a key.
    pub acting_as: Option<Role>,
}

/// What a person says, in which role, and how it is to be recorded.
#[derive(Debug)]
pub struct Said<E> {
    /// What.
    pub event: E,
    /// In which role.
    pub role: Role,
    /// How.
    pub word: Word,
}

/// Postgres keeps no NUL in text or JSON, and no page shows one: an event with one is turned away before it is recorded.
pub fn is_keepable(payload: &Payload) -> bool {
    serde_json::to_string(payload).is_ok_and(|text| !text.contains("\\u0000"))
}

/// Reads a person's act on `stream`. `pick` takes the kind of event that is meant out of a payload; `roles` are those that
/// the person may act in here, the best first.
pub async fn hear<E: Clone>(
    app: &App,
    executor: impl PgExecutor<'_>,
    caller: &Caller,
    act: Act<E>,
    stream: &str,
    roles: &[Role],
    pick: impl FnOnce(Payload) -> Option<E>,
) -> Result<Said<E>, ApiError> {
    match (act.event, act.sealed) {
        (Some(event), None) => {
            let role = match act.acting_as {
                Some(role) => held(roles, role)?,
                None => *roles.first().ok_or_else(nothing_here)?,
            };
            let word = Word::OnBehalf(caller.person.person, role);
            Ok(Said { event, role, word })
        }
        (None, Some(text)) => {
            let (bytes, opened, key) = open(app, executor, caller, &text).await?;
            if !is_keepable(&opened.payload) {
                return Err(refused("the event has words that can't be shown"));
            }
            if opened.stream != stream {
                return Err(refused("the event was signed for another stream"));
            }
            let role = held(
                roles,
                opened
                    .acting_as
                    .ok_or_else(|| refused("the event does not say in which role"))?,
            )?;
            let event = pick(opened.payload.clone())
                .ok_or_else(|| refused("the event is of a kind that does not belong here"))?;
            let word = Word::Person(Sealed {
                bytes,
                opened: Box::new(opened),
                key,
            });
            Ok(Said { event, role, word })
        }
        (Some(_), Some(_)) | (None, None) => Err(ApiError::malformed(
            "body_malformed",
            "give either `event` or `sealed`",
        )),
    }
}

/// What a sealed act says, unchecked. It proves nothing: [`hear`] opens the same bytes under the caller's key.
pub fn claimed(text: &str) -> Option<Payload> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let claimed = sealed::unverified::<ActorEvent>(Kind::Event, &bytes).ok()?;
    Some(claimed.payload.payload)
}

/// The event, if it was sealed by the key that the caller's own sign-in bound.
async fn open(
    app: &App,
    executor: impl PgExecutor<'_>,
    caller: &Caller,
    text: &str,
) -> Result<(Vec<u8>, ActorEvent, KeyId), ApiError> {
    let bytes = BASE64_STANDARD
        .decode(text)
        .ok()
        .filter(|bytes| bytes.len() <= MAX_SEALED_EVENT_BYTES)
        .ok_or_else(|| refused("the sealed event is not base64, or too large"))?;
    let key =
        sealed::claimed_key(&bytes).map_err(|_unreadable| refused("not a sealed envelope"))?;
    let bound = identity::store::session_key(executor, key, app.clock.now())
        .await?
        .filter(|bound| bound.person == caller.person.person)
        .filter(|bound| match &caller.credential {
            Credential::Session(hash) => bound.session_hash == hash.as_bytes(),
            Credential::Token(..) => false,
        })
        .ok_or_else(unbound)?;
    let public = VerifyingKey::from_bytes(&bound.public_key)
        .map_err(|_not_a_point| refused("the bound key is no Ed25519 key"))?;
    let opened: ActorEvent = sealed::open(Kind::Event, &bytes, &public)
        .map_err(|_not_believed| refused("the signature does not match"))?;
    if opened.on_behalf_of.is_some() {
        return Err(refused("nobody signs on behalf of another"));
    }
    Ok((bytes, opened, key))
}

/// The roles in which a person may act at a site, the one with the widest rights first.
pub fn roles_at(person: &Person, site: SiteId) -> Vec<Role> {
    [
        Role::Operator,
        Role::Supervisor,
        Role::Admin,
        Role::Requester,
        Role::Owner,
    ]
    .into_iter()
    .filter(|role| {
        let mut grants = person.roles.iter();
        grants.any(|grant| grant.role == *role && grant.site.is_none_or(|granted| granted == site))
    })
    .collect()
}

fn held(roles: &[Role], role: Role) -> Result<Role, ApiError> {
    roles
        .contains(&role)
        .then_some(role)
        .ok_or_else(|| ApiError::forbidden("role_missing", "you don't hold that role here"))
}

fn nothing_here() -> ApiError {
    ApiError::forbidden("role_missing", "none of your roles reaches this site")
}

fn unbound() -> ApiError {
    refused("the key is not bound to this sign-in; load the page again")
}

fn refused(why: &str) -> ApiError {
    ApiError::malformed("signature_refused", why)
}
