//! Jobs as people see them, with the names of people, sites and robots.

use std::collections::BTreeMap;

use jobs::{Job, store::Stored};
use protocol::{
    ApprovalId, CaseId, JobId, PersonId, RobotId, SiteId,
    views::{ApprovalView, JobView},
};
use spine::Tx;

use crate::{app::App, error::ApiError, flows::cases::views::moment};

/// Shown where a person's name is gone.
const FORMER: &str = "Former member";

/// Names that jobs refer to.
#[derive(Debug, Default)]
pub struct Names {
    people: BTreeMap<PersonId, String>,
    sites: BTreeMap<SiteId, String>,
    robots: BTreeMap<RobotId, String>,
}

impl Names {
    /// The name of a person.
    pub fn person(&self, person: PersonId) -> String {
        let name = self.people.get(&person);
        name.cloned().unwrap_or_else(|| FORMER.to_owned())
    }

    /// The name of a robot.
    pub fn robot(&self, robot: RobotId) -> String {
        self.robots.get(&robot).cloned().unwrap_or_default()
    }

    /// The name of a site.
    pub fn site(&self, site: SiteId) -> String {
        self.sites.get(&site).cloned().unwrap_or_default()
    }

    /// Looks up what the board knows at once and asks the database for the rest, through the caller's own transaction.
    pub async fn of(
        app: &App,
        connection: &mut sqlx::PgConnection,
        (people, sites, robots): (Vec<PersonId>, Vec<SiteId>, Vec<RobotId>),
    ) -> Result<Self, ApiError> {
        let (people, unknown) = app.live.people.known(&people);
        let mut names = Self {
            people,
            ..Self::default()
        };
        if !unknown.is_empty() {
            let read = identity::store::person_names(&mut *connection, &unknown).await?;
            app.live.people.remember(&read);
            names.people.extend(read);
        }
        for robot in robots {
            let known = match app.live.robot_name(robot) {
                Some(name) => Some(name),
                None => identity::store::load_robot(&mut *connection, robot)
                    .await?
                    .map(|robot| robot.name),
            };
            names.robots.extend(known.map(|name| (robot, name)));
        }
        for site in sites {
            let known = match app.live.site_name(site) {
                Some(name) => Some(name),
                None => identity::store::load_site(&mut *connection, site)
                    .await?
                    .map(|site| site.name),
            };
            names.sites.extend(known.map(|name| (site, name)));
        }
        Ok(names)
    }
}

/// One job, read outside of any transaction.
pub async fn view(app: &App, stored: &Stored) -> Result<JobView, ApiError> {
    let mut views = views(app, std::slice::from_ref(stored)).await?;
    views.pop().ok_or_else(ApiError::broken)
}

/// One job as its transaction makes it.
pub async fn view_in(app: &App, tx: &mut Tx, stored: &Stored) -> Result<JobView, ApiError> {
    let names = names(app, tx.connection().await?, std::slice::from_ref(stored)).await?;
    // Nobody complains before the end.
    let cases = if stored.job.phase.is_over() {
        trust::store::of_job(tx.connection().await?, stored.job.id()).await?
    } else {
        Vec::new()
    };
    describe(stored, &names, cases)
}

/// Several jobs, in their order.
pub async fn views(app: &App, stored: &[Stored]) -> Result<Vec<JobView>, ApiError> {
    let mut connection = app.pool.acquire().await?;
    let names = names(app, &mut connection, stored).await?;
    let ids: Vec<JobId> = stored.iter().map(|stored| stored.job.id()).collect();
    let mut cases: BTreeMap<JobId, Vec<CaseId>> = BTreeMap::new();
    for (job, case) in trust::store::of_jobs(&mut *connection, &ids).await? {
        cases.entry(job).or_default().push(case);
    }
    stored
        .iter()
        .map(|stored| {
            let cases = cases.remove(&stored.job.id()).unwrap_or_default();
            describe(stored, &names, cases)
        })
        .collect()
}

async fn names(
    app: &App,
    connection: &mut sqlx::PgConnection,
    stored: &[Stored],
) -> Result<Names, ApiError> {
    let jobs = || stored.iter().map(|stored| &stored.job);
    let people = jobs()
        .map(|job| job.requester)
        .chain(jobs().filter_map(operator))
        .collect();
    let mut sites: Vec<SiteId> = jobs().map(|job| job.request.site).collect();
    sites.sort();
    sites.dedup();
    let mut robots: Vec<RobotId> = jobs().filter_map(Job::robot).collect();
    robots.sort();
    robots.dedup();
    Names::of(app, connection, (people, sites, robots)).await
}

fn describe(stored: &Stored, names: &Names, cases: Vec<CaseId>) -> Result<JobView, ApiError> {
    let job = &stored.job;
    let question = job.question();
    Ok(JobView {
        job: job.id(),
        number: number("J", job.id().0),
        organisation: stored.organisation,
        site: job.request.site,
        site_name: names.site(job.request.site),
        template: job.request.template.clone(),
        plan: job.plan.clone(),
        window: job.window,
        operator_cover: job.request.operator_cover,
        requester: job.requester,
        requester_name: names.person(job.requester),
        phase: job.phase_name(),
        interrupted: job.interrupted(),
        stops_for: job.stops_for(),
        is_held: job.is_held(),
        robot: job.robot(),
        robot_name: job.robot().map(|robot| names.robot(robot)),
        epoch: job.epoch,
        checkpoint: job.checkpoint,
        access: job.access.as_ref().map(|access| access.plan.clone()),
        is_access_verified: job.is_access_verified(),
        approval: question
            .map(|question| {
                Ok::<_, ApiError>(ApprovalView {
                    approval: question.approval,
                    words: question.words.clone(),
                    answer_by: moment(question.answer_by)?,
                })
            })
            .transpose()?,
        allowed: allowed(job),
        assist: job.open_help().map(|help| help.assist),
        operator_name: operator(job).map(|person| names.person(person)),
        accept_by: job.accept_by().map(moment).transpose()?,
        requested_at: moment(job.requested_at)?,
        updated_at: moment(job.updated_at)?,
        version: job.version,
        cases,
    })
}

/// The question that its requester said yes to, while the robot may still act on it.
fn allowed(job: &Job) -> Option<ApprovalId> {
    let verdict = job.phase.engaged()?.verdict?;
    verdict.is_granted.then_some(verdict.approval)
}

/// Who took the job's open call for help.
fn operator(job: &Job) -> Option<PersonId> {
    job.open_help()?.operator()
}

/// A short name for people: the last digits of the id, which are random.
pub fn number(letter: &str, id: uuid::Uuid) -> String {
    format!("{letter}-{:06X}", id.as_u128() & 0x00FF_FFFF)
}
