//! The order form: which places there are, and what of somebody's answers can be asked for.

use std::collections::{BTreeMap, BTreeSet};

use jobs::template::{self, DefaultValue, Parameter, ParameterKind, Template};
use protocol::{SiteId, job::ParameterValue, limits::MAX_NAME_CHARS};

use crate::live::model::Robot;

/// What stands in the fields, by the parameters' names. A flag is "yes" or empty.
pub type Typed = BTreeMap<&'static str, String>;

/// What is wrong, by the parameters' names.
pub type Troubles = BTreeMap<&'static str, String>;

/// What a flag's field holds when it is set.
pub const YES: &str = "yes";

/// What can be asked for: every template in its latest version, in the order of the menu.
pub fn menu() -> Vec<&'static Template> {
    let all = template::all();
    let is_latest = |template: &&Template| {
        !all.iter()
            .any(|other| other.name == template.name && other.version > template.version)
    };
    all.iter().filter(is_latest).collect()
}

/// What stands in the fields of a form that nobody has touched.
pub fn untouched(template: &Template) -> Typed {
    template
        .parameters
        .iter()
        .map(|parameter| (parameter.name, default_of(parameter)))
        .collect()
}

fn default_of(parameter: &Parameter) -> String {
    match parameter.default {
        Some(DefaultValue::Flag(true)) => YES.to_owned(),
        Some(DefaultValue::Flag(false)) | None => String::new(),
        Some(DefaultValue::Number(number)) => number.to_string(),
        Some(DefaultValue::Text(text)) => text.to_owned(),
    }
}

/// The answers, or what is wrong with them and what to type instead.
pub fn answers(
    template: &Template,
    typed: &Typed,
) -> Result<BTreeMap<String, ParameterValue>, Troubles> {
    let mut answers = BTreeMap::new();
    let mut troubles = Troubles::new();
    for parameter in template.parameters {
        let text = typed.get(parameter.name).map_or("", |text| text.trim());
        match answer(parameter, text) {
            Ok(value) => {
                answers.insert(parameter.name.to_owned(), value);
            }
            Err(words) => {
                troubles.insert(parameter.name, words);
            }
        }
    }
    if troubles.is_empty() {
        Ok(answers)
    } else {
        Err(troubles)
    }
}

fn answer(parameter: &Parameter, text: &str) -> Result<ParameterValue, String> {
    match parameter.kind {
        ParameterKind::Place => line(text, MAX_NAME_CHARS, "Choose a place."),
        ParameterKind::Text { max_chars } => line(text, max_chars, "Say what."),
        ParameterKind::Choice { .. } => line(text, MAX_NAME_CHARS, "Choose one."),
        ParameterKind::Number { min, max } => text
            .parse()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .map(ParameterValue::Number)
            .ok_or_else(|| format!("Type a number from {min} to {max}.")),
        ParameterKind::Flag => Ok(ParameterValue::Flag(text == YES)),
    }
}

fn line(text: &str, max_chars: usize, missing: &str) -> Result<ParameterValue, String> {
    if text.is_empty() {
        return Err(missing.to_owned());
    }
    let count = text.chars().count();
    if count > max_chars {
        return Err(format!(
            "{count} characters are too many. Shorten it by {}.",
            count - max_chars
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("Type it on one line.".to_owned());
    }
    Ok(ParameterValue::Text(text.to_owned()))
}

/// The sites where robots are, by name.
pub fn sites<'a>(robots: impl IntoIterator<Item = &'a Robot>) -> Vec<(SiteId, String)> {
    let sites: BTreeSet<_> = robots
        .into_iter()
        .map(|robot| (robot.view.site_name.clone(), robot.view.site))
        .collect();
    sites.into_iter().map(|(name, site)| (site, name)).collect()
}

/// The places of a site that its robots know, by name.
pub fn places<'a>(robots: impl IntoIterator<Item = &'a Robot>, site: SiteId) -> Vec<String> {
    let maps = robots
        .into_iter()
        .filter(|robot| robot.view.site == site)
        .filter_map(|robot| robot.advert.as_ref()?.map.as_ref());
    let names: BTreeSet<_> = maps
        .flat_map(|map| map.places.iter().map(|place| place.name.clone()))
        .collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use protocol::{
        JobId,
        job::{JobRequest, TemplateName, Window},
    };
    use uuid::Uuid;

    use super::super::fixture::NOW;
    use super::*;

    fn filled(template: &Template) -> Typed {
        let mut typed = untouched(template);
        for parameter in template.parameters {
            let text = typed.entry(parameter.name).or_default();
            if text.is_empty() && parameter.kind != ParameterKind::Flag {
                *text = match parameter.kind {
                    ParameterKind::Choice { options } => options[0].0.to_owned(),
                    ParameterKind::Number { min, .. } => min.to_string(),
                    ParameterKind::Place | ParameterKind::Text { .. } | ParameterKind::Flag => {
                        " Room 3 ".to_owned()
                    }
                };
            }
        }
        typed
    }

    #[test]
    fn a_form_without_troubles_is_one_that_the_templates_take() {
        for template in menu() {
            let request = JobRequest {
                job: JobId(Uuid::nil()),
                site: SiteId(Uuid::nil()),
                template: TemplateName {
                    name: template.name.to_owned(),
                    version: template.version,
                },
                parameters: answers(template, &filled(template)).unwrap(),
                window: Window {
                    from: NOW,
                    until: NOW.plus(1),
                },
                operator_cover: true,
            };

            assert!(template::plan(&request).is_ok(), "{}", template.name);
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_said_at_its_field() {
        let table = [
            (ParameterKind::Place, "", "Choose a place."),
            (
                ParameterKind::Text { max_chars: 3 },
                "water",
                "5 characters are too many. Shorten it by 2.",
            ),
            (
                ParameterKind::Number { min: 1, max: 4 },
                "5",
                "Type a number from 1 to 4.",
            ),
            (
                ParameterKind::Number { min: 1, max: 4 },
                "two",
                "Type a number from 1 to 4.",
            ),
        ];
        for (kind, text, words) in table {
            let parameter = Parameter {
                name: "what",
                label: "What",
                kind,
                default: None,
            };
            assert_eq!(answer(&parameter, text), Err(words.to_owned()));
        }
    }
}
