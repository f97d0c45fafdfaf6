//! Puts a picture into the gateway's hands, under the robot's token. One try; what is tried again, and when, is the courier's.

use std::{convert::Infallible, fmt, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use protocol::{
    RobotId,
    drive::DriveReport,
    limits::MAX_EVIDENCE_BYTES,
    picture::{ClipHash, MAX_CLIP_BYTES},
    views::Problem,
};
use reqwest::{Body, StatusCode, header};
use rustls::ClientConfig;
use tokio::{sync::watch, time::sleep};
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

/// Something that is kept in a file until the gateway has it; its file is called as it is shown.
pub trait Parcel: fmt::Display + Copy + Send + Sync {
    /// What a file of that name holds; none for a file that is something else.
    fn of_file(name: &str) -> Option<Self>;
}

impl Parcel for ClipHash {
    fn of_file(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// Brings one parcel, as it is kept.
pub trait Bring: Send + Sync {
    /// What is brought.
    type Parcel: Parcel;

    /// The frozen code of a gateway that knows of no event that names it.
    const UNNAMED: &'static str;

    /// Tries once.
    fn bring(&self, parcel: Self::Parcel, kept: Bytes) -> impl Future<Output = Answer> + Send;
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
            .build()?;
        Ok(Self {
            client,
            gateway,
            token,
        })
    }

    async fn put(
        &self,
        path: &str,
        body: impl Into<Body>,
        within: Duration,
    ) -> Result<Answer, reqwest::Error> {
        let Ok(address) = self.gateway.join(path) else {
            return Ok(refused("address"));
        };
        let response = self
            .client
            .put(address)
            .bearer_auth(self.token.as_str())
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .timeout(within)
            .body(body)
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

fn refused(code: &str) -> Answer {
    Answer::Refused {
        code: code.to_owned(),
    }
}

impl Bring for Post {
    type Parcel = Picture;

    const UNNAMED: &'static str = "evidence_unknown";

    async fn bring(&self, picture: Picture, kept: Bytes) -> Answer {
        if kept.len() > protocol::limits::SALT_BYTES + MAX_EVIDENCE_BYTES {
            return refused("body_too_large");
        }
        let Picture { job, evidence } = picture;
        let path = format!("api/v1/jobs/{job}/evidence/{evidence}");
        self.put(&path, kept, WITHIN)
            .await
            .unwrap_or_else(|error| Answer::Unreachable(error.to_string()))
    }
}

/// What a clip may take of the uplink while somebody steers by the robot's pictures: a quarter of a Mbit/s.
const PACE_BYTES: usize = 8 * 1_024;

/// How long a part of it takes then.
const PACE: Duration = Duration::from_millis(250);

/// Brings what people saw. Slowly while somebody steers: their pictures go first.
pub struct ClipPost {
    post: Post,
    robot: RobotId,
    driving: watch::Receiver<Option<DriveReport>>,
}

impl ClipPost {
    /// By the same way as photographs, for this robot; `driving` holds something while somebody steers.
    pub const fn new(
        post: Post,
        robot: RobotId,
        driving: watch::Receiver<Option<DriveReport>>,
    ) -> Self {
        Self {
            post,
            robot,
            driving,
        }
    }
}

impl Bring for ClipPost {
    type Parcel = ClipHash;

    const UNNAMED: &'static str = "clip_unknown";

    async fn bring(&self, clip: ClipHash, kept: Bytes) -> Answer {
        if kept.len() > MAX_CLIP_BYTES {
            return refused("body_too_large");
        }
        let path = format!("api/v1/robots/{}/clips/{clip}", self.robot);
        let body = Body::wrap_stream(paced(kept, self.driving.clone()));
        self.post
            .put(&path, body, WITHIN)
            .await
            .unwrap_or_else(|error| Answer::Unreachable(error.to_string()))
    }
}

/// The bytes in parts, with a pause after each for as long as somebody steers.
fn paced(
    bytes: Bytes,
    driving: watch::Receiver<Option<DriveReport>>,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((bytes, driving), async |(mut rest, driving)| {
        if rest.is_empty() {
            return None;
        }
        let part = rest.split_to(PACE_BYTES.min(rest.len()));
        let is_steered = driving.borrow().is_some();
        if is_steered {
            sleep(PACE).await;
        }
        Some((Ok(part), (rest, driving)))
    })
}

/// A refusal that another try would meet again. A token that is not believed ends the link, and with it this run.
fn is_final(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}
