//! The person's own key in this browser: made once, kept in its storage, never exportable, and offered for the roster. It binds
//! what lets a page steer; it signs nothing else.

use std::{cell::RefCell, rc::Rc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use js_sys::{Object, Promise, Uint8Array};
use protocol::{
    PersonId,
    grant::PersonKeyProof,
    roster::{KeyTier, name_of},
    sealed::Kind,
    views::{OfferPersonKey, PersonKeyView, Problem},
};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CryptoKey, IdbDatabase, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode,
};

use crate::{
    api, browser,
    live::granting::OwnKey,
    signing::{Pair, subtle},
};

const KEYS: &str = "/api/v1/session/person-keys";

const DATABASE: &str = "nooterra";

const STORE: &str = "person-keys";

/// The key, and what the gateway knows of it.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) pair: Pair,
    pub(crate) view: OwnKey,
}

/// The key of this person in this browser, as it is known to the gateway. Made and offered when there is none, or when the one
/// that was kept was removed.
pub(crate) async fn own_key(person: PersonId) -> Result<Own, Problem> {
    let database = open().await.map_err(|_error| no_storage())?;
    let mut pair = kept_or_made(&database, person, None).await?;
    let known: Vec<PersonKeyView> = api::get(KEYS).await?;
    let mut view = known.into_iter().find(|view| is_of(view, &pair));
    if view.is_none() {
        view = match offer(person, &pair).await {
            Err(problem) if problem.code == "key_taken" => {
                // It was removed, or is somebody else's: it will never be believed again.
                pair = kept_or_made(&database, person, Some(&pair)).await?;
                Some(offer(person, &pair).await?)
            }
            offered => Some(offered?),
        };
    }
    let view = view.ok_or_else(api::unreadable)?;
    Ok(Own {
        pair,
        view: OwnKey {
            key: view.key,
            tier: view.tier,
            is_demo: view.is_demo,
        },
    })
}

fn is_of(view: &PersonKeyView, pair: &Pair) -> bool {
    view.key == name_of(&pair.public).to_string()
}

async fn offer(person: PersonId, pair: &Pair) -> Result<PersonKeyView, Problem> {
    let proof = pair
        .seal(Kind::PersonKey, &PersonKeyProof { person })
        .await?;
    let offer = OfferPersonKey {
        proof: STANDARD.encode(proof),
        public_key: STANDARD.encode(pair.public),
        tier: KeyTier::Browser,
    };
    api::post(KEYS, &offer).await
}

/// The pair that is kept, unless it is `instead_of`; then a fresh one takes its place. Of two pages that make one at once, both
/// get the one that was kept first.
async fn kept_or_made(
    database: &IdbDatabase,
    person: PersonId,
    instead_of: Option<&Pair>,
) -> Result<Pair, Problem> {
    let is_good = |pair: &Pair| instead_of.is_none_or(|bad| bad.public != pair.public);
    let kept = async || -> Result<Option<Pair>, JsValue> {
        let request = store(database, IdbTransactionMode::Readonly)?.get(&name(person))?;
        Ok(read(&answer(&request).await?).filter(is_good))
    };
    if let Some(pair) = kept().await.map_err(|_error| no_storage())? {
        return Ok(pair);
    }
    let subtle = subtle().ok_or_else(no_crypto)?;
    let made = Pair::generate(&subtle)
        .await
        .map_err(|_error| no_crypto())?;
    let keep = async || -> Result<Pair, JsValue> {
        let store = store(database, IdbTransactionMode::Readwrite)?;
        // In one transaction, which another page's waits for.
        let earlier = answer(&store.get(&name(person))?).await?;
        if let Some(pair) = read(&earlier).filter(is_good) {
            return Ok(pair);
        }
        answer(&store.put_with_key(&write(&made), &name(person))?).await?;
        Ok(made.clone())
    };
    keep().await.map_err(|_error| no_storage())
}

fn name(person: PersonId) -> JsValue {
    JsValue::from_str(&person.to_string())
}

fn write(pair: &Pair) -> JsValue {
    let value = Object::new();
    browser::set(&value, "private", &pair.private);
    browser::set(&value, "public", &Uint8Array::from(pair.public.as_slice()));
    value.into()
}

fn read(value: &JsValue) -> Option<Pair> {
    let private = browser::property(value, "private")?
        .dyn_into::<CryptoKey>()
        .ok()?;
    let bytes = browser::property(value, "public")?
        .dyn_into::<Uint8Array>()
        .ok()?;
    let public = bytes.to_vec().try_into().ok()?;
    Some(Pair { private, public })
}

async fn open() -> Result<IdbDatabase, JsValue> {
    let factory = leptos::prelude::window()
        .indexed_db()?
        .ok_or(JsValue::UNDEFINED)?;
    let request: IdbOpenDbRequest = factory.open_with_u32(DATABASE, 1)?;
    let opening = request.clone();
    let on_upgrade = Closure::<dyn FnMut(JsValue)>::new(move |_event: JsValue| {
        let database = opening.result().ok();
        let database = database.and_then(|result| result.dyn_into::<IdbDatabase>().ok());
        if let Some(database) = database {
            // A store that can't be made shows when it is used.
            let _made = database.create_object_store(STORE);
        }
    });
    request.set_onupgradeneeded(Some(on_upgrade.as_ref().unchecked_ref()));
    let database = answer(&request).await?;
    drop(on_upgrade);
    database.dyn_into()
}

fn store(database: &IdbDatabase, mode: IdbTransactionMode) -> Result<IdbObjectStore, JsValue> {
    database
        .transaction_with_str_and_mode(STORE, mode)?
        .object_store(STORE)
}

/// What a request of the browser's storage gives.
async fn answer(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let listeners = Rc::new(RefCell::new(Vec::<Closure<dyn FnMut(JsValue)>>::new()));
    let answered = Promise::new(&mut |resolve, reject| {
        let listen = |told: js_sys::Function| {
            Closure::<dyn FnMut(JsValue)>::new(move |_event: JsValue| {
                // A promise's own resolver does not throw.
                let _told = told.call0(&JsValue::NULL);
            })
        };
        let (success, failure) = (listen(resolve), listen(reject));
        request.set_onsuccess(Some(success.as_ref().unchecked_ref()));
        request.set_onerror(Some(failure.as_ref().unchecked_ref()));
        listeners.borrow_mut().extend([success, failure]);
    });
    JsFuture::from(answered).await?;
    drop(listeners);
    request.result()
}

fn no_storage() -> Problem {
    api::problem(
        400,
        "no_key_storage",
        "This browser keeps no key",
        "Its storage is closed to this page, as in a private window. Allow it, then reload the page.",
    )
}

fn no_crypto() -> Problem {
    api::problem(
        400,
        "no_signatures",
        "This browser can't sign",
        "Open the console over https, or on this computer itself, in a browser that knows Ed25519.",
    )
}
