//! Who is signed in, and the three calls about it.

use leptos::prelude::*;
use protocol::{
    PersonId, SiteId,
    views::{Problem, Role, SessionView, SignIn},
};

use crate::{api, browser};

const SESSION: &str = "/api/v1/session";

/// What is known of the sign-in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SignInState {
    /// Not asked yet.
    Unknown,
    /// Nobody is signed in.
    SignedOut(Departure),
    /// Somebody is.
    SignedIn(Box<SessionView>),
    /// The gateway could not be asked.
    Failed(Problem),
}

/// How it came that nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Nobody had been.
    NeverCame,
    /// The gateway ended the session.
    Ended,
    /// The person signed out.
    Left,
    /// The person signed out, but the gateway could not be told: the browser still holds a session.
    LeftUntold,
}

/// The sign-in, for whoever asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    state: RwSignal<SignInState>,
}

impl Session {
    /// Nothing known yet.
    pub(crate) fn new() -> Self {
        Self {
            state: RwSignal::new(SignInState::Unknown),
        }
    }

    /// What is known, followed.
    pub(crate) fn state(self) -> SignInState {
        self.state.get()
    }

    /// Who is signed in, followed.
    pub(crate) fn person(self) -> Option<PersonId> {
        self.state.with(|state| match state {
            SignInState::SignedIn(view) => Some(view.person),
            SignInState::Unknown | SignInState::SignedOut { .. } | SignInState::Failed(_) => None,
        })
    }

    /// Who is signed in and their name, followed.
    pub(crate) fn name(self) -> Option<(PersonId, String)> {
        self.state.with(|state| match state {
            SignInState::SignedIn(view) => Some((view.person, view.name.clone())),
            SignInState::Unknown | SignInState::SignedOut(_) | SignInState::Failed(_) => None,
        })
    }

    /// Who is signed in, not followed: for acts, which belong to whoever is there at that moment.
    pub(crate) fn person_now(self) -> Option<PersonId> {
        untrack(|| self.person())
    }

    /// Whether the person has any of these roles somewhere, followed.
    pub(crate) fn has_role(self, roles: &[Role]) -> bool {
        self.state.with(|state| match state {
            SignInState::SignedIn(view) => {
                view.roles.iter().any(|grant| roles.contains(&grant.role))
            }
            SignInState::Unknown | SignInState::SignedOut(_) | SignInState::Failed(_) => false,
        })
    }

    /// Whether the person books work and does nothing else here, followed.
    pub(crate) fn only_books(self) -> bool {
        self.has_role(&[Role::Requester])
            && !self.has_role(&[Role::Operator, Role::Supervisor, Role::Owner, Role::Admin])
    }

    /// Whether the person helps robots somewhere, followed.
    pub(crate) fn helps(self) -> bool {
        self.has_role(&[Role::Operator, Role::Supervisor])
    }

    /// In which role they do, not followed: a supervisor is an operator, too.
    pub(crate) fn helping_role(self) -> Role {
        if untrack(|| self.has_role(&[Role::Operator])) {
            Role::Operator
        } else {
            Role::Supervisor
        }
    }

    /// In which of these roles the person may act at a site, followed: the first that they hold there.
    pub(crate) fn role_at(self, site: SiteId, roles: &[Role]) -> Option<Role> {
        self.state.with(|state| match state {
            SignInState::SignedIn(view) => roles.iter().copied().find(|role| {
                let mut grants = view.roles.iter();
                grants.any(|grant| {
                    grant.role == *role && grant.site.is_none_or(|granted| granted == site)
                })
            }),
            SignInState::Unknown | SignInState::SignedOut(_) | SignInState::Failed(_) => None,
        })
    }

    /// Whether somebody is signed in, followed.
    pub(crate) fn is_signed_in(self) -> bool {
        self.state
            .with(|state| matches!(state, SignInState::SignedIn(_)))
    }

    /// Asks the gateway who is signed in. A gateway that can't be asked changes nothing for somebody who was.
    pub(crate) async fn load(self) {
        let was_signed_in = self.is_signed_in_now();
        let answer = api::bytes(SESSION).await;
        if was_signed_in && !self.is_signed_in_now() {
            // The person left meanwhile: an answer from before that must not bring them back.
            return;
        }
        match answer {
            Ok(body) => self.state.set(match api::read(&body) {
                Ok(view) => SignInState::SignedIn(Box::new(view)),
                Err(problem) => SignInState::Failed(problem),
            }),
            Err(problem) if problem.status == 401 => {
                self.state.set(SignInState::SignedOut(if was_signed_in {
                    Departure::Ended
                } else {
                    Departure::NeverCame
                }));
            }
            Err(_) if was_signed_in => {}
            Err(problem) => self.state.set(SignInState::Failed(problem)),
        }
    }

    /// Signs in with the secret of a link.
    pub(crate) async fn sign_in(self, link: String) -> Result<(), Problem> {
        let body = api::write(&SignIn { link })?;
        api::send("POST", SESSION, Some((body, browser::fresh_id()))).await?;
        self.load().await;
        Ok(())
    }

    /// Signs out: on this page at once, and says so where the gateway could not be told.
    pub(crate) async fn sign_out(self) {
        self.state.set(SignInState::SignedOut(Departure::Left));
        match api::send("DELETE", SESSION, None).await {
            Ok(_) => {}
            Err(problem) if problem.status == 401 => {}
            Err(_) => self
                .state
                .set(SignInState::SignedOut(Departure::LeftUntold)),
        }
    }

    fn is_signed_in_now(self) -> bool {
        self.state
            .with_untracked(|state| matches!(state, SignInState::SignedIn(_)))
    }
}
