//! One wish of a person towards a robot, and where it stands.

use protocol::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId,
    command::{CommandRequest, Fate, Verb},
    views::CommandView,
};
use time::OffsetDateTime;

/// Who wishes what of whom. Never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Chosen by the sender.
    pub command: CommandId,
    /// Whose robot.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
    /// To whom.
    pub robot: RobotId,
    /// Who asks.
    pub person: PersonId,
    /// What.
    pub verb: Verb,
    /// Under which epoch of control; absent for stops.
    pub epoch: Option<u64>,
}

impl Issue {
    /// A person's request to a robot of this organisation and site.
    pub fn new(
        request: &CommandRequest,
        person: PersonId,
        organisation: OrganisationId,
        site: SiteId,
    ) -> Self {
        Self {
            command: request.command,
            organisation,
            site,
            robot: request.robot,
            person,
            verb: request.verb,
            // A stop is anybody's to give.
            epoch: request.epoch.filter(|_| request.verb != Verb::Stop),
        }
    }
}

/// A command as it stands after the events so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What was asked.
    pub issue: Issue,
    /// Where it stands.
    pub fate: Fate,
    /// When it was recorded.
    pub issued_at: OffsetDateTime,
    /// When it goes unanswered if the robot says nothing.
    pub answer_by: OffsetDateTime,
    /// When the robot first answered.
    pub answered_at: Option<OffsetDateTime>,
    /// When it was over.
    pub ended_at: Option<OffsetDateTime>,
    /// Count of events applied.
    pub version: u64,
}

impl Command {
    /// The command as the API shows it.
    pub fn view(&self, issued_by_name: String) -> CommandView {
        CommandView {
            command: self.issue.command,
            robot: self.issue.robot,
            verb: self.issue.verb,
            issued_by: self.issue.person,
            issued_by_name,
            issued_at: self.issued_at,
            fate: self.fate,
            answered_at: self.answered_at,
            ended_at: self.ended_at,
        }
    }
}
