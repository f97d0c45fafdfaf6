//! Whether a question is one that a person can be shown.

use protocol::{
    assist::AssistQuestion,
    limits::{MAX_ASSIST_OPTIONS, MAX_NAME_CHARS, MAX_TEXT_CHARS, MAX_WORDS_CHARS},
};

use super::CallRefusal;

/// The same bounds as the job's: what a robot asked there is a fact here.
pub(super) fn check(question: &AssistQuestion) -> Result<(), CallRefusal> {
    if question.options.len() > MAX_ASSIST_OPTIONS {
        return Err(CallRefusal::TooManyOptions);
    }
    check_text(&question.words, MAX_TEXT_CHARS)?;
    // No camera shows that nothing is heard of a robot.
    check_length(&question.camera, MAX_NAME_CHARS)?;
    question
        .options
        .iter()
        .try_for_each(|option| check_text(option, MAX_WORDS_CHARS))
}

fn check_text(text: &str, most_chars: usize) -> Result<(), CallRefusal> {
    if text.trim().is_empty() {
        return Err(CallRefusal::QuestionEmpty);
    }
    check_length(text, most_chars)
}

fn check_length(text: &str, most_chars: usize) -> Result<(), CallRefusal> {
    (text.chars().count() <= most_chars)
        .then_some(())
        .ok_or(CallRefusal::QuestionTooLong)
}
