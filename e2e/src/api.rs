//! The API as a script uses it.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use protocol::{
    CommandId, RobotId,
    command::{CommandBody, Verb},
    control::{ControlAct, ControlEvent, ControlPresence, ControlView},
    views::{CommandView, Page, Presence, Problem, RobotView, Role, SignIn},
};
use reqwest::{
    ClientBuilder, RequestBuilder, Response, StatusCode,
    header::{COOKIE, ORIGIN, SET_COOKIE},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// No answer takes this long unless it never comes.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);

/// A client with a bearer token, or one that signed in as a browser does.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    credential: Credential,
    client: reqwest::Client,
}

#[derive(Debug, Clone)]
enum Credential {
    Token(String),
    Cookie(String),
}

impl Api {
    /// A client of the gateway at `base`.
    pub fn new(base: &str, token: &str) -> Result<Self> {
        Self::made(base, token, |client| client)
    }

    /// The same over TLS, believing this certificate (PEM) alone.
    pub fn trusting(base: &str, token: &str, authority: &Path) -> Result<Self> {
        let pem = std::fs::read(authority)?;
        let certificate = reqwest::Certificate::from_pem(&pem)?;
        Self::made(base, token, |client| client.tls_certs_only([certificate]))
    }

    fn made(
        base: &str,
        token: &str,
        dress: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self> {
        // Over plain HTTP, on loopback, the provider is only needed to build the client at all.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(ANSWERED_WITHIN);
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            credential: Credential::Token(token.to_owned()),
            client: dress(client).build()?,
        })
    }

    /// A client that signs in with a link, which is then spent.
    pub async fn sign_in(base: &str, link: &str) -> Result<Self> {
        let mut api = Self::new(base, "")?;
        let (_, secret) = link
            .split_once("#link=")
            .context("no link to sign in with")?;
        let body = SignIn {
            link: secret.to_owned(),
        };
        let request = api.client.post(format!("{}/api/v1/session", api.base));
        let request = request.header(ORIGIN, &api.base).json(&body);
        let answer = request.send().await?.error_for_status()?;
        let cookie = answer.headers().get(SET_COOKIE).context("no cookie")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
        api.credential = Credential::Cookie(cookie.to_owned());
        Ok(api)
    }

    fn as_caller(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credential {
            Credential::Token(token) => request.bearer_auth(token),
            // As a page of the console sends it.
            Credential::Cookie(cookie) => request.header(COOKIE, cookie).header(ORIGIN, &self.base),
        }
    }

    /// A GET.
    pub async fn get(&self, path: &str) -> Result<Response> {
        let request = self.client.get(format!("{}{path}", self.base));
        Ok(self.as_caller(request).send().await?)
    }

    /// What a GET gives.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        Ok(self.get(path).await?.error_for_status()?.json().await?)
    }

    /// What a POST gives, or why not.
    pub async fn try_write<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<std::result::Result<T, Problem>> {
        let request = self.client.post(format!("{}{path}", self.base)).json(body);
        granted(self.as_caller(request).send().await?).await
    }

    /// What a POST gives that must succeed.
    pub async fn write<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let given = self.try_write(path, body).await?;
        given.map_err(|problem| anyhow::anyhow!("{problem:?}"))
    }

    /// A POST that must succeed and gives nothing.
    pub async fn hand_in(&self, path: &str, body: &impl Serialize) -> Result<()> {
        let request = self.client.post(format!("{}{path}", self.base)).json(body);
        self.as_caller(request).send().await?.error_for_status()?;
        Ok(())
    }

    /// A DELETE that must succeed.
    pub async fn remove(&self, path: &str) -> Result<()> {
        let request = self.client.delete(format!("{}{path}", self.base));
        self.as_caller(request).send().await?.error_for_status()?;
        Ok(())
    }

    /// A POST that has its effect once, however often it is sent with the same key.
    pub async fn post_once(
        &self,
        path: &str,
        key: Uuid,
        body: &serde_json::Value,
        within: Duration,
    ) -> Result<Response> {
        let request = self.client.post(format!("{}{path}", self.base));
        Ok(self
            .as_caller(request)
            .header("Idempotency-Key", key.to_string())
            .json(body)
            .timeout(within)
            .send()
            .await?)
    }

    /// Robots that this caller may see.
    pub async fn robots(&self) -> Result<Vec<RobotView>> {
        let page: Page<RobotView> = self
            .get("/api/v1/robots")
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(page.items)
    }

    /// One robot.
    pub async fn robot(&self, robot: RobotId) -> Result<RobotView> {
        let response = self.get(&format!("/api/v1/robots/{robot}")).await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Whether the robot is online.
    pub fn is_online(robot: &RobotView) -> bool {
        matches!(robot.presence, Presence::Online { .. })
    }

    /// Tells a robot something that nobody signed; the answer may be a refusal.
    pub async fn command(
        &self,
        robot: RobotId,
        command: CommandId,
        verb: Verb,
        epoch: Option<u64>,
    ) -> Result<std::result::Result<CommandView, Problem>> {
        let signed = None;
        let body = CommandBody {
            epoch,
            verb,
            signed,
        };
        self.send_command(robot, command, &body).await
    }

    /// The same with the whole body.
    pub async fn send_command(
        &self,
        robot: RobotId,
        command: CommandId,
        body: &CommandBody,
    ) -> Result<std::result::Result<CommandView, Problem>> {
        let path = format!("{}/api/v1/robots/{robot}/commands", self.base);
        let response = self
            .as_caller(self.client.post(path))
            .header("Idempotency-Key", command.to_string())
            .json(body)
            .send()
            .await?;
        granted(response).await
    }

    /// Does something about who steers a robot, as a script does.
    pub async fn control(
        &self,
        robot: RobotId,
        event: ControlEvent,
        acting_as: Option<Role>,
    ) -> Result<std::result::Result<ControlView, Problem>> {
        let path = format!("{}/api/v1/robots/{robot}/control/events", self.base);
        let act = ControlAct {
            event: Some(event),
            sealed: None,
            acting_as,
        };
        let response = self
            .as_caller(self.client.post(path))
            .header("Idempotency-Key", new_command().to_string())
            .json(&act)
            .send()
            .await?;
        granted(response).await
    }

    /// Who steers a robot.
    pub async fn who_steers(&self, robot: RobotId) -> Result<ControlView> {
        let response = self.get(&format!("/api/v1/robots/{robot}/control")).await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Says that who steers a robot is there.
    pub async fn is_present(&self, robot: RobotId, epoch: u64) -> Result<()> {
        let path = format!("{}/api/v1/robots/{robot}/control/presence", self.base);
        let sign = self.as_caller(self.client.put(path));
        let response = sign.json(&ControlPresence { epoch }).send().await?;
        response.error_for_status()?;
        Ok(())
    }

    /// A command and its fate.
    pub async fn fate(&self, command: CommandId) -> Result<CommandView> {
        let response = self.get(&format!("/api/v1/commands/{command}")).await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// The status and code of a refused GET.
    pub async fn refused(&self, path: &str) -> Result<(StatusCode, String)> {
        let response = self.get(path).await?;
        let status = response.status();
        let problem: Problem = response
            .json()
            .await
            .with_context(|| format!("{path} did not answer with a problem"))?;
        Ok((status, problem.code))
    }
}

/// A fresh id for a command.
pub fn new_command() -> CommandId {
    CommandId(Uuid::now_v7())
}

/// What was asked for, or why not.
async fn granted<T: DeserializeOwned>(
    response: Response,
) -> Result<std::result::Result<T, Problem>> {
    if response.status().is_success() {
        Ok(Ok(response.json().await?))
    } else {
        Ok(Err(response.json().await?))
    }
}
