//! One session: hello, then everything both ways until it ends.

use std::{future::pending, pin::Pin, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use protocol::{
    drive::MAX_SEALED_DRIVE_BYTES,
    limits::PROTOCOL_VERSION,
    robot_socket::{FromRobot, ToRobot},
    thumbnail::Thumbnail,
};
use tokio::{sync::mpsc::error::TrySendError, time::Instant};

use super::{
    End, Link, Still,
    media::{Media, Turn},
    socket::Socket,
};
use crate::{
    journal::{Journal, JournalFailure, Kept},
    orders::{Clocks, FromGateway},
    publish::PublishEvent,
    work::heard::{GatewayClock, Told},
};

/// The gateway pings every second; after this long without a word it is gone.
const SILENT_AFTER: Duration = Duration::from_secs(5);

/// Events on their way at once. With 50 ms to the gateway that is 640 events a second, far above what a robot says.
const EVENTS_IN_FLIGHT: usize = 32;

/// Not acknowledged by then, events are sent again.
const EVENTS_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// What is refused with these codes fares no better without its neighbour: the key is not believed, or the gateway knows
/// another chain.
const REFUSES_ALL: [&str; 5] = [
    "key_not_bound",
    "signature_refused",
    "unnumbered",
    "gap",
    "forked",
];

/// Runs one session to its end.
pub(super) async fn run(link: &mut Link) -> End {
    let media = Media::new(&link.gateway, link.cameras.clone(), link.outlets.clone());
    run_with(link, media).await
}

/// The same with media of the caller's.
pub(super) async fn run_with(link: &mut Link, media: Media) -> End {
    let hang_up = link.hang_up.clone();
    let begun = tokio::select! {
        begun = begin(link) => begun,
        () = hang_up.cancelled() => Err(End::Stopping),
    };
    let (socket, events_held) = match begun {
        Ok(begun) => begun,
        Err(end) => return end,
    };
    tracing::info!("session with the gateway");
    let mut session = Session {
        link,
        socket,
        media,
        asked: None,
        wishes: Wishes {
            forget_up_to: Some(events_held),
            ..Wishes::default()
        },
        sent_up_to: events_held,
        tried_up_to: events_held,
        held_up_to: events_held,
        events_again_at: Instant::now(),
        events_stopped: false,
        is_settling: false,
    };
    let end = match session.go_on().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    let Session { socket, media, .. } = session;
    if matches!(end, End::Stopping) {
        tokio::join!(socket.close(), media.close());
    } else {
        // Dropping the media closes it as well; the next session need not wait for that.
        socket.close().await;
    }
    end
}

/// Opens the socket and introduces the robot. Gives the number up to which the gateway holds its events.
async fn begin(link: &mut Link) -> Result<(Socket, u64), End> {
    let mut socket = Socket::open(&link.gateway, &link.token, link.trust.clone()).await?;
    let events_held = greet(link, &mut socket).await?;
    Ok((socket, events_held))
}

/// Says hello and waits for the welcome.
async fn greet(link: &mut Link, socket: &mut Socket) -> Result<u64, End> {
    let advert = link.advert.borrow_and_update().clone();
    let hello = FromRobot::Hello {
        protocol: PROTOCOL_VERSION,
        run: link.run,
        advert,
    };
    socket.send(&hello).await?;
    let welcome = async {
        loop {
            match socket.next().await? {
                ToRobot::Welcome {
                    events_held,
                    gateway_at,
                    ..
                } => {
                    let tick_ms = link.clock.now().tick_ms;
                    link.heard.send_modify(|heard| {
                        heard.held = events_held;
                        // It may be another gateway, with another clock.
                        heard.clock = GatewayClock::default();
                        heard.clock.note(gateway_at, tick_ms);
                    });
                    return Ok(events_held);
                }
                ToRobot::Goodbye { reason, words } => return Err(End::Goodbye(reason, words)),
                _ => {}
            }
        }
    };
    match tokio::time::timeout(SILENT_AFTER, welcome).await {
        Ok(welcomed) => welcomed,
        Err(_elapsed) => Err(End::Lost("the gateway did not say welcome".to_owned())),
    }
}

enum Never {}

struct Session<'link> {
    link: &'link mut Link,
    socket: Socket,
    media: Media,
    /// What the journal is asked just now: one thing at a time, beside everything else. A disk that hangs keeps no stop, and no
    /// end of anybody's control, from being heard.
    asked: Option<Pin<Box<dyn Future<Output = FromJournal> + Send>>>,
    /// What it is to be asked next.
    wishes: Wishes,
    /// Highest event number sent and not given up.
    sent_up_to: u64,
    /// Highest event number that was ever sent in this session.
    tried_up_to: u64,
    /// Highest event number that the gateway holds.
    held_up_to: u64,
    events_again_at: Instant,
    /// The gateway refused our events for good.
    events_stopped: bool,
    /// Until `events_again_at` answers may be to events that have another number by now, and none is sent.
    is_settling: bool,
}

/// What the journal is to be asked, the most urgent first.
#[derive(Default)]
struct Wishes {
    /// What became of an event that the gateway refused.
    set_aside: Option<(u64, String)>,
    /// Events up to here are held for good.
    forget_up_to: Option<u64>,
    /// The events that come next.
    events: bool,
}

/// What the journal answered.
enum FromJournal {
    /// Events behind this number.
    Events { after: u64, waiting: Vec<Kept> },
    /// It is as short as it can be.
    Forgotten,
    /// This became of the event that was refused.
    SetAside {
        number: u64,
        code: String,
        about: Option<Result<Refused, JournalFailure>>,
    },
}

/// What comes of what the journal was asked; never when it was asked nothing.
async fn answered(
    asked: &mut Option<Pin<Box<dyn Future<Output = FromJournal> + Send>>>,
) -> FromJournal {
    match asked {
        Some(answer) => answer.as_mut().await,
        None => pending().await,
    }
}

/// What a refusal is about.
enum Refused {
    /// An event that came before its predecessors.
    Early,
    /// That one event.
    One,
    /// Everything under our key or in our chain.
    All,
}

fn what_refused(
    journal: &mut Journal,
    held: u64,
    number: u64,
    is_about_all: bool,
) -> Result<Refused, JournalFailure> {
    let oldest = journal.after(held, 1);
    if oldest.first().is_none_or(|kept| kept.number != number) {
        return Ok(Refused::Early);
    }
    if is_about_all {
        return Ok(Refused::All);
    }
    journal.set_aside(number).map(|_was_there| Refused::One)
}

impl Session<'_> {
    async fn go_on(&mut self) -> Result<Never, End> {
        let mut silent_at = Instant::now() + SILENT_AFTER;
        // What is there already is sent at once, not at its next change.
        self.link.telemetry.mark_changed();
        self.link.believes.mark_changed();
        self.link.journal_grew.mark_changed();
        self.ask();
        loop {
            let wants_scans = self.link.demand.borrow().scans;
            tokio::select! {
                biased;
                frame = self.socket.next() => {
                    silent_at = Instant::now() + SILENT_AFTER;
                    self.take(frame?).await?;
                }
                turn = self.media.next() => self.turn(turn).await?,
                answer = answered(&mut self.asked) => {
                    self.asked = None;
                    self.hear_journal(answer).await?;
                    self.ask();
                }
                changed = self.link.journal_grew.changed() => {
                    changed.map_err(|_closed| End::Stopping)?;
                    self.wish_events();
                }
                // Behind the events: what was written down last may still leave.
                () = self.link.hang_up.cancelled(), if self.asked.is_none() => return Err(End::Stopping),
                changed = self.link.telemetry.changed() => {
                    changed.map_err(|_closed| End::Stopping)?;
                    self.send_telemetry().await?;
                }
                changed = self.link.believes.changed() => {
                    changed.map_err(|_closed| End::Stopping)?;
                    self.send_trust().await?;
                }
                changed = self.link.driving.changed() => {
                    changed.map_err(|_closed| End::Stopping)?;
                    self.send_drive_report().await;
                }
                changed = self.link.scan.changed(), if wants_scans => {
                    changed.map_err(|_closed| End::Stopping)?;
                    let latest = self.link.scan.borrow_and_update().clone();
                    if let Some(scan) = latest {
                        self.socket.send(&FromRobot::Scan(scan)).await?;
                    }
                }
                changed = self.link.advert.changed() => {
                    changed.map_err(|_closed| End::Stopping)?;
                    self.send_advert().await?;
                }
                Some(still) = self.link.stills.recv() => self.send_still(&still).await?,
                () = tokio::time::sleep_until(self.events_again_at), if self.sent_up_to > self.held_up_to || self.is_settling => {
                    self.is_settling = false;
                    self.sent_up_to = self.held_up_to;
                    self.wish_events();
                }
                () = tokio::time::sleep_until(silent_at) => {
                    return Err(End::Lost(format!("nothing heard for {} s", SILENT_AFTER.as_secs())));
                }
            }
        }
    }

    async fn send_telemetry(&mut self) -> Result<(), End> {
        let latest = self.link.telemetry.borrow_and_update().clone();
        match latest {
            Some(telemetry) => self.socket.send(&FromRobot::Telemetry(telemetry)).await,
            None => Ok(()),
        }
    }

    async fn send_trust(&mut self) -> Result<(), End> {
        let latest = self.link.believes.borrow_and_update().clone();
        match latest {
            Some(trust) => self.socket.send(&FromRobot::Trust(trust)).await,
            None => Ok(()),
        }
    }

    async fn send_advert(&mut self) -> Result<(), End> {
        let advert = self.link.advert.borrow_and_update().clone();
        self.socket.send(&FromRobot::Advert(advert)).await
    }

    async fn send_drive_report(&mut self) {
        let latest = self.link.driving.borrow_and_update().clone();
        if let Some(Ok(report)) = latest.map(|report| serde_json::to_vec(&report)) {
            self.media.send_fast(report.into()).await;
        }
    }

    async fn take(&mut self, frame: ToRobot) -> Result<(), End> {
        match frame {
            ToRobot::Welcome { .. } => {}
            ToRobot::Ping { at } => {
                let Clocks {
                    tick_ms,
                    at: robot_at,
                } = self.link.clock.now();
                self.link
                    .heard
                    .send_modify(|heard| heard.clock.note(at, tick_ms));
                self.socket.send(&FromRobot::Pong { at, robot_at }).await?;
            }
            ToRobot::RtcAnswer { negotiation, sdp } => {
                self.media.answer(negotiation, &sdp).await;
            }
            ToRobot::RtcRefused {
                negotiation,
                code,
                words,
            } => self.media.refused(negotiation, &code, &words),
            ToRobot::Demand(demand) => {
                tracing::debug!(?demand, "demand changed");
                self.link.demand.send_replace(demand);
            }
            ToRobot::Order(order) => self.told(FromGateway::Order(order)),
            ToRobot::Control(notice) => self.told(FromGateway::Control(notice)),
            ToRobot::Roster { sealed } => self.told(FromGateway::Roster(sealed)),
            ToRobot::Revocations { sealed } => self.told(FromGateway::Revocations(sealed)),
            ToRobot::Grant(presentation) => self.told(FromGateway::Grant(presentation)),
            ToRobot::Drive { sealed } => match BASE64_STANDARD.decode(sealed) {
                Ok(sealed) => self.drive(sealed.into()),
                Err(_not_base64) => tracing::debug!("dropped a drive command that is no base64"),
            },
            ToRobot::Assignment(assignment) => {
                let told = Told::Job(assignment.into());
                self.link.heard.send_modify(|heard| heard.tell(told));
            }
            ToRobot::NoAssignment => {
                self.link.heard.send_modify(|heard| heard.tell(Told::NoJob));
            }
            ToRobot::EventsHeld { number } => self.events_held(number),
            ToRobot::EventRefused { number, code } => {
                // Of those that wait, the oldest: the others may have come before it.
                let wished = self.wishes.set_aside.as_ref();
                if wished.is_none_or(|(known, _)| number < *known) {
                    self.wishes.set_aside = Some((number, code));
                    self.ask();
                }
            }
            ToRobot::Goodbye { reason, words } => return Err(End::Goodbye(reason, words)),
        }
        Ok(())
    }

    fn events_held(&mut self, number: u64) {
        self.held_up_to = self.held_up_to.max(number);
        let held = self.held_up_to;
        self.link.heard.send_modify(|heard| heard.held = held);
        self.sent_up_to = self.sent_up_to.max(number);
        self.wishes.forget_up_to = Some(held);
        self.wish_events();
    }

    fn wish_events(&mut self) {
        self.wishes.events = true;
        self.ask();
    }

    /// Asks the journal the next thing, if it is asked nothing.
    fn ask(&mut self) {
        if self.asked.is_some() {
            return;
        }
        let journal = self.link.journal.clone();
        let sends_events = !self.events_stopped && !self.is_settling;
        if let Some((number, code)) = self.wishes.set_aside.take().filter(|_| sends_events) {
            let held = self.held_up_to;
            let is_about_all = REFUSES_ALL.contains(&code.as_str());
            let set_aside =
                move |journal: &mut Journal| what_refused(journal, held, number, is_about_all);
            self.asked = Some(Box::pin(async move {
                let about = journal.with(set_aside).await;
                FromJournal::SetAside {
                    number,
                    code,
                    about,
                }
            }));
        } else if let Some(held) = self.wishes.forget_up_to.take() {
            self.asked = Some(Box::pin(async move {
                let forgotten = journal.with(move |journal| journal.forget_up_to(held));
                if let Some(Err(error)) = forgotten.await {
                    tracing::warn!(%error, "the journal could not be shortened");
                }
                FromJournal::Forgotten
            }));
        } else if std::mem::take(&mut self.wishes.events) && sends_events {
            let after = self.sent_up_to;
            let in_flight = after.saturating_sub(self.held_up_to);
            let in_flight = usize::try_from(in_flight).unwrap_or(usize::MAX);
            let room = EVENTS_IN_FLIGHT.saturating_sub(in_flight);
            self.asked = Some(Box::pin(async move {
                let waiting = journal
                    .with(move |journal| journal.after(after, room))
                    .await;
                let waiting = waiting.unwrap_or_default();
                FromJournal::Events { after, waiting }
            }));
        }
    }

    async fn hear_journal(&mut self, answer: FromJournal) -> Result<(), End> {
        match answer {
            FromJournal::Forgotten => {}
            FromJournal::SetAside {
                number,
                code,
                about,
            } => self.event_refused(number, &code, about),
            // What was acknowledged, or refused, meanwhile changes what comes next.
            FromJournal::Events { after, .. } if after != self.sent_up_to => {
                self.wishes.events = true;
            }
            FromJournal::Events { waiting, .. } => {
                if !self.events_stopped && !self.is_settling {
                    self.send_events(waiting).await?;
                }
            }
        }
        Ok(())
    }

    /// Once the oldest event that is not held is refused, nothing after it can be held either: sending it again would never
    /// end. Another one may only have come before its predecessors, which are on their way.
    fn event_refused(
        &mut self,
        number: u64,
        code: &str,
        about: Option<Result<Refused, JournalFailure>>,
    ) {
        match about {
            Some(Ok(Refused::Early)) | None => return,
            Some(Ok(Refused::One)) => tracing::error!(
                event.number = number,
                code,
                "the gateway will never record an event of ours; it is set aside"
            ),
            Some(Ok(Refused::All)) => {
                tracing::error!(
                    event.number = number,
                    code,
                    "the gateway refuses our events; none is sent in this session"
                );
                self.events_stopped = true;
            }
            Some(Err(error)) => {
                tracing::error!(event.number = number, code, %error, "a refused event could not be set aside");
                self.events_stopped = true;
            }
        }
        // Those on their way have the old numbers: they are answered before the new ones leave.
        self.sent_up_to = self.held_up_to;
        self.events_again_at = Instant::now() + EVENTS_AGAIN_AFTER;
        self.is_settling = true;
    }

    /// Orders never wait: a robot that is 16 orders behind must not obey the oldest of them late. Who steers is said again
    /// within seconds, and a robot that did not hear it moves for nobody.
    fn told(&self, told: FromGateway) {
        if let Err(TrySendError::Full(told)) = self.link.orders.try_send(told) {
            tracing::warn!(?told, "dropped: too many at once");
        }
    }

    /// Nothing is queued that would be old by then: what finds the loop that far behind is dropped.
    fn drive(&self, sealed: Bytes) {
        if sealed.len() <= MAX_SEALED_DRIVE_BYTES && self.link.drives.try_send(sealed).is_err() {
            tracing::debug!("dropped a drive command: too many at once");
        }
    }

    async fn turn(&mut self, turn: Turn) -> Result<(), End> {
        match turn {
            Turn::Offer => self.media.begin_offer(),
            Turn::Offered(offered) => {
                if let Some(offer) = self.media.offered(offered) {
                    self.socket.send(&offer).await?;
                }
            }
            Turn::Event(PublishEvent::Connected) => self.media.connected(),
            Turn::Event(PublishEvent::Closed) => self.media.closed(),
            Turn::Event(PublishEvent::KeyframeWanted { camera }) => {
                // A request that finds the queue full is one of many; the encoder is about to answer the first.
                let _queued = self.link.keyframes.try_send(camera);
            }
            Turn::Event(PublishEvent::Reliable(bytes)) => match serde_json::from_slice(&bytes) {
                Ok(ToRobot::Order(order)) => self.told(FromGateway::Order(order)),
                Ok(ToRobot::Control(notice)) => self.told(FromGateway::Control(notice)),
                Ok(ToRobot::Revocations { sealed }) => self.told(FromGateway::Revocations(sealed)),
                Ok(_) | Err(_) => tracing::debug!("dropped a message on the reliable channel"),
            },
            Turn::Event(PublishEvent::Fast(sealed)) => self.drive(sealed),
        }
        Ok(())
    }

    async fn send_still(&mut self, still: &Still) -> Result<(), End> {
        let frame = Thumbnail {
            camera: still.camera,
            captured_at: still.captured_at,
            jpeg: &still.jpeg,
        };
        self.socket.send_bytes(frame.to_robot_frame()).await
    }

    /// Sends what the gateway does not hold yet, a bounded number ahead of its acknowledgements. On the data channel
    /// where it stands, else on the socket; what was not acknowledged there goes on the socket too.
    async fn send_events(&mut self, waiting: Vec<Kept>) -> Result<(), End> {
        for kept in waiting {
            let frame = FromRobot::Event {
                number: kept.number,
                sealed: BASE64_STANDARD.encode(&kept.sealed),
            };
            let is_first_try = kept.number > self.tried_up_to;
            if !(is_first_try && self.send_on_channel(&frame).await) {
                self.socket.send(&frame).await?;
            }
            self.tried_up_to = self.tried_up_to.max(kept.number);
            self.sent_up_to = kept.number;
            self.events_again_at = Instant::now() + EVENTS_AGAIN_AFTER;
        }
        Ok(())
    }

    async fn send_on_channel(&mut self, frame: &FromRobot) -> bool {
        match serde_json::to_string(frame) {
            Ok(text) => self.media.send_reliable(text.into()).await,
            Err(_unwritable) => false,
        }
    }
}
