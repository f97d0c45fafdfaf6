//! The WebSocket to the gateway: opened with the robot's token, written with a bound.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    limits::MAX_TEXT_FRAME_BYTES,
    robot_socket::{FromRobot, ToRobot},
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, header},
        protocol::WebSocketConfig,
    },
};
use url::Url;

use super::End;

/// DNS, TCP, TLS and the upgrade over a slow link.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// One frame that takes longer than this to leave means that the link is dead.
const WRITE_WITHIN: Duration = Duration::from_secs(4);

/// Closing is a courtesy: the gateway notices a broken socket as well.
const CLOSED_WITHIN: Duration = Duration::from_millis(500);

/// A socket to the gateway.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens it. The gateway's refusal, if any, comes back in words.
    pub(super) async fn open(
        gateway: &Url,
        token: &str,
        trust: Arc<ClientConfig>,
    ) -> Result<Self, End> {
        let lost = |error: &dyn std::fmt::Display| End::Lost(error.to_string());
        let mut address = gateway
            .join("api/v1/robots/socket")
            .map_err(|error| lost(&error))?;
        let scheme = if gateway.scheme() == "https" {
            "wss"
        } else {
            "ws"
        };
        address
            .set_scheme(scheme)
            .map_err(|()| End::Lost("the gateway's address has no web scheme".to_owned()))?;
        let mut request = address
            .as_str()
            .into_client_request()
            .map_err(|error| lost(&error))?;
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| lost(&error))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(MAX_TEXT_FRAME_BYTES);
        let connecting = connect_async_tls_with_config(
            request,
            Some(config),
            true,
            Some(Connector::Rustls(trust)),
        );
        match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(Ok((stream, _response))) => Ok(Self(stream)),
            Ok(Err(Error::Http(response))) => Err(End::Lost(format!(
                "the gateway answered {}{}",
                response.status(),
                refusal_code(response.body().as_deref()),
            ))),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_elapsed) => Err(End::Lost(format!(
                "no connection within {} s",
                CONNECT_WITHIN.as_secs()
            ))),
        }
    }

    /// Sends one frame.
    pub(super) async fn send(&mut self, frame: &FromRobot) -> Result<(), End> {
        let text = serde_json::to_string(frame).map_err(|error| End::Lost(error.to_string()))?;
        self.write(Message::text(text)).await
    }

    /// Sends bytes.
    pub(super) async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), End> {
        self.write(Message::Binary(bytes.into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(WRITE_WITHIN, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Lost(error.to_string())),
            Err(_elapsed) => Err(End::Lost("the link takes no more frames".to_owned())),
        }
    }

    /// The next frame. Frames of a kind that this agent does not know are passed over: gateways may be newer.
    pub(super) async fn next(&mut self) -> Result<ToRobot, End> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(frame) => return Ok(frame),
                    Err(error) => tracing::debug!(%error, "passed over a frame"),
                },
                Some(Ok(Message::Close(_))) | None => {
                    return Err(End::Lost("the gateway hung up".to_owned()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(End::Lost(error.to_string())),
            }
        }
    }

    /// Closes in good order: what the gateway still sends is read, or its side would see the connection reset.
    pub(super) async fn close(mut self) {
        let closing = async {
            if self.0.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        if tokio::time::timeout(CLOSED_WITHIN, closing).await.is_err() {
            tracing::debug!("the socket did not close in time");
        }
    }
}

fn refusal_code(body: Option<&[u8]>) -> String {
    body.and_then(|body| serde_json::from_slice::<protocol::views::Problem>(body).ok())
        .map_or_else(String::new, |problem| {
            format!(": {} ({})", problem.detail, problem.code)
        })
}
