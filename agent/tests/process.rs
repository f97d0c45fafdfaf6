//! Claims about the agent's process: how it ends, and what it says of an order or a job that its last run did not see the end of.

#![expect(clippy::unwrap_used, reason = "a test that can't look has failed")]

use std::{
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use agent::settings::{Enrolled, EnrolledTrust, Folder};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    AccessId, CommandId, JobId, RobotId, UnixMicros,
    command::{AbandonReason, Outcome, Receipt, RobotRefusal, SignedCommand, Verb},
    control::{ControlNotice, ControlSpan},
    event::{ActorEvent, Payload},
    grant::{Grant, GrantEvent, GrantRefusal, RobotTrust},
    job::{
        AccessPlan, Assignment, Directive, JobEvent, Plan, PlanStep, StepAction, Window, job_stream,
    },
    limits::CONTROL_LASTS_MS,
    robot::Advert,
    robot_socket::{FromRobot, ToRobot},
    sealed::{self, Kind},
};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use uuid::Uuid;

mod cast;

use cast::{
    HOUSE, JUNIPER, WING_B, base64, binding, command, foreign, grant, order, page, policy,
    presentation, revocations, root, root_key, roster, seal,
};

const ROBOT: RobotId = JUNIPER;
const COMMAND: CommandId = CommandId(Uuid::from_u128(9));

/// Longer than anything here takes on a loaded machine; reached only when a claim is false.
const PATIENCE: Duration = Duration::from_secs(40);

async fn soon<F: Future>(what: &str, happens: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, happens).await else {
        panic!("did not happen: {what}");
    };
    output
}

/// A robot that is enrolled at a gateway of ours.
struct Robot {
    data: TempDir,
    folder: Folder,
    listener: TcpListener,
}

impl Robot {
    async fn enrolled() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path()).unwrap();
        folder.device_key().unwrap();
        let enrolled = Enrolled {
            gateway: address.parse().unwrap(),
            robot: ROBOT,
            name: "r".to_owned(),
            gateway_key: String::new(),
            trust: Some(EnrolledTrust {
                organisation: HOUSE,
                site: WING_B,
                root: Some(base64(root_key().as_bytes())),
            }),
        };
        folder.keep(&enrolled, "token").unwrap();
        Self {
            data,
            folder,
            listener,
        }
    }

    /// Starts its agent and takes it in, holding its events up to `events_held`.
    async fn start(&self, events_held: u64) -> (Agent, Session) {
        let agent = Agent::start(self.data.path());
        let (stream, _) = soon("the agent connects", self.listener.accept())
            .await
            .unwrap();
        let mut session = Session {
            socket: accept_async(stream).await.unwrap(),
            tick_ms: 0,
            at: UnixMicros(0),
            trust: None,
        };
        let FromRobot::Hello { advert, .. } = session.next().await else {
            panic!("the agent did not say hello first");
        };
        let welcome = ToRobot::Welcome {
            robot: ROBOT,
            name: "r".to_owned(),
            gateway_at: UnixMicros(1),
            events_held,
        };
        session.send(&welcome).await;
        (agent.of(advert), session)
    }

    /// The next event that the agent says.
    async fn event(&self, session: &mut Session) -> (u64, ActorEvent) {
        loop {
            let FromRobot::Event { number, sealed } = session.next().await else {
                continue;
            };
            let sealed = BASE64_STANDARD.decode(sealed).unwrap();
            let key = self.folder.device_key().unwrap().verifying_key();
            return (number, sealed::open(Kind::Event, &sealed, &key).unwrap());
        }
    }

    /// The next event that the agent says, which is a receipt.
    async fn receipt(&self, session: &mut Session) -> (u64, Receipt) {
        let (number, event) = self.event(session).await;
        match event.payload {
            Payload::CommandReceipt(receipt) => (number, receipt),
            other => panic!("not a receipt: {other:?}"),
        }
    }

    /// The next word on the job, which is taken in and answered as the job's machine would.
    async fn word(&self, session: &mut Session, job: &mut Assignment) -> (u64, JobEvent) {
        let (number, event) = self.event(session).await;
        assert_eq!(event.stream, job_stream(job.job));
        let Payload::Job(event) = event.payload else {
            panic!("not a word on a job: {:?}", event.payload);
        };
        match &event {
            JobEvent::ReservationConfirmed { .. } => job.directive = Directive::Proceed,
            JobEvent::CheckpointDone { number, .. } => job.checkpoint = *number,
            _ => {}
        }
        session.send(&ToRobot::EventsHeld { number }).await;
        session
            .send(&ToRobot::Assignment(Box::new(job.clone())))
            .await;
        (number, event)
    }

    /// Takes the next picture that the agent brings, and says that it is held. Gives the path and the body.
    async fn picture(&self) -> (String, Vec<u8>) {
        let accepted = soon("a picture is brought", self.listener.accept()).await;
        let (mut stream, _) = accepted.unwrap();
        let mut request = Vec::new();
        loop {
            let read = soon("a picture comes", stream.read_buf(&mut request)).await;
            assert_ne!(read.unwrap(), 0, "the picture broke off");
            let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") else {
                continue;
            };
            let text = String::from_utf8(request[..head].to_vec()).unwrap();
            let text = text.to_lowercase();
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_else(|| panic!("no {name} in {text}"))
            };
            assert_eq!(field("authorization: "), "bearer token");
            let body = &request[head + 4..];
            if body.len() < field("content-length: ").parse().unwrap() {
                continue;
            }
            let path = field("put ").trim_end_matches(" http/1.1").to_owned();
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            return (path, body.to_vec());
        }
    }

    /// Somebody steers under this epoch, from a page whose grant the robot believes. It says so in its first event.
    async fn bind(&self, session: &mut Session, epoch: u64) -> (Grant, [u8; 32]) {
        let at = session.at;
        let roster = seal(Kind::Roster, &roster(epoch, at), &root());
        let revocations = seal(Kind::Revocations, &revocations(epoch, at), &policy());
        let sealed = base64(&roster);
        session.send(&ToRobot::Roster { sealed }).await;
        let sealed = base64(&revocations);
        session.send(&ToRobot::Revocations { sealed }).await;
        steers(session, epoch, Some(CONTROL_LASTS_MS)).await;
        let nonce = session.nonce_under(epoch).await;
        let grant = grant(epoch.into(), epoch, at);
        session
            .send(&ToRobot::Grant(presentation(&grant, nonce)))
            .await;
        let (_, event) = self.event(session).await;
        let accepted = matches!(event.payload, Payload::Grant(GrantEvent::Accepted { .. }));
        assert!(accepted, "{event:?}");
        let binding = binding(&grant, nonce);
        (grant, binding)
    }

    /// Has the robot drive to the place that is farthest from it, and waits for its word on that.
    async fn drive(&self, agent: &Agent, session: &mut Session) {
        let here = session.pose().await;
        let places = &agent.advert.map.as_ref().unwrap().places;
        let far = |place: &&protocol::robot::Place| {
            let (x_m, y_m) = (place.pose.x_m - here.x_m, place.pose.y_m - here.y_m);
            x_m.hypot(y_m)
        };
        let target = places
            .iter()
            .max_by(|one, other| far(one).total_cmp(&far(other)))
            .unwrap();
        let (grant, binding) = self.bind(session, 1).await;
        let command = SignedCommand {
            command: COMMAND,
            valid_ms: 60_000,
            verb: Verb::NavigateTo {
                x_m: target.pose.x_m,
                y_m: target.pose.y_m,
                heading_rad: None,
            },
            ..command(1, (&grant, binding), 1, session.tick_ms)
        };
        session
            .send(&ToRobot::Order(order(&command, &page())))
            .await;
        let (number, receipt) = self.receipt(session).await;
        assert_eq!((number, receipt.command), (2, COMMAND));
        assert_eq!(receipt.outcome, Outcome::Accepted);
    }
}

/// The agent's process; dropping it ends it.
struct Agent {
    process: Child,
    advert: Advert,
}

impl Agent {
    fn start(data: &Path) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_nooterra-agent"))
            .args(["run", "--people", "0", "--work-speed", "4", "--data"])
            .arg(data)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            process,
            advert: Advert::default(),
        }
    }

    fn of(mut self, advert: Advert) -> Self {
        self.advert = advert;
        self
    }

    fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        kill_process(process, signal).unwrap();
    }

    fn ended(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _already_ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// One session of the agent with our gateway.
struct Session {
    socket: WebSocketStream<TcpStream>,
    /// The robot's own clocks as it last said.
    tick_ms: u64,
    at: UnixMicros,
    /// Whom it believes, as it last said.
    trust: Option<RobotTrust>,
}

impl Session {
    async fn send(&mut self, frame: &ToRobot) {
        let text = serde_json::to_string(frame).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> FromRobot {
        let message = soon("the agent says something", self.socket.next()).await;
        let Some(Ok(Message::Text(text))) = message else {
            panic!("not a frame: {message:?}");
        };
        let frame = serde_json::from_str(&text).unwrap();
        if let FromRobot::Telemetry(telemetry) = &frame {
            let is_next_second = telemetry.tick_ms / 1_000 > self.tick_ms / 1_000;
            self.tick_ms = telemetry.tick_ms;
            self.at = telemetry.at;
            if is_next_second {
                // An agent that hears nothing for long looks for its gateway elsewhere.
                self.send(&ToRobot::Ping { at: telemetry.at }).await;
            }
        }
        if let FromRobot::Trust(trust) = &frame {
            self.trust = Some(trust.clone());
        }
        frame
    }

    /// The robot's nonce, once it has taken in the roster and the list of revocations of this number.
    async fn nonce_under(&mut self, number: u64) -> [u8; 32] {
        loop {
            if let Some(trust) = &self.trust
                && (trust.roster, trust.revocations) == (number, number)
            {
                return trust.nonce;
            }
            self.next().await;
        }
    }

    async fn pose(&mut self) -> protocol::robot::Pose {
        loop {
            if let FromRobot::Telemetry(telemetry) = self.next().await {
                return telemetry.pose;
            }
        }
    }
}

#[tokio::test]
async fn an_agent_that_is_asked_to_end_says_goodbye_and_ends_well_within_seconds() {
    let robot = Robot::enrolled().await;
    let (mut agent, mut session) = robot.start(0).await;
    robot.drive(&agent, &mut session).await;
    let asked = Instant::now();

    agent.signal(Signal::TERM);

    let farewell = loop {
        let message = soon("the agent says goodbye", session.socket.next()).await;
        if !matches!(message, Some(Ok(Message::Text(_)))) {
            break message;
        }
    };
    assert!(
        matches!(farewell, Some(Ok(Message::Close(_)))),
        "{farewell:?}"
    );
    let after = soon("the connection ends", session.socket.next()).await;
    assert!(after.is_none(), "{after:?}");
    assert!(agent.ended().success());
    // Two seconds are promised; the rest is for a loaded machine.
    assert!(asked.elapsed() < Duration::from_secs(5));
}

/// Tells the robot who steers it, for so long from its present tick.
async fn steers(session: &mut Session, epoch: u64, lasts_ms: Option<u32>) {
    let held = lasts_ms.map(|lasts_ms| ControlSpan {
        seen_tick_ms: session.tick_ms,
        lasts_ms,
    });
    let notice = ToRobot::Control(ControlNotice {
        epoch,
        held,
        is_let_go: false,
    });
    session.send(&notice).await;
}

const CONTROL_ENDED: Outcome = Outcome::Abandoned {
    reason: AbandonReason::ControlEnded,
};

#[tokio::test]
async fn a_robot_gives_up_what_somebody_set_who_is_not_heard_of_any_more() {
    let robot = Robot::enrolled().await;
    let (agent, mut session) = robot.start(0).await;
    robot.drive(&agent, &mut session).await;

    session.send(&ToRobot::EventsHeld { number: 2 }).await;

    // The gateway says nothing more of who steers; the robot counts their time by itself.
    let began = Instant::now();
    let (_, receipt) = robot.receipt(&mut session).await;

    assert_eq!((receipt.command, receipt.outcome), (COMMAND, CONTROL_ENDED));
    assert!(began.elapsed() < Duration::from_millis(u64::from(CONTROL_LASTS_MS) + 5_000));
}

#[tokio::test]
async fn a_robot_that_was_taken_over_gives_up_at_once_and_refuses_the_old_epoch_also_after_a_restart()
 {
    let robot = Robot::enrolled().await;
    let (mut agent, mut session) = robot.start(0).await;
    robot.drive(&agent, &mut session).await;
    session.send(&ToRobot::EventsHeld { number: 2 }).await;
    steers(&mut session, 2, Some(CONTROL_LASTS_MS)).await;
    let (number, receipt) = robot.receipt(&mut session).await;
    assert_eq!((number, receipt.outcome), (3, CONTROL_ENDED));
    agent.signal(Signal::TERM);
    agent.ended();
    drop(session);

    let (_agent, mut session) = robot.start(3).await;
    session.pose().await;
    // A gateway that lies about who steers, and a page that was bound anew under the epoch that is over.
    steers(&mut session, 1, Some(CONTROL_LASTS_MS)).await;
    let nonce = session.nonce_under(1).await;
    let old = grant(1, 1, session.at);
    session
        .send(&ToRobot::Grant(presentation(&old, nonce)))
        .await;
    let (_, event) = robot.event(&mut session).await;
    let refused = GrantEvent::Refused {
        grant: Some(old.grant),
        reason: GrantRefusal::StaleEpoch,
    };
    assert_eq!(event.payload, Payload::Grant(refused));
    let command = command(10, (&old, binding(&old, nonce)), 2, session.tick_ms);
    session
        .send(&ToRobot::Order(order(&command, &page())))
        .await;

    let (_, receipt) = robot.receipt(&mut session).await;
    let refused = Outcome::Refused {
        reason: RobotRefusal::NoGrant,
    };
    assert_eq!(receipt.outcome, refused);
}

#[tokio::test]
async fn a_robot_believes_nothing_that_its_gateway_made_up() {
    let robot = Robot::enrolled().await;
    let (_agent, mut session) = robot.start(0).await;
    session.pose().await;
    let (grant, binding) = robot.bind(&mut session, 1).await;
    // A roster of its own, under a higher number; an order of its own, under the grant that the robot believes.
    let sealed = base64(&seal(Kind::Roster, &roster(9, session.at), &foreign()));
    session.send(&ToRobot::Roster { sealed }).await;
    let invented = command(10, (&grant, binding), 1, session.tick_ms);
    session
        .send(&ToRobot::Order(order(&invented, &foreign())))
        .await;

    let (_, receipt) = robot.receipt(&mut session).await;

    let refused = Outcome::Refused {
        reason: RobotRefusal::NotSigned,
    };
    assert_eq!((receipt.outcome, receipt.sealed_sha256), (refused, None));
    assert_eq!(session.trust.unwrap().roster, 1);
}

#[tokio::test]
async fn an_order_whose_agent_was_killed_on_the_way_ends_as_given_up_by_the_restart() {
    let robot = Robot::enrolled().await;
    let (mut agent, mut session) = robot.start(0).await;
    robot.drive(&agent, &mut session).await;
    agent.signal(Signal::KILL);
    agent.ended();
    drop(session);

    let (_agent, mut session) = robot.start(2).await;

    let (number, receipt) = robot.receipt(&mut session).await;
    assert_eq!((number, receipt.command), (3, COMMAND));
    let restarted = Outcome::Abandoned {
        reason: AbandonReason::Restarted,
    };
    assert_eq!(receipt.outcome, restarted);
}

#[tokio::test]
async fn a_second_agent_in_one_folder_ends_at_once_and_says_why() {
    let robot = Robot::enrolled().await;
    let (_first, _session) = robot.start(0).await;

    let second = Command::new(env!("CARGO_BIN_EXE_nooterra-agent"))
        .args(["run", "--people", "0", "--data"])
        .arg(robot.data.path())
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success());
    assert!(said.contains("another agent runs on this folder"), "{said}");
    let journal = Command::new(env!("CARGO_BIN_EXE_nooterra-agent"))
        .args(["journal", "--data"])
        .arg(robot.data.path())
        .output()
        .unwrap();
    assert!(journal.status.success());
}

/// A job at the place where the robot is, with leave to enter.
fn job_nearby(place: &str) -> Assignment {
    let step = |action| PlanStep {
        title: "A step".to_owned(),
        action,
    };
    Assignment {
        job: JobId(Uuid::from_u128(0x10)),
        epoch: 3,
        plan: Plan {
            title: "Look after it".to_owned(),
            place: place.to_owned(),
            steps: vec![
                step(StepAction::Work { seconds: 2 }),
                step(StepAction::Work { seconds: 8 }),
                step(StepAction::Photograph),
            ],
        },
        checkpoint: 0,
        access: Some(AccessPlan {
            access: AccessId(Uuid::from_u128(0x20)),
            place: place.to_owned(),
            window: Window {
                from: UnixMicros(0),
                until: UnixMicros(i64::MAX),
            },
            secret: None,
        }),
        approval: None,
        assist: None,
        directive: Directive::Acknowledge,
    }
}

#[tokio::test]
async fn a_job_whose_agent_was_killed_at_a_step_goes_on_there_and_nothing_is_said_twice() {
    let robot = Robot::enrolled().await;
    let (mut agent, mut session) = robot.start(0).await;
    let here = session.pose().await;
    let places = &agent.advert.map.as_ref().unwrap().places;
    let nearest = places.iter().min_by(|one, other| {
        let far = |place: &protocol::robot::Place| {
            (place.pose.x_m - here.x_m).hypot(place.pose.y_m - here.y_m)
        };
        far(one).total_cmp(&far(other))
    });
    let mut job = job_nearby(&nearest.unwrap().name);
    session
        .send(&ToRobot::Assignment(Box::new(job.clone())))
        .await;
    let mut said = Vec::new();
    let mut numbers = Vec::new();
    while job.checkpoint == 0 {
        let (number, event) = robot.word(&mut session, &mut job).await;
        numbers.push(number);
        said.push(event);
    }
    agent.signal(Signal::KILL);
    agent.ended();
    drop(session);

    let (_agent, mut session) = robot.start(*numbers.last().unwrap()).await;
    session
        .send(&ToRobot::Assignment(Box::new(job.clone())))
        .await;
    while !matches!(said.last(), Some(JobEvent::WorkFinished { .. })) {
        let (number, event) = robot.word(&mut session, &mut job).await;
        numbers.push(number);
        said.push(event);
    }

    let kinds: Vec<_> = said.iter().map(JobEvent::kind).collect();
    assert_eq!(
        kinds,
        [
            "reservation.confirmed",
            "robot.departed",
            "robot.arrived",
            "access.verified",
            "execution.started",
            "checkpoint.done",
            "checkpoint.done",
            "checkpoint.done",
            "work.finished",
        ]
    );
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    its_picture_is_brought(&robot, job.job, &said[7]).await;
}

/// What the event names is what the robot kept and brings, and then it keeps no copy.
async fn its_picture_is_brought(robot: &Robot, job: JobId, said: &JobEvent) {
    let JobEvent::CheckpointDone { evidence, .. } = said else {
        panic!("{said:?}");
    };
    let name = evidence[0].evidence;
    let file = robot.folder.evidence().join(format!("{job}_{name}"));
    let kept = std::fs::read(&file).unwrap();
    assert_eq!(evidence[0].salted_sha256, *Sha256::digest(&kept));
    let path = format!("/api/v1/jobs/{job}/evidence/{name}");
    assert_eq!(robot.picture().await, (path, kept));
    let gone = async {
        while file.exists() {
            tokio::task::yield_now().await;
        }
    };
    soon("the robot's copy is deleted", gone).await;
}
