//! What a question must be, and at how many people a call rings by name, at every bound.

use protocol::limits::{MAX_ASSIST_OPTIONS, MAX_NAME_CHARS, MAX_TEXT_CHARS, MAX_WORDS_CHARS};

use super::*;

#[test]
fn a_question_says_something_and_not_too_much() {
    let long = |chars| "ü".repeat(chars);
    let words = |words: String| AssistQuestion {
        words,
        ..question()
    };
    let camera = |camera: String| AssistQuestion {
        camera,
        ..question()
    };
    let options = |options: Vec<String>| AssistQuestion {
        options,
        ..question()
    };
    let many = |count| options(vec!["Yes".to_owned(); count]);
    for (question, expected) in [
        (options(Vec::new()), Ok(())),
        (words(long(MAX_TEXT_CHARS)), Ok(())),
        (
            words(long(MAX_TEXT_CHARS + 1)),
            Err(CallRefusal::QuestionTooLong),
        ),
        (words(" \n".to_owned()), Err(CallRefusal::QuestionEmpty)),
        (camera(long(MAX_NAME_CHARS)), Ok(())),
        (
            camera(long(MAX_NAME_CHARS + 1)),
            Err(CallRefusal::QuestionTooLong),
        ),
        (camera(String::new()), Ok(())),
        (many(MAX_ASSIST_OPTIONS), Ok(())),
        (
            many(MAX_ASSIST_OPTIONS + 1),
            Err(CallRefusal::TooManyOptions),
        ),
        (options(vec![long(MAX_WORDS_CHARS)]), Ok(())),
        (
            options(vec![long(MAX_WORDS_CHARS + 1)]),
            Err(CallRefusal::QuestionTooLong),
        ),
        (
            options(vec![String::new()]),
            Err(CallRefusal::QuestionEmpty),
        ),
    ] {
        let event = requested(Some(1), question.clone());

        let answer = decide_call(None, &event, CallActor::Robot(JUNIPER), T0);

        assert_eq!(answer, expected, "{question:?}");
    }
}

#[test]
fn a_call_rings_by_name_at_as_many_as_a_control_room_holds() {
    let opened = at(Some(AssistPhase::Opened));
    for (people, expected) in [
        (MAX_OFFERED_PEOPLE, Ok(())),
        (MAX_OFFERED_PEOPLE + 1, Err(CallRefusal::TooManyPeople)),
    ] {
        let event = offered(vec![ADA; people]);

        let answer = decide_call(opened.as_ref(), &event, CallActor::Cloud, T0);

        assert_eq!(answer, expected, "{people}");
    }
}
