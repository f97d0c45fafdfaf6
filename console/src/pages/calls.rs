//! The calls for help on the fleet page: what is shown of them, and what is done to them.

use leptos::prelude::*;
use protocol::RobotId;

use super::helping::Doing;
use crate::{
    live::{engine::Live, reduce::Input},
    navigation::Navigation,
    panels::calls::{CallWishes, Calls},
    queue::{self, CallFace, QueueFace},
    session::Session,
};

/// The calls, for the page and its keys.
#[derive(Clone, Copy)]
pub(super) struct CallsHere {
    navigation: Navigation,
    face: Memo<QueueFace>,
    may_claim: Memo<bool>,
    doing: Doing,
}

impl CallsHere {
    /// Of the page that is being opened.
    pub(super) fn new(live: Live) -> Self {
        let session = expect_context::<Session>();
        let face = Memo::new(move |_| {
            let me = session.person();
            // A call shows as soon as it comes; its clock ticks with everything else.
            live.read(|model| model.assists.len());
            live.at_glance(|model, now| queue::queue(model, me, now))
        });
        Self {
            navigation: expect_context(),
            face,
            may_claim: Memo::new(move |_| session.helps()),
            doing: Doing::new(live),
        }
    }

    /// The robot that waits first: its still is on screen.
    pub(super) fn first_robot(self) -> Option<RobotId> {
        self.face.with(|face| Some(face.waiting.first()?.robot))
    }

    /// Takes the call at a place in the queue. Says whether there is one to take.
    pub(super) fn claim_at(self, place: usize) -> bool {
        let call = self
            .face
            .with_untracked(|face| face.waiting.get(place).cloned());
        let call = call.filter(|_| self.may_claim.get_untracked());
        if let Some(call) = &call {
            self.claim(call);
        }
        call.is_some()
    }

    /// Sound off, or on.
    pub(super) fn mute(self) {
        let is_muted = self.doing.live.peek(|model| model.is_muted);
        self.doing.live.tell(Input::Mute(!is_muted));
    }

    fn claim(self, call: &CallFace) {
        self.doing.live.tell(Input::Select(Some(call.robot)));
        self.doing
            .claim(self.navigation, call.assist, call.job, call.robot);
    }
}

/// Draws them.
#[component]
pub(super) fn CallsPanel(calls: CallsHere, open: Callback<RobotId>) -> impl IntoView {
    let live = calls.doing.live;
    let still = Memo::new(move |_| {
        let robot = calls.first_robot()?;
        // A robot that is away shows nothing of now.
        live.at_glance(|model, _| {
            let robot = model.robot(robot).filter(|robot| robot.is_online())?;
            Some(robot.still.as_ref()?.url.clone())
        })
    });
    let is_muted = Memo::new(move |_| live.read(|model| model.is_muted));
    let wishes = CallWishes {
        claim: Callback::new(move |call: CallFace| calls.claim(&call)),
        watch: open,
        mute: Callback::new(move |()| calls.mute()),
    };
    view! {
        <Calls
            face=calls.face
            may_claim=calls.may_claim
            is_busy=calls.doing.is_busy
            is_muted
            still
            trouble=calls.doing.trouble
            wishes
        />
    }
}
