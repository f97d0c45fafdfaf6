//! Asking for something until there is an answer, however often the gateway goes away meanwhile.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Result, bail};
use protocol::views::Problem;
use reqwest::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::REQUEST_WITHIN;
use crate::{api::Api, until::until};

/// The gateway is away for some seconds at a time, and for a minute when somebody did too much.
const ANSWERED_WITHIN: Duration = Duration::from_mins(2);

/// What the gateway said.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whether it is a yes, or why not.
    pub(super) said: std::result::Result<(), (StatusCode, Problem)>,
    /// How often it was asked again since no answer had come.
    pub(super) sent_again: usize,
}

/// Sends until there is an answer, always the same and with the same key.
pub(super) async fn ask(api: &Api, what: &str, path: &str, body: &Value) -> Result<Answer> {
    let key = Uuid::now_v7();
    let unanswered = AtomicUsize::new(0);
    let said = until(
        format!("an answer to {what}"),
        ANSWERED_WITHIN,
        async || {
            let sending = api.post_once(path, key, body, REQUEST_WITHIN);
            let response = sending.await.inspect_err(|_no_answer| {
                unanswered.fetch_add(1, Ordering::Relaxed);
            })?;
            let status = response.status();
            if status.is_success() {
                return Ok(Some(Ok(())));
            }
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                bail!("{status}");
            }
            let problem: Problem = response.json().await?;
            // Somebody else was first; it was not looked at.
            if problem.code == "stale" {
                bail!("stale");
            }
            Ok(Some(Err((status, problem))))
        },
    )
    .await?;
    let sent_again = unanswered.into_inner();
    Ok(Answer { said, sent_again })
}
