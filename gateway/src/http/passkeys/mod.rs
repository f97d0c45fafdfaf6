//! `/api/v1/session/passkeys`, the caller's passkeys, and `/api/v1/session/passkey`, signing in with one.

pub(super) mod add;
pub(super) mod begin_adding;
pub(super) mod begin_sign_in;
pub(super) mod list;
pub(super) mod prove;
pub(super) mod remove;
pub(super) mod sign_in;
