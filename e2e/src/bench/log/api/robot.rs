//! A robot that is at its place before it sets out: it says what an agent says, with its own key, over a socket of its own.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use e2e::{api::Api, pen::Pen};
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    JobId,
    event::{EnrolmentProof, Payload},
    job::{Assignment, Directive, JobEvent, job_stream},
    limits::PROTOCOL_VERSION,
    robot::{Activity, Advert, Battery, Health, Pose, Telemetry},
    robot_socket::{FromRobot, ToRobot},
    sealed::{self, Kind},
    views::Enrolment,
};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::header::AUTHORIZATION},
};

use super::{post, said_yes};
use crate::log::now;

/// No job takes this long unless it stands still.
const FINISHED_WITHIN: Duration = Duration::from_secs(20);

/// The gateway pings every second; what it does not hold after so many is sent again.
const PINGS_BEFORE_AGAIN: u32 = 3;

/// A robot that is connected.
pub(super) struct Robot {
    finished: mpsc::Receiver<JobId>,
    session: JoinHandle<Result<()>>,
}

impl Robot {
    /// Binds the key to the robot behind `token`, and connects.
    pub(super) async fn enrol(url: &str, token: &str, key: SigningKey) -> Result<Self> {
        let proof = EnrolmentProof {
            token_hash: Sha256::digest(token.as_bytes()).into(),
        };
        let enrolment = Enrolment {
            proof: BASE64_STANDARD.encode(sealed::seal(Kind::Enrolment, &proof, &key)?),
            public_key: BASE64_STANDARD.encode(key.verifying_key().as_bytes()),
        };
        let enrolment = serde_json::to_value(enrolment)?;
        let path = "/api/v1/robots/enrolment";
        said_yes(post(&Api::new(url, token)?, path, &enrolment).await?).await?;

        let (tell, finished) = mpsc::channel(1);
        let session = Session {
            socket: connect(url, token).await?,
            pen: Pen::new(key),
            waiting: VecDeque::new(),
            pings: 0,
            stage: None,
            last: None,
            tell,
        };
        Ok(Self {
            finished,
            session: tokio::spawn(session.run()),
        })
    }

    /// Waits until the gateway holds the last event of this job.
    pub(super) async fn finishes(&mut self, job: JobId) -> Result<()> {
        let waited = tokio::time::timeout(FINISHED_WITHIN, self.finished.recv()).await;
        match waited {
            Ok(Some(finished)) => {
                ensure!(
                    finished == job,
                    "the robot finished {finished} and not {job}"
                );
                Ok(())
            }
            Ok(None) => {
                (&mut self.session).await??;
                bail!("the robot's session ended")
            }
            Err(_late) => bail!("the robot does not finish {job}"),
        }
    }
}

impl Drop for Robot {
    fn drop(&mut self) {
        self.session.abort();
    }
}

async fn connect(url: &str, token: &str) -> Result<WebSocketStream<TcpStream>> {
    let (_, port) = url.rsplit_once(':').context("no port in the address")?;
    let stream = TcpStream::connect(("127.0.0.1", port.parse()?)).await?;
    stream.set_nodelay(true)?;
    let mut request = "ws://localhost/api/v1/robots/socket".into_client_request()?;
    let bearer = format!("Bearer {token}").parse()?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let (socket, _response) = client_async(request, stream).await?;
    Ok(socket)
}

/// What the robot has said of the job that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stage {
    job: JobId,
    epoch: u64,
    is_under_way: bool,
}

struct Session {
    socket: WebSocketStream<TcpStream>,
    pen: Pen,
    /// Frames with events that the gateway does not hold yet, and their numbers.
    waiting: VecDeque<(u64, Message)>,
    /// Pings since anything of that changed.
    pings: u32,
    stage: Option<Stage>,
    /// The job that it is done with once the gateway holds this number.
    last: Option<(JobId, u64)>,
    tell: mpsc::Sender<JobId>,
}

impl Session {
    async fn run(mut self) -> Result<()> {
        let hello = FromRobot::Hello {
            protocol: PROTOCOL_VERSION,
            run: 1,
            advert: Advert {
                model: "Bench".to_owned(),
                ..Advert::default()
            },
        };
        self.socket.send(text(&hello)?).await?;
        while let Some(message) = self.socket.next().await {
            if let Message::Text(text) = message? {
                self.hear(serde_json::from_str(&text)?).await?;
            }
        }
        bail!("the gateway hung up")
    }

    async fn hear(&mut self, frame: ToRobot) -> Result<()> {
        match frame {
            ToRobot::Assignment(assignment) => self.turn_to(&assignment).await,
            ToRobot::EventsHeld { number } => self.held(number).await,
            ToRobot::Ping { at } => {
                let pong = FromRobot::Pong {
                    at,
                    robot_at: now(),
                };
                self.socket.feed(text(&pong)?).await?;
                // Its beats, without which its job would stall.
                self.socket.send(text(&telemetry())?).await?;
                self.pings += 1;
                self.send_again_after_a_while().await
            }
            // It came before one that was not recorded at the first try; both are sent again.
            ToRobot::EventRefused { code, .. } if code == "gap" => Ok(()),
            ToRobot::EventRefused { number, code } => bail!("event {number} was refused: {code}"),
            ToRobot::Goodbye { reason, words } => bail!("{}: {words}", reason.code()),
            ToRobot::Welcome { .. }
            | ToRobot::RtcAnswer { .. }
            | ToRobot::RtcRefused { .. }
            | ToRobot::Demand(_)
            | ToRobot::Order(_)
            | ToRobot::Roster { .. }
            | ToRobot::Revocations { .. }
            | ToRobot::Grant(_)
            | ToRobot::Drive { .. }
            | ToRobot::Control(_)
            | ToRobot::NoAssignment => Ok(()),
        }
    }

    /// As an agent does: takes the job on, and once it may go on with it, says one thing after the other without waiting.
    async fn turn_to(&mut self, assignment: &Assignment) -> Result<()> {
        let (job, epoch) = (assignment.job, assignment.epoch);
        let stage = |is_under_way| {
            Some(Stage {
                job,
                epoch,
                is_under_way,
            })
        };
        match assignment.directive {
            Directive::Acknowledge if self.stage != stage(false) => {
                self.stage = stage(false);
                self.say(job, [JobEvent::ReservationConfirmed { epoch }])
                    .await
            }
            Directive::Proceed if self.stage == stage(false) => {
                self.stage = stage(true);
                let work = work(assignment)?;
                self.say(job, work).await?;
                self.last = Some((job, self.pen.number()));
                Ok(())
            }
            Directive::Stop | Directive::Hold => bail!("the robot was stopped at {job}"),
            Directive::Acknowledge | Directive::Proceed | Directive::Release => Ok(()),
        }
    }

    async fn say(&mut self, job: JobId, events: impl IntoIterator<Item = JobEvent>) -> Result<()> {
        for event in events {
            let sealed = self.pen.seal(job_stream(job), None, Payload::Job(event))?;
            let number = self.pen.number();
            let sealed = BASE64_STANDARD.encode(sealed);
            let frame = text(&FromRobot::Event { number, sealed })?;
            self.waiting.push_back((number, frame.clone()));
            self.socket.feed(frame).await?;
        }
        self.pings = 0;
        Ok(self.socket.flush().await?)
    }

    async fn held(&mut self, number: u64) -> Result<()> {
        self.pings = 0;
        self.waiting.retain(|(waiting, _)| *waiting > number);
        if let Some((job, _)) = self.last.take_if(|(_, last)| *last <= number) {
            self.tell.send(job).await?;
        }
        Ok(())
    }

    async fn send_again_after_a_while(&mut self) -> Result<()> {
        if self.waiting.is_empty() || self.pings < PINGS_BEFORE_AGAIN {
            return Ok(());
        }
        self.pings = 0;
        for (_, frame) in &self.waiting {
            self.socket.feed(frame.clone()).await?;
        }
        Ok(self.socket.flush().await?)
    }
}

/// Everything from the departure to the last step.
fn work(assignment: &Assignment) -> Result<Vec<JobEvent>> {
    let epoch = assignment.epoch;
    let leave = assignment
        .access
        .as_ref()
        .context("nobody let the robot in")?;
    let access = leave.access;
    let mut events = vec![
        JobEvent::Departed { epoch },
        JobEvent::Arrived { epoch },
        JobEvent::AccessVerified { epoch, access },
        JobEvent::ExecutionStarted { epoch },
    ];
    for number in 1..=u32::try_from(assignment.plan.steps.len())? {
        events.push(JobEvent::CheckpointDone {
            epoch,
            number,
            left_out: false,
            evidence: Vec::new(),
        });
    }
    events.push(JobEvent::WorkFinished { epoch });
    Ok(events)
}

/// Where it always is.
fn telemetry() -> FromRobot {
    let at = now();
    FromRobot::Telemetry(Telemetry {
        tick_ms: u64::try_from(at.0 / 1_000).unwrap_or_default(),
        at,
        pose: Pose::default(),
        speed_mps: 0.0,
        turn_rps: 0.0,
        odometer_m: 0.0,
        battery: Battery::default(),
        activity: Activity::Idle,
        health: Health::Ok,
        goal: None,
    })
}

fn text(frame: &FromRobot) -> Result<Message> {
    Ok(Message::text(serde_json::to_string(frame)?))
}
