//! The call for help on the live page: the face of its panel, its keys and its wishes.

use leptos::prelude::*;
use protocol::{
    AssistId, JobId, PersonId, RobotId, UnixMicros,
    assist::{AssistPhase, AssistReason},
    views::AssistView,
};

use super::{helping::Doing, watch::Watch};
use crate::{
    keys,
    live::{engine::Live, model::Model},
    navigation::Navigation,
    panels::call::{AnswerFace, AnswerWishes, Call, Holder},
    queue,
    session::Session,
};

/// The panel of the robot's call, while there is one.
#[component]
pub(super) fn Answering(watch: Watch) -> impl IntoView {
    let live = watch.live;
    let robot = watch.id;
    let session = expect_context::<Session>();
    let navigation = expect_context::<Navigation>();
    let doing = Doing::new(live);
    let face = Memo::new(move |_| {
        let me = session.person();
        live.at_glance(|model, now| face(model, robot, me, now))
    });
    let may_claim = Memo::new(move |_| session.helps());
    let is_stale = Memo::new(move |_| watch.large_picture().is_stale());
    let claim = move || {
        if let Some((call, job, is_taken)) = here(live, robot) {
            if is_taken {
                doing.start(call, job);
            } else {
                doing.claim(navigation, call, job, robot);
            }
        }
    };
    let is_mine = move || {
        face.with_untracked(|face| face.as_ref().is_some_and(|face| face.holder == Holder::Me))
    };
    let answer = move |option: usize| {
        if let Some((call, job, _)) = here(live, robot) {
            doing.answer(call, job, option);
        }
    };
    let end = move |is_helped: bool| {
        if let Some((call, job, _)) = here(live, robot) {
            doing.end(call, job, is_helped);
        }
    };
    keys::on_key(move |key| match key.name.as_bytes() {
        [digit @ b'1'..=b'9'] if is_mine() => {
            let option = usize::from(digit - b'1');
            let count =
                face.with_untracked(|face| face.as_ref().map_or(0, |face| face.options.len()));
            let is_open =
                face.with_untracked(|face| face.as_ref().is_some_and(|face| face.chosen.is_none()));
            if option < count && is_open {
                answer(option);
            }
            option < count
        }
        b"h" | b"H" if is_mine() => {
            end(true);
            true
        }
        _ => false,
    });
    let wishes = AnswerWishes {
        claim: Callback::new(move |()| claim()),
        answer: Callback::new(answer),
        end: Callback::new(end),
    };
    view! { <Call face may_claim is_busy=doing.is_busy is_stale trouble=doing.trouble wishes /> }
}

fn face(
    model: &Model,
    robot: RobotId,
    me: Option<PersonId>,
    now: UnixMicros,
) -> Option<AnswerFace> {
    let call = queue::call_of(model, robot)?;
    let told = queue::face(call, me, now.plus(model.clock.gateway_ahead_us()));
    Some(AnswerFace {
        question: told.question,
        reason: reason(call.question.reason),
        options: call.question.options.clone(),
        chosen: call.option.and_then(|option| usize::try_from(option).ok()),
        holder: holder(call, told.is_mine),
        waited: told.waited,
        tone: told.tone,
    })
}

/// The robot's call, its job, and whether somebody took it.
fn here(live: Live, robot: RobotId) -> Option<(AssistId, JobId, bool)> {
    live.peek(|model| {
        let call = queue::call_of(model, robot)?;
        Some((call.assist, call.job, call.phase == AssistPhase::Claimed))
    })
}

fn holder(call: &AssistView, is_mine: bool) -> Holder {
    match call.phase {
        AssistPhase::Claimed if is_mine => Holder::MeNotBegun,
        AssistPhase::Active if is_mine => Holder::Me,
        AssistPhase::Claimed | AssistPhase::Active => Holder::Other(
            call.operator_name
                .clone()
                .unwrap_or_else(|| "Somebody".to_owned()),
        ),
        AssistPhase::Opened
        | AssistPhase::Offered
        | AssistPhase::Escalated
        | AssistPhase::Resolved
        | AssistPhase::GivenUp
        | AssistPhase::Expired => Holder::Nobody,
    }
}

const fn reason(reason: AssistReason) -> &'static str {
    match reason {
        AssistReason::Unsure => "Not sure enough",
        AssistReason::Blocked => "Finds no way",
        AssistReason::Stalled => "Was not heard of",
        AssistReason::Asked => "A person asked for help",
    }
}
