//! Order forms: what may be asked for, and the plan that follows from the answers. Frozen by name and version: a template
//! that plans differently is a new version beside the old one.

use std::collections::BTreeMap;

use protocol::{
    job::{JobRequest, ParameterValue, Plan},
    limits::MAX_NAME_CHARS,
};

use crate::refusal::Refusal;

mod catalogue;

/// An order form.
#[derive(Debug)]
pub struct Template {
    /// Frozen.
    pub name: &'static str,
    /// Rises whenever the plan that follows from the same answers changes.
    pub version: u32,
    /// For people: "Reset a room".
    pub label: &'static str,
    /// What it asks, in the order of the form.
    pub parameters: &'static [Parameter],
    plan: fn(&Answers) -> Plan,
}

/// One question of an order form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Frozen.
    pub name: &'static str,
    /// For people: "Room".
    pub label: &'static str,
    /// Which answers are allowed.
    pub kind: ParameterKind,
    /// What counts when nothing is answered; without one an answer is needed.
    pub default: Option<DefaultValue>,
}

/// Which answers are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// The name of a place on the site's map.
    Place,
    /// Free words.
    Text {
        /// At most so many.
        max_chars: usize,
    },
    /// A whole number.
    Number {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// One of these words.
    Choice {
        /// The word and what people read.
        options: &'static [(&'static str, &'static str)],
    },
    /// Yes or no.
    Flag,
}

/// What counts when nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Words.
    Text(&'static str),
}

/// Every template in every version, in the order of the menu.
pub fn all() -> &'static [Template] {
    catalogue::ALL
}

/// The plan that follows from a request: the same request always makes the same plan.
pub fn plan(request: &JobRequest) -> Result<Plan, Refusal> {
    let wanted = &request.template;
    let template = all()
        .iter()
        .find(|known| known.name == wanted.name && known.version == wanted.version)
        .ok_or(Refusal::TemplateUnknown)?;
    Ok((template.plan)(&answers(template, &request.parameters)?))
}

/// Answers to every parameter of one template, each checked.
struct Answers(BTreeMap<&'static str, ParameterValue>);

impl Answers {
    fn text(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(ParameterValue::Text(text)) => text,
            Some(ParameterValue::Flag(_) | ParameterValue::Number(_)) | None => "",
        }
    }

    fn number(&self, name: &str) -> i64 {
        match self.0.get(name) {
            Some(ParameterValue::Number(number)) => *number,
            Some(ParameterValue::Flag(_) | ParameterValue::Text(_)) | None => 0,
        }
    }

    fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(ParameterValue::Flag(flag)) => *flag,
            Some(ParameterValue::Number(_) | ParameterValue::Text(_)) | None => false,
        }
    }
}

fn answers(
    template: &Template,
    given: &BTreeMap<String, ParameterValue>,
) -> Result<Answers, Refusal> {
    let is_asked = |name: &str| {
        template
            .parameters
            .iter()
            .any(|parameter| parameter.name == name)
    };
    if !given.keys().all(|name| is_asked(name)) {
        return Err(Refusal::ParameterUnknown);
    }
    template
        .parameters
        .iter()
        .map(|parameter| Ok((parameter.name, answer(parameter, given)?)))
        .collect::<Result<_, _>>()
        .map(Answers)
}

fn answer(
    parameter: &Parameter,
    given: &BTreeMap<String, ParameterValue>,
) -> Result<ParameterValue, Refusal> {
    let Some(value) = given.get(parameter.name) else {
        return match parameter.default {
            Some(DefaultValue::Flag(flag)) => Ok(ParameterValue::Flag(flag)),
            Some(DefaultValue::Number(number)) => Ok(ParameterValue::Number(number)),
            Some(DefaultValue::Text(text)) => Ok(ParameterValue::Text(text.to_owned())),
            None => Err(Refusal::ParameterMissing(parameter.name)),
        };
    };
    let is_allowed = match (parameter.kind, value) {
        (ParameterKind::Place, ParameterValue::Text(place)) => is_line(place, MAX_NAME_CHARS),
        (ParameterKind::Text { max_chars }, ParameterValue::Text(text)) => is_line(text, max_chars),
        (ParameterKind::Number { min, max }, ParameterValue::Number(number)) => {
            (min..=max).contains(number)
        }
        (ParameterKind::Choice { options }, ParameterValue::Text(word)) => {
            options.iter().any(|(option, _)| option == word)
        }
        (ParameterKind::Flag, ParameterValue::Flag(_)) => true,
        (
            ParameterKind::Place | ParameterKind::Text { .. } | ParameterKind::Choice { .. },
            ParameterValue::Flag(_) | ParameterValue::Number(_),
        )
        | (ParameterKind::Number { .. }, ParameterValue::Flag(_) | ParameterValue::Text(_))
        | (ParameterKind::Flag, ParameterValue::Number(_) | ParameterValue::Text(_)) => {
            return Err(Refusal::ParameterMistyped(parameter.name));
        }
    };
    is_allowed
        .then(|| value.clone())
        .ok_or(Refusal::ParameterOutOfBounds(parameter.name))
}

/// Words on one line, as they stand in a title or a step.
fn is_line(words: &str, max_chars: usize) -> bool {
    !words.is_empty()
        && words.trim() == words
        && words.chars().count() <= max_chars
        && !words.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
