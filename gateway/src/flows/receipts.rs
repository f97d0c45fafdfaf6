//! What robots said of what people asked of them, and the pictures that people saw meanwhile.

use std::collections::{BTreeSet, HashMap};

use assist::store;
use identity::Robot;
use protocol::{
    CommandId,
    drive::DriveEvent,
    event::{Payload, robot_stream},
    picture::{Clip, ClipHash, PictureSeen},
    views::{CommandView, Page, RECEIPT_KINDS, ReceiptSaid, ReceiptView},
};

use super::{cases::views::moment, command_views};
use crate::{app::App, error::ApiError};

/// One page of a robot's receipts, newest first, before the place `before` of its stream.
pub async fn list_receipts(
    app: &App,
    robot: &Robot,
    before: Option<u64>,
    limit: u32,
) -> Result<Page<ReceiptView>, ApiError> {
    let stream = robot_stream(robot.robot);
    let said = spine::evidence::read_said_before(
        &app.pool,
        (robot.organisation, &stream),
        &RECEIPT_KINDS,
        before,
        limit,
    )
    .await?;
    let is_full = u32::try_from(said.len()).is_ok_and(|rows| rows == limit);
    let next = said
        .last()
        .filter(|_| is_full)
        .map(|last| last.stream_number.to_string());
    let receipts = said
        .into_iter()
        .filter_map(|word| {
            let said = ReceiptSaid::of(word.payload)?;
            Some((word.stream_number, word.recorded_at, said))
        })
        .collect::<Vec<_>>();
    let commands = commands_of(app, robot, receipts.iter().map(|(_, _, said)| said)).await?;
    let clips: Vec<ClipHash> = receipts
        .iter()
        .filter_map(|(_, _, said)| clip_of(said))
        .collect();
    let here = store::clips_here(&app.pool, robot.robot, &clips).await?;
    let items = receipts.into_iter().map(|(number, recorded_at, said)| {
        let command = command_of(&said).and_then(|command| commands.get(&command).cloned());
        Ok(ReceiptView {
            number,
            recorded_at: moment(recorded_at)?,
            clip_is_here: clip_of(&said).is_some_and(|clip| here.contains(&clip)),
            command,
            said,
        })
    });
    Ok(Page {
        items: items.collect::<Result<_, ApiError>>()?,
        next,
    })
}

async fn commands_of(
    app: &App,
    robot: &Robot,
    said: impl Iterator<Item = &ReceiptSaid>,
) -> Result<HashMap<CommandId, CommandView>, ApiError> {
    let ids: BTreeSet<CommandId> = said.filter_map(command_of).collect();
    let ids: Vec<CommandId> = ids.into_iter().collect();
    let commands = store::these(&app.pool, robot.robot, &ids).await?;
    let views = command_views::views(&app.pool, commands).await?;
    Ok(views.into_iter().map(|view| (view.command, view)).collect())
}

fn command_of(said: &ReceiptSaid) -> Option<CommandId> {
    match said {
        ReceiptSaid::Command(receipt) => Some(receipt.command),
        ReceiptSaid::Drive(segment) => Some(segment.armed_by),
        ReceiptSaid::Stop { .. } => None,
    }
}

fn clip_of(said: &ReceiptSaid) -> Option<ClipHash> {
    match said.sight() {
        (_, Some(PictureSeen::Kept { clip })) => Some(clip),
        _ => None,
    }
}

/// The clip that a robot's word names: once that is recorded, the clip may be brought.
pub const fn clip_named_in(payload: &Payload) -> Option<ClipHash> {
    let picture = match payload {
        Payload::CommandReceipt(receipt) => receipt.picture,
        Payload::Drive(DriveEvent::Segment(segment)) => segment.picture,
        _ => None,
    };
    match picture {
        Some(PictureSeen::Kept { clip }) => Some(clip),
        Some(PictureSeen::Known | PictureSeen::Unknown) | None => None,
    }
}

/// Takes in what a person saw, as the robot kept it. One that is here already changes nothing.
pub async fn take_clip(
    app: &App,
    robot: &Robot,
    clip: ClipHash,
    content: &[u8],
) -> Result<(), ApiError> {
    if !store::is_named(&app.pool, robot.robot, clip).await? {
        return Err(ApiError::refused(
            "clip_unknown",
            "no event of the robot names this clip",
        ));
    }
    if ClipHash::of(content) != clip {
        return Err(ApiError::refused(
            "clip_does_not_match",
            "its SHA-256 is another than the one that it is brought under",
        ));
    }
    Clip::from_bytes(content)
        .map_err(|fault| ApiError::refused("clip_malformed", fault.to_string()))?;
    store::keep_clip(&app.pool, robot.robot, clip, content).await?;
    tracing::info!(robot.id = %robot.robot, %clip, "{} brought what a person saw", robot.name);
    Ok(())
}
