//! Which place of the map words mean.

use protocol::robot::Place;

/// What a map may call a room by: whoever goes to its door goes to the room.
const DOOR: &str = " door";

/// The place of that name, with or without its door.
pub fn find<'a>(places: &'a [Place], name: &str) -> Option<&'a Place> {
    let exact = places
        .iter()
        .find(|place| place.name.trim().eq_ignore_ascii_case(name.trim()));
    exact.or_else(|| {
        let wanted = room(name);
        places.iter().find(|place| room(&place.name) == wanted)
    })
}

/// The room that a place's name means.
fn room(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    lower.strip_suffix(DOOR).unwrap_or(&lower).to_owned()
}

/// Whether words that open a place, such as "Room 3 and corridor B", open another one only: they name one of `others` and
/// not this. Free words are believed otherwise.
pub(super) fn opens_another(words: &str, place: &str, others: &[String]) -> bool {
    let words = words.to_lowercase();
    let names = |name: &str| {
        let room = room(name);
        words.match_indices(&room).any(|(at, _)| {
            // "Room 1" is not named by "Room 12".
            let after = words[at + room.len()..].chars().next();
            !after.is_some_and(char::is_alphanumeric)
        })
    };
    !names(place) && others.iter().any(|other| names(other))
}

#[cfg(test)]
mod tests {
    use protocol::robot::Pose;

    use super::*;

    fn places(names: &[&str]) -> Vec<Place> {
        let place = |name: &&str| Place {
            name: (*name).to_owned(),
            pose: Pose::default(),
        };
        names.iter().map(place).collect()
    }

    #[test]
    fn a_place_is_found_by_its_name_or_its_door() {
        for (map, name, expected) in [
            (["Dock", "Room 3"], "Room 3", Some("Room 3")),
            (["Dock", "Room 3"], "room 3 ", Some("Room 3")),
            (["Dock", "Room 3"], "Room 3 door", Some("Room 3")),
            (["Dock", "Room 3 door"], "Room 3", Some("Room 3 door")),
            (["Room 3 door", "Room 3"], "Room 3", Some("Room 3")),
            (["Dock", "Room 3"], "Room 33", None),
            (["Dock", "Room 3"], "", None),
        ] {
            let places = places(&map);
            let found = find(&places, name).map(|place| place.name.as_str());
            assert_eq!(found, expected, "{name} in {map:?}");
        }
    }

    #[test]
    fn words_that_name_another_place_alone_do_not_open_this_one() {
        let others = ["Room 1".to_owned(), "Room 4".to_owned(), "Dock".to_owned()];
        for (words, expected) in [
            ("Room 3 and corridor B", false),
            ("ROOM 3", false),
            ("Room 3 and room 4", false),
            ("The whole wing", false),
            ("", false),
            ("Room 4", true),
            ("Room 12", false),
            ("the dock, nothing else", true),
        ] {
            assert_eq!(
                opens_another(words, "Room 3 door", &others),
                expected,
                "{words}"
            );
        }
    }
}
