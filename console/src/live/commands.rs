//! The list of commands: what was wished here, what the gateway recorded, and what became of each.

use protocol::{
    CommandId, PersonId, RobotId, UnixMicros,
    command::{CommandRequest, Fate, Verb},
    views::CommandView,
};
use time::OffsetDateTime;

/// Entries that are kept: twice what a snapshot brings, so that a busy page never loses an open one.
const MAX_ENTRIES: usize = 100;

/// Commands, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commands {
    entries: Vec<Entry>,
}

/// One command.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id.
    pub command: CommandId,
    /// To whom.
    pub robot: RobotId,
    /// What.
    pub verb: Verb,
    /// Who asked; absent while only this page knows of it.
    pub by: Option<Asker>,
    /// When somebody on this page asked, by the browser's clock; absent for what others asked.
    pub wished_at: Option<UnixMicros>,
    /// When this page learned of the first answer of the robot.
    pub answered_at: Option<UnixMicros>,
    /// When this page learned of the end.
    pub ended_at: Option<UnixMicros>,
    /// When it was recorded, by the gateway's clock.
    pub issued_at: Option<UnixMicros>,
    /// How long it took by the gateway's clock, in milliseconds, once it is over.
    pub recorded_took_ms: Option<i64>,
    /// Where it stands.
    pub standing: Standing,
}

/// Who asked for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
}

/// Where a command stands, as this page can know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It never left this page.
    NotSent {
        /// Why not.
        words: String,
    },
    /// It left; the gateway has not said that it recorded it.
    Wished,
    /// The gateway turned it down; the robot never heard of it.
    TurnedDown {
        /// Frozen code.
        code: String,
        /// Why, in words.
        words: String,
    },
    /// The connection broke before the gateway recorded it.
    NotRecorded,
    /// A stop that the gateway sent and can't record yet.
    Unrecorded,
    /// Recorded; this became of it so far.
    Recorded(Fate),
}

impl Standing {
    /// How far along it is; a later word never takes a command back.
    const fn rank(&self) -> u8 {
        match self {
            Self::Wished => 0,
            Self::NotRecorded | Self::Unrecorded => 1,
            Self::Recorded(Fate::Sent) => 2,
            Self::Recorded(Fate::Accepted) => 3,
            Self::Recorded(Fate::Unanswered) => 4,
            Self::Recorded(Fate::Refused { .. } | Fate::Done | Fate::Abandoned { .. })
            | Self::NotSent { .. }
            | Self::TurnedDown { .. } => 5,
        }
    }
}

impl Commands {
    /// All, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Those to one robot, newest first.
    pub fn of(&self, robot: RobotId) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.robot == robot)
    }

    /// One of them.
    pub fn find(&self, command: CommandId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.command == command)
    }

    /// Somebody on this page asked for something.
    pub(super) fn wish(&mut self, request: &CommandRequest, standing: Standing, now: UnixMicros) {
        self.insert_newest(Entry {
            command: request.command,
            robot: request.robot,
            verb: request.verb,
            by: None,
            wished_at: Some(now),
            answered_at: None,
            ended_at: None,
            issued_at: None,
            recorded_took_ms: None,
            standing,
        });
    }

    /// It did not leave after all.
    pub(super) fn not_sent(&mut self, command: CommandId, words: String) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.command == command)
            && entry.standing == Standing::Wished
        {
            entry.standing = Standing::NotSent { words };
        }
    }

    /// The gateway told of a command. Frames overtake each other between socket and channel: the furthest fate wins.
    pub(super) fn recorded(&mut self, view: &CommandView, now: UnixMicros) {
        if self.find(view.command).is_none() {
            let entry = entry_of(view);
            let at = self
                .entries
                .iter()
                .position(|other| {
                    other
                        .issued_at
                        .is_some_and(|at| Some(at) <= entry.issued_at)
                })
                .unwrap_or(self.entries.len());
            self.entries.insert(at, entry);
            self.entries.truncate(MAX_ENTRIES);
            return;
        }
        let Some(entry) = self
            .entries
            .iter_mut()
            .find(|entry| entry.command == view.command)
        else {
            return;
        };
        entry.by = Some(asker(view));
        entry.issued_at = Some(micros_of(view.issued_at));
        entry.recorded_took_ms = took_ms(view);
        let standing = Standing::Recorded(view.fate);
        if standing.rank() <= entry.standing.rank() {
            return;
        }
        let is_answer = view.answered_at.is_some() || standing.rank() != 2;
        if is_answer && view.fate != Fate::Unanswered {
            entry.answered_at.get_or_insert(now);
        }
        if view.fate.is_over() {
            entry.ended_at.get_or_insert(now);
        }
        entry.standing = standing;
    }

    /// The gateway turned a wish down.
    pub(super) fn turned_down(
        &mut self,
        command: CommandId,
        code: String,
        words: String,
        now: UnixMicros,
    ) {
        let found = self
            .entries
            .iter_mut()
            .find(|entry| entry.command == command);
        if let Some(entry) = found
            && entry.standing.rank() < Standing::Recorded(Fate::Sent).rank()
        {
            // It went out before anything else was tried: what becomes of it is still to come.
            if code == "stop_unrecorded" {
                entry.standing = Standing::Unrecorded;
                return;
            }
            entry.standing = Standing::TurnedDown { code, words };
            entry.ended_at = Some(now);
        }
    }

    /// Takes over a snapshot. What this page sent to an older session and the gateway doesn't know was never recorded.
    pub(super) fn replace(
        &mut self,
        views: &[CommandView],
        session_opened_at: UnixMicros,
        now: UnixMicros,
    ) {
        self.entries.retain(|entry| {
            entry.wished_at.is_some() || views.iter().any(|view| view.command == entry.command)
        });
        for view in views.iter().rev() {
            self.recorded(view, now);
        }
        for entry in &mut self.entries {
            let is_older = entry.wished_at.is_some_and(|at| at < session_opened_at);
            if is_older && entry.standing == Standing::Wished {
                entry.standing = Standing::NotRecorded;
            }
        }
    }

    fn insert_newest(&mut self, entry: Entry) {
        self.entries.insert(0, entry);
        self.entries.truncate(MAX_ENTRIES);
    }
}

fn entry_of(view: &CommandView) -> Entry {
    Entry {
        command: view.command,
        robot: view.robot,
        verb: view.verb,
        by: Some(asker(view)),
        wished_at: None,
        answered_at: None,
        ended_at: None,
        issued_at: Some(micros_of(view.issued_at)),
        recorded_took_ms: took_ms(view),
        standing: Standing::Recorded(view.fate),
    }
}

fn asker(view: &CommandView) -> Asker {
    Asker {
        person: view.issued_by,
        name: view.issued_by_name.clone(),
    }
}

fn took_ms(view: &CommandView) -> Option<i64> {
    let ended_at = view.ended_at?;
    i64::try_from((ended_at - view.issued_at).whole_milliseconds()).ok()
}

/// A moment of the API as one of the sockets.
pub fn micros_of(moment: OffsetDateTime) -> UnixMicros {
    UnixMicros(i64::try_from(moment.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use protocol::command::RobotRefusal;
    use uuid::Uuid;

    use super::*;

    const T0: UnixMicros = UnixMicros(1_000_000);

    fn request(number: u128) -> CommandRequest {
        CommandRequest {
            command: CommandId(Uuid::from_u128(number)),
            robot: RobotId(Uuid::from_u128(7)),
            epoch: None,
            verb: Verb::Stop,
            signed: None,
        }
    }

    fn view(number: u128, issued_s: i64, fate: Fate) -> CommandView {
        CommandView {
            command: CommandId(Uuid::from_u128(number)),
            robot: RobotId(Uuid::from_u128(7)),
            verb: Verb::Stop,
            issued_by: PersonId(Uuid::from_u128(1)),
            issued_by_name: "Mira".to_owned(),
            issued_at: OffsetDateTime::from_unix_timestamp(issued_s).unwrap(),
            fate,
            answered_at: None,
            ended_at: None,
        }
    }

    fn standing(commands: &Commands, number: u128) -> Standing {
        let id = CommandId(Uuid::from_u128(number));
        commands.find(id).unwrap().standing.clone()
    }

    #[test]
    fn a_fate_that_arrives_late_never_takes_a_command_back() {
        let mut commands = Commands::default();
        commands.wish(&request(1), Standing::Wished, T0);

        for fate in [Fate::Accepted, Fate::Sent, Fate::Done, Fate::Accepted] {
            commands.recorded(&view(1, 1, fate), T0.plus(1));
        }

        assert_eq!(standing(&commands, 1), Standing::Recorded(Fate::Done));
    }

    #[test]
    fn a_receipt_that_comes_after_all_replaces_unanswered() {
        let mut commands = Commands::default();
        commands.recorded(&view(1, 1, Fate::Unanswered), T0);

        commands.recorded(&view(1, 1, Fate::Done), T0);

        assert_eq!(standing(&commands, 1), Standing::Recorded(Fate::Done));
    }

    #[test]
    fn answer_and_end_are_timed_once_from_the_moment_this_page_learned_of_them() {
        let mut commands = Commands::default();
        commands.wish(&request(1), Standing::Wished, T0);

        commands.recorded(&view(1, 1, Fate::Sent), T0.plus(10));
        commands.recorded(&view(1, 1, Fate::Accepted), T0.plus(20));
        commands.recorded(&view(1, 1, Fate::Done), T0.plus(30));
        commands.recorded(&view(1, 1, Fate::Done), T0.plus(40));

        let entry = commands.iter().next().unwrap();
        assert_eq!(entry.answered_at, Some(T0.plus(20)));
        assert_eq!(entry.ended_at, Some(T0.plus(30)));
    }

    #[test]
    fn a_wish_from_a_broken_session_that_the_gateway_does_not_know_was_not_recorded() {
        let mut commands = Commands::default();
        commands.wish(&request(1), Standing::Wished, T0);
        commands.wish(&request(2), Standing::Wished, T0);
        commands.wish(&request(3), Standing::Wished, T0.plus(100));

        commands.replace(&[view(2, 1, Fate::Sent)], T0.plus(50), T0.plus(200));

        assert_eq!(standing(&commands, 1), Standing::NotRecorded);
        assert_eq!(standing(&commands, 2), Standing::Recorded(Fate::Sent));
        assert_eq!(standing(&commands, 3), Standing::Wished);
    }

    #[test]
    fn commands_of_others_stand_in_the_order_in_which_they_were_recorded() {
        let mut commands = Commands::default();

        commands.replace(&[view(3, 30, Fate::Done), view(1, 10, Fate::Done)], T0, T0);
        commands.recorded(&view(2, 20, Fate::Sent), T0);
        commands.recorded(&view(4, 40, Fate::Sent), T0);

        let order: Vec<u128> = commands
            .iter()
            .map(|entry| entry.command.0.as_u128())
            .collect();
        assert_eq!(order, [4, 3, 2, 1]);
    }

    #[test]
    fn a_refusal_by_the_gateway_does_not_undo_what_the_robot_did() {
        let mut commands = Commands::default();
        commands.wish(&request(1), Standing::Wished, T0);
        commands.wish(&request(2), Standing::Wished, T0);
        let refused = Fate::Refused {
            reason: RobotRefusal::Stale,
        };
        commands.recorded(&view(1, 1, refused), T0);

        for number in [1, 2] {
            let id = CommandId(Uuid::from_u128(number));
            commands.turned_down(id, "robot_offline".to_owned(), "offline".to_owned(), T0);
        }

        assert_eq!(standing(&commands, 1), Standing::Recorded(refused));
        assert!(matches!(
            standing(&commands, 2),
            Standing::TurnedDown { .. }
        ));
    }

    #[test]
    fn a_stop_that_went_out_unrecorded_is_told_on_once_it_is_on_record() {
        let mut commands = Commands::default();
        commands.wish(&request(1), Standing::Wished, T0);
        let id = CommandId(Uuid::from_u128(1));

        commands.turned_down(id, "stop_unrecorded".to_owned(), "sent".to_owned(), T0);
        assert_eq!(standing(&commands, 1), Standing::Unrecorded);
        assert_eq!(commands.find(id).unwrap().ended_at, None);

        commands.recorded(&view(1, 1, Fate::Done), T0);
        assert_eq!(standing(&commands, 1), Standing::Recorded(Fate::Done));
    }

    #[test]
    fn the_list_stays_bounded() {
        let mut commands = Commands::default();

        for number in 0..300 {
            commands.wish(&request(number), Standing::Wished, T0);
        }

        assert_eq!(commands.iter().count(), MAX_ENTRIES);
        assert_eq!(commands.iter().next().unwrap().command.0.as_u128(), 299);
    }
}
