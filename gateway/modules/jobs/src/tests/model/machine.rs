//! A robot as the model sees it: honest, and it knows only what reached it.

use protocol::{
    AccessId,
    job::{Assignment, Directive, ForfeitReason, JobEvent},
};

use crate::tests::fixtures::checkpoint;

/// What reached the robot of its assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    epoch: u64,
    directive: Directive,
    access: Option<AccessId>,
    checkpoint: u32,
}

impl std::hash::Hash for Told {
    fn hash<State: std::hash::Hasher>(&self, state: &mut State) {
        let directive = match self.directive {
            Directive::Acknowledge => 0_u8,
            Directive::Proceed => 1,
            Directive::Stop => 2,
            Directive::Hold => 3,
            Directive::Release => 4,
        };
        (self.epoch, directive, self.access, self.checkpoint).hash(state);
    }
}

impl Told {
    pub(super) fn of(assignment: &Assignment) -> Self {
        Self {
            epoch: assignment.epoch,
            directive: assignment.directive,
            access: assignment.access.as_ref().map(|plan| plan.access),
            checkpoint: assignment.checkpoint,
        }
    }

    pub(super) const fn release(epoch: u64) -> Self {
        Self {
            epoch,
            directive: Directive::Release,
            access: None,
            checkpoint: 0,
        }
    }
}

/// What a robot says, with the number that it acts under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Word {
    Confirmed(u64),
    Forfeited(u64),
    Departed(u64),
    Arrived(u64),
    Verified(u64, AccessId),
    Started(u64),
    Done(u64, u32),
    Stands(u64),
    Finished(u64),
}

impl Word {
    pub(super) const fn event(self) -> JobEvent {
        match self {
            Self::Confirmed(epoch) => JobEvent::ReservationConfirmed { epoch },
            Self::Forfeited(epoch) => JobEvent::ReservationForfeited {
                epoch,
                reason: ForfeitReason::Busy,
            },
            Self::Departed(epoch) => JobEvent::Departed { epoch },
            Self::Arrived(epoch) => JobEvent::Arrived { epoch },
            Self::Verified(epoch, access) => JobEvent::AccessVerified { epoch, access },
            Self::Started(epoch) => JobEvent::ExecutionStarted { epoch },
            Self::Done(epoch, number) => checkpoint(epoch, number),
            Self::Stands(epoch) => JobEvent::SafeStateReached { epoch },
            Self::Finished(epoch) => JobEvent::WorkFinished { epoch },
        }
    }
}

/// Where a robot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Place {
    #[default]
    Home,
    Way,
    Door,
    Inside,
    Finished,
}

/// A robot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Machine {
    /// What it acts under; 0 when it has no job.
    pub(super) epoch: u64,
    told: Option<Told>,
    has_answered: bool,
    place: Place,
    /// Whether anything of it moves.
    pub(super) is_moving: bool,
    /// Whether it said that it stands since it was last told anything but to stop. Once only: a second word that comes late
    /// would be taken for the answer to a later stop.
    has_reported: bool,
    verified: Option<AccessId>,
    pub(super) done: u32,
    /// What it said and the log does not hold.
    pub(super) journal: Vec<Word>,
    most_words: usize,
}

impl Machine {
    /// A robot without a job, of which so many words may be on their way.
    pub(super) fn idle(most_words: usize) -> Self {
        Self {
            most_words,
            ..Self::default()
        }
    }

    /// What it remembers when it has no job, or another one.
    fn anew(&mut self, epoch: u64) {
        *self = Self {
            epoch,
            journal: std::mem::take(&mut self.journal),
            done: self.done,
            ..Self::idle(self.most_words)
        };
    }

    fn say(&mut self, word: Word) -> Option<()> {
        if self.journal.len() == self.most_words {
            return None;
        }
        self.journal.push(word);
        Some(())
    }

    /// What the line delivers. Nothing when it changes nothing.
    pub(super) fn hears(&mut self, told: Told) -> Option<()> {
        let is_new = told.epoch > self.epoch && told.directive == Directive::Acknowledge;
        if is_new {
            self.anew(told.epoch);
        }
        if told.epoch != self.epoch {
            return None;
        }
        match told.directive {
            Directive::Acknowledge => {}
            Directive::Release => {
                self.anew(0);
                return Some(());
            }
            Directive::Proceed => {
                let stood = self
                    .told
                    .is_some_and(|last| last.directive != Directive::Proceed);
                // What it said of its beginning may have come when it was to stop, and counted for nothing.
                if stood && self.place == Place::Inside {
                    self.place = Place::Door;
                }
                self.has_reported = false;
            }
            Directive::Hold => {
                self.is_moving = false;
                self.has_reported = false;
            }
            Directive::Stop => {
                if !self.has_reported {
                    self.say(Word::Stands(self.epoch))?;
                }
                self.is_moving = false;
                self.has_reported = true;
            }
        }
        self.done = self.done.max(told.checkpoint);
        self.told = Some(told);
        Some(())
    }

    /// It gives back what it did not begin.
    pub(super) fn declines(&mut self) -> Option<()> {
        if self.epoch == 0 || self.place != Place::Home {
            return None;
        }
        self.say(Word::Forfeited(self.epoch))?;
        self.anew(0);
        Some(())
    }

    /// The next thing that it does by itself.
    pub(super) fn goes_on(&mut self, steps: u32) -> Option<()> {
        let told = self.told?;
        match told.directive {
            Directive::Acknowledge if !self.has_answered => {
                self.say(Word::Confirmed(self.epoch))?;
                self.has_answered = true;
                Some(())
            }
            Directive::Acknowledge | Directive::Stop | Directive::Release => None,
            Directive::Hold => match self.place {
                Place::Door | Place::Inside => self.tries_the_door(told),
                Place::Home | Place::Way | Place::Finished => None,
            },
            Directive::Proceed => self.works(told, steps),
        }
    }

    fn tries_the_door(&mut self, told: Told) -> Option<()> {
        let access = told
            .access
            .filter(|access| self.verified != Some(*access))?;
        self.say(Word::Verified(self.epoch, access))?;
        self.verified = Some(access);
        Some(())
    }

    fn works(&mut self, told: Told, steps: u32) -> Option<()> {
        match self.place {
            Place::Home => {
                self.say(Word::Departed(self.epoch))?;
                self.place = Place::Way;
                self.is_moving = true;
            }
            Place::Way => {
                self.say(Word::Arrived(self.epoch))?;
                self.place = Place::Door;
                self.is_moving = false;
            }
            Place::Door if told.access.is_none() || self.verified != told.access => {
                self.tries_the_door(told)?;
            }
            Place::Door => {
                self.say(Word::Started(self.epoch))?;
                self.place = Place::Inside;
                self.is_moving = true;
            }
            Place::Inside if self.done < steps => {
                self.say(Word::Done(self.epoch, self.done + 1))?;
                self.done += 1;
            }
            Place::Inside => {
                self.say(Word::Finished(self.epoch))?;
                self.place = Place::Finished;
                self.is_moving = false;
            }
            Place::Finished => return None,
        }
        Some(())
    }
}
