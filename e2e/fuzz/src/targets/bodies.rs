//! Bodies of HTTP requests and answers: JSON of our own types. What is read can be written, and is read again.

use protocol::{
    command::CommandBody,
    control::{ControlAct, ControlPresence},
    grant::Presentation,
    passkey::PasskeyAssertion,
    views::{
        AddPasskey, BindSessionKey, CaseAct, Complaint, ConsistencyView, Enrolment, GrantAsk,
        JobAct, NewJob, OfferPersonKey, PasskeyAnswer, Problem, SignIn,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::frames::is_read_again;
use crate::{Seed, Target};

pub(crate) const TARGET: Target = Target {
    name: "bodies",
    run,
    seeds,
    longest: 4_096,
};

type Read = fn(&[u8]) -> bool;

/// By the byte that tells them apart, with one of each.
const BODIES: [(&str, Read, &str); 17] = [
    (
        "command",
        read::<CommandBody>,
        r#"{"epoch":3,"verb":"navigate_to","x_m":1.5,"y_m":2,"signed":"hEpY"}"#,
    ),
    (
        "control act",
        read::<ControlAct>,
        r#"{"sealed":"hEpY","acting_as":"operator"}"#,
    ),
    ("presence", read::<ControlPresence>, r#"{"epoch":3}"#),
    (
        "presentation",
        read::<Presentation>,
        r#"{"grant":"hEpY","assertion":"hEpY"}"#,
    ),
    (
        "passkey",
        read::<PasskeyAssertion>,
        r#"{"key":"0909090909090909090909090909090909090909090909090909090909090909","authenticator_data":"","client_data":"","signature":""}"#,
    ),
    (
        "new passkey",
        read::<AddPasskey>,
        r#"{"challenge":"00000000-0000-0000-0000-000000000007","name":"Key","credential":{"id":"x"}}"#,
    ),
    (
        "session key",
        read::<BindSessionKey>,
        r#"{"public_key":"09","proof":"hEpY"}"#,
    ),
    (
        "case act",
        read::<CaseAct>,
        r#"{"event":{"kind":"case.withdrawn"},"acting_as":"requester","reason":{"words":"x","salt":"09"}}"#,
    ),
    (
        "complaint",
        read::<Complaint>,
        r#"{"case":"00000000-0000-0000-0000-000000000003","about":"property_damage","severity":3,"words":"x","salt":"09","pictures":[]}"#,
    ),
    (
        "consistency",
        read::<ConsistencyView>,
        r#"{"from":1,"to":2,"hashes":["CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="]}"#,
    ),
    (
        "enrolment",
        read::<Enrolment>,
        r#"{"public_key":"09","proof":"hEpY"}"#,
    ),
    (
        "grant ask",
        read::<GrantAsk>,
        r#"{"epoch":3,"public_key":"09","proof":"hEpY"}"#,
    ),
    (
        "job act",
        read::<JobAct>,
        r#"{"event":{"kind":"job.paused"}}"#,
    ),
    (
        "new job",
        read::<NewJob>,
        r#"{"request":{"job":"00000000-0000-0000-0000-000000000002","site":"00000000-0000-0000-0000-00000000000a","template":{"name":"reset_room","version":1},"parameters":{"room":"Room 3"},"window":{"from":1,"until":2},"operator_cover":true}}"#,
    ),
    (
        "person key",
        read::<OfferPersonKey>,
        r#"{"public_key":"09","proof":"hEpY","tier":"browser"}"#,
    ),
    (
        "passkey answer",
        read::<PasskeyAnswer>,
        r#"{"challenge":"00000000-0000-0000-0000-000000000007","credential":{}}"#,
    ),
    (
        "problem",
        read::<Problem>,
        r#"{"type":"about:blank","title":"x","status":409,"code":"y","detail":"z"}"#,
    ),
];

const SIGN_IN: &str = r#"{"link":"nt_link_x"}"#;

fn read<T: Serialize + DeserializeOwned>(text: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<T>(text) else {
        return false;
    };
    assert!(is_read_again(&body));
    true
}

fn run(data: &[u8]) -> bool {
    let Some((which, text)) = data.split_first() else {
        return false;
    };
    let which = usize::from(*which) % (BODIES.len() + 1);
    match BODIES.get(which) {
        Some((_, read, _)) => read(text),
        // A sign-in is only ever read: what it holds is never written.
        None => serde_json::from_slice::<SignIn>(text).is_ok(),
    }
}

fn seeds() -> Vec<Seed> {
    let bodies = BODIES.iter().map(|(name, _, text)| (*name, *text));
    let all = bodies.chain([("sign in", SIGN_IN)]).enumerate();
    all.map(|(number, (name, text))| {
        let which = u8::try_from(number).unwrap();
        Seed::new(name, [&[which], text.as_bytes()].concat())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_body_is_read() {
        for seed in seeds() {
            assert!(run(&seed.bytes), "{}", seed.name);
        }
    }
}
