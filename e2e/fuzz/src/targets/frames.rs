//! What stands in the sockets between robots, gateway and pages: text as JSON, and stills.

use gateway::ws::fuzzed::may_be_passed_on;
use protocol::{
    RobotId, UnixMicros,
    console_socket::{FromConsole, ToConsole},
    limits::{MAX_BINARY_FRAME_BYTES, MAX_CAMERAS, MAX_THUMBNAIL_BYTES},
    robot_socket::{FromRobot, ToRobot},
    thumbnail::Thumbnail,
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Seed, Target};

pub(crate) const ROBOT: Target = Target {
    name: "robot_frames",
    run: robot,
    seeds: robot_seeds,
    longest: 8_192,
};

pub(crate) const CONSOLE: Target = Target {
    name: "console_frames",
    run: console,
    seeds: console_seeds,
    longest: 8_192,
};

pub(crate) const STILLS: Target = Target {
    name: "stills",
    run: stills,
    seeds: still_seeds,
    longest: MAX_BINARY_FRAME_BYTES + 64,
};

/// Whether it can be written as JSON that is read as the same. Single precision overflows to infinity, for which JSON has no word;
/// numbers may lose their last digit on the way, once.
pub(crate) fn is_read_again<T: Serialize + DeserializeOwned>(value: &T) -> bool {
    let text = serde_json::to_string(value).unwrap();
    let Ok(again) = serde_json::from_str::<T>(&text) else {
        return false;
    };
    let once_more = serde_json::to_string(&again).unwrap();
    serde_json::from_str::<T>(&once_more).is_ok()
        && without_digits(&once_more) == without_digits(&text)
}

fn without_digits(text: &str) -> String {
    let is_of_number =
        |letter: &char| letter.is_ascii_digit() || matches!(letter, '.' | 'e' | '-' | '+');
    text.chars()
        .filter(|letter| !is_of_number(letter))
        .collect()
}

fn robot(data: &[u8]) -> bool {
    let Some((which, text)) = data.split_first() else {
        return false;
    };
    if which % 2 == 1 {
        let to_robot = serde_json::from_slice::<ToRobot>(text);
        return to_robot.is_ok_and(|frame| {
            assert!(is_read_again(&frame), "{frame:?}");
            true
        });
    }
    let Ok(frame) = serde_json::from_slice::<FromRobot>(text) else {
        return false;
    };
    let is_passed_on = may_be_passed_on(&frame);
    assert!(!is_passed_on || is_read_again(&frame), "{frame:?}");
    is_passed_on
}

fn console(data: &[u8]) -> bool {
    let Some((which, text)) = data.split_first() else {
        return false;
    };
    if which % 2 == 1 {
        // A gateway says what it was able to write: a page has to bear the rest.
        return serde_json::from_slice::<ToConsole>(text).is_ok();
    }
    let from_console = serde_json::from_slice::<FromConsole>(text);
    from_console.is_ok_and(|frame| {
        assert!(is_read_again(&frame), "{frame:?}");
        true
    })
}

fn stills(data: &[u8]) -> bool {
    let from_robot = Thumbnail::parse_robot_frame(data);
    if let Some(still) = &from_robot {
        is_bounded(still);
        assert_eq!(still.to_robot_frame(), data);
        let robot = RobotId(Uuid::from_u128(14));
        let passed_on = still.to_console_frame(robot);
        assert!(passed_on.len() <= MAX_BINARY_FRAME_BYTES);
        assert_eq!(
            Thumbnail::parse_console_frame(&passed_on),
            Some((robot, *still))
        );
    }
    let to_console = Thumbnail::parse_console_frame(data);
    if let Some((robot, still)) = &to_console {
        is_bounded(still);
        assert_eq!(still.to_console_frame(*robot), data);
    }
    from_robot.is_some() || to_console.is_some()
}

fn is_bounded(still: &Thumbnail<'_>) {
    assert!(still.jpeg.len() <= MAX_THUMBNAIL_BYTES);
    assert!(usize::from(still.camera) < MAX_CAMERAS);
}

/// One frame of each kind as a robot or its gateway writes it.
fn robot_seeds() -> Vec<Seed> {
    let from_robot = [
        r#"{"type":"hello","protocol":1,"run":7,"advert":{"model":"sim","software":"1","capabilities":["navigate","stop","lidar","drive"],"cameras":[{"name":"head","label":"Head","codec":"h264","width":640,"height":360,"frames_per_second":30,"has_thumbnails":true}],"components":[{"name":"lidar","health":"ok","words":""}],"radius_m":0.26,"map":{"width_m":28.0,"height_m":15.0,"walls":[{"from":[0,0],"to":[1.5,0]}],"shapes":[{"kind":"room","label":"Room 3","corners":[[0,0],[1,0],[1,1]]}],"places":[{"name":"Dock","pose":{"x_m":1,"y_m":1,"heading_rad":0}}]}}}"#,
        r#"{"type":"telemetry","tick_ms":1,"at":2,"pose":{"x_m":0.5,"y_m":0,"heading_rad":0},"speed_mps":0,"turn_rps":0,"odometer_m":0,"battery":{"percent":1,"volts":1,"charging":false},"activity":"idle","health":"ok","goal":{"command":"00000000-0000-0000-0000-000000000007","target":{"x_m":0,"y_m":0,"heading_rad":0},"remaining_m":1.5}}"#,
        r#"{"type":"scan","at":5,"pose":{"x_m":0,"y_m":0,"heading_rad":0},"first_rad":-3.1,"step_rad":0.1,"ranges_cm":[0,100,65535],"path":[[0.5,1.5],[3e38,0]]}"#,
        r#"{"type":"rtc_offer","negotiation":1,"sdp":"v=0\r\n"}"#,
        r#"{"type":"event","number":9,"sealed":"hEpY"}"#,
        r#"{"type":"trust","nonce":"0909090909090909090909090909090909090909090909090909090909090909","roster":1,"revocations":2,"refused":{"reason":"not_bound"}}"#,
        r#"{"type":"pong","at":1,"robot_at":-2}"#,
        r#"{"type":"advert","model":"","software":"","capabilities":[],"cameras":[],"components":[],"radius_m":1e300}"#,
    ];
    let to_robot = [
        r#"{"type":"welcome","robot":"00000000-0000-0000-0000-00000000000e","name":"Juniper","gateway_at":1,"events_held":3}"#,
        r#"{"type":"ping","at":1}"#,
        r#"{"type":"rtc_answer","negotiation":1,"sdp":"v=0"}"#,
        r#"{"type":"rtc_refused","negotiation":1,"code":"sdp_malformed","words":"x"}"#,
        r#"{"type":"demand","cameras":["head"],"thumbnails":true,"scans":false}"#,
        r#"{"type":"order","order":"stop","command":"00000000-0000-0000-0000-000000000007"}"#,
        r#"{"type":"order","order":"signed","command":"00000000-0000-0000-0000-000000000007","sealed":"hEpY"}"#,
        r#"{"type":"control","epoch":3,"held":{"seen_tick_ms":7,"lasts_ms":15000},"is_let_go":false}"#,
        r#"{"type":"roster","sealed":"hEpY"}"#,
        r#"{"type":"revocations","sealed":"hEpY"}"#,
        r#"{"type":"grant","grant":"hEpY","assertion":"hEpY"}"#,
        r#"{"type":"grant","grant":"hEpY","passkey":{"key":"0909090909090909090909090909090909090909090909090909090909090909","authenticator_data":"","client_data":"","signature":""}}"#,
        r#"{"type":"drive","sealed":"hEpY"}"#,
        r#"{"type":"no_assignment"}"#,
        r#"{"type":"events_held","number":18446744073709551615}"#,
        r#"{"type":"event_refused","number":1,"code":"x"}"#,
        r#"{"type":"goodbye","reason":"bad_frame","words":"x"}"#,
    ];
    both_ways(&from_robot, &to_robot)
}

fn console_seeds() -> Vec<Seed> {
    let from_console = [
        r#"{"type":"hello","protocol":1}"#,
        r#"{"type":"want_thumbnails","robots":["00000000-0000-0000-0000-00000000000e"]}"#,
        r#"{"type":"view","view":1,"robot":"00000000-0000-0000-0000-00000000000e","cameras":["head"],"sdp":"v=0\r\n"}"#,
        r#"{"type":"end_view","view":1}"#,
        r#"{"type":"command","command":"00000000-0000-0000-0000-000000000007","robot":"00000000-0000-0000-0000-00000000000e","epoch":3,"verb":"navigate_to","x_m":1.5,"y_m":2e300,"heading_rad":0.1,"signed":"hEpY"}"#,
        r#"{"type":"command","command":"00000000-0000-0000-0000-000000000007","robot":"00000000-0000-0000-0000-00000000000e","verb":"stop"}"#,
        r#"{"type":"drive","robot":"00000000-0000-0000-0000-00000000000e","sealed":"hEpY"}"#,
        r#"{"type":"present","robot":"00000000-0000-0000-0000-00000000000e","epoch":3,"at":1}"#,
        r#"{"type":"ping","at":-9223372036854775808}"#,
    ];
    let to_console = [
        r#"{"type":"welcome","gateway_at":1}"#,
        r#"{"type":"snapshot","robots":[],"degraded":[],"commands":[]}"#,
        r#"{"type":"robot_gone","robot":"00000000-0000-0000-0000-00000000000e"}"#,
        r#"{"type":"view_answer","view":1,"sdp":"v=0"}"#,
        r#"{"type":"view_refused","view":1,"code":"x","words":"y"}"#,
        r#"{"type":"view_ended","view":1,"code":"x"}"#,
        r#"{"type":"command_refused","command":"00000000-0000-0000-0000-000000000007","code":"x","words":"y"}"#,
        r#"{"type":"degraded","degraded":[]}"#,
        r#"{"type":"resync"}"#,
        r#"{"type":"pong","at":1,"gateway_at":2}"#,
        r#"{"type":"goodbye","reason":"silent","words":"x"}"#,
    ];
    both_ways(&from_console, &to_console)
}

fn both_ways(here: &[&str], back: &[&str]) -> Vec<Seed> {
    let ways = [(0, "said", here), (1, "heard", back)];
    let seeds = ways.into_iter().flat_map(|(which, name, frames)| {
        let numbered = frames.iter().enumerate();
        numbered.map(move |(number, text)| {
            Seed::new(
                &format!("{name} {number}"),
                [&[which], text.as_bytes()].concat(),
            )
        })
    });
    seeds.collect()
}

fn still_seeds() -> Vec<Seed> {
    let robot = RobotId(Uuid::from_u128(14));
    let jpeg = [&[0xff, 0xd8][..], &[7; 30]].concat();
    let still = |jpeg| Thumbnail {
        camera: 1,
        captured_at: UnixMicros(1_700_000_000_000_000),
        jpeg,
    };
    let largest = [&[0xff, 0xd8][..], &vec![0; MAX_THUMBNAIL_BYTES - 2]].concat();
    vec![
        Seed::new("of a robot", still(&jpeg).to_robot_frame()),
        Seed::new("to a console", still(&jpeg).to_console_frame(robot)),
        Seed::new("the largest", still(&largest).to_robot_frame()),
    ]
}
