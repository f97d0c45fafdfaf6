//! Who steers the robot on screen: the face of the bar's field, the words that go with some acts, and the acts themselves.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the error is that of a part that does not come"
)]

use std::time::Duration;

use leptos::{html, prelude::*, task::spawn_local, wasm_split::wasm_split};
use protocol::{
    PersonId, RobotId,
    control::ControlEvent,
    limits::MAX_NOTE_CHARS,
    views::{Problem, Role},
};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::{
    acts::{Acts, acts},
    api,
    control::{self, ControlFace, Deed},
    later::{self, NotLoaded},
    live::{engine::Live, granting::GrantNews, model::Model, reduce::Input},
    panels::control::ControlParts,
    session::Session,
};

/// Who may steer; a supervisor is an operator, too.
const HELPERS: [Role; 2] = [Role::Operator, Role::Supervisor];

/// How long a refusal stays in the bar.
const TROUBLE_SHOWN_FOR: Duration = Duration::from_secs(8);

/// An act that goes with words, as it was meant when somebody began to write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    deed: Deed,
    robot: RobotId,
    robot_name: String,
    /// Under which epoch it was steered then.
    epoch: u64,
    /// Whom it is about: who asks, or who has control.
    person: PersonId,
    person_name: String,
}

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
    asks: RwSignal<Option<Asking>>,
}

impl Steering {
    /// Nothing wished yet.
    pub(super) fn new(live: Live) -> Self {
        let session: Session = expect_context();
        let face = Memo::new(move |_| {
            let me = session.person();
            live.at_glance(|model, now| {
                let robot = model.selected_robot()?;
                let (id, site) = (robot.view.robot, robot.view.site);
                let may = (
                    session.role_at(site, &HELPERS).is_some(),
                    session.role_at(site, &[Role::Supervisor]).is_some(),
                );
                Some(control::face(model, id, me, may, now))
            })
        });
        let steering = Self {
            acts: acts(),
            live,
            session,
            face,
            is_busy: RwSignal::new(false),
            trouble: RwSignal::new(None),
            asks: RwSignal::new(None),
        };
        // Words that were meant for one are never sent to another.
        Effect::new(move |_| {
            let still = steering.asks.get().filter(|asking| {
                live.at_glance(|model, _| meant(model, asking.deed).as_ref() == Some(asking))
            });
            if still.is_none() && steering.asks.with_untracked(Option::is_some) {
                steering.asks.set(None);
            }
        });
        Effect::new(move |before: Option<u32>| {
            let losses = steering.acts.key_losses();
            if before.is_some_and(|before| before != losses) {
                live.tell(Input::Seat(None));
            }
            losses
        });
        steering
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
        let Some(robot) = self.live.peek(|model| model.selected) else {
            return;
        };
        match deed {
            Deed::Ask | Deed::HandOver | Deed::TakeOver => {
                self.asks.set(self.live.peek(|model| meant(model, deed)));
            }
            Deed::Take => self.act(robot, ControlEvent::Claimed {}),
            Deed::Withdraw => self.act(robot, ControlEvent::Withdrawn {}),
            Deed::Keep => {
                if let Some(asking) = self.live.peek(|model| meant(model, Deed::HandOver)) {
                    let (to, words) = (asking.person, String::new());
                    self.act(robot, ControlEvent::Declined { to, words });
                }
            }
            Deed::Release => {
                let waits = self
                    .live
                    .peek(|model| control::hand_back_waits(model, robot));
                match waits {
                    Some(why) => self.tell(api::problem(409, "not_yet", "Not yet", &why)),
                    None => self.act(robot, ControlEvent::Released {}),
                }
            }
            Deed::Passkey | Deed::BrowserKey => {
                let with_browser_key = deed == Deed::BrowserKey;
                self.live.tell(Input::Grant(GrantNews::Chosen {
                    robot,
                    with_browser_key,
                }));
            }
        }
    }

    /// The act that words were written for.
    fn say(self, asking: &Asking, words: String) {
        let event = match asking.deed {
            Deed::HandOver => ControlEvent::HandedOver {
                to: asking.person,
                note: words,
            },
            Deed::TakeOver => ControlEvent::TakenOver {
                epoch: asking.epoch,
                reason: words,
            },
            Deed::Ask
            | Deed::Take
            | Deed::Withdraw
            | Deed::Keep
            | Deed::Release
            | Deed::Passkey
            | Deed::BrowserKey => ControlEvent::Requested { words },
        };
        self.act(asking.robot, event);
    }

    fn act(self, robot: RobotId, event: ControlEvent) {
        self.is_busy.set(true);
        self.trouble.set(None);
        spawn_local(async move {
            let trouble = self.send(robot, event).await.err();
            // Whoever asked may have signed out by now.
            let _told = self.is_busy.try_set(false);
            if let Some(problem) = trouble {
                self.tell(problem);
            }
        });
    }

    /// Says for a while why nothing came of it.
    fn tell(self, problem: Problem) {
        let _told = self.trouble.try_set(Some(problem));
        set_timeout(
            move || {
                let _told = self.trouble.try_set(None);
            },
            TROUBLE_SHOWN_FOR,
        );
    }

    async fn send(self, robot: RobotId, event: ControlEvent) -> Result<(), Problem> {
        let site = (self.live).peek(|model| model.robot(robot).map(|robot| robot.view.site));
        let roles: &[Role] = match event {
            ControlEvent::TakenOver { .. } => &[Role::Supervisor],
            _ => &HELPERS,
        };
        // Who holds none there is told so by the gateway.
        let role = site.and_then(|site| untrack(|| self.session.role_at(site, roles)));
        let role = role.unwrap_or(Role::Operator);
        let (view, seat) = self.acts.on_control(robot, event, role).await?;
        // First: what is steered from here is told apart by it.
        self.live.tell(Input::Seat(Some(seat)));
        self.live.tell(Input::Control(Box::new(view)));
        Ok(())
    }
}

/// What an act with words is about at this moment; nothing where there is nobody whom it could be about.
fn meant(model: &Model, deed: Deed) -> Option<Asking> {
    let robot = model.selected_robot()?;
    let view = model.controls.of(robot.view.robot)?;
    let (person, person_name) = match deed {
        Deed::HandOver => {
            let asks = view.request.as_ref()?;
            (asks.person, asks.name.clone())
        }
        Deed::Ask
        | Deed::TakeOver
        | Deed::Take
        | Deed::Withdraw
        | Deed::Keep
        | Deed::Release
        | Deed::Passkey
        | Deed::BrowserKey => {
            let holder = view.holder.as_ref()?;
            (holder.person, holder.name.clone())
        }
    };
    Some(Asking {
        deed,
        robot: robot.view.robot,
        robot_name: robot.view.name.clone(),
        epoch: view.epoch,
        person,
        person_name,
    })
}

/// Title, label, and whether something has to be said.
fn question(asking: &Asking) -> (String, &'static str, bool) {
    let (robot, person) = (&asking.robot_name, &asking.person_name);
    match asking.deed {
        Deed::HandOver => (
            format!("Hand {robot} over to {person}"),
            "What should they know?",
            false,
        ),
        Deed::TakeOver => (
            format!("Take {robot} over from {person}"),
            "Why? Goes in the log",
            true,
        ),
        Deed::Ask
        | Deed::Take
        | Deed::Withdraw
        | Deed::Keep
        | Deed::Release
        | Deed::Passkey
        | Deed::BrowserKey => (format!("Ask {person} for {robot}"), "Why?", false),
    }
}

/// Where words are written that go with an act. Stands above the safety bar and covers none of it.
#[component]
pub(super) fn Say(steering: Steering) -> impl IntoView {
    let asks = Memo::new(move |_| steering.asks.get());
    move || {
        asks.get().map(|asking| {
            let asking = StoredValue::new(asking);
            later::page(move || say_form(steering, asking.get_value()))
        })
    }
}

/// Loaded when words are first asked for.
#[wasm_split(help, wasm_split_path = leptos::wasm_split, fallible)]
fn say_form(steering: Steering, asking: Asking) -> Result<AnyView, NotLoaded> {
    Ok(view! { <SayForm steering asking /> }.into_any())
}

#[component]
fn SayForm(steering: Steering, asking: Asking) -> impl IntoView {
    let (title, label, is_needed) = question(&asking);
    let deed = asking.deed;
    let asking = StoredValue::new(asking);
    let words = RwSignal::new(String::new());
    let is_missing = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // A form that can't take the focus still shows.
            let _focused = field.focus();
        }
    });
    let close = move || {
        steering.asks.set(None);
        to_bar();
    };
    let send = move || {
        let words = words.get_untracked().trim().to_owned();
        if is_needed && words.is_empty() {
            is_missing.set(true);
            return;
        }
        let asking = asking.get_value();
        close();
        steering.say(&asking, words);
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

/// Gives the focus back to what can be done about who steers.
fn to_bar() {
    let found = document().query_selector("[data-testid=control] button");
    if let Ok(Some(button)) = found
        && let Some(button) = button.dyn_ref::<HtmlElement>()
    {
        // A page that can't give it leaves it at its start.
        let _focused = button.focus();
    }
}
