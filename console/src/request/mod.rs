//! A job as its requester sees it: in plain words, with what they may do now. Worked out from what the gateway says;
//! nothing here draws and nothing here sends.

pub mod complaint;
pub mod control;
pub mod deeds;
pub mod order;
pub mod progress;
pub mod state;
pub mod when;

#[cfg(test)]
mod allowed;
#[cfg(test)]
mod fixture;

/// The shape of a state; says the same as the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Ring: to come.
    Coming,
    /// Dashed ring: asked for, not there yet.
    Underway,
    /// Half disc: somebody is at it.
    Running,
    /// Circled check.
    Done,
    /// Square: stands still.
    Still,
    /// A person.
    Person,
    /// Triangle.
    Caution,
    /// Octagon.
    Alarm,
    /// Cross: over without having been done.
    Over,
}

/// How a state speaks to the requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Nothing to look at.
    Calm,
    /// A person is at it, or you are asked.
    Human,
    /// Done as wished.
    Ok,
    /// Look at it.
    Caution,
    /// Act on it.
    Alarm,
}

impl Mood {
    /// Name of the style.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Human => "human",
            Self::Ok => "ok",
            Self::Caution => "caution",
            Self::Alarm => "alarm",
        }
    }
}
