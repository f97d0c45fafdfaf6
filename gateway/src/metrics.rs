//! What `/metrics` shows beyond the counters that are raised where things happen.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::app::App;

/// Says once what each number means.
pub fn describe() {
    describe_relay();
    describe_gauge!("nooterra_robots_online", "Robots connected to this process");
    describe_gauge!("nooterra_consoles", "Consoles connected to this process");
    describe_gauge!(
        "nooterra_dependency_up",
        "1 while a server that we stand on answers"
    );
    describe_gauge!(
        "nooterra_log_size",
        "Events that have their leaf in the log"
    );
    describe_gauge!(
        "nooterra_log_waiting_events",
        "Committed events that are in no checkpoint yet, counted up to 10000"
    );
    describe_gauge!(
        "nooterra_log_lag_seconds",
        Unit::Seconds,
        "How long ago the first of these was recorded"
    );
    describe_gauge!(
        "nooterra_log_leader",
        "1 while this process gives events their leaves"
    );
    describe_counter!(
        "nooterra_http_requests_total",
        "Answers by method, route and status"
    );
    describe_histogram!(
        "nooterra_http_request_seconds",
        Unit::Seconds,
        "Time to the first byte of an answer, by route"
    );
    describe_counter!(
        "nooterra_frames_dropped_total",
        "Frames passed over because there were too many, by kind"
    );
    describe_gauge!(
        "nooterra_database_connections",
        "Connections to Postgres, by whether they are in use"
    );
    describe_counter!(
        "nooterra_background_restarts_total",
        "Background work that broke and began anew"
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

fn describe_relay() {
    describe_gauge!("nooterra_rtc_publishers", "Robots with a peer connection");
    describe_gauge!("nooterra_rtc_viewers", "Views with a peer connection");
    describe_counter!("nooterra_rtc_packets_in_total", "RTP packets from robots");
    describe_counter!(
        "nooterra_rtc_packets_forwarded_total",
        "RTP packets to viewers"
    );
    describe_counter!(
        "nooterra_rtc_packets_dropped_total",
        "RTP packets not handed to a viewer that was behind or waits for a key frame"
    );
    describe_counter!(
        "nooterra_rtc_packets_malformed_total",
        "RTP packets of robots that could not be understood"
    );
    describe_counter!(
        "nooterra_rtc_datagrams_total",
        "Datagrams at the media port, by what became of them"
    );
    describe_counter!(
        "nooterra_rtc_messages_dropped_total",
        "Data channel messages that went nowhere, by lane"
    );
    describe_counter!(
        "nooterra_rtc_keyframe_requests_total",
        "Key frames asked of robots"
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
    collect_log(app);
    let rtc = app.rtc.counters();
    set("nooterra_rtc_publishers", rtc.publishers);
    set("nooterra_rtc_viewers", rtc.viewers);
    counter!("nooterra_rtc_packets_in_total").absolute(rtc.packets_in);
    counter!("nooterra_rtc_packets_forwarded_total").absolute(rtc.packets_forwarded);
    counter!("nooterra_rtc_packets_dropped_total").absolute(rtc.packets_dropped);
    counter!("nooterra_rtc_packets_malformed_total").absolute(rtc.packets_malformed);
    for (fate, datagrams) in [
        ("taken", rtc.datagrams_in),
        ("malformed", rtc.datagrams_malformed),
        ("unknown", rtc.datagrams_unknown),
        ("overrun", rtc.datagrams_overrun),
        ("unsent", rtc.datagrams_unsent),
    ] {
        counter!("nooterra_rtc_datagrams_total", "fate" => fate).absolute(datagrams);
    }
    for (lane, messages) in [
        ("fast", rtc.fast_dropped),
        ("reliable", rtc.reliable_dropped),
    ] {
        counter!("nooterra_rtc_messages_dropped_total", "lane" => lane).absolute(messages);
    }
    let idle = app.pool.num_idle();
    let open = usize::try_from(app.pool.size()).unwrap_or(idle);
    gauge!("nooterra_database_connections", "state" => "idle").set(small(idle));
    gauge!("nooterra_database_connections", "state" => "used")
        .set(small(open.saturating_sub(idle)));
    counter!("nooterra_rtc_keyframe_requests_total").absolute(rtc.keyframe_requests);
}

fn collect_log(app: &App) {
    let log = app.log.numbers();
    gauge!("nooterra_log_leader").set(f64::from(u8::from(log.is_led_here)));
    let Some(progress) = log.progress else { return };
    set("nooterra_log_size", progress.size);
    set("nooterra_log_waiting_events", progress.waiting);
    let lag = progress
        .waiting_since
        .map_or(time::Duration::ZERO, |since| app.clock.now() - since);
    gauge!("nooterra_log_lag_seconds").set(lag.as_seconds_f64().max(0.0));
}

fn set<N: TryInto<u32>>(name: &'static str, value: N) {
    gauge!(name).set(small(value));
}

fn small<N: TryInto<u32>>(value: N) -> f64 {
    f64::from(value.try_into().unwrap_or(u32::MAX))
}
