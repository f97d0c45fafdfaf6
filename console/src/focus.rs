//! Whose a key is: of what has the focus, or of the page.

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Something that is typed into.
    Text,
    /// A choice, which has letters and arrows of its own.
    Choice,
    /// A button or a link, which Enter belongs to.
    Control,
    /// Nothing that cares for keys.
    Page,
}

impl Focus {
    /// By the element's tag, the type of an input, and whether what it holds can be edited in place.
    pub fn of(tag: &str, input_type: &str, is_editable: bool) -> Self {
        if is_editable {
            return Self::Text;
        }
        match tag {
            "INPUT" => match input_type {
                "button" | "checkbox" | "color" | "file" | "image" | "reset" | "submit" => {
                    Self::Control
                }
                "radio" | "range" => Self::Choice,
                _ => Self::Text,
            },
            "TEXTAREA" => Self::Text,
            "SELECT" | "OPTION" => Self::Choice,
            "BUTTON" | "A" | "SUMMARY" => Self::Control,
            _ => Self::Page,
        }
    }

    /// Whether the page's own keys are silent.
    pub const fn takes_keys(self) -> bool {
        match self {
            Self::Text | Self::Choice => true,
            Self::Control | Self::Page => false,
        }
    }
}

/// Whether this key stops the robot: Space does wherever it isn't part of a text, with whatever is held beside it. The
/// key's place on the keyboard counts too, since some layouts put another blank on it together with Shift or `AltGr`.
pub fn is_stop(name: &str, code: &str, focus: Focus) -> bool {
    (name == " " || code == "Space") && focus != Focus::Text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_stops_whatever_has_the_focus_unless_it_is_typed_into() {
        for (tag, kind) in [
            ("BODY", ""),
            ("MAIN", ""),
            ("BUTTON", ""),
            ("A", ""),
            ("SUMMARY", ""),
            ("SELECT", ""),
            ("OPTION", ""),
            ("INPUT", "checkbox"),
            ("INPUT", "radio"),
            ("INPUT", "range"),
            ("INPUT", "submit"),
        ] {
            let focus = Focus::of(tag, kind, false);
            assert!(is_stop(" ", "Space", focus), "{tag} {kind}");
        }
        for (tag, kind, is_editable) in [
            ("INPUT", "text", false),
            ("INPUT", "search", false),
            ("INPUT", "", false),
            ("TEXTAREA", "", false),
            ("DIV", "", true),
        ] {
            let focus = Focus::of(tag, kind, is_editable);
            assert!(!is_stop(" ", "Space", focus), "{tag} {kind}");
        }
    }

    #[test]
    fn the_space_bar_stops_whatever_blank_a_layout_puts_on_it() {
        assert!(is_stop("\u{202f}", "Space", Focus::Page));
        assert!(is_stop(" ", "", Focus::Page));
        assert!(!is_stop("Enter", "Enter", Focus::Page));
    }

    #[test]
    fn letters_go_into_fields_and_choices_and_past_buttons() {
        let taken = |tag, kind| Focus::of(tag, kind, false).takes_keys();

        assert!(taken("INPUT", "search") && taken("SELECT", "") && taken("OPTION", ""));
        assert!(!taken("BUTTON", "") && !taken("INPUT", "checkbox") && !taken("BODY", ""));
    }
}
