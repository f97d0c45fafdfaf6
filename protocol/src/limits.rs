//! The bounds that both ends of a wire agree on, each with its reason.

/// Version of the socket protocols. An agent or console that speaks another one is told so.
pub const PROTOCOL_VERSION: u16 = 1;

/// One text frame on a socket: an SDP with eight cameras is under 20 KiB; a map under 40 KiB.
pub const MAX_TEXT_FRAME_BYTES: usize = 128 * 1024;

/// One binary frame: a thumbnail of at most [`MAX_THUMBNAIL_BYTES`] and its header.
pub const MAX_BINARY_FRAME_BYTES: usize = MAX_THUMBNAIL_BYTES + 64;

/// A still for the fleet page: 320×180 JPEG is about 8 KiB.
pub const MAX_THUMBNAIL_BYTES: usize = 48 * 1024;

/// A session description in either direction.
pub const MAX_SDP_BYTES: usize = 64 * 1024;

/// Cameras per robot: what one person can still tell apart, and what one description can carry.
pub const MAX_CAMERAS: usize = 8;

/// Length of a name that people read: robots, cameras, places.
pub const MAX_NAME_CHARS: usize = 64;

/// What a robot says about the health of one component: a sentence or two.
pub const MAX_WORDS_CHARS: usize = 256;

/// Walls on a site's map: a hospital floor has some 600.
pub const MAX_MAP_SEGMENTS: usize = 4_096;

/// Named places and rooms on a site's map.
pub const MAX_MAP_PLACES: usize = 256;

/// Ranges in one lidar scan.
pub const MAX_LIDAR_RANGES: usize = 360;

/// Components whose health a robot reports one by one.
pub const MAX_COMPONENTS: usize = 32;

/// One signed event as the actor sealed it.
pub const MAX_SEALED_EVENT_BYTES: usize = 16 * 1024;

/// Rows on one page of a list.
pub const MAX_PAGE_ROWS: u32 = 200;

/// Rows on one page when the caller doesn't say.
pub const DEFAULT_PAGE_ROWS: u32 = 50;

/// A robot's telemetry comes at 10 Hz; after this long without any the robot counts as gone. Under the 3 s in which
/// an operator must learn it.
pub const ROBOT_SILENT_AFTER_MS: u64 = 2_500;

/// How long an order to a robot stays valid on the robot's own clock. A click is meant for now.
pub const COMMAND_VALID_MS: u32 = 5_000;

/// Control of a robot lasts so long after the last sign of who has it. A page gives one every
/// [`CONTROL_PRESENT_EVERY_MS`]: three may be lost before another may take the robot.
pub const CONTROL_LASTS_MS: u32 = 15_000;

/// How often a page says that who has control is there.
pub const CONTROL_PRESENT_EVERY_MS: u32 = 4_000;

/// Nobody touched mouse or keyboard for so long: nobody sits there, and the page says nothing more.
pub const CONTROL_IDLE_MS: u32 = 10 * 60 * 1_000;

/// Who asks for control and gets no answer within so long has to ask again: an old question is no reason to give a robot away.
pub const CONTROL_REQUEST_LASTS_MS: u32 = 30_000;

/// A note to who takes a robot over, or why it was taken: two sentences, read under pressure.
pub const MAX_NOTE_CHARS: usize = 280;

/// After this long without a receipt the console says "No receipt".
pub const RECEIPT_LATE_MS: u32 = 500;

/// Steps of one plan: a work list that a person can still follow.
pub const MAX_PLAN_STEPS: usize = 64;

/// Free words in a request, a question or a complaint.
pub const MAX_TEXT_CHARS: usize = 2_000;

/// Pictures with one complaint.
pub const MAX_CASE_PICTURES: usize = 3;

/// One picture of a complaint: a photograph of 1600 pixels at good quality is about 400 KiB.
pub const MAX_PICTURE_BYTES: usize = 512 * 1024;

/// Options that a robot may offer with a question: as many as there are digit keys.
pub const MAX_ASSIST_OPTIONS: usize = 9;

/// Evidence named by one checkpoint.
pub const MAX_CHECKPOINT_EVIDENCE: usize = 8;

/// Random bytes before a picture where it is kept and sent: SHA-256 over both is what the log holds.
pub const SALT_BYTES: usize = 32;

/// One picture that a robot brings as evidence: as large as one that a person sends with a complaint.
pub const MAX_EVIDENCE_BYTES: usize = MAX_PICTURE_BYTES;

/// Pictures that one job's record can name: the longest plan with the most evidence at each step.
pub const MAX_JOB_EVIDENCE: usize = MAX_PLAN_STEPS * MAX_CHECKPOINT_EVIDENCE;

/// All the pictures of one job: thirty-two of the largest, or a thousand of the usual ones. A bundle with them is still
/// checked in a browser.
pub const MAX_JOB_EVIDENCE_BYTES: usize = 32 * MAX_EVIDENCE_BYTES;
