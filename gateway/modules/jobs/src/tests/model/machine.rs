//! A robot as the model sees it: honest, it knows only what reached it and what it wrote down, and goes by `agent/src/work`: it does
//! nothing before it wrote down that it does, and a restart leaves it what it wrote down.

use protocol::{AccessId, ApprovalId, AssistId, job::Directive};
use uuid::Uuid;

use super::words::{Told, Word};

/// A step of the plan, as far as it matters who has to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nobody.
    Plain,
    /// The requester.
    Asks,
    /// Whoever helps.
    Unsure,
}

/// The robot's word that it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stand {
    /// Written down; for all that the robot knows the log does not hold it.
    Said,
    /// The robot heard that the log holds it: another stop needs another word.
    Held,
}

/// What the robot said under one number. Written down before anything is done, and all of its state that outlives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that was said or not, as in the agent's journal"
)]
struct Said {
    epoch: u64,
    is_confirmed: bool,
    is_forfeited: bool,
    is_departed: bool,
    is_arrived: bool,
    verified: Option<AccessId>,
    failed: Option<AccessId>,
    is_started: bool,
    checkpoint: u32,
    approval: Option<ApprovalId>,
    assist: Option<AssistId>,
    /// Whether it asked its question since it stood last, or found another leave good.
    has_asked: bool,
    /// The same of its call.
    has_called: bool,
    stand: Option<Stand>,
    is_finished: bool,
}

impl Said {
    fn note(&mut self, word: Word) {
        match word {
            Word::Confirmed(_) => self.is_confirmed = true,
            Word::Forfeited(_) => self.is_forfeited = true,
            Word::Departed(_) => self.is_departed = true,
            Word::Arrived(_) => {
                self.is_arrived = true;
                self.assist = None;
            }
            Word::Verified(_, access) => {
                self.verified = Some(access);
                self.doubt();
            }
            Word::Failed(_, access) => self.failed = Some(access),
            Word::Started(_) => self.is_started = true,
            Word::Asks(_, approval) => {
                self.approval = Some(approval);
                self.has_asked = true;
            }
            Word::Calls(_, assist) => {
                self.assist = Some(assist);
                self.has_called = true;
            }
            Word::Done(_, number) | Word::LeftOut(_, number) => {
                self.checkpoint = number;
                self.approval = None;
                self.assist = None;
                self.has_asked = false;
                self.has_called = false;
            }
            Word::Trouble(_) => {}
            Word::Stands(_) => {
                self.stand = Some(Stand::Said);
                self.doubt();
            }
            Word::Finished(_) => self.is_finished = true,
        }
    }

    /// What it said of its work may have come when it was to stop, or when the leave that it went by had ended, and counted for
    /// nothing. It says so again, under the same names, and goes on behind the last step that the cloud holds to be done.
    fn doubt(&mut self) {
        self.is_started = false;
        self.checkpoint = 0;
        self.has_asked = false;
        self.has_called = false;
        self.is_finished = false;
    }
}

/// A robot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Machine {
    /// What it acts under; 0 when it has no job. Forgotten with a restart, as all that follows up to what it wrote down.
    pub(super) epoch: u64,
    told: Option<Told>,
    /// Whether a stop waits for its word that it stands.
    owes_stand: bool,
    /// Whether anything of it moves.
    pub(super) is_moving: bool,
    /// The call of which it knew when it made its own.
    called_beside: Option<AssistId>,
    said: Said,
    /// Steps that it did, by whichever number.
    pub(super) done: u32,
    /// What it said and, as far as it knows, the log does not hold.
    pub(super) journal: Vec<Word>,
    /// How many words may wait for the log at a time.
    pub(super) most_words: usize,
}

impl Machine {
    /// A robot without a job.
    pub(super) fn idle(most_words: usize) -> Self {
        Self {
            most_words,
            ..Self::default()
        }
    }

    /// The agent starts anew, and the robot stands meanwhile. It knows what it wrote down and nothing else. Nothing when that is
    /// all that it knew.
    pub(super) fn restarts(&mut self) -> Option<()> {
        self.told?;
        self.drop_job();
        Some(())
    }

    fn drop_job(&mut self) {
        self.epoch = 0;
        self.told = None;
        self.owes_stand = false;
        self.is_moving = false;
        self.called_beside = None;
    }

    fn say(&mut self, word: Word) -> Option<()> {
        if self.journal.len() >= self.most_words {
            return None;
        }
        self.journal.push(word);
        self.said.note(word);
        Some(())
    }

    /// Whether the log holds its last word that it stands, and it has not heard so.
    pub(super) fn is_stand_held(&self, held: usize) -> bool {
        self.said.stand == Some(Stand::Said)
            && !self.journal[held..].contains(&Word::Stands(self.said.epoch))
    }

    /// What the line delivers.
    pub(super) fn hears(&mut self, told: Told) {
        self.journal.drain(..told.held);
        if told.is_stand_held {
            self.said.stand = Some(Stand::Held);
        }
        if told.directive == Directive::Release {
            return self.drop_job();
        }
        let is_stop = told.directive == Directive::Stop;
        if told.epoch == self.epoch {
            let was_stop = self
                .told
                .is_some_and(|last| last.directive == Directive::Stop);
            let is_another = !was_stop || self.said.stand == Some(Stand::Held);
            self.owes_stand = is_stop && (self.owes_stand || is_another);
        } else {
            self.drop_job();
            self.epoch = told.epoch;
            if self.said.epoch != told.epoch {
                self.said = Said {
                    epoch: told.epoch,
                    ..Said::default()
                };
            }
            self.owes_stand = is_stop && self.said.stand != Some(Stand::Said);
        }
        if told.directive == Directive::Hold {
            self.is_moving = false;
        }
        let others = told.assist.map(|help| help.assist);
        if others.is_some() && others != self.said.assist && others != self.called_beside {
            // Another call came first, and there is one line: the robot's own counted for nothing.
            self.said.has_called = false;
        }
        self.done = self.done.max(told.checkpoint);
        self.told = Some(told);
    }

    /// Whether it said that it takes the job on, under this number.
    pub(super) const fn has_taken_on(&self, epoch: u64) -> bool {
        self.said.epoch == epoch && self.said.is_confirmed
    }

    /// It gives back what it did not begin.
    pub(super) fn declines(&mut self) -> Option<()> {
        let told = self.told?;
        let may = match told.directive {
            Directive::Acknowledge => !self.said.is_confirmed,
            Directive::Proceed => !self.said.is_departed,
            Directive::Stop | Directive::Hold | Directive::Release => false,
        };
        if !may || self.said.is_forfeited {
            return None;
        }
        self.say(Word::Forfeited(self.epoch))
    }

    /// It finds the way in closed.
    pub(super) fn finds_closed(&mut self) -> Option<()> {
        let access = self.to_be_judged(self.told?)?;
        self.say(Word::Failed(self.epoch, access))
    }

    /// It says that something went wrong, and waits for nobody's word on it.
    pub(super) fn raises_incident(&mut self) -> Option<()> {
        self.told?;
        if !self.said.is_departed || self.said.is_finished {
            return None;
        }
        self.say(Word::Trouble(self.epoch))
    }

    /// The next thing that it does by itself.
    pub(super) fn goes_on(&mut self, plan: &[Step]) -> Option<()> {
        let told = self.told?;
        if self.said.is_forfeited {
            return None;
        }
        match told.directive {
            Directive::Acknowledge if self.said.is_confirmed => None,
            Directive::Acknowledge => self.say(Word::Confirmed(self.epoch)),
            Directive::Stop if self.owes_stand => {
                self.say(Word::Stands(self.epoch))?;
                self.is_moving = false;
                self.owes_stand = false;
                Some(())
            }
            Directive::Stop | Directive::Release => None,
            Directive::Hold => {
                let access = self.to_be_judged(told)?;
                self.say(Word::Verified(self.epoch, access))
            }
            Directive::Proceed => self.proceeds(told, plan),
        }
    }

    /// Leave to enter that the robot is to look at, where it stands at the door or behind it.
    fn to_be_judged(&self, told: Told) -> Option<AccessId> {
        let is_there = self.said.is_arrived;
        let is_to_look = matches!(told.directive, Directive::Proceed | Directive::Hold);
        let is_new = told.access != self.said.verified && told.access != self.said.failed;
        told.access.filter(|_| is_there && is_to_look && is_new)
    }

    fn proceeds(&mut self, told: Told, plan: &[Step]) -> Option<()> {
        let epoch = self.epoch;
        if !self.said.is_departed {
            self.say(Word::Departed(epoch))?;
            self.is_moving = true;
            return Some(());
        }
        if !self.said.is_arrived {
            return self.moves_or_says(Word::Arrived(epoch));
        }
        if let Some(access) = self.to_be_judged(told) {
            return self.say(Word::Verified(epoch, access));
        }
        if told.access.is_none() || told.access != self.said.verified {
            return self.waits();
        }
        if self.said.is_finished {
            return None;
        }
        if !self.said.is_started {
            return self.say(Word::Started(epoch));
        }
        self.does_a_step(told, plan)
    }

    fn does_a_step(&mut self, told: Told, plan: &[Step]) -> Option<()> {
        let epoch = self.epoch;
        let done = self.said.checkpoint.max(told.checkpoint);
        let number = done + 1;
        let step = usize::try_from(done).ok().and_then(|done| plan.get(done));
        match step {
            None => {
                self.say(Word::Finished(epoch))?;
                self.is_moving = false;
                Some(())
            }
            Some(Step::Plain) => self.labours(number),
            Some(Step::Asks) => {
                let question = self.said.approval.unwrap_or(ApprovalId(self.name(number)));
                match told.approval.filter(|yes| yes.approval == question) {
                    Some(verdict) if verdict.is_granted => self.labours(number),
                    Some(_) => self.leaves_out(number),
                    None if self.said.has_asked => self.waits(),
                    None => self.asks(Word::Asks(epoch, question)),
                }
            }
            Some(Step::Unsure) => {
                let call = self.said.assist.unwrap_or(AssistId(self.name(number)));
                let is_line_taken = told.assist.is_some_and(|help| !help.is_over);
                match told.assist.filter(|help| help.assist == call) {
                    Some(help) if help.option.is_some() => self.labours(number),
                    Some(help) if help.is_over => self.leaves_out(number),
                    Some(_) | None if self.said.has_called || is_line_taken => self.waits(),
                    Some(_) | None => {
                        self.asks(Word::Calls(epoch, call))?;
                        self.called_beside = told.assist.map(|help| help.assist);
                        Some(())
                    }
                }
            }
        }
    }

    /// A name for what it asks about the step.
    fn name(&self, number: u32) -> Uuid {
        Uuid::from_u128(100 * u128::from(self.epoch) + u128::from(number))
    }

    fn labours(&mut self, number: u32) -> Option<()> {
        self.moves_or_says(Word::Done(self.epoch, number))?;
        self.done = self.done.max(self.said.checkpoint);
        Some(())
    }

    fn leaves_out(&mut self, number: u32) -> Option<()> {
        self.say(Word::LeftOut(self.epoch, number))?;
        self.is_moving = false;
        self.done = self.done.max(number);
        Some(())
    }

    fn asks(&mut self, question: Word) -> Option<()> {
        self.say(question)?;
        self.is_moving = false;
        Some(())
    }

    /// It stands where it is, until somebody says something.
    fn waits(&mut self) -> Option<()> {
        let moved = std::mem::take(&mut self.is_moving);
        moved.then_some(())
    }

    /// It sets itself in motion first. What it says then is the end of that.
    fn moves_or_says(&mut self, word: Word) -> Option<()> {
        if !self.is_moving {
            self.is_moving = true;
            return Some(());
        }
        self.say(word)?;
        self.is_moving = false;
        Some(())
    }
}
