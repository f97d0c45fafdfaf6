//! `/api/v1/cases`: complaints and what becomes of them.

pub(super) mod act;
pub(super) mod file;
pub(super) mod list;
pub(super) mod picture;
pub(super) mod read;

use identity::Permission;
use protocol::CaseId;
use trust::store::StoredCase;

use crate::{app::App, error::ApiError, http::auth::Caller};

/// The case, if the caller filed it or reviews complaints where it is. One that may not be seen is not found.
pub(super) async fn case_for(
    app: &App,
    caller: &Caller,
    case: CaseId,
) -> Result<StoredCase, ApiError> {
    trust::store::peek(&app.pool, case)
        .await?
        .filter(|stored| stored.organisation == caller.person.organisation)
        .filter(|stored| {
            let reviews = caller.may(Permission::Review);
            stored.case.requester == caller.person.person
                || reviews.is_ok_and(|sight| sight.covers(stored.organisation, stored.site))
        })
        .ok_or_else(|| ApiError::not_found("case"))
}
