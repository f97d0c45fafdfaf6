//! How a socket is closed: a goodbye that says why, then the closing handshake.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::StreamExt as _;
use protocol::robot_socket::Goodbye;

/// A peer that doesn't take the last word within this time never will.
const WITHIN: Duration = Duration::from_millis(500);

/// What is wrong with a frame, without a word of it: its text is the peer's, of any length, and may hold addresses.
pub(super) fn unread(what: &str, error: &serde_json::Error) -> String {
    use serde_json::error::Category;

    let wrong = match error.classify() {
        Category::Syntax => "it is no JSON",
        Category::Eof => "it ends too early",
        Category::Data | Category::Io => "it has not the fields of a frame",
    };
    let (line, column) = (error.line(), error.column());
    // A frame that was read whole before its fields were looked at has no place to name.
    if line == 0 {
        format!("{what} can't be read: {wrong}")
    } else {
        format!("{what} can't be read: {wrong} (line {line}, column {column})")
    }
}

/// The close code of our goodbyes: "policy violation" for what can't be mended by trying again, "try again later" for the rest.
const fn close_code(reason: Goodbye) -> u16 {
    if reason.may_return() { 1013 } else { 1008 }
}

/// Sends `farewell` (a goodbye frame, JSON) and closes. Failing to say goodbye to somebody who left is no failure.
pub(super) async fn say(socket: &mut WebSocket, farewell: Option<String>, reason: Goodbye) {
    let closing = async {
        if let Some(text) = farewell
            && socket.send(Message::Text(text.into())).await.is_err()
        {
            return;
        }
        let close = Message::Close(Some(CloseFrame {
            code: close_code(reason),
            reason: reason.code().into(),
        }));
        if socket.send(close).await.is_ok() {
            // Until the peer has closed, too: a socket that is dropped over what it has not read is reset, and the last word
            // lost with it.
            while let Some(Ok(_on_its_way)) = socket.next().await {}
        }
    };
    let _within = tokio::time::timeout(WITHIN, closing).await;
}

/// Reads until the first text frame, which must be the hello, or gives up after `within`.
pub(super) async fn first_text(socket: &mut WebSocket, within: Duration) -> Option<String> {
    let reading = async {
        loop {
            match socket.recv().await? {
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Binary(_) | Message::Close(_)) | Err(_) => return None,
            }
        }
    };
    tokio::time::timeout(within, reading).await.ok().flatten()
}
