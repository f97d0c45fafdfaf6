//! A robot's signed word on what was asked of it, as it is told: what was asked, what came of it, and by which picture.

use protocol::{
    command::{FrameSeen, Outcome},
    drive::{Clamp, Disarm, DriveSegment, DriveStep, StopCause, Twist},
    picture::{Clip, ClipHash, PictureSeen},
    robot::SiteMap,
    views::{ReceiptSaid, ReceiptView},
};

use crate::{driving, grade::Tone, telling, telling::Shape, words};

/// One receipt of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptFace {
    /// "Drive to Room 3 door".
    pub what: String,
    /// "Held back: keeps out of bed".
    pub outcome: String,
    /// Its shape.
    pub shape: Shape,
    /// How loudly.
    pub tone: Tone,
    /// Who asked; empty for what nobody asked.
    pub by: String,
}

impl ReceiptFace {
    /// What is told of a receipt.
    pub fn of(view: &ReceiptView, map: Option<&SiteMap>) -> Self {
        let (outcome, shape, tone) = outcome(&view.said);
        let command = view.command.as_ref();
        let what = match (&view.said, command) {
            (ReceiptSaid::Command(_), Some(command)) => telling::verb(&command.verb, map),
            (ReceiptSaid::Command(_), None) => "A command nobody gave here".to_owned(),
            (ReceiptSaid::Drive(_), _) => "Driven by keyboard".to_owned(),
            (ReceiptSaid::Stop { .. }, _) => "Stopped by itself".to_owned(),
        };
        Self {
            what,
            outcome,
            shape,
            tone,
            by: command.map_or_else(String::new, |command| command.issued_by_name.clone()),
        }
    }
}

fn outcome(said: &ReceiptSaid) -> (String, Shape, Tone) {
    match said {
        ReceiptSaid::Command(receipt) => match receipt.outcome {
            Outcome::Accepted => ("Accepted".to_owned(), Shape::Running, Tone::Calm),
            Outcome::Done => ("Done".to_owned(), Shape::Done, Tone::Ok),
            Outcome::Refused { reason } => (
                format!("Refused: {}", reason.words()),
                Shape::No,
                Tone::Alarm,
            ),
            Outcome::Abandoned { reason } => (
                format!("Given up: {}", telling::abandoned(reason)),
                Shape::No,
                Tone::Caution,
            ),
        },
        ReceiptSaid::Drive(segment) => drive_outcome(segment),
        ReceiptSaid::Stop { cause, .. } => {
            let why = match cause {
                StopCause::Button => "Its stop button",
                StopCause::Policy => "It did what its policy forbids",
            };
            (why.to_owned(), Shape::Still, Tone::Alarm)
        }
    }
}

fn drive_outcome(segment: &DriveSegment) -> (String, Shape, Tone) {
    if let Some(why) = segment.disarmed {
        let why = ended(why);
        return (
            format!("Driving ended: {why}"),
            Shape::Caution,
            Tone::Caution,
        );
    }
    match segment.clamp {
        Some(clamp) => (
            format!("Held back: {}", held_back(clamp, &segment.zone)),
            Shape::Caution,
            Tone::Caution,
        ),
        None => ("As asked".to_owned(), Shape::Done, Tone::Calm),
    }
}

/// Why driving ended, without the figures of the moment.
const fn ended(why: Disarm) -> &'static str {
    match why {
        Disarm::NotArmed => "armed anew",
        Disarm::DeadMan => "no word came in time",
        Disarm::StaleFrame => "the picture was too old",
        Disarm::Delay => "the delay grew too long",
        Disarm::Stopped => "the robot was stopped",
        Disarm::ControlEnded => "control ended",
        Disarm::BatteryLow => "the battery is at its floor",
        Disarm::Fault => "the robot's disk took no more records",
    }
}

/// What held it back, without the figures of the moment.
fn held_back(clamp: Clamp, zone: &str) -> String {
    match clamp {
        Clamp::TopSpeed => "it goes no faster".to_owned(),
        Clamp::Granted => "the grant allows no more".to_owned(),
        Clamp::Delay => "the delay allows no more".to_owned(),
        Clamp::PeopleNear => "a person is near".to_owned(),
        Clamp::NudgeOver => "one nudge was over".to_owned(),
        Clamp::Workspace => "edge of its workspace".to_owned(),
        Clamp::KeepOut => format!("keeps out of {zone}"),
    }
}

/// What is told of a receipt once it is opened, a name and a value each.
pub fn facts(view: &ReceiptView) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let place = |pose: protocol::robot::Pose| {
        format!(
            "{}, {}",
            words::measure(pose.x_m, 2, "m"),
            words::measure(pose.y_m, 2, "m")
        )
    };
    match &view.said {
        ReceiptSaid::Command(receipt) => {
            facts.push(("Robot's clock", words::clock_ms(receipt.at)));
            facts.push(("Where it was", place(receipt.pose)));
            if let Some(hash) = receipt.sealed_sha256 {
                facts.push(("Signed command", words::short_hash(&hash.0)));
            }
        }
        ReceiptSaid::Drive(segment) => {
            facts.push(("Robot's clock", words::clock_ms(segment.at)));
            facts.push(("Lasted", words::delay(f64::from(segment.lasts_ms))));
            facts.push(("From", place(segment.from)));
            facts.push(("To", place(segment.to)));
            let most = |pick: fn(&DriveStep) -> Twist| {
                let speeds = segment.steps.iter().map(|step| pick(step).speed_mm_s);
                speeds.max_by_key(|speed| speed.unsigned_abs())
            };
            if let (Some(asked), Some(given)) = (most(|step| step.asked), most(|step| step.given)) {
                let speed = |mm_s: i32| words::measure(f64::from(mm_s) / 1_000.0, 2, "m/s");
                facts.push(("Asked at most", speed(asked)));
                facts.push(("Given at most", speed(given)));
            }
            facts.push(("Authority", driving::step(segment.level).to_owned()));
            if let Some(delay_ms) = segment.delay_ms {
                facts.push(("Control delay", words::delay(f64::from(delay_ms))));
            }
            facts.push(("Commands", segment.steps.len().to_string()));
            facts.push((
                "Signed commands",
                words::short_hash(&segment.commands_sha256.0),
            ));
            for (reason, count) in &segment.refused {
                facts.push(("Refused", format!("{count}: {}", reason.words())));
            }
        }
        ReceiptSaid::Stop { at, pose, .. } => {
            facts.push(("Robot's clock", words::clock_ms(*at)));
            facts.push(("Where it was", place(*pose)));
        }
    }
    facts.push(("In the log", format!("event {} of the robot", view.number)));
    facts
}

/// What can be shown of the picture that the person saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// No picture was on the page, or the browser named no frame: nothing to show.
    None {
        /// Why not.
        words: &'static str,
    },
    /// The robot took no such picture.
    Foreign {
        /// As the page named it.
        frame: FrameSeen,
    },
    /// The robot knows it, and did not keep it.
    Known {
        /// As the page named it.
        frame: FrameSeen,
    },
    /// It is kept.
    Kept {
        /// As the page named it.
        frame: FrameSeen,
        /// Under which name.
        clip: ClipHash,
        /// Whether the robot has brought it.
        is_here: bool,
    },
}

impl Sight {
    /// What there is of a receipt.
    pub fn of(view: &ReceiptView) -> Self {
        let (frame, picture) = view.said.sight();
        let (Some(frame), picture) = (frame.cloned(), picture) else {
            let words = match &view.said {
                ReceiptSaid::Command(receipt) if receipt.sealed_sha256.is_some() => {
                    "No picture was on the page."
                }
                ReceiptSaid::Command(_) | ReceiptSaid::Stop { .. } => "No picture belongs to this.",
                ReceiptSaid::Drive(_) => "No picture was on the page.",
            };
            return Self::None { words };
        };
        match picture {
            Some(PictureSeen::Kept { clip }) => Self::Kept {
                frame,
                clip,
                is_here: view.clip_is_here,
            },
            Some(PictureSeen::Known) => Self::Known { frame },
            Some(PictureSeen::Unknown) => Self::Foreign { frame },
            None => Self::None {
                words: if frame.sha256.is_some() {
                    "The robot keeps the picture of where something new held it back, and of where driving ended."
                } else {
                    "The browser named the picture by its time alone."
                },
            },
        }
    }
}

/// A clip is another than the robot named, or its last frame another than the person signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Another;

/// Looks at a clip: its bytes hash to what the robot's receipt says, its last frame to what the person signed.
pub fn look(bytes: &[u8], named: ClipHash, frame: &FrameSeen) -> Result<Clip, Another> {
    if ClipHash::of(bytes) != named {
        return Err(Another);
    }
    let clip = Clip::from_bytes(bytes).map_err(|_unreadable| Another)?;
    if frame.sha256.is_none() || clip.seen() != frame.sha256 {
        return Err(Another);
    }
    Ok(clip)
}

/// How `WebCodecs` calls the encoding of an H.264 stream (RFC 6381): by the first three bytes of its sequence parameters.
pub fn h264_name(key_frame: &[u8]) -> Option<String> {
    const SEQUENCE_PARAMETERS: u8 = 7;
    let begins = key_frame
        .windows(4)
        .position(|four| four[..3] == [0, 0, 1] && four[3] & 0x1f == SEQUENCE_PARAMETERS)?;
    let [profile, flags, level] = *key_frame.get(begins + 4..)?.first_chunk::<3>()?;
    Some(format!("avc1.{profile:02x}{flags:02x}{level:02x}"))
}

#[cfg(test)]
mod tests {
    use protocol::{
        CommandId, UnixMicros,
        command::{Receipt, RobotRefusal},
        picture::{ClipFrame, FrameHash},
        robot::{Codec, Pose},
    };
    use uuid::Uuid;

    use super::*;

    fn frame(sha256: Option<FrameHash>) -> FrameSeen {
        FrameSeen {
            camera: "head".to_owned(),
            captured_at: UnixMicros(5),
            age_ms: 48,
            sha256,
        }
    }

    fn receipt(
        outcome: Outcome,
        frame: Option<FrameSeen>,
        picture: Option<PictureSeen>,
    ) -> ReceiptView {
        ReceiptView {
            number: 7,
            recorded_at: time::OffsetDateTime::UNIX_EPOCH,
            said: ReceiptSaid::Command(Box::new(Receipt {
                command: CommandId(Uuid::nil()),
                outcome,
                tick_ms: 1,
                at: UnixMicros(1),
                pose: Pose::default(),
                sealed_sha256: None,
                frame,
                picture,
            })),
            command: None,
            clip_is_here: true,
        }
    }

    fn clip() -> Clip {
        let frame = |byte| ClipFrame {
            captured_at: UnixMicros(byte),
            bytes: vec![u8::try_from(byte).unwrap(); 9],
        };
        Clip {
            camera: "head".to_owned(),
            codec: Codec::H264,
            frames: vec![frame(1), frame(2)],
        }
    }

    #[test]
    fn only_the_very_frame_that_was_signed_is_shown() {
        let bytes = clip().to_bytes().unwrap();
        let named = ClipHash::of(&bytes);
        let seen = clip().seen();

        assert_eq!(look(&bytes, named, &frame(seen)), Ok(clip()));
        let other = Some(FrameHash::of(b"another"));
        assert_eq!(look(&bytes, named, &frame(other)), Err(Another));
        assert_eq!(look(&bytes, named, &frame(None)), Err(Another));
        let mut altered = bytes;
        altered[40] ^= 1;
        assert_eq!(look(&altered, named, &frame(seen)), Err(Another));
    }

    #[test]
    fn a_picture_that_the_robot_never_took_is_told_loudest() {
        let refused = Outcome::Refused {
            reason: RobotRefusal::UnknownFrame,
        };
        let named = frame(Some(FrameHash([1; 32])));
        let view = receipt(refused, Some(named.clone()), Some(PictureSeen::Unknown));

        let face = ReceiptFace::of(&view, None);

        assert_eq!(face.tone, Tone::Alarm);
        assert_eq!(Sight::of(&view), Sight::Foreign { frame: named });
    }

    #[test]
    fn what_can_be_shown_depends_on_what_the_robot_kept() {
        let named = || Some(frame(Some(FrameHash([1; 32]))));
        let clip = ClipHash([2; 32]);
        let of = |picture| Sight::of(&receipt(Outcome::Accepted, named(), picture));

        assert!(matches!(
            of(Some(PictureSeen::Kept { clip })),
            Sight::Kept { is_here: true, .. }
        ));
        assert!(matches!(of(Some(PictureSeen::Known)), Sight::Known { .. }));
        assert!(matches!(of(None), Sight::None { .. }));
        let nothing = Sight::of(&receipt(Outcome::Done, None, None));
        assert!(matches!(nothing, Sight::None { .. }));
    }

    #[test]
    fn a_stream_is_called_by_its_sequence_parameters() {
        let key = [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 9, 0, 0, 0, 1, 0x65];
        assert_eq!(h264_name(&key).as_deref(), Some("avc1.42c01f"));
        assert_eq!(h264_name(&key[..6]), None);
        assert_eq!(h264_name(&[0, 0, 0, 1, 0x65, 1, 2, 3]), None);
    }
}
