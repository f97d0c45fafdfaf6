//! The demo's first job, done for real by one of its robots before anybody looks: there is a finished record to open.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::contract::{Ready, Seeded};
use crate::http;

/// Driving across the wing, inspecting a room and being accepted takes half a minute; twice that and more on busy cores.
const DONE_WITHIN: Duration = Duration::from_mins(3);

/// How often it is asked how far the robot is.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// The place that the robot looks after.
const PLACE: &str = "Room 2";

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstJob {
    /// An earlier demo in this folder left one.
    WasThere,
    /// Done now.
    Done,
}

/// Lets the first robot do a job, unless there is a finished one already. `go_on` fails when the demo is to end.
pub(super) fn first_job(
    ready: &Ready,
    seeded: &Seeded,
    mut go_on: impl FnMut() -> Result<()>,
) -> Result<FirstJob> {
    let desk = Desk { ready, seeded };
    let finished = desk.get("/api/v1/jobs?mine=true&phase=completed&limit=1")?;
    if finished["items"]
        .as_array()
        .is_some_and(|jobs| !jobs.is_empty())
    {
        return Ok(FirstJob::WasThere);
    }
    let job = desk.request()?;
    let robot = &seeded.robots.first().context("a demo without robots")?.id;
    desk.act(
        &job,
        &seeded.tokens.operator,
        &json!({"kind": "job.assigned", "robot": robot}),
    )?;
    let began = Instant::now();
    loop {
        go_on()?;
        let view = desk.get(&format!("/api/v1/jobs/{job}"))?;
        match view["phase"].as_str().unwrap_or_default() {
            "completed" => return Ok(FirstJob::Done),
            "verifying" => {
                desk.act(
                    &job,
                    &seeded.tokens.requester,
                    &json!({"kind": "work.accepted"}),
                )?;
            }
            phase @ ("cancelled" | "aborted" | "incident" | "dispatching")
                if phase != "dispatching" || view["robot"].is_null() =>
            {
                bail!("the first job ended as {phase}");
            }
            phase if began.elapsed() > DONE_WITHIN => bail!("the first job is still {phase}"),
            _ => {}
        }
        std::thread::sleep(ASK_EVERY);
    }
}

struct Desk<'a> {
    ready: &'a Ready,
    seeded: &'a Seeded,
}

impl Desk<'_> {
    fn get(&self, path: &str) -> Result<Value> {
        let answer = http::get(&self.ready.url, path, Some(&self.seeded.tokens.requester))?;
        if answer.status != 200 {
            bail!("{path} answered {}: {}", answer.status, answer.body);
        }
        Ok(serde_json::from_str(&answer.body)?)
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Result<()> {
        let answer = http::post(&self.ready.url, path, token, &body.to_string())?;
        if answer.status >= 300 {
            bail!("{path} answered {}: {}", answer.status, answer.body);
        }
        Ok(())
    }

    /// Asks for the work and opens the door at once.
    fn request(&self) -> Result<String> {
        let job = http::fresh_id()?;
        let robots = http::get(
            &self.ready.url,
            "/api/v1/robots?limit=1",
            Some(&self.seeded.tokens.requester),
        )?;
        let robots: Value = serde_json::from_str(&robots.body)?;
        let site = &robots["items"][0]["site"];
        let window = window(Duration::from_hours(1))?;
        let request = json!({
            "job": job,
            "site": site,
            "template": {"name": "inspect_room", "version": 1},
            "parameters": {"room": PLACE, "photograph": true},
            "window": window,
            "operator_cover": true,
        });
        let requester = &self.seeded.tokens.requester;
        self.post("/api/v1/jobs", requester, &json!({"request": request}))?;
        let plan = json!({"access": http::fresh_id()?, "place": PLACE, "window": window});
        self.act(
            &job,
            requester,
            &json!({"kind": "access.granted", "plan": plan}),
        )?;
        Ok(job)
    }

    fn act(&self, job: &str, token: &str, event: &Value) -> Result<()> {
        self.post(
            &format!("/api/v1/jobs/{job}/events"),
            token,
            &json!({"event": event}),
        )
    }
}

/// From now on, as the wire counts: microseconds since 1970.
fn window(lasts: Duration) -> Result<Value> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(json!({
        "from": i64::try_from(now.as_micros())?,
        "until": i64::try_from((now + lasts).as_micros())?,
    }))
}
