//! What the reducer promises; here are the robots and frames that its claims are made of.

mod granting;
mod orders;
mod roster;
mod session;
mod views;
mod work;

use std::sync::Arc;

use protocol::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    command::{Fate, Verb},
    console_socket::{FromConsole, Link, ToConsole},
    robot::{Advert, Pose, Scan, Telemetry},
    robot_socket::Goodbye,
    views::{CommandView, Presence, RobotView},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    commands::Standing,
    model::{Model, Phase, Still},
    reduce::{Effect, Input, Moment, ViewEvent, reduce},
    view::ViewPhase,
};

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const JUNIPER: RobotId = RobotId(Uuid::from_u128(14));
pub(super) const ROWAN: RobotId = RobotId(Uuid::from_u128(21));

pub(super) fn at(micros: i64) -> Moment {
    Moment {
        now: UnixMicros(micros),
        chance: 0.5,
    }
}

pub(super) fn robot(id: RobotId) -> RobotView {
    RobotView {
        robot: id,
        name: "Juniper".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(2)),
        site_name: "Wing B".to_owned(),
        presence: Presence::Online {
            since: OffsetDateTime::UNIX_EPOCH,
        },
        advert: None,
        telemetry: None,
        link: None,
        trust: None,
    }
}

pub(super) fn state(x_m: f64) -> Telemetry {
    let pose = Pose {
        x_m,
        ..Pose::default()
    };
    let json = serde_json::json!({
        "tick_ms": 0, "at": 0, "pose": pose, "speed_mps": 0.0, "turn_rps": 0.0, "odometer_m": 0.0,
        "battery": {"percent": 71.0, "volts": 24.0, "charging": false},
        "activity": "idle", "health": "ok"
    });
    serde_json::from_value(json).unwrap()
}

pub(super) fn link(heard_at: i64) -> Link {
    Link {
        rtt_ms: Some(8.0),
        clock_offset_us: 0,
        heard_at: UnixMicros(heard_at),
    }
}

pub(super) fn telemetry(id: RobotId, x_m: f64, heard_at: i64) -> Input {
    heard(ToConsole::Telemetry {
        robot: id,
        telemetry: state(x_m),
        link: link(heard_at),
    })
}

pub(super) fn heard(frame: ToConsole) -> Input {
    Input::Heard(Box::new(frame))
}

pub(super) fn snapshot(robots: &[RobotId], commands: Vec<CommandView>) -> Input {
    heard(ToConsole::Snapshot {
        robots: robots.iter().map(|id| robot(*id)).collect(),
        degraded: Vec::new(),
        commands,
        assists: Vec::new(),
        controls: None,
    })
}

pub(super) fn recorded(command: CommandId, fate: Fate) -> CommandView {
    CommandView {
        command,
        robot: JUNIPER,
        verb: Verb::Stop,
        issued_by: PersonId(Uuid::from_u128(5)),
        issued_by_name: "Mira".to_owned(),
        issued_at: OffsetDateTime::UNIX_EPOCH,
        fate,
        answered_at: None,
        ended_at: None,
    }
}

pub(super) fn live(robots: &[RobotId]) -> Model {
    let mut model = Model::default();
    reduce(&mut model, Input::Start, at(0));
    reduce(&mut model, Input::SocketOpened, at(0));
    reduce(&mut model, snapshot(robots, Vec::new()), at(0));
    model
}

pub(super) fn watching() -> Model {
    let mut model = live(&[JUNIPER]);
    let cameras = vec!["head".to_owned(), "base".to_owned()];
    let watch = Input::Watch {
        robot: JUNIPER,
        cameras,
    };
    reduce(&mut model, watch, at(0));
    model
}

pub(super) fn view_number(model: &Model) -> u32 {
    model.view.as_ref().unwrap().number
}

pub(super) fn view_happens(model: &mut Model, event: ViewEvent, micros: i64) -> Vec<Effect> {
    let view = view_number(model);
    reduce(model, Input::View { view, event }, at(micros))
}
