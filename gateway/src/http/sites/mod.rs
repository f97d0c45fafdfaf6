//! `/api/v1/sites/{site}`: what is done to all robots of a site.

pub(super) mod stop;
