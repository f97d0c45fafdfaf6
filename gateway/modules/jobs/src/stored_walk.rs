//! The same random jobs through the database: every step is saved as a gateway saves it, and what is stored is compared with
//! the replay of what happened.

use protocol::{OrganisationId, UnixMicros, job::JobEvent};
use spine::{Signer, SpineError, Tx};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    actor::Actor,
    job::Job,
    replay::{self, Step},
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
    /// What is stored is not what happened.
    #[error("seed {seed}: stored is {stored:?}, and what happened makes {replayed:?}")]
    Differs {
        /// The walk that finds it again.
        seed: u64,
        /// The row.
        stored: Box<Option<Job>>,
        /// The replay; none of a history that was not possible.
        replayed: Box<Option<Job>>,
    },
}

/// What was saved of the job that the walk is at.
struct Kept {
    seed: u64,
    job: Option<Job>,
    history: Vec<Step<JobEvent>>,
}

/// Walks until so many events were applied, `per_commit` proposals in a transaction. A walk with the same seed makes the same
/// jobs: a database takes each seed once.
pub async fn run(
    pool: &PgPool,
    signer: &Signer,
    seed: u64,
    transitions: u64,
    per_commit: usize,
) -> Result<Tally, StoredFault> {
    let mut walk = Walk::new(seed);
    let mut kept = Kept {
        seed,
        job: None,
        history: Vec::new(),
    };
    let mut now = UnixMicros(0);
    while walk.tally().transitions < transitions {
        let mut tx = Tx::begin(pool);
        for _proposal in 0..per_commit.max(1) {
            let taken = walk.step()?;
            now = taken.at;
            kept.take(&mut tx, taken).await?;
        }
        tx.commit(signer, now).await?;
    }
    let mut tx = Tx::begin(pool);
    kept.compare(&mut tx).await?;
    tx.commit(signer, now).await?;
    Ok(walk.tally().clone())
}

impl Kept {
    async fn take(&mut self, tx: &mut Tx, taken: Taken) -> Result<(), StoredFault> {
        let Taken {
            event,
            actor,
            at,
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
                    self.compare(tx).await?;
                    self.history.clear();
                    store::insert(tx, ORGANISATION, &after).await?;
                }
                self.job = Some(*after);
                let by = std::iter::once(actor).chain(std::iter::repeat(Actor::Cloud));
                for (event, by) in events.into_iter().zip(by) {
                    self.remember(event, by, at);
                }
            }
            Outcome::Recorded(_why) => {
                // As a gateway does: what was only recorded was judged by a job that must still be the same.
                if let Some(job) = &self.job {
                    store::save(tx, job, job).await?;
                }
                self.remember(event, actor, at);
            }
            Outcome::Refused(_refusal) => {}
        }
        Ok(())
    }

    fn remember(&mut self, event: JobEvent, actor: Actor, recorded_at: UnixMicros) {
        self.history.push(Step {
            event,
            actor,
            recorded_at,
        });
    }

    /// Whether the row is the job that its history makes.
    async fn compare(&self, tx: &mut Tx) -> Result<(), StoredFault> {
        let Some(job) = &self.job else {
            return Ok(());
        };
        let stored = store::load(tx, job.id()).await?.map(|stored| stored.job);
        let replayed = replay::play(self.history.iter().cloned())
            .ok()
            .and_then(|played| played.job);
        if stored.is_some() && stored == replayed {
            return Ok(());
        }
        Err(StoredFault::Differs {
            seed: self.seed,
            stored: Box::new(stored),
            replayed: Box::new(replayed),
        })
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use sqlx::{Executor as _, postgres::PgPoolOptions};

    use super::*;

    /// In the test command; `cargo xtask bench jobs` makes a million.
    const TRANSITIONS: u64 = 2_000;

    fn signer() -> Signer {
        Signer::new(SigningKey::from_bytes(&[1; 32]))
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

        let tally = run(&pool, &signer(), 1, TRANSITIONS, 1).await.unwrap();

        assert!(tally.jobs > 10 && tally.recorded > 100, "{tally:?}");
    }

    #[sqlx::test(migrator = "spine::MIGRATOR")]
    async fn a_row_that_is_not_what_happened_is_found(owner: PgPool) {
        let pool = as_app(&owner).await;
        let mut walk = Walk::new(1);
        let mut kept = Kept {
            seed: 1,
            job: None,
            history: Vec::new(),
        };
        let mut tx = Tx::begin(&pool);
        while kept.history.len() < 3 {
            let taken = walk.step().unwrap();
            kept.take(&mut tx, taken).await.unwrap();
        }
        kept.compare(&mut tx).await.unwrap();

        kept.history.pop();

        let found = kept.compare(&mut tx).await;
        assert!(matches!(found, Err(StoredFault::Differs { .. })));
    }
}
