//! A robot's peer connection as its socket session holds it: negotiated over the socket, closed with the session.

use std::sync::{Arc, Weak};

use axum::body::Bytes;
use protocol::{
    RobotId,
    limits::MAX_TEXT_FRAME_BYTES,
    robot_socket::{FromRobot, ToRobot},
};
use tokio::sync::mpsc;

use super::robot_events::{EventDesk, Sealed};
use crate::{
    app::App,
    rtc::{Publisher, PublisherEvent},
};

/// Events of one peer connection that may wait: demands and receipts, a handful a second.
const EVENT_QUEUE: usize = 64;

/// The peer connection of one robot, if there is one.
pub(super) struct Media {
    app: App,
    robot: RobotId,
    to_robot: mpsc::Sender<ToRobot>,
    desk: EventDesk,
    publisher: Option<Publisher>,
    /// Held while the latest peer connection is the one whose wishes count.
    latest: Arc<()>,
}

impl Media {
    pub(super) fn new(
        app: App,
        robot: RobotId,
        to_robot: mpsc::Sender<ToRobot>,
        desk: EventDesk,
    ) -> Self {
        Self {
            app,
            robot,
            to_robot,
            desk,
            publisher: None,
            latest: Arc::default(),
        }
    }

    /// Answers an offer; the connection it makes takes the place of the one before.
    pub(super) async fn offer(&mut self, negotiation: u32, sdp: String) {
        let (events, drain) = mpsc::channel(EVENT_QUEUE);
        let reply = match self.app.rtc.publish(self.robot, &sdp, events).await {
            Ok((publisher, sdp)) => {
                self.app
                    .live
                    .lanes
                    .attach(self.robot, publisher.fast_lane());
                self.publisher = Some(publisher);
                self.latest = Arc::default();
                self.app.live.forget_cameras(self.robot);
                let follow = Following {
                    app: self.app.clone(),
                    robot: self.robot,
                    desk: self.desk.clone(),
                    latest: Arc::downgrade(&self.latest),
                };
                tokio::spawn(follow.run(drain));
                ToRobot::RtcAnswer { negotiation, sdp }
            }
            Err(refusal) => {
                tracing::warn!(robot.id = %self.robot, code = refusal.code(), "a robot's offer was refused: {refusal}");
                ToRobot::RtcRefused {
                    negotiation,
                    code: refusal.code().to_owned(),
                    words: refusal.to_string(),
                }
            }
        };
        if self.to_robot.try_send(reply).is_err() {
            tracing::warn!(robot.id = %self.robot, "the robot's outbox is full; its offer goes unanswered");
        }
    }

    /// Sends `text` on the reliable data channel where there is one. That it arrives is not certain: the channel may not
    /// stand yet, or no more.
    pub(super) fn send_reliable(&self, text: &str) {
        if let Some(publisher) = &self.publisher {
            let text = Bytes::copy_from_slice(text.as_bytes());
            if let Err(refusal) = publisher.send_reliable(text) {
                tracing::debug!(robot.id = %self.robot, "not sent on the data channel: {refusal}");
            }
        }
    }
}

struct Following {
    app: App,
    robot: RobotId,
    desk: EventDesk,
    latest: Weak<()>,
}

impl Following {
    /// Follows one peer connection until it closes.
    async fn run(self, mut events: mpsc::Receiver<PublisherEvent>) {
        let robot = self.robot;
        while let Some(event) = events.recv().await {
            match event {
                PublisherEvent::Connected => tracing::debug!(robot.id = %robot, "media connected"),
                PublisherEvent::Demand { camera, wanted } => {
                    if self.latest.strong_count() > 0 {
                        self.app.live.want_camera(robot, camera, wanted);
                    }
                }
                PublisherEvent::Reliable(bytes) => take(&self.desk, &bytes, robot),
                PublisherEvent::Fast(report) => self.app.live.lanes.report(robot, report),
                PublisherEvent::Closed { reason } => {
                    tracing::debug!(robot.id = %robot, code = reason.code(), "media closed");
                }
            }
        }
    }
}

/// A robot's reliable channel carries its sealed events; anything else is counted and dropped.
pub(super) fn take(desk: &EventDesk, bytes: &[u8], robot: RobotId) {
    let frame = (bytes.len() <= MAX_TEXT_FRAME_BYTES)
        .then(|| serde_json::from_slice::<FromRobot>(bytes).ok())
        .flatten();
    if let Some(FromRobot::Event { number, sealed }) = frame {
        desk.hand_in(Sealed { number, sealed });
    } else {
        metrics::counter!("nooterra_frames_refused_total", "channel" => "robot").increment(1);
        tracing::debug!(robot.id = %robot, "dropped a message on the reliable channel");
    }
}
