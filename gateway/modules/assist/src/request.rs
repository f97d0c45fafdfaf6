//! Whether a request makes sense before anybody is asked, and why one is turned down.

use protocol::{command::Verb, limits::MAX_NOTE_CHARS};

/// How far from the map's origin a target may lie, metres: no site is larger, and a slip of the decimal point is caught.
pub const MAX_REACH_M: f64 = 10_000.0;

/// Why a wish was turned down. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A coordinate is no number.
    #[error("the target has a coordinate that is no number")]
    TargetNotFinite,
    /// The target lies on no site.
    #[error("the target lies more than {MAX_REACH_M} m from the map's origin")]
    TargetOutOfReach,
    /// The same id was used for another command.
    #[error("the command's id was used for another command")]
    CommandIdReused,
    /// There is no such command.
    #[error("there is no such command")]
    CommandUnknown,
    /// The robot still has time to answer.
    #[error("the robot still has time to answer")]
    NotDueYet,
    /// A stop is released without a word why, or with more words than anybody reads.
    #[error("say in at most {MAX_NOTE_CHARS} characters why the stop is released")]
    ReasonMissing,
}

impl Refusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TargetNotFinite => "target_not_finite",
            Self::TargetOutOfReach => "target_out_of_reach",
            Self::CommandIdReused => "command_id_reused",
            Self::CommandUnknown => "command_unknown",
            Self::NotDueYet => "not_due_yet",
            Self::ReasonMissing => "reason_missing",
        }
    }
}

/// Checks what can be checked without knowing the robot.
pub fn check(verb: &Verb) -> Result<(), Refusal> {
    match *verb {
        Verb::Stop | Verb::ArmDrive | Verb::ReleaseStop => Ok(()),
        Verb::NavigateTo {
            x_m,
            y_m,
            heading_rad,
        } => {
            if ![x_m, y_m, heading_rad.unwrap_or(0.0)]
                .iter()
                .all(|value| value.is_finite())
            {
                return Err(Refusal::TargetNotFinite);
            }
            if x_m.abs() > MAX_REACH_M || y_m.abs() > MAX_REACH_M {
                return Err(Refusal::TargetOutOfReach);
            }
            Ok(())
        }
    }
}

/// Checks the words of a signed command: a release says why, for whoever reads the log.
pub fn check_words(verb: &Verb, words: &str) -> Result<(), Refusal> {
    let is_missing = *verb == Verb::ReleaseStop && words.trim().is_empty();
    let is_long = words.chars().count() > MAX_NOTE_CHARS;
    if is_missing || is_long {
        Err(Refusal::ReasonMissing)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(x_m: f64, y_m: f64, heading_rad: Option<f64>) -> Result<(), Refusal> {
        check(&Verb::NavigateTo {
            x_m,
            y_m,
            heading_rad,
        })
    }

    #[test]
    fn a_target_within_reach_passes_up_to_the_last_metre() {
        for sign in [1.0, -1.0] {
            assert_eq!(
                to(sign * MAX_REACH_M, sign * MAX_REACH_M, Some(3.0)),
                Ok(())
            );
            assert_eq!(
                to(sign * (MAX_REACH_M + 0.001), 0.0, None),
                Err(Refusal::TargetOutOfReach)
            );
            assert_eq!(
                to(0.0, sign * (MAX_REACH_M + 0.001), None),
                Err(Refusal::TargetOutOfReach)
            );
        }
        assert_eq!(check(&Verb::Stop), Ok(()));
    }

    #[test]
    fn a_release_says_why_in_few_words() {
        let long = "x".repeat(MAX_NOTE_CHARS + 1);
        for (verb, words, expected) in [
            (Verb::ReleaseStop, "The child is out of the way", Ok(())),
            (Verb::ReleaseStop, " ", Err(Refusal::ReasonMissing)),
            (Verb::ReleaseStop, &long, Err(Refusal::ReasonMissing)),
            (Verb::ArmDrive, "", Ok(())),
        ] {
            assert_eq!(check_words(&verb, words), expected, "{verb:?}");
        }
    }

    #[test]
    fn a_coordinate_that_is_no_number_is_refused_wherever_it_stands() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(to(bad, 0.0, None), Err(Refusal::TargetNotFinite));
            assert_eq!(to(0.0, bad, None), Err(Refusal::TargetNotFinite));
            assert_eq!(to(0.0, 0.0, Some(bad)), Err(Refusal::TargetNotFinite));
        }
    }
}
