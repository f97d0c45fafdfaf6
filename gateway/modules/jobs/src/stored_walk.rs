//! The same random jobs through the database: every step is saved and recorded as a gateway does it, row and events in one
//! transaction, and each job's row is compared with the replay of what the log holds of it.
//!
//! Robots sign their words with keys of their own, as the log demands it. People's acts are signed by the gateway on their behalf,
//! as those of callers without a key are. Who is who is known here and not by bindings of keys: these are tested where they are
//! made.

use std::collections::BTreeMap;

use ledger::log::{Entry, Head, hash_of_actor_bytes};
use protocol::{
    OrganisationId, PersonId, RobotId, UnixMicros,
    event::{ActorChain, ActorEvent, Payload},
    job::{JobEvent, job_stream},
    sealed::{self, KeyId, Kind, SealFailure},
    views::Role,
};
use spine::{RecordError, Signer, SpineError, Tx, evidence};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    actor::Actor,
    job::Job,
    replay,
    store::{self, StoreError},
    walk::{Fault, Outcome, Taken, Tally, Walk},
};

/// Whose jobs they are. Nothing else is stored of an organisation.
const ORGANISATION: OrganisationId = OrganisationId(Uuid::from_u128(1));

/// Why a walk through the database stopped.
#[derive(Debug, thiserror::Error)]
pub enum StoredFault {
    /// The machine itself is wrong.
    #[error(transparent)]
    Walk(#[from] Fault),
    /// A step could not be saved, or not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A transaction failed.
    #[error(transparent)]
    Spine(#[from] SpineError),
    /// The log did not take a robot's word.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An event could not be sealed, or what was stored of it not be read.
    #[error(transparent)]
    Seal(#[from] SealFailure),
    /// What is stored is not what happened.
    #[error(
        "seed {seed}: stored is {stored:?}, and the {entries} entries of the log make {replayed:?}"
    )]
    Differs {
        /// The walk that finds it again.
        seed: u64,
        /// The row.
        stored: Box<Option<Job>>,
        /// How many entries the log holds.
        entries: usize,
        /// The replay; none of a history that was not possible.
        replayed: Box<Option<Job>>,
    },
}

/// A robot's hand: seals an event with the key of that robot, always the same and nobody else's.
pub trait Hand: Fn(RobotId, &ActorEvent) -> Result<Vec<u8>, SealFailure> + Sync {}

impl<F: Fn(RobotId, &ActorEvent) -> Result<Vec<u8>, SealFailure> + Sync> Hand for F {}

/// How far a walk goes.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// Names it: a walk with the same seed makes the same jobs. A database takes each seed once.
    pub seed: u64,
    /// Until so many events were applied.
    pub transitions: u64,
    /// Proposals between which no time passes. Those of one moment share a transaction, as words that a robot delivers together do.
    pub at_once: u32,
}

/// What was saved of the job that the walk is at, and how far the robots' own chains are.
struct Kept<'a> {
    seed: u64,
    hand: &'a dyn Hand,
    job: Option<Job>,
    /// Entries of its stream.
    recorded: usize,
    chains: BTreeMap<RobotId, Head>,
    robots: BTreeMap<KeyId, RobotId>,
}

/// Walks to the end of its course.
pub async fn run(
    pool: &PgPool,
    signer: &Signer,
    hand: &dyn Hand,
    course: Course,
) -> Result<Tally, StoredFault> {
    let Course {
        seed,
        transitions,
        at_once,
    } = course;
    let mut walk = Walk::in_bursts(seed, at_once);
    let mut kept = Kept::nothing(seed, hand);
    let (mut tx, mut moment) = (Tx::begin(pool), None);
    while walk.tally().transitions < transitions {
        let taken = walk.step()?;
        let begins_anew = taken.begins_a_job();
        // All events of a transaction are recorded at its one moment.
        if let Some(before) = moment
            && (begins_anew || before != taken.at)
        {
            tx.commit(signer, before).await?;
            tx = Tx::begin(pool);
        }
        if begins_anew {
            kept.compare(pool).await?;
        }
        moment = Some(taken.at);
        kept.take(&mut tx, taken).await?;
    }
    tx.commit(signer, moment.unwrap_or(UnixMicros(0))).await?;
    kept.compare(pool).await?;
    Ok(walk.tally().clone())
}

impl Taken {
    const fn begins_a_job(&self) -> bool {
        matches!(self.outcome, Outcome::Applied { before: None, .. })
    }
}

impl<'a> Kept<'a> {
    fn nothing(seed: u64, hand: &'a dyn Hand) -> Self {
        Self {
            seed,
            hand,
            job: None,
            recorded: 0,
            chains: BTreeMap::new(),
            robots: BTreeMap::new(),
        }
    }

    async fn take(&mut self, tx: &mut Tx, taken: Taken) -> Result<(), StoredFault> {
        let Taken {
            event,
            actor,
            at: _,
            outcome,
        } = taken;
        match outcome {
            Outcome::Applied {
                before,
                events,
                after,
            } => {
                if let Some(before) = before {
                    store::save(tx, &before, &after).await?;
                } else {
                    store::insert(tx, ORGANISATION, &after).await?;
                    self.recorded = 0;
                }
                self.job = Some(*after);
                let by = std::iter::once(actor).chain(std::iter::repeat(Actor::Cloud));
                for (event, by) in events.into_iter().zip(by) {
                    self.record(tx, event, by).await?;
                }
            }
            Outcome::Recorded(_why) => {
                // As a gateway does: what was only recorded was judged by a job that must still be the same.
                if let Some(job) = &self.job {
                    store::save(tx, job, job).await?;
                }
                self.record(tx, event, actor).await?;
            }
            Outcome::Refused(_refusal) => {}
        }
        Ok(())
    }

    async fn record(&mut self, tx: &mut Tx, event: JobEvent, by: Actor) -> Result<(), StoredFault> {
        let Some(job) = &self.job else { return Ok(()) };
        let (stream, site) = (job_stream(job.id()), Some(job.site()));
        let payload = Payload::Job(event);
        self.recorded += 1;
        match (by, person(by)) {
            (_, Some(whose)) => tx.record_for(stream, ORGANISATION, site, whose, payload),
            (Actor::Robot(robot), None) => {
                let (bytes, event) = self.seal(robot, stream, payload)?;
                let key = sealed::claimed_key(&bytes)?;
                self.robots.insert(key, robot);
                tx.record_sealed(ORGANISATION, site, bytes, event, key)
                    .await?;
            }
            (_, None) => tx.record(stream, ORGANISATION, site, None, payload),
        }
        Ok(())
    }

    /// The robot's next event.
    fn seal(
        &mut self,
        robot: RobotId,
        stream: String,
        payload: Payload,
    ) -> Result<(Vec<u8>, ActorEvent), SealFailure> {
        let last = self.chains.entry(robot).or_insert(Head::START);
        let number = last.stream_number + 1;
        let event = ActorEvent {
            stream,
            chain: Some(ActorChain {
                number,
                previous: last.hash,
            }),
            on_behalf_of: None,
            acting_as: None,
            payload,
        };
        let bytes = (self.hand)(robot, &event)?;
        *last = Head {
            stream_number: number,
            hash: hash_of_actor_bytes(&bytes),
        };
        Ok((bytes, event))
    }

    /// Whether the row is the job that its history in the log makes.
    async fn compare(&self, pool: &PgPool) -> Result<(), StoredFault> {
        let Some(job) = &self.job else {
            return Ok(());
        };
        let stored = store::peek(pool, job.id()).await?.map(|stored| stored.job);
        let entries = evidence::read_streams(pool, ORGANISATION, &[job_stream(job.id())]).await?;
        let mut history = Vec::with_capacity(entries.len());
        for logged in &entries {
            history.push(self.read(&logged.entry)?);
        }
        let steps = history
            .iter()
            .map(|(event, actor, recorded_at)| (event, *actor, *recorded_at));
        let played = replay::play_signed(steps).ok();
        let replayed = played.and_then(|played| played.job);
        if stored.is_some() && stored == replayed && entries.len() == self.recorded {
            return Ok(());
        }
        Err(StoredFault::Differs {
            seed: self.seed,
            stored: Box::new(stored),
            entries: entries.len(),
            replayed: Box::new(replayed),
        })
    }

    /// What an entry holds, who did it, and when it was recorded.
    fn read(&self, entry: &[u8]) -> Result<(ActorEvent, Actor, UnixMicros), SealFailure> {
        let entry = sealed::unverified::<Entry>(Kind::Entry, entry)?.payload;
        let signed = sealed::unverified::<ActorEvent>(Kind::Event, &entry.actor)?;
        let (event, robot) = (signed.payload, self.robots.get(&signed.key));
        let actor = match (event.acting_as, event.on_behalf_of, robot) {
            (Some(role), Some(person), _) => Actor::person(role, person),
            (_, _, Some(robot)) => Actor::Robot(*robot),
            (_, _, None) => Actor::Cloud,
        };
        Ok((event, actor, entry.recorded_at))
    }
}

const fn person(actor: Actor) -> Option<(PersonId, Role)> {
    match actor {
        Actor::Requester(person) => Some((person, Role::Requester)),
        Actor::Operator(person) => Some((person, Role::Operator)),
        Actor::Owner(person) => Some((person, Role::Owner)),
        Actor::Admin(person) => Some((person, Role::Admin)),
        Actor::Robot(_) | Actor::Cloud => None,
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use protocol::job::PhaseName;
    use sqlx::{Executor as _, postgres::PgPoolOptions};

    use super::*;
    use crate::apply_all;

    /// In the test command; `cargo xtask bench jobs` makes a million.
    const TRANSITIONS: u64 = 2_000;

    fn signer() -> Signer {
        Signer::new(SigningKey::from_bytes(&[1; 32]))
    }

    fn hand(robot: RobotId, event: &ActorEvent) -> Result<Vec<u8>, SealFailure> {
        let mut seed = [7; 32];
        seed[..16].copy_from_slice(robot.0.as_bytes());
        sealed::seal(Kind::Event, event, &SigningKey::from_bytes(&seed))
    }

    async fn as_app(owner: &PgPool) -> PgPool {
        PgPoolOptions::new()
            .max_connections(2)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("SET ROLE nooterra_app").await?;
                    Ok(())
                })
            })
            .connect_with(owner.connect_options().as_ref().clone())
            .await
            .unwrap()
    }

    #[sqlx::test(migrator = "spine::MIGRATOR")]
    async fn two_thousand_random_transitions_through_the_database_replay_to_the_stored_rows(
        owner: PgPool,
    ) {
        let pool = as_app(&owner).await;
        let course = Course {
            seed: 1,
            transitions: TRANSITIONS,
            at_once: 4,
        };

        let tally = run(&pool, &signer(), &hand, course).await.unwrap();

        assert!(tally.jobs > 10 && tally.recorded > 100, "{tally:?}");
    }

    /// A job of a few events, in the database as it is in the log.
    async fn a_few_steps<'a>(pool: &PgPool) -> Kept<'a> {
        let mut walk = Walk::new(1);
        let mut kept = Kept::nothing(1, &hand);
        while kept.recorded < 3 {
            let taken = walk.step().unwrap();
            let at = taken.at;
            let mut tx = Tx::begin(pool);
            kept.take(&mut tx, taken).await.unwrap();
            tx.commit(&signer(), at).await.unwrap();
        }
        kept
    }

    #[sqlx::test(migrator = "spine::MIGRATOR")]
    async fn a_row_that_no_event_explains_is_found(owner: PgPool) {
        let pool = as_app(&owner).await;
        let kept = a_few_steps(&pool).await;
        kept.compare(&pool).await.unwrap();
        let before = kept.job.clone().unwrap();
        assert!(!before.phase.is_over());
        let cancelled = [JobEvent::Cancelled {}];
        let after = apply_all(
            Some(before.clone()),
            &cancelled,
            Actor::Cloud,
            before.updated_at,
        );

        let mut tx = Tx::begin(&pool);
        store::save(&mut tx, &before, &after.unwrap())
            .await
            .unwrap();
        tx.commit(&signer(), UnixMicros(0)).await.unwrap();

        let found = kept.compare(&pool).await;
        let Err(StoredFault::Differs { stored, .. }) = found else {
            panic!("{found:?}");
        };
        assert_eq!(stored.unwrap().phase_name(), PhaseName::Cancelled);
    }

    #[sqlx::test(migrator = "spine::MIGRATOR")]
    async fn an_event_that_the_log_does_not_hold_is_found(owner: PgPool) {
        let pool = as_app(&owner).await;
        let mut kept = a_few_steps(&pool).await;
        let missed = JobEvent::Departed { epoch: 0 };

        let mut tx = Tx::begin(&pool);
        kept.record(&mut tx, missed, Actor::Robot(RobotId(Uuid::nil())))
            .await
            .unwrap();
        drop(tx);

        let found = kept.compare(&pool).await;
        assert!(
            matches!(found, Err(StoredFault::Differs { entries: 3, .. })),
            "{found:?}"
        );
    }
}
