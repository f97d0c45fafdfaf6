//! The addresses of the pages.

use std::fmt;

use protocol::{JobId, RobotId};

/// A page by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Every robot.
    Fleet,
    /// One robot, live.
    Robot(RobotId),
    /// What a robot said of what was asked of it.
    Receipts(RobotId),
    /// One of those words, by its place in the robot's stream.
    Receipt(RobotId, u64),
    /// An address of a robot that is none.
    NoRobot,
    /// The jobs board.
    Jobs,
    /// One job and all that happened to it.
    Job(JobId),
    /// An address of a job that is none.
    NoJob,
    /// Complaints to look at.
    Cases,
    /// Checking a bundle.
    Verify,
    /// What the person signs in and steers with.
    Keys,
    /// The same, among the requester's pages.
    RequestKeys,
    /// The requester's own jobs.
    Request,
    /// Asking for a new one.
    RequestNew,
    /// One of the requester's jobs.
    RequestJob(JobId),
    /// A complaint about it.
    RequestComplaint(JobId),
    /// The way in.
    SignIn,
    /// Nothing is there.
    Nowhere,
}

/// What surrounds a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Bar and safety bar, for who works with robots.
    Console,
    /// The requester's own: light, one task a page.
    Requester,
    /// Nothing: the way in.
    SignIn,
    /// Nothing: no page.
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
            ["robots", id, "receipts"] => id.parse().map_or(Self::NoRobot, Self::Receipts),
            ["robots", id, "receipts", number] => match (id.parse(), number.parse()) {
                (Ok(robot), Ok(number)) => Self::Receipt(robot, number),
                _ => Self::NoRobot,
            },
            ["jobs"] => Self::Jobs,
            ["jobs", id] => id.parse().map_or(Self::NoJob, Self::Job),
            ["cases"] => Self::Cases,
            ["verify"] => Self::Verify,
            ["keys"] => Self::Keys,
            ["request"] => Self::Request,
            ["request", "keys"] => Self::RequestKeys,
            ["request", "new"] => Self::RequestNew,
            ["request", id] => id.parse().map_or(Self::Request, Self::RequestJob),
            ["request", id, "complaint"] => {
                id.parse().map_or(Self::Request, Self::RequestComplaint)
            }
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
            Self::Nowhere | Self::NoRobot | Self::NoJob => None,
            route @ (Self::Fleet
            | Self::Robot(_)
            | Self::Receipts(_)
            | Self::Receipt(..)
            | Self::Jobs
            | Self::Job(_)
            | Self::Cases
            | Self::Verify
            | Self::Keys
            | Self::RequestKeys
            | Self::Request
            | Self::RequestNew
            | Self::RequestJob(_)
            | Self::RequestComplaint(_)
            | Self::SignIn) => Some(route),
        }
    }

    /// Where somebody starts who has just signed in and had asked for `wanted` before. Whoever only books work has no use
    /// for the fleet.
    pub const fn after_sign_in(wanted: Option<Self>, only_books: bool) -> Self {
        let home = if only_books {
            Self::Request
        } else {
            Self::Fleet
        };
        match wanted {
            Some(
                route @ (Self::Robot(_)
                | Self::Receipts(_)
                | Self::Receipt(..)
                | Self::Jobs
                | Self::Job(_)
                | Self::Cases
                | Self::Verify
                | Self::Keys
                | Self::RequestKeys
                | Self::Request
                | Self::RequestNew
                | Self::RequestJob(_)
                | Self::RequestComplaint(_)),
            ) => route,
            Some(Self::Fleet | Self::NoRobot | Self::NoJob | Self::SignIn | Self::Nowhere)
            | None => home,
        }
    }

    /// What surrounds it.
    pub const fn frame(self) -> Frame {
        match self {
            Self::Fleet
            | Self::Robot(_)
            | Self::Receipts(_)
            | Self::Receipt(..)
            | Self::NoRobot
            | Self::Jobs
            | Self::Job(_)
            | Self::NoJob
            | Self::Cases
            | Self::Verify
            | Self::Keys => Frame::Console,
            Self::RequestKeys
            | Self::Request
            | Self::RequestNew
            | Self::RequestJob(_)
            | Self::RequestComplaint(_) => Frame::Requester,
            Self::SignIn => Frame::SignIn,
            Self::Nowhere => Frame::Nowhere,
        }
    }

    /// The page in the bar that it belongs to, if any.
    pub const fn area(self) -> Option<Self> {
        match self {
            Self::Fleet => Some(Self::Fleet),
            Self::Jobs | Self::Job(_) | Self::NoJob => Some(Self::Jobs),
            Self::Cases => Some(Self::Cases),
            Self::Verify => Some(Self::Verify),
            Self::Robot(_)
            | Self::Receipts(_)
            | Self::Receipt(..)
            | Self::NoRobot
            | Self::Keys
            | Self::RequestKeys
            | Self::Request
            | Self::RequestNew
            | Self::RequestJob(_)
            | Self::RequestComplaint(_)
            | Self::SignIn
            | Self::Nowhere => None,
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
            Self::Receipts(id) => write!(formatter, "/robots/{id}/receipts"),
            Self::Receipt(id, number) => write!(formatter, "/robots/{id}/receipts/{number}"),
            Self::Jobs | Self::NoJob => formatter.write_str("/jobs"),
            Self::Job(id) => write!(formatter, "/jobs/{id}"),
            Self::Cases => formatter.write_str("/cases"),
            Self::Verify => formatter.write_str("/verify"),
            Self::Keys => formatter.write_str("/keys"),
            Self::RequestKeys => formatter.write_str("/request/keys"),
            Self::Request => formatter.write_str("/request"),
            Self::RequestNew => formatter.write_str("/request/new"),
            Self::RequestJob(id) => write!(formatter, "/request/{id}"),
            Self::RequestComplaint(id) => write!(formatter, "/request/{id}/complaint"),
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
        let job = JobId(Uuid::from_u128(8));
        for route in [
            Route::Fleet,
            Route::Robot(RobotId(Uuid::from_u128(7))),
            Route::Receipts(RobotId(Uuid::from_u128(7))),
            Route::Receipt(RobotId(Uuid::from_u128(7)), 12),
            Route::Jobs,
            Route::Job(job),
            Route::Cases,
            Route::Verify,
            Route::Keys,
            Route::RequestKeys,
            Route::Request,
            Route::RequestNew,
            Route::RequestJob(job),
            Route::RequestComplaint(job),
            Route::SignIn,
        ] {
            assert_eq!(Route::parse(&route.to_string()), route);
        }
    }

    #[test]
    fn what_is_no_page_is_told_apart_from_what_is_no_robot() {
        assert_eq!(Route::parse("/robots/juniper"), Route::NoRobot);
        assert_eq!(Route::parse("/jobs/J-48210"), Route::NoJob);
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
    fn signing_in_leads_to_what_was_asked_for_and_else_home() {
        let robot = Route::Robot(RobotId(Uuid::from_u128(7)));
        let job = Route::Job(JobId(Uuid::from_u128(8)));

        assert_eq!(Route::after_sign_in(Some(robot), false), robot);
        assert_eq!(Route::after_sign_in(Some(job), true), job);
        for wanted in [
            None,
            Some(Route::Fleet),
            Some(Route::SignIn),
            Some(Route::NoRobot),
        ] {
            assert_eq!(Route::after_sign_in(wanted, false), Route::Fleet);
            assert_eq!(Route::after_sign_in(wanted, true), Route::Request);
        }
    }
}
