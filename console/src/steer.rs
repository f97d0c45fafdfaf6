//! What lets this page steer a robot, and the commands that it signs then. How they are written is loaded with the acts.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the error is that of a part that does not come"
)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::wasm_split::wasm_split;
use protocol::{
    PersonId,
    command::{CommandRequest, SignedCommand},
    drive::DriveCommand,
    event::SessionKeyProof,
    grant::{Assertion, Binding, GRANT_LASTS_S, Presentation},
    roster::KeyTier,
    sealed::Kind,
    views::{GrantAsk, GrantView, PasskeyView, Problem},
};

use crate::{
    api, browser,
    later::Later,
    live::{
        granting::{Bind, GrantNews, OwnKey},
        reduce::Input,
    },
    own_key::{Own, own_key},
    passkeys,
    signing::Signing,
};

/// What this page's keys are needed for.
pub(crate) enum Task {
    /// Get leave to steer.
    Bind(Bind),
    /// Sign a command.
    Sign(Box<SignedCommand>),
}

impl Task {
    /// What is told where the part of the console that does it did not come.
    pub(crate) fn undone(&self) -> Input {
        let words = "a part of the console did not load".to_owned();
        match self {
            Self::Bind(bind) => Input::Grant(GrantNews::Denied {
                bind: *bind,
                code: String::new(),
                words,
                is_passing: true,
            }),
            Self::Sign(command) => Input::NotSigned {
                command: command.command,
                words,
            },
        }
    }
}

/// Does it, and gives what is to be told of it.
#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn steer(signing: Signing, task: Task) -> Later<Vec<Input>> {
    Ok(Box::pin(async move {
        match task {
            Task::Bind(wish) => {
                let mut told = Vec::new();
                let bound = bind(signing, wish, &mut told).await;
                told.push(bound.unwrap_or_else(|problem| GrantNews::Denied {
                    bind: wish,
                    is_passing: is_passing(&problem),
                    code: problem.code,
                    words: problem.detail,
                }));
                told.into_iter().map(Input::Grant).collect()
            }
            Task::Sign(command) => vec![sign(signing, *command).await],
        }
    }))
}

/// Seals what the page wants of a robot's wheels.
#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn seal_drive(
    signing: Signing,
    command: DriveCommand,
) -> Later<Result<Vec<u8>, Problem>> {
    Ok(Box::pin(async move {
        let page = signing.present_key().ok_or_else(no_page_key)?;
        page.seal(Kind::Drive, &command).await
    }))
}

/// Whether what was in the way may be gone in a moment: a gateway that starts anew, a robot that is just taking a roster.
fn is_passing(problem: &Problem) -> bool {
    let codes = ["robot_behind", "robot_offline", "stale"];
    problem.status == 0 || problem.status >= 500 || codes.contains(&problem.code.as_str())
}

/// Asks for a grant, binds it with a key of the person's own where it does not only renew one, and shows it to the robot.
/// The key is told first: whoever is not on the roster reads from it what the root has to sign.
async fn bind(
    signing: Signing,
    wish: Bind,
    told: &mut Vec<GrantNews>,
) -> Result<GrantNews, Problem> {
    let person = signing.person()?;
    let page = signing.page_key().await?.ok_or_else(no_page_key)?;
    let binds = binder(person, wish, told).await?;
    let at = browser::now();
    let proof = SessionKeyProof { person, at };
    let ask = GrantAsk {
        epoch: wish.epoch,
        public_key: STANDARD.encode(page.public),
        proof: STANDARD.encode(page.seal(Kind::SessionKey, &proof).await?),
        bound_by: binds.key(),
        no_more_than: None,
    };
    let path = format!("/api/v1/robots/{}/grants", wish.robot);
    let view: GrantView = api::post(&path, &ask).await?;
    let mut shown = Presentation {
        grant: view.sealed.clone(),
        assertion: None,
        passkey: None,
    };
    let binding = match &binds {
        Binder::Nothing => None,
        Binder::Browser(_) | Binder::Passkeys(_) => Some(challenge(&view, page.public, wish)?),
    };
    match (&binds, binding) {
        (Binder::Browser(own), Some(challenge)) => {
            let assertion = Assertion { challenge };
            let sealed = own.pair.seal(Kind::Assertion, &assertion).await?;
            shown.assertion = Some(STANDARD.encode(sealed));
        }
        (Binder::Passkeys(passkeys), Some(challenge)) => {
            let (used, assertion) = passkeys::bind(&challenge, passkeys).await?;
            told.push(GrantNews::Own(of_passkey(used)));
            shown.passkey = Some(Box::new(assertion));
        }
        (Binder::Nothing, _) | (_, None) => {}
    }
    let path = format!("{path}/{}/presentation", view.grant);
    let body = (api::write(&shown)?, browser::fresh_id());
    api::send("POST", &path, Some(body)).await?;
    Ok(GrantNews::Shown {
        bind: wish,
        grant: view.grant,
        until: at.plus(GRANT_LASTS_S * 1_000_000),
        binding,
    })
}

/// What a grant is bound with.
enum Binder {
    /// It renews one that was bound.
    Nothing,
    /// One of these, whichever the person's authenticator has.
    Passkeys(Vec<PasskeyView>),
    /// This browser's own.
    Browser(Own),
}

impl Binder {
    /// The key that the gateway is told; of several passkeys any, since all are on the roster.
    fn key(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Passkeys(passkeys) => passkeys.first().map(|passkey| passkey.key.clone()),
            Self::Browser(own) => Some(own.view.key.clone()),
        }
    }
}

/// A passkey where the person has one that this page can use, and the browser's key where not, or where they chose it.
async fn binder(
    person: PersonId,
    wish: Bind,
    told: &mut Vec<GrantNews>,
) -> Result<Binder, Problem> {
    if wish.is_renewal {
        return Ok(Binder::Nothing);
    }
    if !wish.with_browser_key {
        let passkeys = passkeys::usable().await?;
        if let Some(first) = passkeys.first() {
            told.push(GrantNews::Own(of_passkey(first)));
            return Ok(Binder::Passkeys(passkeys));
        }
    }
    let own = own_key(person).await?;
    told.push(GrantNews::Own(own.view.clone()));
    Ok(Binder::Browser(own))
}

fn of_passkey(passkey: &PasskeyView) -> OwnKey {
    OwnKey {
        key: passkey.key.clone(),
        tier: KeyTier::Passkey,
        is_demo: passkey.is_demo,
    }
}

/// Seals a command with the page's key.
async fn sign(signing: Signing, command: SignedCommand) -> Input {
    let sealed = match signing.present_key() {
        Some(page) => page.seal(Kind::Command, &command).await,
        None => Err(no_page_key()),
    };
    match sealed {
        Ok(sealed) => Input::Signed(Box::new(CommandRequest {
            command: command.command,
            robot: command.robot,
            epoch: Some(command.epoch),
            verb: command.verb,
            signed: Some(STANDARD.encode(sealed)),
        })),
        Err(problem) => Input::NotSigned {
            command: command.command,
            words: problem.title,
        },
    }
}

fn challenge(view: &GrantView, session_key: [u8; 32], wish: Bind) -> Result<[u8; 32], Problem> {
    let grant = STANDARD
        .decode(&view.sealed)
        .map_err(|_not_base64| api::unreadable())?;
    let nonce = hex::decode(&view.nonce)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(api::unreadable)?;
    let binding = Binding {
        grant: &grant,
        session_key,
        robot: wish.robot,
        nonce,
    };
    binding.challenge().map_err(|_unwritable| api::unreadable())
}

fn no_page_key() -> Problem {
    api::problem(
        400,
        "no_signatures",
        "This page can't sign",
        "Reload the page. If that does not help, open the console over https.",
    )
}
