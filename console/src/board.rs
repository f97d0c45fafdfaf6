//! The jobs board as a list: which jobs pass, in which order, and what the gateway is asked for.

use std::{collections::BTreeSet, fmt::Write as _};

use protocol::{JobId, SiteId, job::PhaseName, views::JobView};
use time::OffsetDateTime;

use crate::{grade::Tone, live::work::Jobs};

/// The groups to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Group {
    /// Something can still become of them.
    #[default]
    Open,
    /// They wait for a person of the house.
    Attention,
    /// Done, ended or called off.
    Finished,
    /// Every job.
    All,
}

impl Group {
    /// Every group, in the order in which they are offered.
    pub const EVERY: [Self; 4] = [Self::Open, Self::Attention, Self::Finished, Self::All];

    /// The words on its button.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Attention => "Needs attention",
            Self::Finished => "Finished",
            Self::All => "All",
        }
    }

    /// Whether a job in this phase may belong to it.
    pub const fn may_hold(self, phase: PhaseName) -> bool {
        match self {
            Self::All => true,
            Self::Open | Self::Attention => !phase.is_over(),
            Self::Finished => phase.is_over(),
        }
    }

    /// Whether the job belongs to it.
    pub const fn holds(self, job: &JobView) -> bool {
        match self {
            Self::All | Self::Open | Self::Finished => self.may_hold(job.phase),
            Self::Attention => needs_attention(job),
        }
    }
}

/// Whether a job waits for a person of the house: to choose a robot, to help, to decide.
const fn needs_attention(job: &JobView) -> bool {
    match job.phase {
        PhaseName::Requested | PhaseName::Stalled | PhaseName::Paused | PhaseName::Incident => true,
        PhaseName::Dispatching => job.robot.is_none(),
        PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Verifying => job.assist.is_some(),
        PhaseName::Reserved
        | PhaseName::Stopping
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

/// Whether the job's robot waits for somebody to take its call.
pub const fn calls_for_help(job: &JobView) -> bool {
    job.assist.is_some() && job.operator_name.is_none() && !job.phase.is_over()
}

/// Whether a robot can be chosen for the job: none was, or the one that was asked declined.
pub const fn is_assignable(job: &JobView) -> bool {
    match job.phase {
        PhaseName::Requested => true,
        PhaseName::Dispatching => job.robot.is_none(),
        PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

/// How loudly a phase speaks: what runs by itself is grey.
pub const fn tone(phase: PhaseName) -> Tone {
    match phase {
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::Assisted
        | PhaseName::Paused
        | PhaseName::Verifying
        | PhaseName::Cancelled => Tone::Calm,
        PhaseName::Completed => Tone::Ok,
        PhaseName::AwaitingApproval | PhaseName::Stalled => Tone::Caution,
        PhaseName::Stopping | PhaseName::Incident | PhaseName::Aborted => Tone::Alarm,
    }
}

/// What the board is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The group.
    pub group: Group,
    /// The site, or every site.
    pub site: Option<SiteId>,
    /// Part of a title, number, robot, site or requester.
    pub text: String,
}

impl Filter {
    /// Whether a job passes.
    pub fn lets(&self, job: &JobView) -> bool {
        let wanted = self.text.trim().to_lowercase();
        let is_named = || {
            let robot = job.robot_name.as_deref().unwrap_or_default();
            [
                &job.plan.title,
                &job.number,
                &job.site_name,
                &job.requester_name,
                robot,
            ]
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
        };
        self.group.holds(job)
            && self.site.is_none_or(|site| site == job.site)
            && (wanted.is_empty() || is_named())
    }

    /// What the gateway is asked: the text is looked for in what it answers.
    /// No cursor means the first page.
    pub fn address(&self, cursor: &str) -> String {
        let mut address = "/api/v1/jobs?limit=50".to_owned();
        if self.group != Group::All {
            let phases = PhaseName::ALL.into_iter();
            let wanted = phases.filter(|phase| self.group.may_hold(*phase));
            let words: Vec<_> = wanted.map(PhaseName::word).collect();
            // Writing into a text does not fail.
            let _written = write!(address, "&phase={}", words.join(","));
        }
        if let Some(site) = self.site {
            let _written = write!(address, "&site={site}");
        }
        if !cursor.is_empty() {
            let _written = write!(address, "&cursor={cursor}");
        }
        address
    }
}

/// How far the gateway's pages have been read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Jobs that its pages brought.
    pub brought: BTreeSet<JobId>,
    /// The oldest of them, while there are older ones to ask for: news of still older jobs would leave a gap above them.
    pub until: Option<OffsetDateTime>,
}

/// The jobs on the board, the newest first: what the pages brought and what the socket told since.
pub fn list(jobs: &Jobs, filter: &Filter, reach: &Reach) -> Vec<JobId> {
    let is_reached = |job: &JobView| {
        reach.until.is_none_or(|until| job.requested_at >= until)
            || reach.brought.contains(&job.job)
    };
    let mut passed: Vec<_> = jobs
        .all()
        .filter(|job| filter.lets(job) && is_reached(job))
        .map(|job| (job.requested_at, job.job))
        .collect();
    passed.sort_unstable_by(|left, right| right.cmp(left));
    passed.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use protocol::{
        OrganisationId, PersonId, UnixMicros,
        job::{Plan, TemplateName, Window},
    };
    use time::Duration;
    use uuid::Uuid;

    use super::*;
    use crate::live::{
        model::Model,
        reduce::{Input, Moment, reduce},
    };

    fn job(number: u128, phase: PhaseName) -> JobView {
        let window = Window {
            from: UnixMicros(0),
            until: UnixMicros(1),
        };
        let at = OffsetDateTime::UNIX_EPOCH
            + Duration::seconds(i64::try_from(number).unwrap_or_default());
        JobView {
            job: JobId(Uuid::from_u128(number)),
            number: format!("J-{number}"),
            organisation: OrganisationId(Uuid::from_u128(1)),
            site: SiteId(Uuid::from_u128(2)),
            site_name: "Wing B".to_owned(),
            template: TemplateName {
                name: "reset_room".to_owned(),
                version: 1,
            },
            plan: Plan {
                title: "Reset Room 3".to_owned(),
                place: "Room 3".to_owned(),
                steps: Vec::new(),
            },
            window,
            operator_cover: true,
            requester: PersonId(Uuid::from_u128(5)),
            requester_name: "Mira".to_owned(),
            phase,
            interrupted: None,
            stops_for: None,
            is_held: false,
            robot: None,
            robot_name: None,
            epoch: 0,
            checkpoint: 0,
            access: None,
            is_access_verified: false,
            approval: None,
            allowed: None,
            assist: None,
            operator_name: None,
            accept_by: None,
            requested_at: at,
            updated_at: at,
            version: 1,
            cases: Vec::new(),
        }
    }

    fn known(jobs: Vec<JobView>) -> Jobs {
        let mut model = Model::default();
        let moment = Moment {
            now: UnixMicros(0),
            chance: 0.0,
        };
        reduce(&mut model, Input::Jobs(jobs), moment);
        model.jobs
    }

    fn numbers(ids: Vec<JobId>) -> Vec<u128> {
        ids.into_iter().map(|id| id.0.as_u128()).collect()
    }

    #[test]
    fn every_phase_is_open_or_finished_and_what_needs_attention_is_open() {
        for phase in PhaseName::ALL {
            let job = job(1, phase);
            assert!(Group::All.holds(&job));
            assert_ne!(Group::Open.holds(&job), Group::Finished.holds(&job));
            assert!(!Group::Attention.holds(&job) || Group::Open.holds(&job));
        }
    }

    #[test]
    fn an_open_call_needs_attention_until_an_operator_has_it() {
        let mut executing = job(1, PhaseName::Executing);
        assert!(!Group::Attention.holds(&executing) && !calls_for_help(&executing));

        executing.assist = Some(protocol::AssistId(Uuid::from_u128(3)));
        assert!(Group::Attention.holds(&executing) && calls_for_help(&executing));

        executing.operator_name = Some("Mira".to_owned());
        assert!(Group::Attention.holds(&executing) && !calls_for_help(&executing));
    }

    #[test]
    fn a_job_whose_robot_was_asked_waits_for_the_robot_and_not_for_a_person() {
        let mut dispatching = job(1, PhaseName::Dispatching);
        assert!(Group::Attention.holds(&dispatching) && is_assignable(&dispatching));

        dispatching.robot = Some(protocol::RobotId(Uuid::from_u128(4)));

        assert!(!Group::Attention.holds(&dispatching) && !is_assignable(&dispatching));
    }

    #[test]
    fn the_newest_job_comes_first_and_leaves_the_board_with_its_phase() {
        let jobs = known(vec![
            job(1, PhaseName::Executing),
            job(2, PhaseName::Completed),
            job(3, PhaseName::Requested),
        ]);
        let reach = Reach::default();
        let of = |group| {
            let filter = Filter {
                group,
                ..Filter::default()
            };
            numbers(list(&jobs, &filter, &reach))
        };

        assert_eq!(of(Group::Open), [3, 1]);
        assert_eq!(of(Group::Attention), [3]);
        assert_eq!(of(Group::Finished), [2]);
        assert_eq!(of(Group::All), [3, 2, 1]);
    }

    #[test]
    fn news_of_a_job_beyond_the_last_page_makes_no_gap() {
        let jobs = known((1..=4).map(|n| job(n, PhaseName::Executing)).collect());
        let oldest = OffsetDateTime::UNIX_EPOCH + Duration::seconds(3);
        let reach = Reach {
            brought: BTreeSet::from([JobId(Uuid::from_u128(3))]),
            until: Some(oldest),
        };

        assert_eq!(numbers(list(&jobs, &Filter::default(), &reach)), [4, 3]);
        assert_eq!(
            numbers(list(&jobs, &Filter::default(), &Reach::default())),
            [4, 3, 2, 1]
        );
    }

    #[test]
    fn the_text_is_found_in_every_name_and_the_rest_is_asked_of_the_gateway() {
        let filter = |text: &str| Filter {
            text: text.to_owned(),
            ..Filter::default()
        };
        for text in ["room 3", " J-7", "wing", "MIRA"] {
            assert!(filter(text).lets(&job(7, PhaseName::Requested)), "{text}");
        }
        assert!(!filter("juniper").lets(&job(7, PhaseName::Requested)));

        let site = SiteId(Uuid::from_u128(2));
        let narrow = Filter {
            group: Group::Finished,
            site: Some(site),
            text: "x".to_owned(),
        };
        assert_eq!(
            narrow.address("abc"),
            format!(
                "/api/v1/jobs?limit=50&phase=completed,aborted,cancelled&site={site}&cursor=abc"
            )
        );
    }
}
