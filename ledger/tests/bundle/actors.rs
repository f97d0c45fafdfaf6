//! Who is believed to have acted: by a key that is theirs at that moment, and by no other.

use ledger::{
    log::Entry,
    verify::{Actor, StepName, verify},
};
use protocol::{
    event::Payload,
    job::{JobEvent, job_stream},
    sealed::{self, Kind},
    views::Role,
};

use super::{
    failure_of,
    world::{
        self, By, GATEWAY, JOB, OPERATOR, OPERATOR_KEY, REQUESTER_KEY, ROBOT_KEY, World, key,
        report, requested, trust,
    },
};

/// What the signatures say of a story that ends with an event of the robot's or the operator's key.
fn signature_fault(tell: impl FnOnce(&mut World)) -> Option<&'static str> {
    let mut world = World::default();
    world.on_job(By::CloudFor(OPERATOR, Role::Requester), requested());
    tell(&mut world);
    failure_of(&report(&world.bundle(), &trust()), StepName::Signatures).map(|(code, _)| code)
}

#[test]
fn an_actor_is_believed_only_under_a_key_that_is_theirs_at_that_moment() {
    let departed = || JobEvent::Departed { epoch: 1 };
    let as_operator = By::Key(OPERATOR_KEY, Some(Role::Operator));
    let end = |world: &mut World| {
        let payload = Payload::SessionKeyEnded {
            person: OPERATOR,
            key: protocol::sealed::KeyId::of(&key(OPERATOR_KEY).verifying_key()),
        };
        world.cloud(protocol::event::person_stream(OPERATOR), payload);
    };

    let bound = signature_fault(|world| {
        world.bind_robot();
        world.bind_session(OPERATOR, OPERATOR_KEY, 60);
        world.on_job(By::Key(ROBOT_KEY, None), departed());
        world.on_job(as_operator, JobEvent::Paused {});
        end(world);
    });
    let unbound = signature_fault(|world| world.on_job(By::Key(ROBOT_KEY, None), departed()));
    let later = signature_fault(|world| {
        world.on_job(By::Key(ROBOT_KEY, None), departed());
        world.bind_robot();
    });
    let in_role = signature_fault(|world| {
        world.bind_robot();
        world.on_job(By::Key(ROBOT_KEY, Some(Role::Admin)), departed());
    });
    let expired = signature_fault(|world| {
        world.bind_session(OPERATOR, OPERATOR_KEY, 5);
        world.others(10);
        world.on_job(as_operator, JobEvent::Paused {});
    });
    let ended = signature_fault(|world| {
        world.bind_session(OPERATOR, OPERATOR_KEY, 60);
        end(world);
        world.on_job(as_operator, JobEvent::Paused {});
    });
    let twice = signature_fault(|world| {
        world.bind_session(OPERATOR, OPERATOR_KEY, 60);
        world.bind_session(world::REQUESTER, OPERATOR_KEY, 60);
    });

    assert_eq!(bound, None);
    assert_eq!(unbound, Some("unbound_key"));
    assert_eq!(later, Some("bound_later"));
    assert_eq!(in_role, Some("robot_in_role"));
    assert_eq!(expired, Some("expired_key"));
    assert_eq!(ended, Some("ended_key"));
    assert_eq!(twice, Some("bad_binding"));
}

#[test]
fn an_event_that_the_gateway_signed_in_anothers_name_is_found() {
    let mut world = World::short();
    let mut event = sealed::unverified::<protocol::event::ActorEvent>(
        Kind::Event,
        &Entry::open(
            &world.entries.last().unwrap().sealed,
            &key(GATEWAY).verifying_key(),
        )
        .unwrap()
        .actor,
    )
    .unwrap()
    .payload;
    event.chain = Some(protocol::event::ActorChain {
        number: 2,
        previous: [0; 32],
    });
    let robot = protocol::sealed::KeyId::of(&key(ROBOT_KEY).verifying_key());
    let forged = sealed::Unsigned::prepare(Kind::Event, &event, robot)
        .unwrap()
        .with_signature([7; 64])
        .unwrap();
    world.append(job_stream(JOB), Some(ledger::bundle::Part::Job), forged);

    let report = report(&world.bundle(), &trust());

    let (code, _) = failure_of(&report, StepName::Signatures).unwrap();
    assert_eq!(code, "bad_actor_signature");
    let (code, _) = failure_of(&report, StepName::EventChains).unwrap();
    assert_eq!(code, "actor_previous");
}

#[test]
fn the_replay_learns_who_acted_from_the_signatures() {
    #[derive(Default)]
    struct Actors(Vec<(Actor, Option<Role>)>);
    impl ledger::verify::Replay for Actors {
        fn stream_prefix(&self) -> &'static str {
            "job/"
        }
        fn replay(
            &mut self,
            _stream: &str,
            events: &[ledger::verify::ReplayedEvent<'_>],
        ) -> Result<String, ledger::verify::ReplayFault> {
            self.0 = events
                .iter()
                .map(|event| (event.actor, event.acting_as))
                .collect();
            Ok(String::new())
        }
    }
    let mut world = World::short();
    world.on_job(By::Cloud, JobEvent::WorkAccepted {});
    world.on_job(By::CloudFor(OPERATOR, Role::Admin), JobEvent::Cancelled {});
    let mut actors = Actors::default();

    verify(&world.bundle(), &trust(), &mut [&mut actors]);

    assert_eq!(
        actors.0,
        [
            (Actor::Person(world::REQUESTER), Some(Role::Requester)),
            (Actor::Person(OPERATOR), Some(Role::Operator)),
            (Actor::Robot(world::ROBOT), None),
            (Actor::Cloud, None),
            (Actor::CloudFor(OPERATOR), Some(Role::Admin)),
        ]
    );
    assert_ne!(REQUESTER_KEY, OPERATOR_KEY);
}
