//! What lets this page steer a robot, and the commands that it signs then. How they are written is loaded with the acts.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the error is that of a part that does not come"
)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::wasm_split::wasm_split;
use protocol::{
    GrantId, UnixMicros,
    command::SignedCommand,
    event::SessionKeyProof,
    grant::{Assertion, Binding, GRANT_LASTS_S, Presentation},
    sealed::Kind,
    views::{GrantAsk, GrantView, Problem},
};

use crate::{
    api, browser,
    later::Later,
    live::granting::{Bind, OwnKey},
    own_key::own_key,
    signing::Signing,
};

/// A grant that was shown to the robot.
pub(crate) struct Bound {
    pub(crate) grant: GrantId,
    /// Its end, by the browser's clock.
    pub(crate) until: UnixMicros,
    /// What bound it; nothing for a renewal.
    pub(crate) own: Option<OwnKey>,
}

/// Asks for a grant, binds it with the person's own key where it does not only renew one, and shows it to the robot.
#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn bind(signing: Signing, wish: Bind) -> Later<Result<Bound, Problem>> {
    Ok(Box::pin(async move {
        let person = signing.person()?;
        let page = signing.page_key().await?.ok_or_else(no_page_key)?;
        let own = if wish.is_renewal {
            None
        } else {
            Some(own_key(person).await?)
        };
        let at = browser::now();
        let proof = SessionKeyProof { person, at };
        let ask = GrantAsk {
            epoch: wish.epoch,
            public_key: STANDARD.encode(page.public),
            proof: STANDARD.encode(page.seal(Kind::SessionKey, &proof).await?),
            bound_by: own.as_ref().map(|own| own.view.key.clone()),
        };
        let path = format!("/api/v1/robots/{}/grants", wish.robot);
        let view: GrantView = api::post(&path, &ask).await?;
        let assertion = match &own {
            Some(own) => {
                let challenge = challenge(&view, page.public, wish)?;
                let assertion = Assertion { challenge };
                let sealed = own.pair.seal(Kind::Assertion, &assertion).await?;
                Some(STANDARD.encode(sealed))
            }
            None => None,
        };
        let path = format!("{path}/{}/presentation", view.grant);
        let shown = Presentation {
            grant: view.sealed,
            assertion,
        };
        let body = (api::write(&shown)?, browser::fresh_id());
        api::send("POST", &path, Some(body)).await?;
        Ok(Bound {
            grant: view.grant,
            until: at.plus(GRANT_LASTS_S * 1_000_000),
            own: own.map(|own| own.view),
        })
    }))
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

/// Seals a command with the page's key; base64.
#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
pub(crate) fn sign(signing: Signing, command: SignedCommand) -> Later<Result<String, Problem>> {
    Ok(Box::pin(async move {
        let page = signing.present_key().ok_or_else(no_page_key)?;
        Ok(STANDARD.encode(page.seal(Kind::Command, &command).await?))
    }))
}

fn no_page_key() -> Problem {
    api::problem(
        400,
        "no_signatures",
        "This page can't sign",
        "Reload the page. If that does not help, open the console over https.",
    )
}
