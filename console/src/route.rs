//! The addresses of the pages.

use std::fmt;

use protocol::RobotId;

/// A page by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Every robot.
    Fleet,
    /// One robot, live.
    Robot(RobotId),
    /// An address of a robot that is none.
    NoRobot,
    /// The way in.
    SignIn,
    /// Nothing is there.
    Nowhere,
}

impl Route {
    /// The page at a path.
    pub fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [] => Self::Fleet,
            ["sign-in"] => Self::SignIn,
            ["robots", id] => id.parse().map_or(Self::NoRobot, Self::Robot),
            _ => Self::Nowhere,
        }
    }

    /// The page that a link leads to; none for a link that leads out of the console or within a page.
    pub fn of_link(address: &str) -> Option<Self> {
        if !address.starts_with('/') || address.starts_with("//") {
            return None;
        }
        let path = address.split(['?', '#']).next().unwrap_or_default();
        match Self::parse(path) {
            Self::Nowhere | Self::NoRobot => None,
            route @ (Self::Fleet | Self::Robot(_) | Self::SignIn) => Some(route),
        }
    }

    /// Where somebody starts who has just signed in and had asked for `wanted` before.
    pub const fn after_sign_in(wanted: Option<Self>) -> Self {
        match wanted {
            Some(Self::Robot(id)) => Self::Robot(id),
            Some(Self::Fleet | Self::NoRobot | Self::SignIn | Self::Nowhere) | None => Self::Fleet,
        }
    }

    /// Whether somebody has to be signed in to see it.
    pub const fn is_inside(self) -> bool {
        match self {
            Self::Fleet | Self::Robot(_) | Self::NoRobot => true,
            Self::SignIn | Self::Nowhere => false,
        }
    }

    /// Whether it is about one robot.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Robot(_) | Self::NoRobot)
    }
}

/// The path of the page. Pages that are nowhere have none of their own, so they lead home.
impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet | Self::NoRobot | Self::Nowhere => formatter.write_str("/"),
            Self::Robot(id) => write!(formatter, "/robots/{id}"),
            Self::SignIn => formatter.write_str("/sign-in"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_page_is_found_at_its_own_path() {
        let robot = Route::Robot(RobotId(Uuid::from_u128(7)));
        for route in [Route::Fleet, robot, Route::SignIn] {
            assert_eq!(Route::parse(&route.to_string()), route);
        }
    }

    #[test]
    fn what_is_no_page_is_told_apart_from_what_is_no_robot() {
        assert_eq!(Route::parse("/robots/juniper"), Route::NoRobot);
        for path in ["/robots", "/robots/a/b", "/settings", "/sign-in/x"] {
            assert_eq!(Route::parse(path), Route::Nowhere, "{path}");
        }
        assert_eq!(Route::parse("//sign-in/"), Route::SignIn);
    }

    #[test]
    fn a_link_out_of_the_console_is_left_to_the_browser() {
        let robot = Route::Robot(RobotId(Uuid::from_u128(7)));

        assert_eq!(Route::of_link("/?from=mail#top"), Some(Route::Fleet));
        assert_eq!(Route::of_link(&robot.to_string()), Some(robot));
        for address in [
            "#main",
            "//elsewhere.example/",
            "https://elsewhere.example/",
            "/openapi.json",
            "sign-in",
        ] {
            assert_eq!(Route::of_link(address), None, "{address}");
        }
    }

    #[test]
    fn signing_in_leads_to_the_robot_that_was_asked_for_and_else_to_the_fleet() {
        let robot = Route::Robot(RobotId(Uuid::from_u128(7)));

        assert_eq!(Route::after_sign_in(Some(robot)), robot);
        for wanted in [None, Some(Route::SignIn), Some(Route::NoRobot)] {
            assert_eq!(Route::after_sign_in(wanted), Route::Fleet, "{wanted:?}");
        }
    }
}
