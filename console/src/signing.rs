//! The browser's own key: made once a page load, never exportable, bound by the gateway to the person who is signed in.
//! Acts are sealed and sent one after the other, so that two never claim the same place in the key's chain.

use std::{collections::VecDeque, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use js_sys::{Array, Function, Object, Promise, Uint8Array};
use leptos::prelude::*;
use protocol::{
    PersonId,
    event::{ActorEvent, Payload, SessionKeyProof},
    sealed::{KeyId, Kind, Unsigned},
    views::{BindSessionKey, Problem, Role, SessionKeyView},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

use crate::{
    api, browser,
    chain::{self, Chain, Outcome},
    live::control::Seat,
    session::Session,
};

const BIND: &str = "/api/v1/session/key";

const ALGORITHM: &str = "Ed25519";

/// Sends of the same bytes before whether they arrived is told as unknown.
const SENDS: u32 = 4;

/// Between two of them; with the wait for each answer this bridges a gateway that restarts.
const SEND_AGAIN_AFTER: Duration = Duration::from_millis(700);

/// Acts that wait for their turn: more than a person can ask for before the first one is answered.
const MOST_WAITING: usize = 16;

/// What a person does, before it is sealed.
pub(crate) struct Act<'body> {
    /// The history that it belongs to.
    pub(crate) stream: String,
    /// In which role.
    pub(crate) acting_as: Role,
    /// What happens.
    pub(crate) payload: Payload,
    /// The body of the call around the sealed event (base64), or around none where this browser can't sign.
    pub(crate) body: &'body dyn Fn(Option<String>) -> Result<String, Problem>,
}

/// The key and the queue before it, for whoever acts.
#[derive(Clone, Copy)]
pub(crate) struct Signing {
    session: Session,
    desk: StoredValue<Desk, LocalStorage>,
    unsigned: RwSignal<bool>,
    /// Rises each time that the key is gone.
    losses: RwSignal<u32>,
}

#[derive(Default)]
struct Desk {
    key: Option<Key>,
    is_taken: bool,
    waiting: VecDeque<Function>,
}

/// A key that is bound to a person.
#[derive(Clone)]
struct Key {
    person: PersonId,
    pair: Pair,
    chain: Chain,
}

/// A key of this browser's that never leaves it.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) private: CryptoKey,
    pub(crate) public: [u8; 32],
}

/// A turn at the desk; leaving calls the next.
struct Turn(Signing);

impl Drop for Turn {
    fn drop(&mut self) {
        let next = self.0.desk.try_update_value(|desk| {
            let next = desk.waiting.pop_front();
            desk.is_taken = next.is_some();
            next
        });
        if let Some(next) = next.flatten() {
            // A promise's own resolver does not throw.
            let _called = next.call0(&JsValue::NULL);
        }
    }
}

impl Signing {
    /// No key yet: most visits only look.
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            desk: StoredValue::new_local(Desk::default()),
            unsigned: RwSignal::new(subtle().is_none()),
            losses: RwSignal::new(0),
        }
    }

    /// Whether this browser can't sign, so that acts are recorded on the person's behalf. Followed.
    pub(crate) fn is_unsigned(self) -> bool {
        self.unsigned.get()
    }

    /// How often a key was given up, followed: what it held is not this page's any more.
    pub(crate) fn losses(self) -> u32 {
        self.losses.get()
    }

    /// Who acts.
    pub(crate) fn person(self) -> Result<PersonId, Problem> {
        self.session.person_now().ok_or_else(api::signed_out)
    }

    /// Who sits here, by the key that the last act was signed with.
    pub(crate) fn seat(self) -> Result<Seat, Problem> {
        let person = self.person()?;
        let key = self.desk.with_value(|desk| desk.key.clone());
        let key = key.filter(|key| key.person == person);
        Ok(Seat {
            person,
            key: key.map(|key| KeyId(Sha256::digest(key.pair.public).into()).to_string()),
        })
    }

    /// Seals an act and sends it; gives the answer as it came.
    pub(crate) async fn act(self, path: &str, act: Act<'_>) -> Result<Vec<u8>, Problem> {
        let _turn = self.turn().await?;
        let answer = match self.act_under_key(path, &act).await {
            // The key was no longer believed and the act not taken: once more, under a new one.
            Err(problem) if chain::outcome(&problem) == Outcome::KeyRefused => {
                self.act_under_key(path, &act).await
            }
            answer => answer,
        };
        if matches!(&answer, Err(problem) if problem.status == 401) {
            self.session.load().await;
        }
        answer
    }

    async fn act_under_key(self, path: &str, act: &Act<'_>) -> Result<Vec<u8>, Problem> {
        let Some(key) = self.key().await? else {
            return deliver(path, &(act.body)(None)?).await;
        };
        let event = ActorEvent {
            stream: act.stream.clone(),
            chain: Some(key.chain.next()),
            on_behalf_of: None,
            acting_as: Some(act.acting_as),
            payload: act.payload.clone(),
        };
        let sealed = key.pair.seal(Kind::Event, &event).await?;
        let answer = deliver(path, &(act.body)(Some(STANDARD.encode(&sealed)))?).await;
        let is_kept = match &answer {
            Ok(_) => true,
            Err(problem) => chain::outcome(problem) == Outcome::Refused,
        };
        self.desk.update_value(|desk| match &answer {
            Ok(_) => {
                if let Some(key) = &mut desk.key {
                    key.chain.took(&sealed);
                }
            }
            Err(problem) => match chain::outcome(problem) {
                Outcome::Refused => {}
                // Nothing may follow an act that was perhaps taken; a new key has a chain of its own.
                Outcome::KeyRefused | Outcome::Unknown => desk.key = None,
            },
        });
        if !is_kept {
            self.losses.update(|losses| *losses += 1);
        }
        answer
    }

    /// The key of who is signed in, made and bound at the first act. None where the browser or the gateway has no such keys.
    async fn key(self) -> Result<Option<Key>, Problem> {
        let person = self.person()?;
        let present = self.desk.with_value(|desk| desk.key.clone());
        if let Some(key) = present.filter(|key| key.person == person) {
            return Ok(Some(key));
        }
        let pair = match subtle() {
            Some(subtle) => Pair::generate(&subtle).await.ok(),
            None => None,
        };
        let bound = match pair {
            Some(pair) => pair.bind(person).await?,
            None => None,
        };
        self.unsigned.set(bound.is_none());
        self.desk.update_value(|desk| desk.key.clone_from(&bound));
        Ok(bound)
    }

    /// The page's key, made and bound if there is none. It waits for acts that are under way: they may be giving it up.
    pub(crate) async fn page_key(self) -> Result<Option<Pair>, Problem> {
        let _turn = self.turn().await?;
        Ok(self.key().await?.map(|key| key.pair))
    }

    /// The page's key as it is, for what must not wait.
    pub(crate) fn present_key(self) -> Option<Pair> {
        let person = self.person().ok()?;
        let key = self.desk.with_value(|desk| desk.key.clone());
        key.filter(|key| key.person == person).map(|key| key.pair)
    }

    async fn turn(self) -> Result<Turn, Problem> {
        let place = self.desk.try_update_value(|desk| {
            if !desk.is_taken {
                desk.is_taken = true;
                return Ok(None);
            }
            if desk.waiting.len() == MOST_WAITING {
                return Err(busy());
            }
            Ok(Some(Promise::new(&mut |resolve, _| {
                desk.waiting.push_back(resolve);
            })))
        });
        if let Some(promise) = place.ok_or_else(busy)?? {
            // It is only ever resolved.
            let _called = JsFuture::from(promise).await;
        }
        Ok(Turn(self))
    }
}

impl Pair {
    pub(crate) async fn generate(subtle: &SubtleCrypto) -> Result<Self, JsValue> {
        let algorithm = Object::new();
        browser::set(&algorithm, "name", &ALGORITHM.into());
        let usages = Array::of2(&"sign".into(), &"verify".into());
        let pair = subtle.generate_key_with_object(&algorithm, false, &usages)?;
        let pair = JsFuture::from(pair).await?;
        let key = |name| -> Result<CryptoKey, JsValue> {
            Ok(browser::property(&pair, name)
                .ok_or(JsValue::UNDEFINED)?
                .unchecked_into())
        };
        let exported = JsFuture::from(subtle.export_key("raw", &key("publicKey")?)?).await?;
        let mut public = [0; 32];
        let exported = Uint8Array::new(&exported);
        if exported.length() != 32 {
            return Err(JsValue::UNDEFINED);
        }
        exported.copy_to(&mut public);
        Ok(Self {
            private: key("privateKey")?,
            public,
        })
    }

    /// Has the gateway believe the key for `person`. None where the gateway knows no such keys.
    async fn bind(self, person: PersonId) -> Result<Option<Key>, Problem> {
        let at = browser::now();
        let proof = SessionKeyProof { person, at };
        let proof = self.seal(Kind::SessionKey, &proof).await?;
        let body = BindSessionKey {
            proof: STANDARD.encode(proof),
            public_key: STANDARD.encode(self.public),
        };
        match api::post::<SessionKeyView>(BIND, &body).await {
            Ok(_) => Ok(Some(Key {
                person,
                pair: self,
                chain: Chain::default(),
            })),
            Err(problem) if problem.status == 404 => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    pub(crate) async fn seal(
        &self,
        kind: Kind,
        payload: &impl Serialize,
    ) -> Result<Vec<u8>, Problem> {
        let key = KeyId(Sha256::digest(self.public).into());
        let unsigned =
            Unsigned::prepare(kind, payload, key).map_err(|_unwritable| api::unreadable())?;
        let signature = self
            .sign(unsigned.to_be_signed())
            .await
            .map_err(|_error| unsignable())?;
        unsigned
            .with_signature(signature)
            .map_err(|_unwritable| api::unreadable())
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], JsValue> {
        let subtle = subtle().ok_or(JsValue::UNDEFINED)?;
        let message = Uint8Array::from(message);
        let signed = subtle.sign_with_str_and_js_u8_array(ALGORITHM, &self.private, &message)?;
        let signed = Uint8Array::new(&JsFuture::from(signed).await?).to_vec();
        signed.try_into().map_err(|_length| JsValue::UNDEFINED)
    }
}

/// Sends the same bytes under the same `Idempotency-Key` until there is an answer, so often at most.
async fn deliver(path: &str, body: &str) -> Result<Vec<u8>, Problem> {
    let wish = browser::fresh_id();
    let mut sends = 1;
    loop {
        let answer = api::send("POST", path, Some((body.to_owned(), wish))).await;
        match &answer {
            Err(problem) if sends < SENDS && chain::outcome(problem) == Outcome::Unknown => {
                sends += 1;
                browser::sleep(SEND_AGAIN_AFTER).await;
            }
            Ok(_) | Err(_) => return answer,
        }
    }
}

/// What signs, where the browser has it: not on pages that came over plain http from elsewhere.
pub(crate) fn subtle() -> Option<SubtleCrypto> {
    let crypto = window().crypto().ok()?;
    Some(browser::property(&crypto, "subtle")?.unchecked_into())
}

fn busy() -> Problem {
    api::problem(
        429,
        "acts_waiting",
        "Too much at once",
        "Earlier acts have not been answered yet. Wait for them, then try again.",
    )
}

fn unsignable() -> Problem {
    api::problem(
        400,
        "not_signed",
        "This browser did not sign",
        "Nothing was sent. Reload the page, then try again.",
    )
}
