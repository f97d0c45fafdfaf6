//! An operator drives a robot over a bad link: how fast it stops whatever becomes of the link and the gateway, how fast it refuses who
//! was put out, how much authority is left, and that nothing is followed late.

mod ground;
mod judged;
mod log;
mod orders;
mod wheel;

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{events::payloads, relay::profile::Profile};
use protocol::{ladder::Level, safety::Envelope};
use tokio::time::sleep;

pub(crate) use self::ground::Ground;
use self::{
    ground::Site,
    judged::{Said, Segment},
    orders::{Script, Way},
    wheel::Mishap,
};
use crate::{Row, count, print, progress, quantile};

/// What a link may be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Impair {
    /// The relay alone: what the others are held against.
    None,
    /// A building's wireless network.
    Wifi,
    /// A mobile network.
    #[value(name = "4g")]
    Mobile,
    /// By a geostationary satellite.
    Satellite,
    /// A tenth of all packets is lost.
    Lossy,
    /// Everything is lost, in the midst of driving.
    Blackhole,
    /// Each of them.
    All,
}

impl Impair {
    const EACH: [Self; 6] = [
        Self::None,
        Self::Wifi,
        Self::Mobile,
        Self::Satellite,
        Self::Lossy,
        Self::Blackhole,
    ];

    const fn case(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Wifi => "wifi",
            Self::Mobile => "4g",
            Self::Satellite => "satellite",
            Self::Lossy => "lossy",
            Self::Blackhole => "blackhole",
            Self::All => "all",
        }
    }

    /// What the link is like when it works.
    const fn profile(self) -> Profile {
        match self {
            Self::None | Self::Blackhole | Self::All => Profile::CLEAR,
            Self::Wifi => Profile::WIFI,
            Self::Mobile => Profile::MOBILE,
            Self::Satellite => Profile::SATELLITE,
            Self::Lossy => Profile::LOSSY,
        }
    }
}

/// Until the encoder and the ladder have found what is left: a step of authority takes five seconds.
const SETTLES_FOR: Duration = Duration::from_secs(8);

/// How long the operator drives, or looks on where they may not, while pictures and words are measured.
const STEADY_FOR: Duration = Duration::from_secs(20);

/// More frames than come meanwhile.
const MOST_FRAMES: usize = 1_000;

/// Drives that are let go, and drives into a link that swallows.
const ROUNDS: usize = 14;

/// The same of the black hole alone.
const ROUNDS_INTO_THE_HOLE: usize = 36;

/// Drives into a link that stalls, or is gone for seconds: authority is lost with it, and takes its time to come back.
const STALLS: usize = 3;

/// Drives during which the gateway dies: it takes its time to come back.
const DEATHS: usize = 3;

/// Measures these, the reference first.
pub(crate) async fn measure(ground: &Ground, asked: &[Impair]) -> Result<()> {
    let is_asked = |one: &Impair| asked.contains(one) || asked.contains(&Impair::All);
    let mut references = HashMap::new();
    for impair in Impair::EACH.into_iter().filter(is_asked) {
        progress(&format!("a link like this: {}", impair.case()));
        let mut rows = measure_one(ground, impair).await?;
        for row in &mut rows {
            *row = row.of(impair.case());
            row.reference = references.get(row.metric).copied();
        }
        print(&rows)?;
        if impair == Impair::None {
            references.extend(rows.iter().map(|row| (row.metric, row.value)));
        }
    }
    Ok(())
}

async fn measure_one(ground: &Ground, impair: Impair) -> Result<Vec<Row>> {
    let mut site = Site::open(ground).await?;
    let mut found = Found::default();
    let mut rows = Vec::new();
    if impair == Impair::Blackhole {
        into_the_hole(&site, &mut found).await?;
    } else {
        site.impair(&impair.profile());
        sleep(SETTLES_FOR).await;
        let may_drive = site.may_drive().await?;
        rows.extend(steadily(&site, may_drive, &mut found).await?);
        ensure!(
            may_drive || impair != Impair::None,
            "nobody may drive over a clear link"
        );
        if may_drive {
            drives_end(&mut site, &mut found).await?;
            rows.push(Row::new(
                "revoke_while_driving",
                "ms",
                orders::revoke_who_drives(&site).await?,
            ));
        }
    }
    progress("signed commands and revocations by script");
    let script = Script::take_over(&site).await?;
    if impair == Impair::Blackhole {
        let revoked = script.revocations(&site, Way::Swallowed).await?;
        rows.extend(p99(
            "revoke_after_hole_p99",
            "revocations_after_hole",
            &revoked,
        ));
    } else {
        let trips = script.round_trips(&site).await?;
        rows.push(Row::new("command_rtt_p50", "ms", quantile(&trips, 0.5)));
        rows.push(Row::new("command_rtt_p95", "ms", quantile(&trips, 0.95)));
        let revoked = script.revocations(&site, Way::Open).await?;
        rows.extend(p99("revoke_p99", "revocations", &revoked));
    }
    let (entered, dropped) = ground.wire.counted();
    rows.extend(found.rows(&site).await?);
    rows.extend(cost(&site, &found)?);
    rows.push(Row::new("packets", "packets", of_u64(entered)));
    rows.push(Row::new("packets_lost", "packets", of_u64(dropped)));
    // Where no command is followed and none can be, there is nothing to measure of it; the counts say so.
    rows.retain(|row| row.value.is_finite());
    Ok(rows)
}

/// What is found on the way.
#[derive(Debug, Default)]
struct Found {
    said: Vec<Said>,
    /// How long the page's signatures took, milliseconds.
    signed: Vec<f64>,
    swallowed: Vec<f64>,
    stalled: Vec<f64>,
    killed: Vec<f64>,
}

/// Drives, or looks on, and takes what page and robot say of it.
async fn steadily(site: &Site<'_>, may_drive: bool, found: &mut Found) -> Result<Vec<Row>> {
    progress(if may_drive {
        "driving"
    } else {
        "looking on: the delay leaves no authority to drive"
    });
    if may_drive {
        site.arm().await?;
        site.drive_off().await?;
    }
    // What was said on the way here was under a ladder that had just settled.
    found.keep(site.taken().await?)?;
    let frames = site
        .operator
        .measure_frames(MOST_FRAMES, STEADY_FOR)
        .await?;
    let taken = site.taken().await?;
    if may_drive {
        site.operator.lets_go("a").await?;
    }
    ensure!(!frames.samples.is_empty(), "no picture came: {frames:?}");
    let trips = taken.round_trips()?;
    let percent = |level| taken.at(level) * 100.0;
    let rows = vec![
        Row::new("glass_p50", "ms", quantile(&frames.samples, 0.5)),
        Row::new("glass_p95", "ms", quantile(&frames.samples, 0.95)),
        Row::new("frame_rate", "fps", frames.rate()),
        Row::new("authority_drive", "% of time", percent(Level::Drive)),
        Row::new("authority_nudge", "% of time", percent(Level::Nudge)),
        Row::new("authority_waypoint", "% of time", percent(Level::Waypoint)),
        Row::new("armed", "% of time", taken.armed() * 100.0),
        Row::new("control_delay_p95", "ms", quantile(&taken.delays(), 0.95)),
        Row::new("drive_rtt_p50", "ms", quantile(&trips, 0.5)),
        Row::new("drive_rtt_p95", "ms", quantile(&trips, 0.95)),
    ];
    found.keep(taken)?;
    Ok(rows)
}

/// Everything that ends a drive, some times over.
async fn drives_end(site: &mut Site<'_>, found: &mut Found) -> Result<()> {
    progress("letting go, and a link that swallows");
    for _ in 0..ROUNDS {
        site.arm_again().await?;
        site.drive_and_let_go().await?;
        found
            .swallowed
            .push(site.drive_into(Mishap::Swallowed).await?);
    }
    progress("a link that stalls");
    for _ in 0..STALLS {
        site.arm_again().await?;
        found.stalled.push(site.drive_into(Mishap::Stalled).await?);
    }
    for round in 1..=DEATHS {
        progress(&format!("a gateway that dies, {round} of {DEATHS}"));
        site.arm_again().await?;
        let before = site.drive_off().await?;
        // The page that follows knows nothing of it.
        found.keep(site.taken().await?)?;
        found.killed.push(site.gateway_dies(before).await?);
    }
    found.keep(site.taken().await?)
}

async fn into_the_hole(site: &Site<'_>, found: &mut Found) -> Result<()> {
    progress("driving into a black hole");
    for _ in 0..ROUNDS_INTO_THE_HOLE {
        site.arm_again().await?;
        found
            .swallowed
            .push(site.drive_into(Mishap::Swallowed).await?);
    }
    progress("driving into a black hole that lasts");
    for _ in 0..STALLS {
        site.arm_again().await?;
        found.swallowed.push(site.drive_into(Mishap::Gone).await?);
    }
    found.keep(site.taken().await?)
}

impl Found {
    fn keep(&mut self, taken: judged::Taken) -> Result<()> {
        self.said.extend(taken.said()?);
        self.signed.extend(taken.signed);
        Ok(())
    }

    /// How drives ended, and whether anything was followed after its time: by the robot's record and log, which need no link.
    async fn rows(&self, site: &Site<'_>) -> Result<Vec<Row>> {
        let stream = format!("robot/{}", site.robot);
        let segments: Vec<Segment> = payloads(&site.stack, &stream, "drive.segment")
            .await?
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<_, _>>()
            .context("a segment can't be read")?;
        let mut stops = judged::let_go(&segments);
        let braked = braked_by_itself(&site.agent().log());
        let meant = self.swallowed.len() + self.stalled.len() + self.killed.len();
        let broken = braked.len().saturating_sub(meant);
        stops.extend(braked);
        let ages = judged::ages(&self.said, &segments);
        let valid_ms = f64::from(Envelope::default().command_age_ms);
        let late = ages.iter().filter(|age| **age > valid_ms).count();
        let mut rows = Vec::new();
        for (metric, counted, samples) in [
            ("stop_p99", "stops", &stops),
            ("stop_black_holed_p99", "stops_black_holed", &self.swallowed),
            ("stop_stalled_p99", "stops_stalled", &self.stalled),
            (
                "stop_gateway_killed_p99",
                "stops_gateway_killed",
                &self.killed,
            ),
            ("stand_p99", "stands", &judged::stood(&segments)),
        ] {
            if !samples.is_empty() {
                rows.extend(p99(metric, counted, samples));
            }
        }
        if !ages.is_empty() {
            rows.push(Row::new("followed_age_p95", "ms", quantile(&ages, 0.95)));
        }
        rows.push(Row::new("drives_broken", "drives", count(broken)));
        rows.push(Row::new("followed", "commands", count(ages.len())));
        rows.push(Row::new("late", "commands", count(late)));
        Ok(rows)
    }
}

/// From the last word that moved it to where the robot braked by itself, for whatever reason of its own, milliseconds.
fn braked_by_itself(log: &str) -> Vec<f64> {
    log::lines(log, "driving ended")
        .filter(|line| {
            let why = log::field(line, "why");
            matches!(why, Some("DeadMan" | "StaleFrame" | "Delay"))
        })
        .filter_map(|line| log::field(line, "since_moved_ms")?.parse().ok())
        .collect()
}

/// What signing costs: each part as it was measured in the process that does it, under this load. The sum of their p95 is no
/// less than the p95 of the sum would be if they were independent.
fn cost(site: &Site<'_>, found: &Found) -> Result<Vec<Row>> {
    let robot = site.agent().log();
    let gateway = site.gateway_log()?;
    let milliseconds = |log: &str, words: &str, name: &str| -> Vec<f64> {
        let microseconds = log::numbers(log, words, name).into_iter();
        microseconds
            .map(|microseconds| microseconds / 1_000.0)
            .collect()
    };
    let parts = [
        ("sign_p95", found.signed.clone()),
        (
            "check_gateway_p95",
            milliseconds(
                &gateway,
                "the command is signed by whom it says",
                "checked_us",
            ),
        ),
        (
            "check_robot_p95",
            milliseconds(&robot, "took an order", "judged_us"),
        ),
        (
            "receipt_p95",
            milliseconds(&robot, "kind=\"command.receipt\"", "sealed_us"),
        ),
    ];
    let mut rows = Vec::new();
    let mut sum = 0.0;
    for (metric, samples) in parts {
        let p95 = quantile(&samples, 0.95);
        sum += p95;
        rows.push(Row::new(metric, "ms", p95));
    }
    rows.push(Row::new("signed_command_p95", "ms", sum));
    let wheels = milliseconds(&robot, "judged what was asked of the wheels", "judged_us");
    rows.push(Row::new("check_drive_p95", "ms", quantile(&wheels, 0.95)));
    Ok(rows)
}

/// The figure, and of how many it is. Of fewer than a hundred it is the worst.
fn p99(metric: &'static str, counted: &'static str, samples: &[f64]) -> [Row; 2] {
    [
        Row::new(metric, "ms", quantile(samples, 0.99)),
        Row::new(counted, "samples", count(samples.len())),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "packets of some minutes")]
const fn of_u64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_robot_does_of_its_own_accord_counts_as_its_own_stop() {
        let log = "\
2026-11-30T23:55:01Z  INFO agent::orders: driving ended command.id=1 why=DeadMan since_moved_ms=262
2026-11-30T23:55:02Z  INFO agent::orders: driving ended command.id=2 why=ControlEnded since_moved_ms=900
2026-11-30T23:55:03Z  INFO agent::orders: driving ended command.id=3 why=Delay since_moved_ms=40
2026-11-30T23:55:04Z  INFO agent::orders: driving ended command.id=4 why=DeadMan
";

        assert_eq!(braked_by_itself(log), [262.0, 40.0]);
    }

    #[test]
    fn of_fewer_than_a_hundred_the_worst_stands_for_the_last_hundredth() {
        let samples: Vec<f64> = (1..=40).map(f64::from).collect();

        let [worst, of] = p99("stop_p99", "stops", &samples);

        assert!((worst.value - 40.0).abs() < 1e-9);
        assert!((of.value - 40.0).abs() < 1e-9);
    }
}
