//! `admin robot …`.

use clap::Subcommand;
use identity::{Robot, SecretKind, store};
use protocol::{RobotId, TokenId, limits::MAX_PAGE_ROWS};
use time::{OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{
    InOrganisation,
    desk::{Desk, named, secret},
    error::AdminError,
    table::table,
};

#[derive(Debug, Subcommand)]
pub(super) enum RobotTask {
    /// Puts a robot on a site's roster and prints the token for its agent; it is shown only now
    Add {
        /// What it is called
        name: String,
        /// Where it works
        #[arg(long, value_name = "NAME")]
        site: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Lists an organisation's robots
    List {
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Prints another token for a robot's agent; the ones before stay valid until they are revoked
    Token {
        /// Its name or id
        robot: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Lists a robot's tokens
    Tokens {
        /// Its name or id
        robot: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Revokes a robot's token; a running gateway ends the robot's session at once
    TokenRevoke {
        /// Its name or id
        robot: String,
        /// The token's id
        token: TokenId,
        #[command(flatten)]
        within: InOrganisation,
    },
}

pub(super) async fn robot(desk: &Desk, task: RobotTask) -> Result<String, AdminError> {
    match task {
        RobotTask::Add { name, site, within } => add(desk, &name, &site, &within).await,
        RobotTask::List { within } => list(desk, &within).await,
        RobotTask::Token { robot, within } => token(desk, &robot, &within).await,
        RobotTask::Tokens { robot, within } => tokens(desk, &robot, &within).await,
        RobotTask::TokenRevoke {
            robot,
            token,
            within,
        } => revoke(desk, &robot, token, &within).await,
    }
}

async fn add(
    desk: &Desk,
    name: &str,
    site: &str,
    within: &InOrganisation,
) -> Result<String, AdminError> {
    let organisation = desk.organisation(within).await?;
    let site = desk.site(&organisation, site).await?;
    let new = store::NewRobot {
        robot: RobotId(Uuid::now_v7()),
        organisation: organisation.organisation,
        site: site.site,
        name: named(name)?,
    };
    let secret = secret(SecretKind::Robot)?;
    let now = desk.now();
    let mut tx = desk.begin();
    let robot = store::create_robot(&mut tx, &new, None, now)
        .await
        .map_err(AdminError::of(format!("robot {}", new.name)))?;
    store::issue_robot_token(
        &mut tx,
        &robot,
        TokenId(Uuid::now_v7()),
        secret.hash(),
        None,
        now,
    )
    .await?;
    desk.commit(tx).await?;
    Ok(format!("{}\n", secret.expose()))
}

async fn list(desk: &Desk, within: &InOrganisation) -> Result<String, AdminError> {
    let organisation = desk.organisation(within).await?.organisation;
    let (mut robots, mut cursor) = (Vec::new(), None);
    loop {
        let page =
            store::list_robots(&desk.pool, organisation, None, cursor, MAX_PAGE_ROWS).await?;
        cursor = page.items.last().map(|robot| robot.robot);
        robots.extend(page.items);
        if page.next.is_none() {
            break;
        }
    }
    let rows = robots.into_iter().map(|robot| {
        [
            robot.robot.to_string(),
            robot.name,
            robot.site_name,
            if robot.public_key.is_some() {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
            robot.seen_at.map_or_else(|| "-".to_owned(), minute),
        ]
    });
    Ok(table(["ID", "NAME", "SITE", "ENROLLED", "SEEN"], rows))
}

async fn token(desk: &Desk, robot: &str, within: &InOrganisation) -> Result<String, AdminError> {
    let robot = find(desk, robot, within).await?;
    let secret = secret(SecretKind::Robot)?;
    let token = TokenId(Uuid::now_v7());
    let mut tx = desk.begin();
    store::issue_robot_token(&mut tx, &robot, token, secret.hash(), None, desk.now()).await?;
    desk.commit(tx).await?;
    Ok(format!("{}\n", secret.expose()))
}

async fn tokens(desk: &Desk, robot: &str, within: &InOrganisation) -> Result<String, AdminError> {
    let robot = find(desk, robot, within).await?;
    let tokens = store::list_robot_tokens(&desk.pool, robot.robot).await?;
    let moment = |at: Option<OffsetDateTime>| at.map_or_else(|| "-".to_owned(), minute);
    let rows = tokens.into_iter().map(|token| {
        [
            token.token.to_string(),
            minute(token.issued_at),
            moment(token.used_at),
            moment(token.revoked_at),
        ]
    });
    Ok(table(["ID", "ISSUED", "USED", "REVOKED"], rows))
}

async fn revoke(
    desk: &Desk,
    robot: &str,
    token: TokenId,
    within: &InOrganisation,
) -> Result<String, AdminError> {
    let robot = find(desk, robot, within).await?;
    let mut tx = desk.begin();
    let is_new = store::revoke_robot_token(&mut tx, &robot, token, None, desk.now())
        .await
        .map_err(AdminError::of(format!("token {token} of {}", robot.name)))?;
    desk.commit(tx).await?;
    let words = if is_new {
        "is revoked"
    } else {
        "was revoked before"
    };
    Ok(format!("token {token} of {} {words}\n", robot.name))
}

async fn find(desk: &Desk, wanted: &str, within: &InOrganisation) -> Result<Robot, AdminError> {
    let organisation = desk.organisation(within).await?;
    let found = match wanted.parse::<RobotId>() {
        Ok(id) => store::load_robot(&desk.pool, id).await?,
        Err(_name) => store::find_robot(&desk.pool, organisation.organisation, wanted).await?,
    };
    found
        .filter(|robot| robot.organisation == organisation.organisation)
        .ok_or_else(|| {
            AdminError::Unclear(format!("{} has no robot {wanted:?}", organisation.name))
        })
}

/// A moment for a list, in UTC.
pub(super) fn minute(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute]Z"))
        .unwrap_or_else(|_unformattable| at.unix_timestamp().to_string())
}
