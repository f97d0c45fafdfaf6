//! What a robot says of itself: where it is, how it is, what it can do, what it sees.

use serde::{Deserialize, Serialize};

use crate::{CommandId, UnixMicros};

/// A place and a direction on the site's map.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pose {
    /// Metres east of the map's origin.
    pub x_m: f64,
    /// Metres north of the map's origin.
    pub y_m: f64,
    /// Radians counter-clockwise from east.
    pub heading_rad: f64,
}

/// The robot's energy.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Battery {
    /// 0 to 100.
    pub percent: f64,
    /// Volts at the terminals.
    pub volts: f64,
    /// Whether it is on the charger.
    pub charging: bool,
}

/// What the robot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Standing, nothing to do.
    #[default]
    Idle,
    /// On its own round among known places.
    Patrolling,
    /// On its way to a target that somebody set.
    Navigating,
    /// Held still: somebody or something is in the way, or its job waits for somebody's word.
    Waiting,
    /// Stopped by a person or by its own stop button; stays so until somebody releases the stop.
    Stopped,
    /// On the dock.
    Charging,
    /// At a step of its job.
    Working,
    /// Driven by hand.
    Driven,
}

/// How well a part works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    #[default]
    Ok,
    /// Works, but not as it should.
    Degraded,
    /// Does not work.
    Failed,
}

/// One part of the robot and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Component {
    /// "lidar", "camera head", "wheel left".
    pub name: String,
    /// How it is.
    pub health: Health,
    /// What is wrong, in words; empty when nothing is.
    pub words: String,
}

/// Where the robot is going.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Goal {
    /// The command that set it; absent while the robot patrols by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandId>,
    /// The target.
    pub target: Pose,
    /// Metres still to go along the planned path.
    pub remaining_m: f64,
}

/// The robot's state, ten times a second. Latest wins; never an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Telemetry {
    /// The robot's monotonic clock, in milliseconds.
    pub tick_ms: u64,
    /// The robot's wall clock when the values were taken.
    pub at: UnixMicros,
    /// Where it believes to be.
    pub pose: Pose,
    /// Metres per second forward; negative is backward.
    pub speed_mps: f64,
    /// Radians per second, counter-clockwise.
    pub turn_rps: f64,
    /// Metres driven since the agent started.
    pub odometer_m: f64,
    /// Energy.
    pub battery: Battery,
    /// What it does.
    pub activity: Activity,
    /// The worst of its parts.
    pub health: Health,
    /// Where it is going, if anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// A lidar scan; sent only while somebody watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scan {
    /// The robot's wall clock when the scan was taken.
    pub at: UnixMicros,
    /// Where the robot was.
    pub pose: Pose,
    /// Direction of the first range against the heading, radians.
    pub first_rad: f64,
    /// Radians from one range to the next, counter-clockwise.
    pub step_rad: f64,
    /// Centimetres to the first obstacle; 0 means nothing within range.
    pub ranges_cm: Vec<u16>,
    /// The planned path, from the robot on: x and y in metres. Empty when it has none.
    pub path: Vec<[f32; 2]>,
}

/// How a camera's pictures are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// H.264 constrained baseline, packetization mode 1 (RFC 6184).
    H264,
    /// VP8 (RFC 7741).
    Vp8,
}

/// A camera that the robot offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CameraAdvert {
    /// Short and unique on the robot: "head". Letters, digits, dash, underscore.
    pub name: String,
    /// For people: "Head".
    pub label: String,
    /// Its encoding.
    pub codec: Codec,
    /// Pixels; 0 when not known before the first frame (a foreign source).
    pub width: u32,
    /// Pixels; 0 when not known.
    pub height: u32,
    /// Frames per second it aims at; 0 when not known.
    pub frames_per_second: u32,
    /// Whether stills for the fleet page can be made from it.
    pub has_thumbnails: bool,
}

/// A wall or another fixed line that stops the robot, in metres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segment {
    /// From here…
    pub from: [f32; 2],
    /// …to here.
    pub to: [f32; 2],
}

/// What a shape on the map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShapeKind {
    /// A room's floor; carries its name.
    Room,
    /// A fixed thing to drive around.
    Furniture,
    /// Where robots charge.
    Dock,
    /// Where this robot does not go, by its local policy.
    KeepOut,
    /// Where its cameras show nothing, by its local policy.
    Private,
}

/// A named outline on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shape {
    /// What it is.
    pub kind: ShapeKind,
    /// "Room 3", "Shelf B"; may be empty.
    pub label: String,
    /// Corners in metres, in order; closed by itself.
    pub corners: Vec<[f32; 2]>,
}

/// A place that has a name and can be driven to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Place {
    /// "Dock", "Room 3 door".
    pub name: String,
    /// Where it is.
    pub pose: Pose,
}

/// The site as the robot knows it. Origin bottom left, metres, y to the north.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteMap {
    /// Metres from west to east.
    pub width_m: f32,
    /// Metres from south to north.
    pub height_m: f32,
    /// Walls.
    pub walls: Vec<Segment>,
    /// Rooms, furniture, docks.
    pub shapes: Vec<Shape>,
    /// Named targets.
    pub places: Vec<Place>,
}

/// What a robot can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Drives to a pose around obstacles.
    Navigate,
    /// Stops on request and stays stopped.
    Stop,
    /// Sends lidar scans.
    Lidar,
    /// Can be driven by hand.
    Drive,
}

/// What the robot is, can and has. Sent at the start of a session and whenever it changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Advert {
    /// The make: "Nooterra simulator, differential drive".
    pub model: String,
    /// Version of the agent.
    pub software: String,
    /// What it can be asked for.
    pub capabilities: Vec<Capability>,
    /// Its cameras, the main one first.
    pub cameras: Vec<CameraAdvert>,
    /// Its parts.
    pub components: Vec<Component>,
    /// Radius of the smallest circle around it, metres.
    pub radius_m: f32,
    /// The site; absent when it knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<SiteMap>,
}
