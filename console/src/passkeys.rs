//! Passkeys in this browser, in the words of `navigator.credentials`: made, asked to sign in, asked to bind a grant. Loaded when it
//! is first used.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use js_sys::{JSON, Object, Promise, Uint8Array};
use leptos::prelude::window;
use protocol::{
    passkey::{PasskeyAssertion, SIGN_IN_CHALLENGE_BYTES, binding_challenge},
    sealed::KeyId,
    views::{PasskeyView, Problem},
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{api, browser};

const PASSKEYS: &str = "/api/v1/session/passkeys";

const PASSKEY: &str = "/api/v1/session/passkey";

/// Somebody has to find a finger or a PIN; then a grant that waits for it is asked for anew.
const PROMPT_LASTS_MS: u32 = 120_000;

/// The person's passkeys.
pub(crate) async fn list() -> Result<Vec<PasskeyView>, Problem> {
    api::get(PASSKEYS).await
}

/// Those that can bind a grant from this page: on the roster, for this site, in a browser that has passkeys.
pub(crate) async fn usable() -> Result<Vec<PasskeyView>, Problem> {
    let Ok(host) = host() else {
        return Ok(Vec::new());
    };
    let mut passkeys = list().await?;
    passkeys.retain(|passkey| {
        let site = &passkey.relying_party;
        let is_here = host == *site || host.ends_with(&format!(".{site}"));
        is_here && passkey.is_rostered
    });
    Ok(passkeys)
}

/// Has an authenticator sign somebody in.
pub(crate) async fn sign_in() -> Result<(), Problem> {
    answer(PASSKEY).await
}

/// Has an authenticator show that it is still them.
pub(crate) async fn prove() -> Result<(), Problem> {
    answer("/api/v1/session/passkey/proof").await
}

/// Signs a challenge of a sign-in and hands it in at `path`.
async fn answer(path: &str) -> Result<(), Problem> {
    host()?;
    let asked = ask("/api/v1/session/passkey/challenge").await?;
    let options = browser::property(&asked, "options").ok_or_else(api::unreadable)?;
    // The gateway chooses what is signed here. What binds grants is longer: it can't have that signed as a sign-in.
    let challenge = browser::text(&options, "challenge").unwrap_or_default();
    let is_sign_in = URL_SAFE_NO_PAD
        .decode(challenge)
        .is_ok_and(|bytes| bytes.len() == SIGN_IN_CHALLENGE_BYTES);
    if !is_sign_in {
        return Err(api::unreadable());
    }
    let credential = credential("get", "parseRequestOptionsFromJSON", &options).await?;
    hand_in(path, &asked, &credential, None).await?;
    Ok(())
}

/// Has an authenticator make a passkey.
pub(crate) async fn add(name: &str) -> Result<(), Problem> {
    host()?;
    let asked = ask("/api/v1/session/passkeys/challenge").await?;
    let options = browser::property(&asked, "options").ok_or_else(api::unreadable)?;
    let credential = credential("create", "parseCreationOptionsFromJSON", &options).await?;
    hand_in(PASSKEYS, &asked, &credential, Some(name)).await?;
    Ok(())
}

/// Has one of these passkeys bind a grant. Gives which, and what it signed.
pub(crate) async fn bind<'keys>(
    challenge: &[u8; 32],
    passkeys: &'keys [PasskeyView],
) -> Result<(&'keys PasskeyView, PasskeyAssertion), Problem> {
    let first = passkeys.first().ok_or_else(failed)?;
    let allowed: Vec<String> = (passkeys.iter())
        .map(|passkey| format!(r#"{{"type":"public-key","id":"{}"}}"#, passkey.credential))
        .collect();
    let options = format!(
        r#"{{"challenge":"{}","rpId":"{}","allowCredentials":[{}],"userVerification":"required","timeout":{PROMPT_LASTS_MS}}}"#,
        URL_SAFE_NO_PAD.encode(binding_challenge(challenge)),
        first.relying_party,
        allowed.join(","),
    );
    let options = JSON::parse(&options).map_err(|_error| failed())?;
    let credential = credential("get", "parseRequestOptionsFromJSON", &options).await?;
    let id = browser::text(&credential, "id").unwrap_or_default();
    let passkey = (passkeys.iter())
        .find(|passkey| passkey.credential == id)
        .ok_or_else(failed)?;
    let response = browser::property(&credential, "response").ok_or_else(failed)?;
    let part = |name| -> Result<String, Problem> {
        let bytes = browser::property(&response, name).ok_or_else(failed)?;
        Ok(STANDARD.encode(Uint8Array::new(&bytes).to_vec()))
    };
    let mut key = [0; 32];
    hex::decode_to_slice(&passkey.key, &mut key).map_err(|_not_hex| api::unreadable())?;
    let assertion = PasskeyAssertion {
        key: KeyId(key),
        authenticator_data: part("authenticatorData")?,
        client_data: part("clientDataJSON")?,
        signature: part("signature")?,
    };
    Ok((passkey, assertion))
}

/// A challenge with its options, as the browser reads it.
async fn ask(path: &str) -> Result<JsValue, Problem> {
    let body = ("{}".to_owned(), browser::fresh_id());
    let answer = api::send("POST", path, Some(body)).await?;
    let text = std::str::from_utf8(&answer).map_err(|_bytes| api::unreadable())?;
    JSON::parse(text).map_err(|_error| api::unreadable())
}

async fn hand_in(
    path: &str,
    asked: &JsValue,
    credential: &JsValue,
    name: Option<&str>,
) -> Result<(), Problem> {
    let body = Object::new();
    let challenge = browser::property(asked, "challenge").ok_or_else(api::unreadable)?;
    browser::set(&body, "challenge", &challenge);
    // Written by its own `toJSON`.
    browser::set(&body, "credential", credential);
    if let Some(name) = name {
        browser::set(&body, "name", &JsValue::from_str(name));
    }
    let text = JSON::stringify(&body)
        .ok()
        .and_then(|text| text.as_string())
        .ok_or_else(failed)?;
    api::send("POST", path, Some((text, browser::fresh_id()))).await?;
    Ok(())
}

/// What an authenticator made or signed.
async fn credential(act: &str, parse: &str, options: &JsValue) -> Result<JsValue, Problem> {
    let kind = browser::property(&window(), "PublicKeyCredential").ok_or_else(no_passkeys)?;
    let parsed =
        browser::call(&kind, parse, std::slice::from_ref(options)).ok_or_else(no_passkeys)?;
    let wish = Object::new();
    browser::set(&wish, "publicKey", &parsed);
    let credentials =
        browser::property(&window().navigator(), "credentials").ok_or_else(no_passkeys)?;
    let promise: Promise = browser::call(&credentials, act, &[wish.into()])
        .and_then(|promise| promise.dyn_into().ok())
        .ok_or_else(no_passkeys)?;
    match JsFuture::from(promise).await {
        Ok(credential) if credential.is_object() => Ok(credential),
        Ok(_) => Err(failed()),
        Err(error) => Err(rejected(&browser::text(&error, "name").unwrap_or_default())),
    }
}

/// The host of this page, where its browser has passkeys for it: names alone have them.
fn host() -> Result<String, Problem> {
    let host = window().location().hostname().unwrap_or_default();
    let is_number = host.contains(':') || host.ends_with(|last: char| last.is_ascii_digit());
    if is_number {
        return Err(api::problem(
            400,
            "passkeys_unavailable",
            "No passkeys at this address",
            "Browsers keep passkeys for names alone, and this address is a number. Open the console by its host's name; on the computer that it runs on, by localhost.",
        ));
    }
    let kind = browser::property(&window(), "PublicKeyCredential");
    kind.map(|_has_them| host).ok_or_else(no_passkeys)
}

/// What a browser's own error means here.
fn rejected(name: &str) -> Problem {
    match name {
        "NotAllowedError" | "AbortError" => api::problem(
            400,
            "passkey_cancelled",
            "No passkey was used",
            "The browser's prompt was closed, or nobody answered it in time",
        ),
        "InvalidStateError" => api::problem(
            400,
            "passkey_known",
            "This authenticator has a passkey of yours already",
            "It is in the list. Another authenticator can hold another one.",
        ),
        "SecurityError" => api::problem(
            400,
            "passkey_elsewhere",
            "No passkeys at this address",
            "Passkeys are for the address that this gateway's people were given: open the console there.",
        ),
        _ => failed(),
    }
}

fn failed() -> Problem {
    api::problem(
        400,
        "passkey_failed",
        "The browser gave no passkey",
        "Its authenticator may keep none of this kind, or may not know who you are",
    )
}

fn no_passkeys() -> Problem {
    api::problem(
        400,
        "passkeys_unavailable",
        "This browser has no passkeys",
        "Open the console over https, or on this computer itself, in a browser that knows them.",
    )
}
