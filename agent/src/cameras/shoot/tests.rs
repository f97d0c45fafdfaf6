//! Claims about a camera that shoots: idle unless wanted, on its beat, never stale, and gone when dropped.

use super::*;

const WANTED: Wishes = Wishes {
    is_wanted: true,
    wants_key: false,
    wants_still: false,
    bits_per_second: None,
    is_over: false,
};
const IDLE: Wishes = Wishes {
    is_wanted: false,
    ..WANTED
};

struct Counting;

impl Eye for Counting {
    fn look(&mut self, frame: &mut Frame) {
        let first = &mut frame.planes().luma[0];
        *first = first.wrapping_add(1);
    }
}

struct Bench {
    worker: Worker<Counting>,
    frames: mpsc::Receiver<EncodedFrame>,
    stills: mpsc::Receiver<Still>,
}

fn bench(room: usize) -> Bench {
    let config = ShootConfig {
        camera: 1,
        encoder: EncoderConfig::new(64, 64, 20),
        has_stamp: false,
    };
    bench_of(room, config)
}

fn bench_of(room: usize, config: ShootConfig) -> Bench {
    let (frames_in, frames) = mpsc::channel(room);
    let (stills_in, stills) = mpsc::channel(room);
    let sinks = Sinks {
        frames: frames_in,
        stills: stills_in,
    };
    Bench {
        worker: Worker::new("test", config, Counting, sinks).unwrap(),
        frames,
        stills,
    }
}

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn clock() -> UnixMicros {
    UnixMicros(1_000_000)
}

#[test]
fn a_camera_that_nobody_wants_takes_no_picture_and_waits() {
    let mut bench = bench(4);

    for now in 0..10_000 {
        assert_eq!(bench.worker.turn(IDLE, at(now), clock), None);
    }

    assert_eq!(bench.worker.counters(), ShootCounters::default());
    assert!(bench.frames.try_recv().is_err());
}

#[test]
fn a_wanted_camera_keeps_its_rate_however_often_it_is_woken() {
    let mut bench = bench(100);

    for now in 0..1_000 {
        bench.worker.turn(WANTED, at(now), clock);
    }

    assert_eq!(bench.worker.counters.pictures, 20);
}

#[test]
fn a_stream_starts_with_a_key_frame_each_time() {
    let mut bench = bench(100);
    bench.worker.turn(WANTED, at(0), clock);
    bench.worker.turn(WANTED, at(50), clock);
    bench.worker.turn(IDLE, at(60), clock);
    bench.worker.turn(WANTED, at(70), clock);

    let keys: Vec<bool> =
        std::iter::from_fn(|| bench.frames.try_recv().ok().map(|frame| frame.is_key)).collect();
    assert_eq!(keys, [true, false, true]);
}

#[test]
fn a_requested_key_frame_comes_next_even_when_asked_between_frames() {
    let mut bench = bench(100);
    let asks = Wishes {
        wants_key: true,
        ..WANTED
    };
    bench.worker.turn(WANTED, at(0), clock);
    bench.worker.turn(asks, at(10), clock);
    bench.worker.turn(WANTED, at(50), clock);
    bench.worker.turn(WANTED, at(100), clock);

    let keys: Vec<bool> =
        std::iter::from_fn(|| bench.frames.try_recv().ok().map(|frame| frame.is_key)).collect();
    assert_eq!(keys, [true, true, false]);
}

#[test]
fn a_busy_sink_gets_fresh_frames_later_not_stale_ones() {
    let mut bench = bench(1);
    bench.worker.turn(WANTED, at(0), || UnixMicros(0));
    bench.worker.turn(WANTED, at(50), || UnixMicros(50_000));
    assert_eq!(bench.frames.try_recv().unwrap().captured_at, UnixMicros(0));

    bench.worker.turn(WANTED, at(100), || UnixMicros(100_000));

    let frame = bench.frames.try_recv().unwrap();
    assert_eq!(frame.captured_at, UnixMicros(100_000));
    assert_eq!(frame.rtp_time, 9_000);
    assert_eq!(bench.worker.counters.skipped, 1);
    assert_eq!(bench.worker.counters.pictures, 2);
}

#[test]
fn a_late_camera_skips_frames_instead_of_hurrying_after_them() {
    let mut bench = bench(100);
    bench.worker.turn(WANTED, at(0), clock);

    let pause = bench.worker.turn(WANTED, at(730), clock);

    assert_eq!(bench.worker.counters.pictures, 2);
    assert_eq!(pause, Some(at(50)));
}

#[test]
fn a_still_is_taken_on_request_while_the_stream_is_off() {
    let mut bench = bench(4);
    let asks = Wishes {
        wants_still: true,
        ..IDLE
    };

    bench.worker.turn(asks, at(0), clock);

    let still = bench.stills.blocking_recv().unwrap();
    assert!(still.jpeg.starts_with(&[0xff, 0xd8]));
    assert_eq!((still.camera, still.captured_at), (1, clock()));
    assert!(bench.frames.try_recv().is_err());
}

#[test]
fn a_still_asked_for_while_the_stream_runs_is_of_the_streams_next_picture() {
    let mut bench = bench(4);
    let asks = Wishes {
        wants_still: true,
        ..WANTED
    };
    bench.worker.turn(WANTED, at(0), || UnixMicros(0));

    bench.worker.turn(asks, at(10), || UnixMicros(10_000));
    bench.worker.turn(WANTED, at(50), || UnixMicros(50_000));

    let still = bench.stills.blocking_recv().unwrap();
    assert_eq!(still.captured_at, UnixMicros(50_000));
    assert_eq!(bench.worker.counters.pictures, 2);
}

#[test]
fn a_still_does_not_show_the_stamp_of_the_stream() {
    let shoot = |has_stamp| {
        // Large enough for a stamp.
        let config = ShootConfig {
            camera: 1,
            encoder: EncoderConfig::new(320, 240, 20),
            has_stamp,
        };
        let asks = Wishes {
            wants_still: true,
            ..WANTED
        };
        let mut bench = bench_of(4, config);
        bench.worker.turn(asks, at(0), clock);
        let frame = bench.frames.try_recv().unwrap();
        (bench.stills.blocking_recv().unwrap(), frame)
    };

    let (plain_still, plain_frame) = shoot(false);
    let (stamped_still, stamped_frame) = shoot(true);

    assert_eq!(plain_still, stamped_still);
    assert!(plain_frame != stamped_frame);
}

#[test]
fn a_stream_that_nobody_takes_does_not_keep_a_still_waiting() {
    let mut bench = bench(1);
    let asks = Wishes {
        wants_still: true,
        ..WANTED
    };
    bench.worker.turn(WANTED, at(0), || UnixMicros(0));

    bench.worker.turn(asks, at(50), || UnixMicros(50_000));

    let still = bench.stills.blocking_recv().unwrap();
    assert_eq!(still.captured_at, UnixMicros(50_000));
}

#[tokio::test]
async fn a_running_camera_delivers_when_wanted_and_ends_when_dropped() {
    let (frames_in, mut frames) = mpsc::channel(2);
    let (stills_in, mut stills) = mpsc::channel(2);
    let config = ShootConfig {
        camera: 0,
        encoder: EncoderConfig::new(64, 64, 30),
        has_stamp: false,
    };
    let sinks = Sinks {
        frames: frames_in,
        stills: stills_in,
    };
    let camera = Shooting::start("test", config, Counting, sinks).unwrap();

    camera.request_still();
    assert!(stills.recv().await.is_some());
    camera.set_wanted(true);
    assert!(frames.recv().await.unwrap().is_key);
    assert!(frames.recv().await.is_some());
    drop(camera);

    while frames.recv().await.is_some() {}
    assert!(stills.recv().await.is_none());
}

#[test]
fn rtp_time_wraps_and_runs_at_90_kilohertz() {
    assert_eq!(rtp_time(UnixMicros(0)), 0);
    assert_eq!(rtp_time(UnixMicros(1_000_000)), 90_000);
    let wrap = (1_i64 << 32) * 100 / 9 + 1;
    assert!(rtp_time(UnixMicros(wrap)) < 2);
}
