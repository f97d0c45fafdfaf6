//! Puts a picture into the gateway's hands, under the robot's token. One try; what is tried again, and when, is the courier's.

use std::time::Duration;

use bytes::Bytes;
use protocol::{limits::MAX_EVIDENCE_BYTES, views::Problem};
use reqwest::{StatusCode, header};
use rustls::ClientConfig;
use url::Url;
use zeroize::Zeroizing;

use super::Picture;

/// The gateway itself gives up after a minute.
const WITHIN: Duration = Duration::from_mins(1);

/// Robots that can't reach their gateway say so within seconds.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The gateway has it.
    Held,
    /// It never will take it.
    Refused {
        /// Frozen code.
        code: String,
    },
    /// It could not take it now.
    Failed(String),
    /// Nothing was heard of it.
    Unreachable(String),
}

/// Brings one picture, as it is kept: the salt and what is behind it.
pub trait Bring: Send {
    /// Tries once.
    fn bring(&self, picture: Picture, kept: Bytes) -> impl Future<Output = Answer> + Send;
}

/// The gateway's API.
pub struct Post {
    client: reqwest::Client,
    gateway: Url,
    token: Zeroizing<String>,
}

impl Post {
    /// To that gateway, as the robot that the token was issued for.
    pub fn new(
        gateway: Url,
        token: Zeroizing<String>,
        trust: &ClientConfig,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(trust.clone())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(WITHIN)
            .build()?;
        Ok(Self {
            client,
            gateway,
            token,
        })
    }

    async fn put(&self, picture: Picture, kept: Bytes) -> Result<Answer, reqwest::Error> {
        let Picture { job, evidence } = picture;
        let path = format!("api/v1/jobs/{job}/evidence/{evidence}");
        let Ok(address) = self.gateway.join(&path) else {
            return Ok(Answer::Refused {
                code: "address".to_owned(),
            });
        };
        let response = self
            .client
            .put(address)
            .bearer_auth(self.token.as_str())
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(kept)
            .send()
            .await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Answer::Held);
        }
        let problem = response.json::<Problem>().await.ok();
        let code = problem.map_or_else(|| status.as_u16().to_string(), |problem| problem.code);
        Ok(if is_final(status) {
            Answer::Refused { code }
        } else {
            Answer::Failed(code)
        })
    }
}

impl Bring for Post {
    async fn bring(&self, picture: Picture, kept: Bytes) -> Answer {
        if kept.len() > protocol::limits::SALT_BYTES + MAX_EVIDENCE_BYTES {
            return Answer::Refused {
                code: "body_too_large".to_owned(),
            };
        }
        self.put(picture, kept)
            .await
            .unwrap_or_else(|error| Answer::Unreachable(error.to_string()))
    }
}

/// A refusal that another try would meet again. A token that is not believed ends the link, and with it this run.
fn is_final(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}
