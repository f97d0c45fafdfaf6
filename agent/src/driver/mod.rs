//! What every robot can be told and what it reports, whatever moves it. No network and no clock: time arrives as an argument.

pub mod sim;
#[cfg(test)]
pub(crate) mod willing;

use std::time::Duration;

use protocol::{
    CommandId, UnixMicros,
    command::{AbandonReason, RobotRefusal, Verb},
    robot::{Advert, Place, Pose, Scan, Telemetry},
};

use crate::safety::{Body, Motion};

/// A robot's body as the agent sees it: the simulator now, a real machine later.
///
/// The agent's loop calls [`Driver::step`] some 50 times a second and nothing else moves the robot. Every call returns
/// at once; whatever takes time happens over later steps.
pub trait Driver: Send {
    /// What the robot is, can and knows. Cameras are not listed: the agent adds those it runs.
    fn advert(&self) -> Advert;

    /// Takes on an order, or says why not. `Ok` means accepted; its one [`Ending`] comes out of a later step.
    ///
    /// A new target takes the place of the running order, which then ends as superseded. A stop takes the place of
    /// anything, and ends as done once the robot stands still.
    fn obey(&mut self, command: CommandId, verb: Verb) -> Result<(), RobotRefusal>;

    /// Comes to a controlled stop for the robot's own reasons. Ends like a person's stop; nobody has to lift it, and it does
    /// not lift a person's.
    fn stand(&mut self, command: CommandId);

    /// Gives up the target of this order if the robot is still on its way, and comes to a controlled stop: who gave it does not
    /// steer the robot any more. The order ends as [`AbandonReason::ControlEnded`]. Nobody has to lift this stop.
    fn let_go(&mut self, command: CommandId);

    /// Whether somebody may drive it by hand at all.
    fn can_be_driven(&self) -> bool {
        false
    }

    /// Turns its wheels as told, until told otherwise; a running order ends as superseded. What is told is inside the robot's
    /// envelope already. `None` gives the wheels back: the robot rests where it is.
    fn drive(&mut self, motion: Option<Motion>);

    /// A person's stop is lifted. The robot stays where it is until it is told more.
    fn release(&mut self);

    /// Nothing that it does of its own accord, or to get to a target, is to be faster than so many metres a second.
    fn limit(&mut self, speed_mps: f64);

    /// It finds no way through what is barred: metres from a place (x and y, metres) to that, not above 0 within.
    fn bar(&mut self, barred: &dyn Fn([f64; 2]) -> f64);

    /// Where it is, how it moves and who is near: asked at every step.
    fn body(&self) -> Body;

    /// What is left in its battery, percent.
    fn charge_percent(&self) -> f64;

    /// Whether the robot holds a job, or somebody has control of it: then it does nothing of its own accord.
    fn set_engaged(&mut self, is_engaged: bool);

    /// Where work at a place of its map is done.
    fn workplace(&self, place: &Place) -> Workplace {
        Workplace {
            door: place.pose,
            spots: vec![place.pose],
        }
    }

    /// Lets `elapsed` pass.
    fn step(&mut self, elapsed: Duration) -> Step;

    /// The state right now, stamped with the caller's two clocks.
    fn telemetry(&self, tick_ms: u64, at: UnixMicros) -> Telemetry;

    /// What the lidar sees right now and the path ahead; `None` when the robot has no lidar.
    fn scan(&self, at: UnixMicros) -> Option<Scan>;
}

/// A place as somebody who works there sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workplace {
    /// Where to wait to be let in.
    pub door: Pose,
    /// Where to stand at work; never empty.
    pub spots: Vec<Pose>,
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Orders that ended in this step, oldest first. At most two: a running one and the stop that ended it.
    pub endings: Vec<Ending>,
    /// Whether [`Driver::advert`] says something new, such as a part that failed.
    pub is_advert_changed: bool,
}

/// The end of an accepted order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Which order.
    pub command: CommandId,
    /// Done, or given up and why.
    pub result: Result<(), AbandonReason>,
}
