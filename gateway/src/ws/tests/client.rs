//! Robots and consoles as they look from outside: real sockets to a real port.

use std::{marker::PhantomData, net::SocketAddr};

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    UnixMicros,
    console_socket::{FromConsole, ToConsole},
    limits::PROTOCOL_VERSION,
    robot::{Advert, Telemetry},
    robot_socket::{FromRobot, Goodbye, ToRobot},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::HeaderName},
};

use crate::http::tests::{
    house::{Machine, PUBLIC_URL, Who, advert},
    until::soon,
};

pub(super) const ROBOT_SOCKET: &str = "/api/v1/robots/socket";
pub(super) const CONSOLE_SOCKET: &str = "/api/v1/console/socket";

/// A socket, or the status and the frozen code that its handshake was refused with.
pub(super) async fn knock(
    stream: TcpStream,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocketStream<TcpStream>, (u16, String)> {
    let mut request = format!("ws://gateway{path}").into_client_request().unwrap();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match soon("the handshake", client_async(request, stream)).await {
        Ok((socket, _response)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            let problem: protocol::views::Problem = serde_json::from_slice(&body).unwrap();
            Err((response.status().as_u16(), problem.code))
        }
        Err(other) => panic!("the handshake broke: {other}"),
    }
}

pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// A frame that may be the last one.
pub(super) trait Heard: DeserializeOwned + std::fmt::Debug {
    fn farewell(&self) -> Option<Goodbye>;
    fn words(&self) -> Option<String>;
}

impl Heard for ToRobot {
    fn farewell(&self) -> Option<Goodbye> {
        match self {
            Self::Goodbye { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    fn words(&self) -> Option<String> {
        match self {
            Self::Goodbye { words, .. } => Some(words.clone()),
            _ => None,
        }
    }
}

impl Heard for ToConsole {
    fn farewell(&self) -> Option<Goodbye> {
        match self {
            Self::Goodbye { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    fn words(&self) -> Option<String> {
        match self {
            Self::Goodbye { words, .. } => Some(words.clone()),
            _ => None,
        }
    }
}

/// One end of a socket.
pub(super) struct Client<Says, Hears> {
    socket: WebSocketStream<TcpStream>,
    words: PhantomData<(Says, Hears)>,
}

pub(super) type Robot = Client<FromRobot, ToRobot>;
pub(super) type Console = Client<FromConsole, ToConsole>;

impl<Says: Serialize, Hears: Heard> Client<Says, Hears> {
    pub(super) const fn on(socket: WebSocketStream<TcpStream>) -> Self {
        Self {
            socket,
            words: PhantomData,
        }
    }

    pub(super) async fn say(&mut self, frame: &Says) {
        self.say_text(&serde_json::to_string(frame).unwrap()).await;
    }

    pub(super) async fn say_text(&mut self, text: &str) {
        self.say_raw(Message::text(text)).await;
    }

    pub(super) async fn say_raw(&mut self, message: Message) {
        soon("room to write", self.socket.send(message))
            .await
            .unwrap();
    }

    /// The next message of any kind.
    pub(super) async fn hear_raw(&mut self) -> Message {
        let message = soon("a message", self.socket.next()).await;
        message.expect("the socket ended").unwrap()
    }

    /// The next frame; stills are passed over.
    pub(super) async fn hear(&mut self) -> Hears {
        loop {
            match self.hear_raw().await {
                Message::Text(text) => {
                    return serde_json::from_str(&text)
                        .unwrap_or_else(|error| panic!("{text} can't be read: {error}"));
                }
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} came in place of a frame"),
            }
        }
    }

    /// Passes frames over until one is the one that is waited for.
    pub(super) async fn until<T>(&mut self, mut pick: impl FnMut(&Hears) -> Option<T>) -> T {
        loop {
            let frame = self.hear().await;
            if let Some(picked) = pick(&frame) {
                return picked;
            }
            let last = frame.farewell();
            assert_eq!(last, None, "the session ended instead");
        }
    }

    /// The last word. The close code must say the same.
    pub(super) async fn goodbye(&mut self) -> Goodbye {
        self.goodbye_and_why().await.0
    }

    /// The same, and its words.
    pub(super) async fn goodbye_and_why(&mut self) -> (Goodbye, String) {
        let (reason, words) = self
            .until(|frame| Some((frame.farewell()?, frame.words()?)))
            .await;
        match self.hear_raw().await {
            Message::Close(Some(close)) => {
                assert_eq!(close.reason.as_str(), reason.code());
                let code = if reason.may_return() { 1013 } else { 1008 };
                assert_eq!(u16::from(close.code), code);
            }
            other => panic!("{other:?} came after the last word"),
        }
        (reason, words)
    }
}

impl Robot {
    /// A robot that has shaken hands and not yet said a word.
    pub(super) async fn dial(address: SocketAddr, machine: Machine) -> Self {
        Self::dial_on(connect(address).await, machine).await
    }

    async fn dial_on(stream: TcpStream, machine: Machine) -> Self {
        let bearer = format!("Bearer {}", machine.token());
        let headers = [("authorization", bearer.as_str())];
        Self::on(knock(stream, ROBOT_SOCKET, &headers).await.unwrap())
    }

    /// A robot that was welcomed, and the number of its events that are held.
    pub(super) async fn welcome(address: SocketAddr, machine: Machine) -> (Self, u64) {
        Self::welcome_on(connect(address).await, machine).await
    }

    pub(super) async fn welcome_on(stream: TcpStream, machine: Machine) -> (Self, u64) {
        let mut robot = Self::dial_on(stream, machine).await;
        robot.say(&hello(advert())).await;
        let held = robot
            .until(|frame| match frame {
                ToRobot::Welcome {
                    robot, events_held, ..
                } => {
                    assert_eq!(*robot, machine.id());
                    Some(*events_held)
                }
                _ => None,
            })
            .await;
        (robot, held)
    }

    pub(super) async fn report(&mut self, telemetry: Telemetry) {
        self.say(&FromRobot::Telemetry(telemetry)).await;
    }

    /// Answers the next ping and says when it came: everything said before is dealt with then.
    pub(super) async fn answer_ping(&mut self) -> UnixMicros {
        let at = self
            .until(|frame| match frame {
                ToRobot::Ping { at } => Some(*at),
                _ => None,
            })
            .await;
        self.say(&FromRobot::Pong { at, robot_at: at }).await;
        at
    }
}

pub(super) fn hello(advert: Advert) -> FromRobot {
    FromRobot::Hello {
        protocol: PROTOCOL_VERSION,
        run: 1,
        advert,
    }
}

impl Console {
    pub(super) async fn dial(address: SocketAddr, who: Who) -> Self {
        Self::dial_on(connect(address).await, who).await
    }

    async fn dial_on(stream: TcpStream, who: Who) -> Self {
        let bearer = format!("Bearer {}", who.token());
        let headers = [("authorization", bearer.as_str())];
        Self::on(knock(stream, CONSOLE_SOCKET, &headers).await.unwrap())
    }

    /// A console that has its first picture.
    pub(super) async fn open(address: SocketAddr, who: Who) -> (Self, ToConsole) {
        Self::open_on(connect(address).await, who).await
    }

    pub(super) async fn open_on(stream: TcpStream, who: Who) -> (Self, ToConsole) {
        Self::dial_on(stream, who).await.greet().await
    }

    /// A console on a page of ours.
    pub(super) async fn open_page(address: SocketAddr, cookie: &str) -> (Self, ToConsole) {
        let headers = [("cookie", cookie), ("origin", PUBLIC_URL)];
        let socket = knock(connect(address).await, CONSOLE_SOCKET, &headers).await;
        Self::on(socket.unwrap()).greet().await
    }

    async fn greet(mut self) -> (Self, ToConsole) {
        self.say(&FromConsole::Hello {
            protocol: PROTOCOL_VERSION,
        })
        .await;
        let welcome = self.hear().await;
        assert!(matches!(welcome, ToConsole::Welcome { .. }), "{welcome:?}");
        let snapshot = self.hear().await;
        assert!(
            matches!(snapshot, ToConsole::Snapshot { .. }),
            "{snapshot:?}"
        );
        (self, snapshot)
    }

    /// Asks for a pong and passes over what comes before it: everything said before is dealt with then.
    pub(super) async fn in_step(&mut self) -> Vec<ToConsole> {
        let at = UnixMicros(42);
        self.say(&FromConsole::Ping { at }).await;
        let mut before = Vec::new();
        loop {
            match self.hear().await {
                ToConsole::Pong { at: back, .. } if back == at => return before,
                other => before.push(other),
            }
        }
    }
}
