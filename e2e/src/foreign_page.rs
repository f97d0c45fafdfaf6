//! A page of somebody else, for attacks from a browser: served at another origin of the same machine, so that no cookie rule
//! keeps the operator's cookie back.

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

const PAGE: &str = "<!doctype html><title>Win a robot</title><p>Hello";

/// A server with one page; it ends when dropped.
#[derive(Debug)]
pub struct ForeignPage {
    /// Its address: another port of `localhost`.
    pub url: String,
    serving: JoinHandle<()>,
}

impl ForeignPage {
    /// Starts it.
    pub async fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let serving = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 4_096];
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{PAGE}",
                    PAGE.len()
                );
                // A browser that hangs up early asks again.
                if socket.read(&mut request).await.is_ok() {
                    let _sent = socket.write_all(answer.as_bytes()).await;
                }
            }
        });
        Ok(Self { url, serving })
    }
}

impl Drop for ForeignPage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
