//! A cable between a robot and its gateway that can be pulled, and that can lose what comes down while it carries what goes up.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Read at once.
const PART_BYTES: usize = 16 * 1024;

/// What the cable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    /// Connections of an earlier one are gone.
    generation: u64,
    /// What the gateway says is lost.
    is_deaf: bool,
}

/// A cable to a gateway, ended when dropped.
#[derive(Debug)]
pub struct Link {
    /// Where the robot finds its gateway.
    pub url: String,
    state: Arc<watch::Sender<State>>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A cable to the gateway at `gateway`, on a free port.
    pub async fn to(gateway: &str) -> Result<Self> {
        let (_, port) = gateway
            .rsplit_once(':')
            .context("no port in the gateway's address")?;
        let port: u16 = port.parse()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (state, _) = watch::channel(State {
            generation: 0,
            is_deaf: false,
        });
        let state = Arc::new(state);
        let accepting = tokio::spawn(accept(listener, port, Arc::clone(&state)));
        Ok(Self {
            url,
            state,
            accepting,
        })
    }

    /// From now on nothing of what the gateway says arrives.
    pub fn deafen(&self) {
        self.state.send_modify(|state| state.is_deaf = true);
    }

    /// Ends every connection at once, in the midst of whatever it carries. New ones carry both ways.
    pub fn cut(&self) {
        self.state.send_modify(|state| {
            state.generation += 1;
            state.is_deaf = false;
        });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, state: Arc<watch::Sender<State>>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((robot, _)) = listener.accept().await {
        let state = state.subscribe();
        connections.spawn(async move {
            // A gateway that is away refuses, and so does the cable, by hanging up.
            if let Ok(gateway) = TcpStream::connect(("127.0.0.1", port)).await {
                carry(robot, gateway, state).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Carries until one of the two hangs up or the cable is pulled.
async fn carry(robot: TcpStream, gateway: TcpStream, state: watch::Receiver<State>) {
    let generation = state.borrow().generation;
    let mut pulled = state.clone();
    let (from_robot, to_robot) = robot.into_split();
    let (from_gateway, to_gateway) = gateway.into_split();
    tokio::select! {
        _ = pulled.wait_for(|state| state.generation != generation) => {}
        () = pass(from_robot, to_gateway, None) => {}
        () = pass(from_gateway, to_robot, Some(state)) => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    down: Option<watch::Receiver<State>>,
) {
    let mut part = vec![0; PART_BYTES];
    while let Ok(length @ 1..) = from.read(&mut part).await {
        let is_lost = down.as_ref().is_some_and(|state| state.borrow().is_deaf);
        if !is_lost && to.write_all(&part[..length]).await.is_err() {
            return;
        }
    }
}
