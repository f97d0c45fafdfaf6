//! Requests against the templates.

use protocol::{
    JobId, UnixMicros,
    job::{JobRequest, ParameterValue, StepAction},
    limits::{MAX_ASSIST_OPTIONS, MAX_NAME_CHARS, MAX_PLAN_STEPS, MAX_TEXT_CHARS},
};
use uuid::Uuid;

use super::{Refusal, all, plan};
use crate::walk::filled_in;

fn request(template: usize) -> JobRequest {
    filled_in(&all()[template], JobId(Uuid::nil()), UnixMicros(0))
}

fn with(template: usize, name: &str, value: ParameterValue) -> Result<String, Refusal> {
    let mut request = request(template);
    request.parameters.insert(name.to_owned(), value);
    plan(&request).map(|plan| plan.title)
}

fn words(words: &str) -> ParameterValue {
    ParameterValue::Text(words.to_owned())
}

#[test]
fn every_template_plans_a_work_list_within_the_bounds() {
    for (index, template) in all().iter().enumerate() {
        let plan = plan(&request(index)).unwrap();

        assert_eq!(plan.place, "Room 3");
        assert!(plan.title.contains("Room 3"), "{}", plan.title);
        assert!((1..=MAX_PLAN_STEPS).contains(&plan.steps.len()));
        for step in &plan.steps {
            match &step.action {
                StepAction::Work { seconds } => assert!((3..=8).contains(seconds)),
                StepAction::UnsureWork { seconds, question } => {
                    assert!((3..=8).contains(seconds));
                    assert!(question.options.len() <= MAX_ASSIST_OPTIONS);
                }
                StepAction::ApprovedWork { seconds, words, .. } => {
                    assert!((3..=8).contains(seconds));
                    assert!(words.chars().count() <= MAX_TEXT_CHARS && words.contains("Room 3"));
                }
                StepAction::Photograph => {}
            }
        }
        let same_name = all()
            .iter()
            .filter(|other| (other.name, other.version) == (template.name, template.version));
        assert_eq!(same_name.count(), 1);
    }
}

#[test]
fn a_room_is_reset_in_seven_steps_one_of_them_unsure_and_one_to_be_allowed() {
    let plan = plan(&request(0)).unwrap();

    let titles: Vec<_> = plan.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(plan.title, "Reset Room 3");
    assert_eq!(
        titles,
        [
            "Strip bed",
            "Wipe rail",
            "Empty bin",
            "Clear bedside table",
            "Open the drawer",
            "Wipe table",
            "Photograph the room"
        ]
    );
    assert!(matches!(
        plan.steps[3].action,
        StepAction::UnsureWork { .. }
    ));
    assert!(matches!(
        plan.steps[4].action,
        StepAction::ApprovedWork {
            answer_within_s: 300,
            ..
        }
    ));
}

#[test]
fn an_answer_is_of_its_kind_and_within_its_bounds() {
    let (reset, deliver, inspect) = (0, 1, 2);
    let bad = Refusal::ParameterOutOfBounds;
    let mistyped = Refusal::ParameterMistyped;
    let long = "x".repeat(MAX_NAME_CHARS + 1);
    let cases = [
        (reset, "room", words("Room 4"), Ok("Reset Room 4")),
        (reset, "room", words(""), Err(bad("room"))),
        (reset, "room", words(" Room 4"), Err(bad("room"))),
        (reset, "room", words("Room\n4"), Err(bad("room"))),
        (reset, "room", words(&long), Err(bad("room"))),
        (
            reset,
            "room",
            ParameterValue::Number(4),
            Err(mistyped("room")),
        ),
        (reset, "floor", words("4"), Err(Refusal::ParameterUnknown)),
        (
            deliver,
            "count",
            ParameterValue::Number(1),
            Ok("Deliver A glass of water to Room 3"),
        ),
        (
            deliver,
            "count",
            ParameterValue::Number(2),
            Ok("Deliver 2 × A glass of water to Room 3"),
        ),
        (
            deliver,
            "count",
            ParameterValue::Number(0),
            Err(bad("count")),
        ),
        (
            deliver,
            "count",
            ParameterValue::Number(5),
            Err(bad("count")),
        ),
        (deliver, "count", words("2"), Err(mistyped("count"))),
        (deliver, "spot", words("roof"), Err(bad("spot"))),
        (
            inspect,
            "photograph",
            words("yes"),
            Err(mistyped("photograph")),
        ),
    ];
    for (template, name, value, expected) in cases {
        let said = format!("{name} = {value:?}");

        let title = with(template, name, value);

        assert_eq!(title.as_deref().map_err(|why| *why), expected, "{said}");
    }
}

#[test]
fn what_is_left_out_is_what_the_form_says_or_missing() {
    let mut request = request(2);
    request.parameters.remove("photograph");
    assert_eq!(plan(&request).unwrap().steps.len(), 4);
    request
        .parameters
        .insert("photograph".to_owned(), ParameterValue::Flag(false));
    assert_eq!(plan(&request).unwrap().steps.len(), 3);
    request.parameters.remove("room");

    assert_eq!(plan(&request), Err(Refusal::ParameterMissing("room")));
    request.template.version = 2;
    assert_eq!(plan(&request), Err(Refusal::TemplateUnknown));
}
