//! Ends live sessions whose right was taken away, whoever took it: another request, another process, the command line. Tells
//! who is connected here of who steers, whoever changed that.

use std::time::Duration;

use protocol::{OrganisationId, PersonId, RobotId, event::Payload, grant::GrantEvent};
use spine::tail::{Filter, Follower, StoredEvent, end};

use crate::flows::grants::{revoke::revoke_now, tell::tell_organisation};
use crate::{
    app::App,
    flows::control::{
        end_control::{Loss, end_control},
        tell::tell_anew,
    },
};

/// Events read at once.
const BATCH: u32 = 200;

/// After a failure of the database. The follower goes on where it stopped.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(super) async fn run(app: App) {
    let position = loop {
        match end(&app.pool).await {
            Ok(position) => break position,
            Err(_unreachable) => tokio::time::sleep(AGAIN_AFTER).await,
        }
    };
    let mut follower = Follower::new(app.pool.clone(), position, Filter::default());
    loop {
        match follower.next(BATCH).await {
            Ok(events) => events.iter().for_each(|event| follow(&app, event)),
            Err(_unreachable) => tokio::time::sleep(AGAIN_AFTER).await,
        }
    }
}

/// Whose stream it is.
fn robot_of(stream: &str) -> Option<RobotId> {
    stream.strip_prefix("robot/")?.parse().ok()
}

/// A database that is away is asked again so often: after that what they steer runs out by itself.
const TRIES: u32 = 20;

/// Beside the follower: who waits for one person's robots must not hold up another's revocation.
fn steers_no_more(app: &App, person: PersonId, loss: Loss) {
    let app = app.clone();
    tokio::spawn(async move {
        for _ in 0..TRIES {
            match end_control(&app, person, loss).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(code = error.code(), "somebody steers on for now");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
    });
}

/// Whom robots believe changed, here or elsewhere.
fn follow_grant(app: &App, organisation: OrganisationId, said: &GrantEvent) {
    match said {
        GrantEvent::RosterPublished { .. } | GrantEvent::RevocationsPublished { .. } => {
            let app = app.clone();
            tokio::spawn(async move {
                // A first roster comes with a first list: without one robots let nobody begin.
                if let Err(error) = revoke_now(&app, organisation).await {
                    tracing::debug!(code = error.code(), "what is revoked is said later");
                }
                tell_organisation(&app, organisation).await;
            });
        }
        GrantEvent::PersonKeyRemoved { .. } => revokes(app, organisation),
        GrantEvent::RootNamed { .. }
        | GrantEvent::PersonKeyOffered { .. }
        | GrantEvent::PasskeyAdded { .. }
        | GrantEvent::Issued { .. }
        | GrantEvent::Denied { .. }
        | GrantEvent::Accepted { .. }
        | GrantEvent::Refused { .. } => {}
    }
}

/// Beside the follower, and as often as it takes within reason; the next minute tries again.
fn revokes(app: &App, organisation: OrganisationId) {
    let app = app.clone();
    tokio::spawn(async move {
        for _ in 0..TRIES {
            match revoke_now(&app, organisation).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(code = error.code(), "what is revoked is said later");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
    });
}

fn follow(app: &App, event: &StoredEvent) {
    let payload = match serde_json::from_value::<Payload>(event.payload.clone()) {
        Ok(payload) => payload,
        Err(error) => {
            tracing::warn!(%error, event.kind, "an event of a newer kind was passed over");
            return;
        }
    };
    match payload {
        Payload::RobotTokenRevoked { robot, token } => app.live.end_robot_with(robot, token),
        // Which of a person's sign-ins is meant, only the tables say.
        Payload::RoleRevoked { person, .. } => {
            app.live.doubt_consoles_of(person);
            steers_no_more(app, person, Loss::Role);
            revokes(app, event.organisation);
        }
        Payload::SessionClosed { person } => app.live.doubt_consoles_of(person),
        Payload::SessionKeyEnded { person, key } => {
            steers_no_more(app, person, Loss::Key(key));
            revokes(app, event.organisation);
        }
        Payload::TokenRevoked { person, token } => {
            app.live.end_consoles_with(&token.to_string());
            steers_no_more(app, person, Loss::Token);
        }
        Payload::OrganisationCreated { .. }
        | Payload::SiteCreated { .. }
        | Payload::GatewayStarted { .. }
        | Payload::PersonAdded { .. }
        | Payload::RoleGranted { .. }
        | Payload::SessionOpened { .. }
        | Payload::TokenIssued { .. }
        | Payload::RobotAdded { .. }
        | Payload::RobotTokenIssued { .. }
        | Payload::RobotKeyBound { .. }
        | Payload::CommandIssued { .. }
        | Payload::Drive(_)
        | Payload::CommandReceipt(_)
        | Payload::CommandUnanswered { .. }
        | Payload::SessionKeyBound { .. }
        | Payload::Job(_)
        | Payload::Case(_) => {}
        Payload::Grant(said) => follow_grant(app, event.organisation, &said),
        Payload::Control(_) => {
            if let Some(robot) = robot_of(&event.stream) {
                let app = app.clone();
                tokio::spawn(async move { tell_anew(&app, robot).await });
            }
        }
    }
}
