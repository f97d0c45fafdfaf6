//! Calls for help as the fleet page tells them: who waits, how long, and who is helped by whom.

use protocol::{AssistId, JobId, PersonId, RobotId, UnixMicros, views::AssistView};

use crate::{
    grade::Tone,
    live::{clock::micros_to_ms, commands::micros_of, model::Model, work::is_waiting},
    words,
};

/// A call as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct CallFace {
    /// Which call.
    pub assist: AssistId,
    /// Of which job.
    pub job: JobId,
    /// Of which robot.
    pub robot: RobotId,
    /// The robot's name.
    pub name: String,
    /// "Which grasp for the mug?"
    pub question: String,
    /// The job's title.
    pub title: String,
    /// How long it has waited, or been helped: "01:16".
    pub waited: String,
    /// Share of the time for an answer that is used, 0 to 1.
    pub used: f64,
    /// Grey, amber from half of it, red when late.
    pub tone: Tone,
    /// "12 s late", or the time there was for an answer.
    pub limit: String,
    /// Who has it.
    pub by: String,
    /// Whether it is the reader's own.
    pub is_mine: bool,
}

/// All calls of a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueueFace {
    /// Those that wait, the latest of them first.
    pub waiting: Vec<CallFace>,
    /// Those that somebody took.
    pub helped: Vec<CallFace>,
}

/// The calls, as `me` sees them.
pub fn queue(model: &Model, me: Option<PersonId>, now: UnixMicros) -> QueueFace {
    let faces = model.assists.values().map(|call| {
        let face = face(call, me, now.plus(model.clock.gateway_ahead_us()));
        (call.answer_by, is_waiting(call.phase), face)
    });
    let mut faces: Vec<_> = faces.collect();
    faces.sort_by_key(|(answer_by, _, face)| (*answer_by, face.assist));
    let (waiting, helped): (Vec<_>, Vec<_>) = faces
        .into_iter()
        .partition(|(_, is_waiting, _)| *is_waiting);
    let only_faces = |all: Vec<(_, _, CallFace)>| all.into_iter().map(|(_, _, face)| face);
    QueueFace {
        waiting: only_faces(waiting).collect(),
        helped: only_faces(helped).collect(),
    }
}

/// How many calls wait for somebody.
pub fn waiting(model: &Model) -> usize {
    let calls = model.assists.values();
    calls.filter(|call| is_waiting(call.phase)).count()
}

/// The call of a robot, if one is open.
pub fn call_of(model: &Model, robot: RobotId) -> Option<&AssistView> {
    model.assists.values().find(|call| call.robot == robot)
}

/// A call at a moment of the gateway's clock.
pub fn face(call: &AssistView, me: Option<PersonId>, gateway_now: UnixMicros) -> CallFace {
    let since = micros_of(call.requested_at);
    let limit_ms = micros_to_ms(micros_of(call.answer_by).since(since)).max(1.0);
    let waited_ms = micros_to_ms(gateway_now.since(since)).max(0.0);
    let used = waited_ms / limit_ms;
    let (tone, limit) = if used > 1.0 {
        let late = words::delay(waited_ms - limit_ms);
        (Tone::Alarm, format!("{late} late"))
    } else if used >= 0.5 {
        (Tone::Caution, stopwatch(limit_ms))
    } else {
        (Tone::Calm, stopwatch(limit_ms))
    };
    CallFace {
        assist: call.assist,
        job: call.job,
        robot: call.robot,
        name: call.robot_name.clone(),
        question: call.question.words.clone(),
        title: call.title.clone(),
        waited: stopwatch(waited_ms),
        used: used.min(1.0),
        tone,
        limit,
        by: call.operator_name.clone().unwrap_or_default(),
        is_mine: me.is_some() && call.operator == me,
    }
}

/// Minutes and seconds of a span: "03:12". From an hour on the hours stand before them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a span of seconds that a person waits"
)]
pub fn stopwatch(ms: f64) -> String {
    let seconds = (ms / 1_000.0).max(0.0) as i64;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        OrganisationId, SiteId,
        assist::{AssistPhase, AssistQuestion, AssistReason},
    };
    use time::{Duration, OffsetDateTime};
    use uuid::Uuid;

    use super::*;

    const ME: PersonId = PersonId(Uuid::from_u128(5));

    fn call(number: u128, phase: AssistPhase, since_s: i64) -> AssistView {
        let requested_at = OffsetDateTime::UNIX_EPOCH + Duration::seconds(since_s);
        AssistView {
            assist: AssistId(Uuid::from_u128(number)),
            job: JobId(Uuid::from_u128(9)),
            title: "Reset Room 3".to_owned(),
            site: SiteId(Uuid::from_u128(2)),
            organisation: OrganisationId(Uuid::from_u128(1)),
            robot: RobotId(Uuid::from_u128(number)),
            robot_name: "Juniper".to_owned(),
            question: AssistQuestion {
                reason: AssistReason::Unsure,
                words: "Which grasp?".to_owned(),
                options: Vec::new(),
                camera: "head".to_owned(),
            },
            phase,
            requested_at,
            answer_by: requested_at + Duration::seconds(180),
            operator: (phase == AssistPhase::Active).then_some(ME),
            operator_name: None,
            option: None,
            ended_at: None,
        }
    }

    fn at(seconds: i64) -> UnixMicros {
        UnixMicros(seconds * 1_000_000)
    }

    #[test]
    fn the_wait_turns_amber_at_half_its_time_and_red_when_it_is_over() {
        let table = [
            (0, Tone::Calm, "00:00", "03:00"),
            (89, Tone::Calm, "01:29", "03:00"),
            (90, Tone::Caution, "01:30", "03:00"),
            (180, Tone::Caution, "03:00", "03:00"),
            (192, Tone::Alarm, "03:12", "12\u{a0}s late"),
            (3_725, Tone::Alarm, "1:02:05", "59\u{a0}min late"),
        ];
        for (seconds, tone, waited, limit) in table {
            let face = face(&call(1, AssistPhase::Offered, 0), None, at(seconds));
            assert_eq!(
                (face.tone, face.waited.as_str(), face.limit.as_str()),
                (tone, waited, limit),
                "{seconds}"
            );
        }
    }

    #[test]
    fn who_is_late_soonest_comes_first_and_who_is_helped_waits_no_longer() {
        let mut model = Model::default();
        for call in [
            call(1, AssistPhase::Offered, 20),
            call(2, AssistPhase::Escalated, 10),
            call(3, AssistPhase::Active, 0),
        ] {
            model.assists.insert(call.assist, call);
        }

        let queue = queue(&model, Some(ME), at(30));

        let ids = |faces: &[CallFace]| -> Vec<u128> {
            faces.iter().map(|face| face.assist.0.as_u128()).collect()
        };
        assert_eq!(
            (ids(&queue.waiting), ids(&queue.helped)),
            (vec![2, 1], vec![3])
        );
        assert_eq!(waiting(&model), 2);
        assert!(queue.helped[0].is_mine && !queue.waiting[0].is_mine);
    }
}
