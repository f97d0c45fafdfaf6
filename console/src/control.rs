//! Who steers a robot, in words, and what can be done about it from here.

use protocol::{
    PersonId, RobotId, UnixMicros,
    command::Verb,
    control::{ControlTurn, ControlTurnView, ControlView},
    robot::Activity,
    roster::KeyTier,
};

use crate::{
    grade::Tone,
    live::{
        commands::{Standing as CommandStanding, micros_of},
        control::{ASK_LEFT_US, IDLE_US},
        granting::{self, Belief, OwnKey},
        model::{Model, Phase},
    },
    outage::{Action, BannerFace},
    words,
};

/// How it stands, as somebody before this page sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody steers it.
    Nobody,
    /// It is steered from this page.
    Here {
        /// Who asks for it.
        asked_by: Option<String>,
        /// Whether the robot believes it.
        belief: Belief,
    },
    /// It was steered from this page, and nothing was heard for so long that the robot obeys nobody from here any more.
    RanOut,
    /// The same person steers it from another page.
    Elsewhere,
    /// Somebody else does.
    Another {
        /// Their name.
        name: String,
        /// Whether this person waits for their answer.
        is_asked: bool,
    },
}

/// What somebody can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Take a robot that nobody steers, or that is steered from another page of theirs.
    Take,
    /// Ask for it.
    Ask,
    /// Not to ask any more.
    Withdraw,
    /// Give it to who asks.
    HandOver,
    /// Keep it.
    Keep,
    /// Give it back to its own autonomy.
    Release,
    /// Take it from another.
    TakeOver,
    /// Show the robot once more by a passkey that it is them.
    Passkey,
    /// Show it by this browser's key instead.
    BrowserKey,
}

impl Deed {
    /// The words on its button.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Take => "Take control",
            Self::Ask => "Ask for control",
            Self::Withdraw => "Withdraw",
            Self::HandOver => "Hand over",
            Self::Keep => "Keep",
            Self::Release => "Hand back",
            Self::TakeOver => "Take over",
            Self::Passkey => "Passkey",
            Self::BrowserKey => "Browser key",
        }
    }

    /// Its key, where it has one.
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Take | Self::Ask => Some("K"),
            Self::HandOver => Some("G"),
            Self::Withdraw
            | Self::Keep
            | Self::Release
            | Self::TakeOver
            | Self::Passkey
            | Self::BrowserKey => None,
        }
    }
}

/// What the bar shows of who steers.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlFace {
    /// "You have control".
    pub title: String,
    /// Since when, why, or how long still.
    pub line: String,
    /// How it is meant.
    pub tone: Tone,
    /// The share of time without a touch that is used up, and what is left, while steered from here.
    pub idle: Option<(f64, String)>,
    /// What can be done, the first thing first.
    pub deeds: Vec<Deed>,
    /// Whether it is steered from here.
    pub is_here: bool,
}

/// Why a robot is not given back to its own autonomy yet; nothing when it rests. Whoever leaves the page ends their control all the
/// same.
pub fn hand_back_waits(model: &Model, robot: RobotId) -> Option<String> {
    let found = model.robot(robot)?;
    let state = found.telemetry()?;
    if state.activity == Activity::Driven {
        return Some("Not yet: it is being driven. Let the keys go until it stands".to_owned());
    }
    let open = model
        .commands
        .of(robot)
        .filter(|entry| {
            let is_open = match &entry.standing {
                CommandStanding::Wished | CommandStanding::Unrecorded => true,
                CommandStanding::Recorded(fate) => !fate.is_over(),
                CommandStanding::NotSent { .. }
                | CommandStanding::TurnedDown { .. }
                | CommandStanding::NotRecorded => false,
            };
            is_open && matches!(entry.verb, Verb::NavigateTo { .. })
        })
        .count();
    match open {
        0 => None,
        1 => Some("Not yet: waits for 1 command. Let it arrive, or stop it".to_owned()),
        count => Some(format!(
            "Not yet: waits for {count} commands. Let it arrive, or stop it"
        )),
    }
}

/// How it stands with a robot.
pub fn standing(model: &Model, robot: RobotId, me: Option<PersonId>, now: UnixMicros) -> Standing {
    let gateway_now = now.plus(model.clock.gateway_ahead_us());
    let Some(view) = model.controls.of(robot) else {
        return Standing::Nobody;
    };
    let Some(holder) = &view.holder else {
        return Standing::Nobody;
    };
    let request = asks(view, gateway_now);
    if model.controls.epoch_of_mine(robot).is_some() {
        if model.controls.left_us(robot, now) == 0 {
            return Standing::RanOut;
        }
        return Standing::Here {
            asked_by: request.map(|(_, name)| name),
            belief: granting::belief(model, robot, now),
        };
    }
    if Some(holder.person) == me {
        return Standing::Elsewhere;
    }
    Standing::Another {
        name: holder.name.clone(),
        is_asked: request.is_some_and(|(person, _)| Some(person) == me),
    }
}

/// What is steered from here beside the robot on the page, for whoever looks at something else: the robot waits for them.
pub fn banners(model: &Model, on_page: Option<RobotId>, now: UnixMicros) -> Vec<BannerFace> {
    let gateway_now = now.plus(model.clock.gateway_ahead_us());
    let elsewhere = model
        .controls
        .mine()
        .filter(|robot| Some(*robot) != on_page);
    elsewhere
        .filter_map(|id| {
            let (view, robot) = (model.controls.of(id)?, model.robot(id)?);
            let name = &robot.view.name;
            let asks = asks(view, gateway_now);
            let (tone, what, rest) = match asks {
                Some((_, asker)) => (
                    Tone::Caution,
                    format!("{asker} asks for {name}."),
                    "Hand it over, or keep it.".to_owned(),
                ),
                None => (
                    Tone::Calm,
                    format!("You have control of {name}."),
                    "It waits for you.".to_owned(),
                ),
            };
            Some(BannerFace {
                tone,
                what,
                rest,
                aside: String::new(),
                action: Some(Action::Open(id)),
            })
        })
        .collect()
}

/// Who asks, while their question stands.
fn asks(view: &ControlView, gateway_now: UnixMicros) -> Option<(PersonId, String)> {
    let request = view.request.as_ref()?;
    (gateway_now < micros_of(request.until)).then(|| (request.person, request.name.clone()))
}

/// What the bar shows. `me` is who is signed in; `may_steer` and `may_take_over` are what their roles allow.
pub fn face(
    model: &Model,
    robot: RobotId,
    me: Option<PersonId>,
    (may_steer, may_take_over): (bool, bool),
    now: UnixMicros,
) -> ControlFace {
    let standing = standing(model, robot, me, now);
    let view = model.controls.of(robot);
    let gateway_now = now.plus(model.clock.gateway_ahead_us());
    let is_connected = model.connection.phase == Phase::Live;
    let mut face = match &standing {
        Standing::Nobody => to_take(
            "Nobody has control",
            view.and_then(|view| view.last.as_ref())
                .map_or_else(|| "Take it to set targets".to_owned(), ended),
            Tone::Calm,
        ),
        Standing::Here { asked_by, belief } => {
            here(model, view, (asked_by.as_deref(), belief), now, gateway_now)
        }
        Standing::RanOut => to_take(
            "Control ran out",
            "Nothing was heard of you for 15 s".to_owned(),
            Tone::Alarm,
        ),
        Standing::Elsewhere => to_take(
            "You have control elsewhere",
            "In another window, or before this page was loaded".to_owned(),
            Tone::Calm,
        ),
        Standing::Another { name, is_asked } => {
            let mut deeds = vec![if *is_asked { Deed::Withdraw } else { Deed::Ask }];
            if may_take_over {
                deeds.push(Deed::TakeOver);
            }
            let line = view.map(|view| another(view, *is_asked, me, gateway_now));
            ControlFace {
                title: format!("{name} has control"),
                line: line.unwrap_or_default(),
                tone: Tone::Calm,
                idle: None,
                deeds,
                is_here: false,
            }
        }
    };
    if !may_steer {
        face.deeds.clear();
    }
    if !is_connected {
        // Nothing can be done from here, and what is left runs out.
        face.deeds.clear();
        face.idle = None;
        if face.is_here {
            let left_s = (model.controls.left_us(robot, now) + 999_999) / 1_000_000;
            face.line = format!("No connection: it runs out in {left_s} s");
            face.tone = Tone::Caution;
        }
    }
    face
}

/// Nobody steers it from here, and it can be taken.
fn to_take(title: &str, line: String, tone: Tone) -> ControlFace {
    ControlFace {
        title: title.to_owned(),
        line,
        tone,
        idle: None,
        deeds: vec![Deed::Take],
        is_here: false,
    }
}

fn here(
    model: &Model,
    view: Option<&ControlView>,
    (asked_by, belief): (Option<&str>, &Belief),
    now: UnixMicros,
    gateway_now: UnixMicros,
) -> ControlFace {
    let left_us = model.controls.idle_left_us(now);
    #[expect(
        clippy::cast_precision_loss,
        reason = "ten minutes of microseconds are far below 2^52"
    )]
    let used = 1.0 - left_us as f64 / IDLE_US as f64;
    let idle = Some((used, minutes(left_us)));
    let epoch = view.map_or(0, |view| view.epoch);
    if let Some(name) = asked_by {
        let request = view.and_then(|view| view.request.as_ref());
        let words = request.map_or("", |request| request.words.as_str());
        let left = request.map_or(0, |request| micros_of(request.until).since(gateway_now));
        let left = format!("{} s left", (left / 1_000_000).max(0));
        return ControlFace {
            title: format!("{name} asks for control"),
            line: if words.is_empty() {
                left
            } else {
                format!("“{words}” {left}")
            },
            tone: Tone::Caution,
            idle,
            deeds: vec![Deed::HandOver, Deed::Keep],
            is_here: true,
        };
    }
    let is_asked_for = left_us < ASK_LEFT_US;
    ControlFace {
        title: "You have control".to_owned(),
        line: if is_asked_for {
            "Still there? Move the mouse or press Shift".to_owned()
        } else {
            believed(model, belief)
                .or_else(|| handed(view))
                .unwrap_or_else(|| under(epoch, model.granting.own.as_ref()))
        },
        tone: if is_asked_for || matches!(belief, Belief::Denied { .. }) {
            Tone::Caution
        } else {
            Tone::Calm
        },
        idle,
        deeds: match belief {
            Belief::Denied { code, .. } if granting::is_about_passkey(code) => {
                vec![Deed::Passkey, Deed::BrowserKey, Deed::Release]
            }
            _ => vec![Deed::Release],
        },
        is_here: true,
    }
}

/// Why the robot does not move for this page yet; nothing once it does.
fn believed(model: &Model, belief: &Belief) -> Option<String> {
    match belief {
        Belief::Believed { .. } | Belief::Unasked => None,
        Belief::Asking => Some("The robot checks that it is you".to_owned()),
        Belief::Denied { code, words } => {
            let words = words::capitalised(words);
            let own = model.granting.own.as_ref();
            // Short enough for the bar: what is told to who holds the root key, and compared.
            Some(match own.filter(|_| UNROSTERED.contains(&code.as_str())) {
                Some(own) => format!("Not rostered: {}", key_digits(&own.key)),
                None => words,
            })
        }
    }
}

/// Denied so, somebody needs the digits of their key: who holds the root key signs for what they read out.
const UNROSTERED: [&str; 4] = ["no_root", "no_roster", "not_rostered", "key_not_rostered"];

/// Under which epoch, and by which kind of key.
fn under(epoch: u64, own: Option<&OwnKey>) -> String {
    match own {
        Some(OwnKey { tier, is_demo, .. }) => {
            let kind = match tier {
                KeyTier::Browser => "Browser key",
                KeyTier::Passkey => "Passkey",
            };
            let demo = if *is_demo { ", demo" } else { "" };
            format!("{kind}{demo}. Epoch {epoch}")
        }
        None => format!("Epoch {epoch}, renews while you are here"),
    }
}

/// The digits of a key that people compare, in fours.
pub fn key_digits(key: &str) -> String {
    let digits: Vec<char> = key.chars().take(16).collect();
    let fours: Vec<String> = digits.chunks(4).map(|four| four.iter().collect()).collect();
    fours.join(" ")
}

/// What who gave it said, while that is the last thing that happened.
fn handed(view: Option<&ControlView>) -> Option<String> {
    let last = view?.last.as_ref()?;
    (last.turn == ControlTurn::HandedOver && !last.words.is_empty())
        .then(|| format!("{}: “{}”", last.name, last.words))
}

fn another(
    view: &ControlView,
    is_asked: bool,
    me: Option<PersonId>,
    gateway_now: UnixMicros,
) -> String {
    if is_asked {
        let until = (view.request.as_ref()).map_or(gateway_now, |asks| micros_of(asks.until));
        let left_s = (until.since(gateway_now) / 1_000_000).max(0);
        return format!("You asked, {left_s} s left");
    }
    let since = (view.holder.as_ref()).map_or_else(String::new, |holder| {
        format!("Since {}", words::hour_minute(holder.since))
    });
    match &view.last {
        Some(last) if last.turn == ControlTurn::Declined && Some(last.person) != me => {
            said(&format!("{} keeps it", last.name), &last.words)
        }
        Some(last) if last.turn == ControlTurn::TakenOver => {
            said(&format!("{since}, taken over"), &last.words)
        }
        Some(_) | None => since,
    }
}

fn said(what: &str, words: &str) -> String {
    if words.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: “{words}”")
    }
}

/// How it came that nobody has control.
fn ended(last: &ControlTurnView) -> String {
    let at = words::hour_minute(last.at);
    let what = match last.turn {
        ControlTurn::Released => "let go",
        ControlTurn::Absent => "was not heard any more",
        ControlTurn::SignedOut => "signed out",
        ControlTurn::RightLost => "lost the right",
        ControlTurn::Claimed
        | ControlTurn::HandedOver
        | ControlTurn::TakenOver
        | ControlTurn::Declined => "had it",
    };
    format!("{} {what}, {at}", last.name)
}

fn minutes(left_us: i64) -> String {
    let seconds = (left_us + 999_999) / 1_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests;
