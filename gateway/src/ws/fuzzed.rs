//! What a robot says, for the fuzz targets: whether it may go on to pages.

use protocol::robot_socket::FromRobot;

use super::bounds;

/// Whether the numbers and lengths in it are within the bounds of what robots put on screens.
pub fn may_be_passed_on(frame: &FromRobot) -> bool {
    match frame {
        FromRobot::Hello { advert, .. } | FromRobot::Advert(advert) => {
            bounds::check_advert(advert).is_ok()
        }
        FromRobot::Telemetry(telemetry) => bounds::is_sound(telemetry),
        FromRobot::Scan(scan) => bounds::check_scan(scan).is_ok(),
        FromRobot::RtcOffer { .. }
        | FromRobot::Event { .. }
        | FromRobot::Trust(_)
        | FromRobot::Pong { .. } => true,
    }
}
