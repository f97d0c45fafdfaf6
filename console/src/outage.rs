//! What is out of order, as the frame around the pages tells it: one line on what is lost, what still works, and one thing
//! to do. Told for as long as it is true.

use protocol::{RobotId, UnixMicros, views::Degradation};

use crate::{
    grade::Tone,
    live::{
        clock::micros_to_ms,
        model::{Model, Phase},
    },
    words,
};

/// How the systems are, in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemsFace {
    /// How loudly.
    pub tone: Tone,
    /// The words.
    pub words: String,
}

/// A banner as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BannerFace {
    /// Caution is degraded, alarm is act.
    pub tone: Tone,
    /// What is lost.
    pub what: String,
    /// What still works.
    pub rest: String,
    /// What goes on by itself.
    pub aside: String,
    /// What can be done, if anything.
    pub action: Option<Action>,
}

/// What a banner offers to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Don't wait for the next attempt.
    TryNow,
    /// Load the page again.
    Reload,
    /// Open a robot.
    Open(RobotId),
}

impl Action {
    /// The words on its button.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TryNow => "Try now",
            Self::Reload => "Reload page",
            Self::Open(_) => "Open",
        }
    }
}

/// The systems in a word.
pub fn systems(model: &Model) -> SystemsFace {
    let face = |tone, words: &str| SystemsFace {
        tone,
        words: words.to_owned(),
    };
    match (&model.connection.phase, model.degraded.as_slice()) {
        (Phase::Idle | Phase::Connecting { .. }, _) if model.connection.lost_at.is_none() => {
            face(Tone::Calm, "Connecting")
        }
        (Phase::Live, []) => face(Tone::Calm, "Systems normal"),
        (Phase::Live, [one]) => face(Tone::Caution, &format!("{} degraded", part_name(one))),
        (Phase::Live, many) => face(Tone::Caution, &format!("{} parts degraded", many.len())),
        (
            Phase::Idle | Phase::Connecting { .. } | Phase::Waiting { .. } | Phase::Over { .. },
            _,
        ) => face(Tone::Alarm, "Gateway lost"),
    }
}

fn part_name(degradation: &Degradation) -> String {
    match degradation.part.as_str() {
        "postgres" => "Database".to_owned(),
        "redis" => "Presence store".to_owned(),
        other => words::capitalised(other),
    }
}

/// A break shorter than this is a hiccup that mends itself before anybody has read about it.
const SAY_LOST_AFTER_MS: f64 = 700.0;

/// What is out of order, the worst first. Behind a lost gateway nothing else is known, so nothing else is told.
pub fn banners(model: &Model, now: UnixMicros) -> Vec<BannerFace> {
    if let Some(lost) = lost(model, now) {
        return vec![lost];
    }
    let degraded = model.degraded.iter().map(|degradation| BannerFace {
        tone: Tone::Caution,
        what: format!(
            "{} degraded since {} UTC.",
            part_name(degradation),
            words::hour_minute(degradation.since)
        ),
        rest: degradation.words.clone(),
        aside: String::new(),
        action: None,
    });
    degraded.collect()
}

fn lost(model: &Model, now: UnixMicros) -> Option<BannerFace> {
    let connection = &model.connection;
    let since = connection.lost_at?;
    let for_ms = micros_to_ms(now.since(since));
    let next = match &connection.phase {
        Phase::Idle | Phase::Live => return None,
        Phase::Over { words, .. } => {
            return Some(BannerFace {
                tone: Tone::Alarm,
                what: "The gateway ended this session.".to_owned(),
                rest: format!("It says: {words}. Values on screen are old."),
                aside: String::new(),
                action: Some(Action::Reload),
            });
        }
        Phase::Connecting { .. } => format!("Connecting, try {}", connection.attempt),
        Phase::Waiting { retry_at } => {
            let wait_ms = micros_to_ms(retry_at.since(now)).max(0.0);
            format!("Next try in {}", words::delay(wait_ms))
        }
    };
    (for_ms > SAY_LOST_AFTER_MS).then(|| BannerFace {
        tone: Tone::Alarm,
        what: format!("Connection to the gateway lost for {}.", words::span(for_ms)),
        rest: "Values are old, and nothing can be sent from here, not even a stop. Robots keep their own safety.".to_owned(),
        aside: next,
        action: Some(Action::TryNow),
    })
}

#[cfg(test)]
mod tests {
    use protocol::console_socket::ToConsole;
    use time::OffsetDateTime;

    use super::*;
    use crate::live::reduce::{Input, Moment, reduce};

    fn at(ms: i64) -> Moment {
        Moment {
            now: UnixMicros(ms * 1_000),
            chance: 0.5,
        }
    }

    fn redis() -> Degradation {
        Degradation {
            part: "redis".to_owned(),
            words: "Live work, video and stop are not affected.".to_owned(),
            since: OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(871),
        }
    }

    fn hear(model: &mut Model, frame: ToConsole) {
        reduce(model, Input::Heard(Box::new(frame)), at(0));
    }

    fn live(degraded: Vec<Degradation>) -> Model {
        let mut model = Model::default();
        reduce(&mut model, Input::Start, at(0));
        reduce(&mut model, Input::SocketOpened, at(0));
        let snapshot = ToConsole::Snapshot {
            robots: Vec::new(),
            degraded,
            commands: Vec::new(),
            assists: Vec::new(),
            controls: None,
        };
        hear(&mut model, snapshot);
        model
    }

    #[test]
    fn a_part_that_is_lost_is_told_in_plain_words_until_it_is_back() {
        let mut model = live(Vec::new());
        assert!(banners(&model, at(0).now).is_empty());
        assert_eq!(systems(&model).words, "Systems normal");

        hear(
            &mut model,
            ToConsole::Degraded {
                degraded: vec![redis()],
            },
        );
        let told = banners(&model, at(9_000).now);
        let word = systems(&model);
        hear(
            &mut model,
            ToConsole::Degraded {
                degraded: Vec::new(),
            },
        );

        assert_eq!(told.len(), 1);
        assert_eq!(told[0].tone, Tone::Caution);
        assert_eq!(told[0].what, "Presence store degraded since 14:31 UTC.");
        assert_eq!(told[0].rest, "Live work, video and stop are not affected.");
        assert_eq!(
            (word.tone, word.words.as_str()),
            (Tone::Caution, "Presence store degraded")
        );
        assert!(banners(&model, at(9_000).now).is_empty());
        assert_eq!(systems(&model).tone, Tone::Calm);
    }

    #[test]
    fn a_page_that_is_opened_while_a_part_is_lost_says_so_too() {
        let model = live(vec![redis()]);

        assert_eq!(banners(&model, at(0).now).len(), 1);
    }

    #[test]
    fn what_came_back_while_the_gateway_was_lost_is_told_no_longer() {
        let mut model = live(vec![redis()]);

        reduce(&mut model, Input::SocketClosed, at(0));
        let hiccup = banners(&model, at(600).now);
        let lost = banners(&model, at(800).now);
        reduce(&mut model, Input::TryNow, at(900));
        reduce(&mut model, Input::SocketOpened, at(900));
        let snapshot = ToConsole::Snapshot {
            robots: Vec::new(),
            degraded: Vec::new(),
            commands: Vec::new(),
            assists: Vec::new(),
            controls: None,
        };
        hear(&mut model, snapshot);

        assert_eq!(hiccup[0].tone, Tone::Caution);
        assert_eq!(lost.len(), 1);
        assert_eq!(
            (lost[0].tone, lost[0].action),
            (Tone::Alarm, Some(Action::TryNow))
        );
        assert!(banners(&model, at(1_000).now).is_empty());
    }
}
