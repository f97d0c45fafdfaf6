//! Claims about passkeys on a robot: one on the roster binds a grant, and nothing else that it, or a gateway that turned, comes by
//! does.

use ::base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::ecdsa::{DerSignature, SigningKey as Authenticator, signature::Signer as _};
use protocol::{
    passkey::{POINT_BYTES, PasskeyAssertion, binding_challenge},
    roster::{RelyingParty, RosteredPasskey, name_of_passkey},
};
use sha2::{Digest as _, Sha256};

use super::{cast::binding, *};

const ORIGIN: &str = "https://fleet.example";
const SITE: &str = "fleet.example";
const GET: &str = "webauthn.get";
const LOOKED_WHO: u8 = 0b101;

fn authenticator(seed: u8) -> Authenticator {
    Authenticator::from_slice(&[seed; 32]).unwrap()
}

fn point(key: &Authenticator) -> [u8; POINT_BYTES] {
    let point = key.verifying_key().to_sec1_point(true);
    point.as_bytes().try_into().unwrap()
}

/// Mira's roster with the passkey of this seed.
fn with_passkey(number: u64, seed: u8) -> Roster {
    let mut roster = roster(number, NOW.at);
    roster.relying_parties = vec![RelyingParty {
        id: SITE.to_owned(),
        origins: vec![ORIGIN.to_owned()],
    }];
    roster.people[0].passkeys = vec![RosteredPasskey {
        public_key: point(&authenticator(seed)),
        site: 0,
        is_demo: false,
    }];
    roster
}

fn enrolled() -> Trust {
    with(&with_passkey(3, 1), &revocations(7, NOW.at))
}

/// What an authenticator signs, and its browser before it says.
struct Signs<'words> {
    by: u8,
    kind: &'words str,
    challenge: Vec<u8>,
    origin: &'words str,
    site: &'words str,
    flags: u8,
}

impl Signs<'_> {
    /// What binds this grant.
    fn binding(grant: &Grant) -> Self {
        Self {
            by: 1,
            kind: GET,
            challenge: binding_challenge(&binding(grant, NONCE)),
            origin: ORIGIN,
            site: SITE,
            flags: LOOKED_WHO,
        }
    }

    fn assertion(&self) -> PasskeyAssertion {
        let key = authenticator(self.by);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(&self.challenge);
        let (kind, origin) = (self.kind, self.origin);
        let client_data = format!(
            r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
        );
        let mut head = Sha256::digest(self.site).to_vec();
        head.extend([self.flags, 0, 0, 0, 9]);
        let message = [&head[..], &Sha256::digest(&client_data)[..]].concat();
        let signature: DerSignature = key.sign(&message);
        PasskeyAssertion {
            key: name_of_passkey(&point(&key)),
            authenticator_data: base64(&head),
            client_data: base64(client_data.as_bytes()),
            signature: base64(signature.as_bytes()),
        }
    }
}

fn presented(grant: &Grant, assertion: PasskeyAssertion) -> Presentation {
    Presentation {
        grant: base64(&seal(Kind::Grant, grant, &policy())),
        assertion: None,
        passkey: Some(Box::new(assertion)),
    }
}

fn good() -> Presentation {
    let grant = grant(1, EPOCH, NOW.at);
    presented(&grant, Signs::binding(&grant).assertion())
}

#[test]
fn a_grant_that_a_rostered_passkey_binds_is_believed_and_the_robot_says_by_what() {
    let mut trust = enrolled();

    let event = trust.present(&good(), &held(EPOCH), NOW, NEXT);

    let GrantEvent::Accepted { bound_by, .. } = event else {
        panic!("{event:?}");
    };
    assert_eq!(bound_by, name_of_passkey(&point(&authenticator(1))));
    assert_eq!(trust.state().nonce, NEXT);
    // Its nonce is used: the same again binds nothing.
    assert_eq!(shown(&mut trust, &good()), Err(GrantRefusal::NotBound));
}

#[test]
fn a_grant_that_a_passkey_bound_is_renewed_without_it() {
    let mut trust = enrolled();
    assert_eq!(shown(&mut trust, &good()), Ok(()));
    let next = grant(2, EPOCH, NOW.at);
    let renewal = Presentation {
        grant: base64(&seal(Kind::Grant, &next, &policy())),
        assertion: None,
        passkey: None,
    };

    assert_eq!(shown(&mut trust, &renewal), Ok(()));
}

#[expect(
    clippy::too_many_lines,
    reason = "a table: one row for each way to be wrong"
)]
#[test]
fn what_a_passkey_signed_otherwise_binds_nothing() {
    use GrantRefusal::{AnotherSite, KeyNotRostered, NotBound, Unreadable, Unverified};
    let grant = grant(1, EPOCH, NOW.at);
    let other = Grant {
        session_key: public(&foreign()),
        ..grant.clone()
    };
    let challenge = binding(&grant, NONCE);
    let signs = || Signs::binding(&grant);
    let cut = |cut: fn(&mut PasskeyAssertion)| {
        let mut assertion = signs().assertion();
        cut(&mut assertion);
        assertion
    };
    let mut by_another = Signs { by: 2, ..signs() }.assertion();
    let unrostered = by_another.clone();
    by_another.key = signs().assertion().key;
    for (case, assertion, reason) in [
        (
            "on another site",
            Signs {
                origin: "https://evil.example",
                ..signs()
            }
            .assertion(),
            AnotherSite,
        ),
        (
            "for another site",
            Signs {
                site: "evil.example",
                ..signs()
            }
            .assertion(),
            AnotherSite,
        ),
        (
            "without looking who",
            Signs {
                flags: 0b001,
                ..signs()
            }
            .assertion(),
            Unverified,
        ),
        (
            "with nobody there",
            Signs {
                flags: 0b100,
                ..signs()
            }
            .assertion(),
            Unverified,
        ),
        (
            "as it was made",
            Signs {
                kind: "webauthn.create",
                ..signs()
            }
            .assertion(),
            NotBound,
        ),
        // The gateway chooses what is signed to sign in; a page has 32 bytes signed, and no others.
        (
            "to sign in",
            Signs {
                challenge: challenge.to_vec(),
                ..signs()
            }
            .assertion(),
            NotBound,
        ),
        (
            "for another page",
            Signs::binding(&other).assertion(),
            NotBound,
        ),
        (
            "for another nonce",
            Signs {
                challenge: binding_challenge(&binding(&grant, NEXT)),
                ..signs()
            }
            .assertion(),
            NotBound,
        ),
        (
            "by a passkey that is not on the roster",
            unrostered,
            KeyNotRostered,
        ),
        ("by another under its name", by_another, NotBound),
        (
            "without a signature",
            cut(|it| it.signature.clear()),
            Unreadable,
        ),
        ("cut", cut(|it| it.client_data.truncate(40)), Unreadable),
        (
            "cut behind the hash",
            cut(|it| it.authenticator_data.truncate(44)),
            Unreadable,
        ),
        (
            "as something else than base64",
            cut(|it| it.client_data.insert(0, '!')),
            Unreadable,
        ),
        (
            "without end",
            cut(|it| it.client_data = "A".repeat(100_000)),
            Unreadable,
        ),
    ] {
        let mut trust = enrolled();
        let presentation = presented(&grant, assertion);
        assert_eq!(shown(&mut trust, &presentation), Err(reason), "{case}");
        assert_eq!(trust.state().session, None, "{case}");
        // The nonce was not used: the true one still fits.
        assert_eq!(shown(&mut trust, &good()), Ok(()), "{case}");
    }
}

#[test]
fn two_that_bind_are_none() {
    let both = Presentation {
        assertion: presentation(&grant(1, EPOCH, NOW.at), NONCE).assertion,
        ..good()
    };

    assert_eq!(shown(&mut enrolled(), &both), Err(GrantRefusal::Unreadable));
}

#[test]
fn a_key_of_a_browser_does_not_pass_for_a_passkey_nor_a_passkey_for_it() {
    let grant = grant(1, EPOCH, NOW.at);
    let mut named_for_key = Signs::binding(&grant).assertion();
    named_for_key.key = name_of(&public(&miras_key()));
    let sealed = seal(Kind::Grant, &grant, &policy());
    // A sealed assertion that names a passkey: there is no key of 32 bytes to check it with.
    let point = point(&authenticator(1));
    let claims = SigningKey::from_bytes(&point[1..].try_into().unwrap());
    let sealed_by = present_as(&sealed, grant.session_key, JUNIPER, NONCE, &claims);

    for shown_grant in [presented(&grant, named_for_key), sealed_by] {
        let refused = shown(&mut enrolled(), &shown_grant);
        assert_eq!(refused, Err(GrantRefusal::KeyNotRostered));
    }
}

#[test]
fn who_a_passkey_bound_is_out_when_it_is_revoked_or_leaves_the_roster() {
    let mut trust = enrolled();
    assert_eq!(shown(&mut trust, &good()), Ok(()));
    let revoked = Revocations {
        keys: vec![name_of_passkey(&point(&authenticator(1)))],
        ..revocations(8, NOW.at)
    };
    assert_eq!(trust.hear_revocations(&sealed_list(&revoked)), Ok(true));
    assert_eq!(shown(&mut trust, &good()), Err(GrantRefusal::NotBound));

    let mut trust = enrolled();
    assert_eq!(shown(&mut trust, &good()), Ok(()));
    let replaced = with_passkey(4, 2);
    assert_eq!(trust.hear_roster(&sealed_roster(&replaced)), Ok(true));
    let refused = trust.state().refused.map(|refused| refused.reason);
    assert_eq!(refused, Some(GrantRefusal::KeyNotRostered));
}

#[test]
fn a_roster_with_passkeys_of_no_site_or_no_shape_is_not_taken() {
    let changed = |change: fn(&mut Roster)| {
        let mut roster = with_passkey(4, 1);
        change(&mut roster);
        sealed_roster(&roster)
    };
    for (case, sealed) in [
        (
            "no such site",
            changed(|roster| roster.people[0].passkeys[0].site = 1),
        ),
        (
            "no point",
            changed(|roster| roster.people[0].passkeys[0].public_key[0] = 4),
        ),
        (
            "twice",
            changed(|roster| {
                let passkey = roster.people[0].passkeys[0];
                roster.people[0].passkeys.push(passkey);
            }),
        ),
        (
            "too many",
            changed(|roster| {
                let passkey = roster.people[0].passkeys[0];
                roster.people[0].passkeys = vec![passkey; 9];
            }),
        ),
        (
            "a site without a name",
            changed(|roster| roster.relying_parties[0].id.clear()),
        ),
        (
            "a site without an address",
            changed(|roster| roster.relying_parties[0].origins.clear()),
        ),
        (
            "an address that ends its own text",
            changed(|roster| {
                roster.relying_parties[0].origins[0].push_str("\",\"x\":\"");
            }),
        ),
        (
            "a passkey among the keys of browsers",
            changed(|roster| {
                roster.people[0].keys[0].tier = protocol::roster::KeyTier::Passkey;
            }),
        ),
    ] {
        let mut trust = enrolled();
        let heard = trust.hear_roster(&sealed);
        assert_eq!(heard, Err(NotBelieved::Flawed), "{case}");
    }
}
