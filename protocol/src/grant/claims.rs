//! A grant as CWT claims: RFC 8392's by their registered numbers, ours by name.

use std::collections::BTreeSet;

use ciborium::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use uuid::Uuid;

use super::{Grant, GrantedVerb, Place, Zone};
use crate::{
    GrantId, OrganisationId, PersonId, RobotId, SiteId,
    event::{organisation_stream, person_stream, robot_stream},
};

/// RFC 8392 §3.1 and RFC 8747 §3.1.
const ISSUER: i64 = 1;
const SUBJECT: i64 = 2;
const AUDIENCE: i64 = 3;
const EXPIRES: i64 = 4;
const NOT_BEFORE: i64 = 5;
const CWT_ID: i64 = 7;
const CONFIRMATION: i64 = 8;

/// RFC 8747 §3.1: the key itself is the confirmation. RFC 9053 §7.1.1 and §7.2: an octet key pair on Ed25519.
const COSE_KEY: i64 = 1;
const KEY_TYPE: i64 = 1;
const OCTET_KEY_PAIR: i64 = 1;
const CURVE: i64 = -1;
const ED25519: i64 = 6;
const X: i64 = -2;

const EPOCH: &str = "epoch";
const VERBS: &str = "verbs";
const ZONE: &str = "zone";
const SPEED_CAP: &str = "speed_cap_mm_s";
const JOB: &str = "job";

impl Serialize for Grant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Claims::of(value)
            .and_then(read)
            .ok_or_else(|| D::Error::custom("not the claims of a grant"))
    }
}

fn write(grant: &Grant) -> Result<Value, ciborium::value::Error> {
    let audience = match grant.place {
        Place::Robot(robot) => robot_stream(robot),
        Place::Site(site) => site_name(site),
    };
    let mut claims = vec![
        number(ISSUER, text(organisation_stream(grant.organisation))),
        number(SUBJECT, text(person_stream(grant.person))),
        number(AUDIENCE, text(audience)),
        number(EXPIRES, grant.expires_s.into()),
        number(NOT_BEFORE, grant.not_before_s.into()),
        number(CWT_ID, Value::Bytes(grant.grant.0.into_bytes().to_vec())),
        number(CONFIRMATION, confirmation(grant.session_key)),
        name(EPOCH, grant.epoch.into()),
        name(VERBS, Value::serialized(&grant.verbs)?),
    ];
    if let Some(zone) = &grant.zone {
        claims.push(name(ZONE, Value::serialized(zone)?));
    }
    if let Some(cap) = grant.speed_cap_mm_s {
        claims.push(name(SPEED_CAP, cap.into()));
    }
    if let Some(job) = &grant.job {
        claims.push(name(JOB, Value::serialized(job)?));
    }
    Ok(Value::Map(claims))
}

fn confirmation(session_key: [u8; 32]) -> Value {
    let key = Value::Map(vec![
        number(KEY_TYPE, OCTET_KEY_PAIR.into()),
        number(CURVE, ED25519.into()),
        number(X, Value::Bytes(session_key.to_vec())),
    ]);
    Value::Map(vec![number(COSE_KEY, key)])
}

fn number(label: i64, value: Value) -> (Value, Value) {
    (label.into(), value)
}

fn name(label: &str, value: Value) -> (Value, Value) {
    (label.into(), value)
}

fn text(text: String) -> Value {
    Value::Text(text)
}

fn site_name(site: SiteId) -> String {
    format!("site/{site}")
}

/// A claim that has another shape than it should.
struct Unread;

/// Claims, each of which is taken once: one that nobody knows makes the whole unreadable, because it may forbid something.
struct Claims(Vec<(Value, Value)>);

impl Claims {
    fn of(value: Value) -> Option<Self> {
        value.into_map().ok().map(Self)
    }

    fn take(&mut self, label: &Value) -> Option<Value> {
        let index = self.0.iter().position(|(known, _)| known == label)?;
        Some(self.0.swap_remove(index).1)
    }

    fn number(&mut self, label: i64) -> Option<Value> {
        self.take(&label.into())
    }

    fn seconds(&mut self, label: i64) -> Option<i64> {
        i64::try_from(self.number(label)?.into_integer().ok()?).ok()
    }

    fn id(&mut self, label: i64, prefix: &str) -> Option<Uuid> {
        let text = self.number(label)?.into_text().ok()?;
        strip(&text, prefix)
    }

    /// A claim of ours that may be absent, but not one that is there and can't be read.
    fn optional<T: serde::de::DeserializeOwned>(
        &mut self,
        label: &str,
    ) -> Result<Option<T>, Unread> {
        self.take(&label.into())
            .map(|value| value.deserialized().map_err(|_other_shape| Unread))
            .transpose()
    }

    fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The id behind a prefix, in the one way that it is written.
fn strip(text: &str, prefix: &str) -> Option<Uuid> {
    let id = text.strip_prefix(prefix)?.strip_prefix('/')?;
    let uuid = Uuid::try_parse(id).ok()?;
    (uuid.hyphenated().to_string() == id).then_some(uuid)
}

fn read(mut claims: Claims) -> Option<Grant> {
    let audience = claims.number(AUDIENCE)?.into_text().ok()?;
    let place = strip(&audience, "robot")
        .map(|robot| Place::Robot(RobotId(robot)))
        .or_else(|| strip(&audience, "site").map(|site| Place::Site(SiteId(site))))?;
    let id = claims.number(CWT_ID)?.into_bytes().ok()?;
    let verbs: Vec<GrantedVerb> = claims.take(&VERBS.into())?.deserialized().ok()?;
    let known: BTreeSet<GrantedVerb> = verbs.iter().copied().collect();
    if !verbs.is_sorted() || known.len() != verbs.len() {
        return None;
    }
    let grant = Grant {
        grant: GrantId(Uuid::from_slice(&id).ok()?),
        organisation: OrganisationId(claims.id(ISSUER, "organisation")?),
        person: PersonId(claims.id(SUBJECT, "person")?),
        place,
        not_before_s: claims.seconds(NOT_BEFORE)?,
        expires_s: claims.seconds(EXPIRES)?,
        session_key: session_key(claims.number(CONFIRMATION)?)?,
        epoch: claims.take(&EPOCH.into())?.deserialized().ok()?,
        verbs: known,
        zone: claims.optional::<Zone>(ZONE).ok()?,
        speed_cap_mm_s: claims.optional(SPEED_CAP).ok()?,
        job: claims.optional(JOB).ok()?,
    };
    claims.end()?;
    Some(grant)
}

fn session_key(confirmation: Value) -> Option<[u8; 32]> {
    let mut confirmation = Claims::of(confirmation)?;
    let mut key = Claims::of(confirmation.number(COSE_KEY)?)?;
    confirmation.end()?;
    let is_ours = key.seconds(KEY_TYPE)? == OCTET_KEY_PAIR && key.seconds(CURVE)? == ED25519;
    let x = key.number(X)?.into_bytes().ok()?;
    key.end()?;
    is_ours.then(|| x.try_into().ok()).flatten()
}
