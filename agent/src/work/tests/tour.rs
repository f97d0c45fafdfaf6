//! A whole plan in the simulator, in virtual time, against a gateway that answers as the job's machine would.

use protocol::robot::Telemetry;

use super::*;
use crate::{
    desk::ground,
    driver::{
        Driver,
        sim::{Sim, SimConfig},
    },
};

const STEP: Duration = Duration::from_millis(20);

/// What `reset_room` asks for, or about that.
fn reset_room(place: &str) -> Assignment {
    let steps = vec![
        work(6),
        work(4),
        work(4),
        unsure(5),
        approved(4),
        work(4),
        StepAction::Photograph,
    ];
    let mut assignment = assignment(Directive::Acknowledge, steps);
    place.clone_into(&mut assignment.plan.place);
    assignment
}

/// The simulator with the executor before it, and the gateway's side of the job.
struct Tour {
    sim: Sim,
    work: Work,
    assignment: Assignment,
    at: Duration,
    events: Vec<JobEvent>,
    number: u64,
    fresh: u128,
    /// The gateway's answers are a moment under way.
    mail: Vec<(Duration, Assignment)>,
}

impl Tour {
    fn new(seed: u64, assignment: Assignment) -> Self {
        let config = SimConfig {
            people: 0,
            wander: true,
            ..SimConfig::new(seed)
        };
        let mut tour = Self {
            sim: Sim::new(config),
            work: Work::new(None, 1),
            assignment,
            at: Duration::ZERO,
            events: Vec::new(),
            number: 0,
            fresh: 0,
            mail: Vec::new(),
        };
        tour.post();
        tour
    }

    fn post(&mut self) {
        let arrives = self.at + Duration::from_millis(60);
        self.mail.push((arrives, self.assignment.clone()));
    }

    fn telemetry(&self) -> Telemetry {
        self.sim.telemetry(0, UnixMicros(0))
    }

    fn deliver(&mut self) {
        let (due, later) = std::mem::take(&mut self.mail)
            .into_iter()
            .partition(|(arrives, _)| *arrives <= self.at);
        self.mail = later;
        let due: Vec<(Duration, Assignment)> = due;
        for (_, assignment) in due {
            let mut advert = self.sim.advert();
            let still = protocol::robot::CameraAdvert {
                name: "head".to_owned(),
                label: "Head".to_owned(),
                codec: protocol::robot::Codec::H264,
                width: 640,
                height: 480,
                frames_per_second: 30,
                has_thumbnails: true,
            };
            advert.cameras.push(still);
            let told = Told::Job(Arc::new(assignment));
            let sim = &self.sim;
            self.work.hear(&told, self.number, |assignment| {
                ground(sim, &advert, assignment)
            });
        }
    }

    fn tick(&mut self) {
        self.at += STEP;
        self.fresh += 1;
        self.deliver();
        for ending in self.sim.step(STEP).endings {
            assert!(self.work.ended(ending.command, ending.result));
        }
        self.sim.set_engaged(self.work.is_engaged());
        let telemetry = self.telemetry();
        let micros = i64::try_from(self.at.as_micros()).unwrap();
        let act = self.work.turn(&Moment {
            now: UnixMicros(micros),
            elapsed: STEP,
            fresh: Uuid::from_u128(self.fresh),
            battery_percent: telemetry.battery.percent,
            health: telemetry.health,
            is_steered: false,
        });
        match act {
            None => {}
            Some(Act::Drive { command, target }) => {
                let verb = Verb::NavigateTo {
                    x_m: target.x_m,
                    y_m: target.y_m,
                    heading_rad: Some(target.heading_rad),
                };
                if let Err(reason) = self.sim.obey(command, verb) {
                    self.work.refused(reason);
                }
            }
            Some(Act::Stand { command }) => self.sim.stand(command),
            Some(Act::Say { event, .. }) => {
                self.number += 1;
                self.work.written(self.number);
                self.answer(&event);
                self.events.push(event);
            }
            Some(Act::Photograph { evidence, .. }) => {
                let hash = EvidenceHash {
                    evidence,
                    media_type: "image/jpeg".to_owned(),
                    salted_sha256: [7; 32],
                };
                self.work.photographed(evidence, Some(hash));
            }
        }
    }

    /// What the gateway makes of a word.
    fn answer(&mut self, event: &JobEvent) {
        match event {
            JobEvent::ReservationConfirmed { .. } => {
                self.assignment.directive = Directive::Proceed;
            }
            JobEvent::Arrived { .. } => {
                self.assignment.access = Some(AccessPlan {
                    place: self.assignment.plan.place.clone(),
                    ..access(ACCESS)
                });
            }
            JobEvent::AssistRequested { assist, .. } => {
                self.assignment.assist = Some(AssistVerdict {
                    assist: *assist,
                    option: Some(0),
                    is_over: true,
                });
            }
            JobEvent::ApprovalRequested { approval, .. } => {
                self.assignment.approval = Some(ApprovalVerdict {
                    approval: *approval,
                    is_granted: true,
                });
            }
            JobEvent::CheckpointDone { number, .. } => self.assignment.checkpoint = *number,
            JobEvent::SafeStateReached { .. } => self.assignment.directive = Directive::Hold,
            _ => {}
        }
        self.post();
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..50 * 300 {
            self.tick();
            if is_so(self) {
                return;
            }
        }
        panic!("not within five minutes: {what}; {:?}", self.events);
    }

    fn has_said(&self, kind: &str) -> bool {
        self.events.iter().any(|event| event.kind() == kind)
    }
}

#[test]
fn from_any_corner_a_room_is_reset_in_a_minute_or_two_and_everything_said_in_order() {
    for seed in 1..=6 {
        let place = format!("Room {seed}");
        let mut tour = Tour::new(seed, reset_room(&place));

        tour.until("finished", |tour| tour.has_said("work.finished"));

        let kinds: Vec<_> = tour.events.iter().map(JobEvent::kind).collect();
        let expected = [
            "reservation.confirmed",
            "robot.departed",
            "robot.arrived",
            "access.verified",
            "execution.started",
            "checkpoint.done",
            "checkpoint.done",
            "checkpoint.done",
            "assist.requested",
            "checkpoint.done",
            "approval.requested",
            "checkpoint.done",
            "checkpoint.done",
            "checkpoint.done",
            "work.finished",
        ];
        assert_eq!(kinds, expected, "seed {seed}");
        let left_out = tour
            .events
            .iter()
            .any(|event| matches!(event, JobEvent::CheckpointDone { left_out: true, .. }));
        assert!(!left_out, "seed {seed}: {:?}", tour.events);
        let seconds = tour.at.as_secs();
        assert!((30..=150).contains(&seconds), "seed {seed}: {seconds} s");
        let site = tour.sim.stage().site().clone();
        let at = crate::driver::sim::point_of(tour.telemetry().pose);
        assert_eq!(site.room_at(at).unwrap().name, place);
    }
}

#[test]
fn a_robot_waits_before_the_door_until_it_is_let_in() {
    let mut tour = Tour::new(1, reset_room("Room 3 door"));

    tour.until("arrived", |tour| tour.has_said("robot.arrived"));

    let site = tour.sim.stage().site().clone();
    let at = crate::driver::sim::point_of(tour.telemetry().pose);
    assert_eq!(site.room_at(at).unwrap().name, "Corridor");
}

#[test]
fn a_stop_in_the_middle_of_a_drive_is_answered_by_a_robot_that_stands_and_the_job_goes_on_later() {
    let mut tour = Tour::new(2, reset_room("Room 5"));
    tour.until("fast", |tour| tour.telemetry().speed_mps > 0.5);

    tour.assignment.directive = Directive::Stop;
    tour.post();
    tour.until("safe", |tour| tour.has_said("safe_state.reached"));
    let at_safe = tour.telemetry();
    for _ in 0..500 {
        tour.tick();
    }
    let held = tour.telemetry();
    tour.assignment.directive = Directive::Proceed;
    tour.post();
    tour.until("finished", |tour| tour.has_said("work.finished"));

    assert!(at_safe.speed_mps.abs() < 0.01 && at_safe.turn_rps.abs() < 0.01);
    assert_eq!(at_safe.pose, held.pose);
    let count = |kind| {
        let said = tour.events.iter().filter(|event| event.kind() == kind);
        said.count()
    };
    assert_eq!(count("robot.departed"), 1);
    assert_eq!(count("safe_state.reached"), 1);
}

#[test]
fn when_the_gateway_is_gone_and_leave_runs_out_the_robot_stands_and_stays() {
    let mut tour = Tour::new(3, reset_room("Room 2"));
    tour.until("started", |tour| tour.has_said("execution.started"));
    // Nothing that the gateway would say from here on arrives.
    let until = UnixMicros(i64::try_from(tour.at.as_micros()).unwrap() + 15_000_000);
    let mut last = tour.assignment.clone();
    last.access.as_mut().unwrap().window.until = until;
    tour.mail = vec![(tour.at, last)];
    for _ in 0..50 * 20 {
        tour.tick();
        tour.mail.clear();
    }
    let closed = tour.telemetry();
    let said = tour.events.len();

    for _ in 0..50 * 60 {
        tour.tick();
        tour.mail.clear();
    }

    assert!(tour.has_said("checkpoint.done"), "{:?}", tour.events);
    assert_eq!(tour.events.len(), said);
    assert!(closed.speed_mps.abs() < 0.01, "{closed:?}");
    assert_eq!(tour.telemetry().pose, closed.pose);
}
