//! Joins the executor of jobs to the control loop: the driver, the disk, the camera, and what the gateway says.

use std::time::Duration;

use protocol::{
    CommandId,
    command::Verb,
    job::Assignment,
    robot::{Advert, Capability, Telemetry},
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};
use uuid::Uuid;

use crate::{
    driver::{Driver, Ending},
    evidence::{Developed, Picture},
    orders::Clocks,
    receipts::Word,
    work::{Act, Ground, Moment, Work, heard::Heard, place_named},
};

/// The desk and the wires that end at it.
#[derive(Debug)]
pub struct Desk {
    /// What to do.
    pub work: Work,
    /// What the gateway says.
    pub heard: watch::Receiver<Heard>,
    /// What of it was taken in.
    pub heard_times: u64,
    /// What the robot is, cameras included.
    pub advert: watch::Receiver<Advert>,
    /// To the scribe.
    pub words: mpsc::Sender<Word>,
    /// What the scribe had no room for.
    pub unsent: Option<Word>,
    /// The number of each word on a job, once it is written down.
    pub written: watch::Receiver<u64>,
    /// Pictures to take.
    pub photos: mpsc::Sender<Picture>,
    /// What came of them.
    pub developed: mpsc::Receiver<Developed>,
}

impl Desk {
    /// A person's order was accepted.
    pub fn person_ordered(&mut self, command: CommandId, verb: Verb) {
        self.work.person_ordered(command, verb);
    }

    /// Who steered the robot let go.
    pub fn let_go(&mut self) {
        self.work.let_go();
    }

    /// An order ended; true for one of ours, of which no receipt is given.
    pub fn ended(&mut self, ending: &Ending) -> bool {
        self.work.ended(ending.command, ending.result)
    }

    /// Takes in what came since the last time, and does what is next.
    pub fn beat(
        &mut self,
        driver: &mut dyn Driver,
        elapsed: Duration,
        clocks: Clocks,
        is_steered: bool,
    ) {
        self.hear(driver);
        if self.written.has_changed().unwrap_or_default() {
            let number = *self.written.borrow_and_update();
            self.work.written(number);
        }
        while let Ok(Developed { evidence, hash }) = self.developed.try_recv() {
            self.work.photographed(evidence, hash);
        }
        driver.set_engaged(is_steered || self.work.is_engaged());
        let telemetry = driver.telemetry(clocks.tick_ms, clocks.at);
        let moment = Moment {
            now: self.heard.borrow().clock.at(clocks.tick_ms, clocks.at),
            elapsed,
            fresh: Uuid::now_v7(),
            battery_percent: telemetry.battery.percent,
            health: telemetry.health,
            is_steered,
        };
        let act = self.work.turn(&moment);
        if let Some(act) = act {
            self.act(driver, act);
        }
        self.send();
    }

    fn hear(&mut self, driver: &dyn Driver) {
        let heard = self.heard.borrow();
        if heard.times == self.heard_times {
            return;
        }
        self.heard_times = heard.times;
        let advert = self.advert.borrow();
        self.work.hear(&heard.told, heard.held, |assignment| {
            ground(driver, &advert, assignment)
        });
    }

    fn act(&mut self, driver: &mut dyn Driver, act: Act) {
        match act {
            Act::Drive { command, target } => {
                let verb = Verb::NavigateTo {
                    x_m: target.x_m,
                    y_m: target.y_m,
                    heading_rad: Some(target.heading_rad),
                };
                if let Err(reason) = driver.obey(command, verb) {
                    tracing::warn!(reason = reason.code(), "a way for the job was refused");
                    self.work.refused(reason);
                }
            }
            Act::Stand { command } => driver.stand(command),
            Act::Say { job, event } => {
                tracing::info!(job.id = %job, "says {}", event.kind());
                self.unsent = Some(Word::OfJob(job, event));
            }
            Act::Photograph { job, evidence } => {
                if self.photos.try_send(Picture { job, evidence }).is_err() {
                    tracing::error!(evidence.id = %evidence, "nobody takes pictures");
                    self.work.photographed(evidence, None);
                }
            }
        }
    }

    /// Never waits. A word that finds the queue full is sent once there is room: nothing is done before it is written.
    fn send(&mut self) {
        if let Some(word) = self.unsent.take() {
            // Once the queue is closed the agent is going down: what was not written down was not said.
            if let Err(TrySendError::Full(word)) = self.words.try_send(word) {
                self.unsent = Some(word);
            }
        }
    }

    /// Puts what is known here into what the driver says.
    pub fn dress(&self, telemetry: &mut Telemetry) {
        telemetry.activity = self.work.activity(telemetry.activity);
        if let Some(goal) = &mut telemetry.goal {
            goal.command = goal.command.filter(|command| !self.work.is_own(*command));
        }
    }
}

/// What this robot brings along for a job.
pub fn ground(driver: &dyn Driver, advert: &Advert, assignment: &Assignment) -> Ground {
    let places = advert.map.as_ref().map_or(&[][..], |map| &map.places);
    let place = place_named(places, &assignment.plan.place);
    let others = places
        .iter()
        .filter(|other| place.is_none_or(|place| place.name != other.name));
    Ground {
        workplace: place.map(|place| driver.workplace(place)),
        other_places: others.map(|other| other.name.clone()).collect(),
        can_navigate: advert.capabilities.contains(&Capability::Navigate),
        camera: advert
            .cameras
            .first()
            .filter(|camera| camera.has_thumbnails)
            .map(|camera| camera.name.clone()),
    }
}
