//! Who steers the robot on screen: the face of the bar's field, the words that go with some acts, and the acts themselves.

use std::time::Duration;

use leptos::{html, prelude::*, task::spawn_local};
use protocol::{
    RobotId,
    control::ControlEvent,
    limits::MAX_NOTE_CHARS,
    views::{Problem, Role},
};

use crate::{
    acts::{Acts, acts},
    control::{self, ControlFace, Deed},
    live::{engine::Live, reduce::Input},
    panels::control::ControlParts,
    session::Session,
};

/// How long a refusal stays in the bar.
const TROUBLE_SHOWN_FOR: Duration = Duration::from_secs(8);

/// The robot that is selected, and what is wished about who steers it.
#[derive(Clone, Copy)]
pub(super) struct Steering {
    acts: Acts,
    live: Live,
    session: Session,
    face: Memo<Option<ControlFace>>,
    is_busy: RwSignal<bool>,
    trouble: RwSignal<Option<Problem>>,
    /// For which act words are being written.
    asks: RwSignal<Option<Deed>>,
}

impl Steering {
    /// Nothing wished yet.
    pub(super) fn new(live: Live) -> Self {
        let session: Session = expect_context();
        let face = Memo::new(move |_| {
            let me = session.person();
            let may = (session.helps(), session.has_role(&[Role::Supervisor]));
            live.at_glance(|model, now| {
                let robot = model.selected?;
                Some(control::face(model, robot, me, may, now))
            })
        });
        Self {
            acts: acts(),
            live,
            session,
            face,
            is_busy: RwSignal::new(false),
            trouble: RwSignal::new(None),
            asks: RwSignal::new(None),
        }
    }

    /// What the bar draws.
    pub(super) fn parts(self) -> ControlParts {
        ControlParts {
            face: self.face,
            is_busy: self.is_busy,
            trouble: self.trouble,
            on_deed: Callback::new(move |deed| self.wish(deed)),
        }
    }

    /// Whether the selected robot is steered from here, followed.
    pub(super) fn is_here(self) -> bool {
        self.face
            .with(|face| face.as_ref().is_some_and(|face| face.is_here))
    }

    /// Does the act of this key, if it is offered now.
    pub(super) fn press(self, key: &str) -> bool {
        let deed = self.face.with_untracked(|face| {
            let mut deeds = face.as_ref()?.deeds.iter().copied();
            deeds.find(|deed| deed.key().is_some_and(|its| its.eq_ignore_ascii_case(key)))
        });
        if let Some(deed) = deed
            && !self.is_busy.get_untracked()
        {
            self.wish(deed);
        }
        deed.is_some()
    }

    fn wish(self, deed: Deed) {
        match deed {
            Deed::Ask | Deed::HandOver | Deed::TakeOver => self.asks.set(Some(deed)),
            Deed::Take => self.act(ControlEvent::Claimed {}),
            Deed::Withdraw => self.act(ControlEvent::Withdrawn {}),
            Deed::Keep => self.act(ControlEvent::Declined {
                words: String::new(),
            }),
            Deed::Release => self.act(ControlEvent::Released {}),
        }
    }

    /// The act that words were written for.
    fn say(self, deed: Deed, words: String) {
        let Some(robot) = self.live.peek(|model| model.selected) else {
            return;
        };
        let asker = self.live.peek(|model| {
            let request = model.controls.of(robot)?.request.as_ref()?;
            Some(request.person)
        });
        match (deed, asker) {
            (Deed::Ask, _) => self.act(ControlEvent::Requested { words }),
            (Deed::TakeOver, _) => self.act(ControlEvent::TakenOver { reason: words }),
            (Deed::HandOver, Some(to)) => self.act(ControlEvent::HandedOver { to, note: words }),
            // Who asked took it back meanwhile; the bar says so.
            (Deed::HandOver, None)
            | (Deed::Take | Deed::Withdraw | Deed::Keep | Deed::Release, _) => {}
        }
    }

    fn act(self, event: ControlEvent) {
        let Some(robot) = self.live.peek(|model| model.selected) else {
            return;
        };
        self.is_busy.set(true);
        self.trouble.set(None);
        spawn_local(async move {
            let trouble = self.send(robot, event).await.err();
            let is_told = trouble.is_some();
            // Whoever asked may have signed out by now.
            let _told = self.is_busy.try_set(false);
            let _told = self.trouble.try_set(trouble);
            if is_told {
                set_timeout(
                    move || {
                        let _told = self.trouble.try_set(None);
                    },
                    TROUBLE_SHOWN_FOR,
                );
            }
        });
    }

    async fn send(self, robot: RobotId, event: ControlEvent) -> Result<(), Problem> {
        let role = match event {
            ControlEvent::TakenOver { .. } => Role::Supervisor,
            _ => self.session.helping_role(),
        };
        let (view, seat) = self.acts.on_control(robot, event, role).await?;
        // First: what is steered from here is told apart by it.
        self.live.tell(Input::Seat(seat));
        self.live.tell(Input::Control(Box::new(view)));
        Ok(())
    }
}

/// Title, label, and whether something has to be said.
const fn question(deed: Deed) -> (&'static str, &'static str, bool) {
    match deed {
        Deed::HandOver => ("Hand over", "What should they know?", false),
        Deed::TakeOver => ("Take over", "Why? Goes in the log", true),
        Deed::Ask | Deed::Take | Deed::Withdraw | Deed::Keep | Deed::Release => {
            ("Ask for control", "Why?", false)
        }
    }
}

/// Where words are written that go with an act. Stands above the safety bar and covers none of it.
#[component]
pub(super) fn Say(steering: Steering) -> impl IntoView {
    let asks = steering.asks;
    move || asks.get().map(|deed| view! { <SayForm steering deed /> })
}

#[component]
fn SayForm(steering: Steering, deed: Deed) -> impl IntoView {
    let (title, label, is_needed) = question(deed);
    let words = RwSignal::new(String::new());
    let is_missing = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // A form that can't take the focus still shows.
            let _focused = field.focus();
        }
    });
    let close = move || steering.asks.set(None);
    let send = move || {
        let words = words.get_untracked().trim().to_owned();
        if is_needed && words.is_empty() {
            is_missing.set(true);
            return;
        }
        close();
        steering.say(deed, words);
    };
    view! {
        <form
            class="say"
            role="dialog"
            aria-labelledby="say-title"
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    event.stop_propagation();
                    event.prevent_default();
                    close();
                }
            }
        >
            <h2 id="say-title">{title}</h2>
            <label for="say-words">
                {label} {(!is_needed).then_some(" ")}
                {(!is_needed).then(|| view! { <span class="faint">"May stay empty"</span> })}
            </label>
            <input
                id="say-words"
                class="field"
                autocomplete="off"
                maxlength=MAX_NOTE_CHARS.to_string()
                node_ref=field
                aria-invalid=move || is_missing.get().then_some("true")
                aria-describedby="say-trouble"
                on:input:target=move |event| {
                    words.set(event.target().value());
                    is_missing.set(false);
                }
            />
            <p id="say-trouble" class="alarm" role="status">
                {move || is_missing.get().then_some("Say why: it is shown to who has control.")}
            </p>
            <div class="line">
                <button class="button button--primary" type="submit">
                    {deed.words()}
                    <kbd>"Enter"</kbd>
                </button>
                <button class="button" type="button" on:click=move |_| close()>
                    "Cancel"
                    <kbd>"Esc"</kbd>
                </button>
            </div>
        </form>
    }
}
