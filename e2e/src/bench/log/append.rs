//! Events a second beside plain single-row inserts of as many bytes, turn by turn on the same server.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use protocol::{
    CommandId, OrganisationId, PersonId, RobotId,
    command::Verb,
    event::{Payload, robot_stream},
};
use spine::{Tx, sequencer};
use sqlx::PgPool;
use uuid::Uuid;

use super::{events, gateway, log_key, now, plain};
use crate::{Row, per_second};

/// One writer waits for the disk alone; eight share its syncs; thirty-two are more than there are cores.
const WRITERS: [usize; 3] = [1, 8, 32];

/// Turns of each kind, so that a server that warms up or a busy neighbour falls on all alike.
const TURNS: usize = 3;

/// How long one turn is.
const TURN: Duration = Duration::from_secs(2);

const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));

/// What a turn writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    DifferentStreams,
    OneStream,
}

const KINDS: [Kind; 3] = [Kind::Plain, Kind::DifferentStreams, Kind::OneStream];

pub(super) async fn measure(owner: &PgPool, app: &PgPool) -> Result<Vec<Row>> {
    plain::make_table(owner).await?;
    let mut rows = Vec::new();
    for writers in WRITERS {
        let mut written = [0; KINDS.len()];
        let mut took = [Duration::ZERO; KINDS.len()];
        for _ in 0..TURNS {
            for (index, kind) in KINDS.into_iter().enumerate() {
                let began = Instant::now();
                written[index] += turn(app, kind, writers).await?;
                took[index] += began.elapsed();
            }
        }
        let [plain, different, one] =
            [0, 1, 2].map(|index| per_second(written[index], took[index]));
        let metric = match writers {
            1 => "append_by_1",
            8 => "append",
            _ => "append_by_32",
        };
        for (case, rate) in [("different_streams", different), ("one_stream", one)] {
            rows.push(Row::new(metric, "events/s", rate).of(case).beside(plain));
        }
    }
    Ok(rows)
}

/// Rows written while `writers` write at once.
async fn turn(app: &PgPool, kind: Kind, writers: usize) -> Result<usize> {
    let until = Instant::now() + TURN;
    let turn: Vec<_> = (0..writers)
        .map(|writer| tokio::spawn(write(app.clone(), kind, writer, until)))
        .collect();
    let mut written = 0;
    for writer in turn {
        written += writer.await??;
    }
    Ok(written)
}

async fn write(app: PgPool, kind: Kind, writer: usize, until: Instant) -> Result<usize> {
    let robot = match kind {
        Kind::Plain | Kind::DifferentStreams => writer,
        Kind::OneStream => 1_000,
    };
    let robot = RobotId(Uuid::from_u128(robot.try_into()?));
    let signer = gateway();
    let mut written = 0_u64;
    while Instant::now() < until {
        let payload = order(robot, written);
        if kind == Kind::Plain {
            plain::insert(&app, robot_stream(robot), &payload).await?;
        } else {
            let mut tx = Tx::begin(&app);
            tx.record(robot_stream(robot), LINDEN, None, None, payload);
            tx.commit(&signer, now()).await?;
        }
        written += 1;
    }
    Ok(usize::try_from(written)?)
}

pub(super) fn order(robot: RobotId, number: u64) -> Payload {
    Payload::CommandIssued {
        command: CommandId(Uuid::from_u128(number.into())),
        robot,
        person: PersonId(Uuid::from_u128(4)),
        order: Verb::NavigateTo {
            x_m: 2.41,
            y_m: 1.1,
            heading_rad: None,
        },
        epoch: Some(41),
        signed: None,
        words: String::new(),
    }
}

/// How fast what was appended gets its leaves when nobody has for a while.
pub(super) async fn sequence(app: &PgPool) -> Result<Row> {
    let all = events(app).await?;
    let leader = sequencer::lead(app, &log_key()?).await?;
    ensure!(leader.is_some(), "somebody else leads the log");
    let began = Instant::now();
    let mut added = 0;
    if let Some(mut leader) = leader {
        while added < usize::try_from(all)? {
            added += leader.next().await?;
        }
        leader.resign().await?;
    }
    let rate = per_second(added, began.elapsed());
    Ok(Row::new("sequence", "events/s", rate))
}
