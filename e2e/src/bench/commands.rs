//! From an order on the operator's socket to the robot's signed word on it, beside the socket's own round trip.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use e2e::{api::new_command, stack::Stack};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    RobotId, UnixMicros,
    command::{CommandRequest, Fate, Verb},
    console_socket::{FromConsole, ToConsole},
    limits::PROTOCOL_VERSION,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{Row, quantile};

/// Orders that the figure is made of.
const ORDERS: usize = 200;

/// Longer than any answer takes; an order without an answer fails the measurement.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A console's socket, without a console.
pub(crate) struct Console(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Console {
    /// Opens one for whose token that is.
    pub(crate) async fn open(stack: &Stack, token: &str) -> Result<Self> {
        let url = stack.ready.url.replacen("http", "ws", 1) + "/api/v1/console/socket";
        let mut request = url.into_client_request()?;
        let bearer = format!("Bearer {token}");
        request
            .headers_mut()
            .insert("authorization", bearer.parse()?);
        let tls = stack.authority().as_deref().map(believing).transpose()?;
        let (socket, _) = connect_async_tls_with_config(request, None, false, tls).await?;
        let mut console = Self(socket);
        console
            .send(&FromConsole::Hello {
                protocol: PROTOCOL_VERSION,
            })
            .await?;
        Ok(console)
    }

    /// Gives an order, and waits for the robot's word on it; how long that took, milliseconds.
    pub(crate) async fn order(&mut self, request: CommandRequest) -> Result<f64> {
        let command = request.command;
        let began = Instant::now();
        self.send(&FromConsole::Command(request)).await?;
        self.until(|frame| {
            matches!(frame, ToConsole::Command(view) if view.command == command && view.fate != Fate::Sent)
        })
        .await?;
        Ok(began.elapsed().as_secs_f64() * 1_000.0)
    }

    async fn send(&mut self, frame: &FromConsole) -> Result<()> {
        let text = serde_json::to_string(frame)?;
        Ok(self.0.send(Message::text(text)).await?)
    }

    /// Reads until a frame is the one that is waited for.
    async fn until(&mut self, is_it: impl Fn(&ToConsole) -> bool) -> Result<()> {
        let reading = async {
            loop {
                let message = self.0.next().await.context("the socket closed")??;
                if let Message::Text(text) = message
                    && is_it(&serde_json::from_str(&text)?)
                {
                    return Ok(());
                }
            }
        };
        match tokio::time::timeout(ANSWER_WITHIN, reading).await {
            Ok(read) => read,
            Err(_elapsed) => bail!("no answer within {ANSWER_WITHIN:?}"),
        }
    }
}

/// Believes the gateway's own certificate alone.
fn believing(authority: &Path) -> Result<Connector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::new(config)))
}

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let stack = Stack::start_with(1, &[]).await?;
    let robot: RobotId = stack.seeded.robots[0].id.parse()?;
    let mut console = Console::open(&stack, &stack.seeded.tokens.operator).await?;
    let mut answers = Vec::new();
    let mut echoes = Vec::new();
    for index in 0..ORDERS {
        let at = UnixMicros(i64::try_from(index)?);
        let began = Instant::now();
        console.send(&FromConsole::Ping { at }).await?;
        console
            .until(|frame| matches!(frame, ToConsole::Pong { at: back, .. } if *back == at))
            .await?;
        echoes.push(began.elapsed().as_secs_f64() * 1_000.0);

        let request = CommandRequest {
            command: new_command(),
            robot,
            epoch: None,
            verb: Verb::Stop,
            signed: None,
        };
        answers.push(console.order(request).await?);
    }
    Ok(vec![
        Row::new("command_rtt_p50", "ms", quantile(&answers, 0.5)).beside(quantile(&echoes, 0.5)),
        Row::new("command_rtt_p95", "ms", quantile(&answers, 0.95)).beside(quantile(&echoes, 0.95)),
    ])
}
