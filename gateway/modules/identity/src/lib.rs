//! Organisations, sites, people and robots, what each may do, the secrets that prove who is who, and the keys of who may steer.
//!
//! Pure by default; the feature `store` adds the tables. Reads no clock and makes no secrets: both are handed in.

mod name;
mod people;
mod refusal;
mod robots;
mod roles;
mod secret;
mod sign_in;
#[cfg(feature = "store")]
mod store_error;
#[cfg(test)]
#[cfg(feature = "store")]
mod tests;
mod trust;

pub use name::Name;
pub use people::{Organisation, Person, Site};
pub use refusal::Refusal;
pub use robots::{Robot, RobotSignIn, RobotToken};
pub use roles::{Permission, Reach, allows, reach};
pub use secret::{Secret, SecretHash, SecretKind};
pub use sign_in::{
    ApiSignIn, ApiToken, LinkUses, PROOF_IS_FRESH, SESSION_IDLE, SESSION_LASTS, SessionKey,
    SessionSignIn,
};
#[cfg(feature = "store")]
pub use store_error::StoreError;
pub use trust::{
    DraftMark, ListedPersonKey, PASSKEY_CHALLENGE_LASTS, Passkey, PersonKey, PublicKey,
    StoredRevocations, StoredRoster, open_roster, seal_roster, usable_key,
};

/// Who there is, in Postgres. What changes is recorded as an event in the same transaction.
#[cfg(feature = "store")]
pub mod store {
    pub use crate::{
        people::store::{
            create_organisation, create_person, create_site, find_organisation, find_people,
            find_site, grant_role, list_organisations, list_sites, load_person, load_site,
            person_names, revoke_role,
        },
        robots::store::{
            NewRobot, bind_robot_key, create_robot, find_robot, find_robot_token,
            issue_robot_token, list_robot_tokens, list_robots, load_robot, revoke_robot_token,
            robot_by_token, saw_robot,
        },
        sign_in::store::{
            bind_session_key, close_session, close_sessions_of_passkey, ended_session_keys,
            find_api_token, forget_expired, hold_session_key, issue_api_token, issue_link,
            link_expires_at, list_api_tokens, open_session, person_by_api_token, person_by_session,
            prove_session, revoke_api_token, session_key, use_link,
        },
        trust::store::{
            NewPasskey, add_passkey, draft_roster, keep_passkey_challenge, latest_revocations,
            latest_roster, list_passkeys, list_person_keys, name_root, offer_person_key,
            passkey_by_credential, passkey_was_used, people_among, person_keys,
            publish_demo_roster, publish_revocations, publish_roster, remove_person_key,
            removed_person_keys, root_of, take_passkey_challenge,
        },
    };
}
