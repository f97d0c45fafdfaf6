//! What `/metrics` shows beyond the counters that are raised where things happen.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::app::App;

/// Says once what each number means.
pub fn describe() {
    describe_gauge!("nooterra_robots_online", "Robots connected to this process");
    describe_gauge!("nooterra_consoles", "Consoles connected to this process");
    describe_gauge!(
        "nooterra_dependency_up",
        "1 while a server that we stand on answers"
    );
    describe_gauge!("nooterra_rtc_publishers", "Robots with a peer connection");
    describe_gauge!("nooterra_rtc_viewers", "Views with a peer connection");
    describe_counter!("nooterra_rtc_packets_in_total", "RTP packets from robots");
    describe_counter!(
        "nooterra_rtc_packets_forwarded_total",
        "RTP packets to viewers"
    );
    describe_counter!(
        "nooterra_rtc_packets_dropped_total",
        "RTP packets dropped: malformed, or a viewer was too slow"
    );
    describe_counter!(
        "nooterra_rtc_keyframe_requests_total",
        "Key frames asked of robots"
    );
    describe_counter!(
        "nooterra_console_resyncs_total",
        "Consoles that fell behind and got a snapshot"
    );
    describe_counter!("nooterra_commands_total", "Commands by what became of them");
    describe_counter!("nooterra_rate_limited_total", "Tries beyond a limit");
    describe_counter!(
        "nooterra_robot_events_refused_total",
        "Signed events that were not believed"
    );
    describe_counter!(
        "nooterra_frames_refused_total",
        "Messages that could not be read"
    );
}

/// Takes the numbers that others keep.
pub fn collect(app: &App) {
    let (robots, consoles) = app.live.connected();
    set("nooterra_robots_online", robots);
    set("nooterra_consoles", consoles);
    for dependency in app.dependencies.latest() {
        gauge!("nooterra_dependency_up", "part" => dependency.part)
            .set(f64::from(u8::from(dependency.is_up)));
    }
    let rtc = app.rtc.counters();
    set("nooterra_rtc_publishers", rtc.publishers);
    set("nooterra_rtc_viewers", rtc.viewers);
    counter!("nooterra_rtc_packets_in_total").absolute(rtc.packets_in);
    counter!("nooterra_rtc_packets_forwarded_total").absolute(rtc.packets_forwarded);
    counter!("nooterra_rtc_packets_dropped_total").absolute(rtc.packets_dropped);
    counter!("nooterra_rtc_keyframe_requests_total").absolute(rtc.keyframe_requests);
}

fn set<N: TryInto<u32>>(name: &'static str, value: N) {
    gauge!(name).set(f64::from(value.try_into().unwrap_or(u32::MAX)));
}
