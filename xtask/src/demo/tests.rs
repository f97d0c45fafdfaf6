//! A demo with shell scripts for its two binaries and a listener of ours for its gateway: what is
//! tested is the order, the report and that nothing stays behind.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const GATEWAY: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$1" in
serve)
    echo serve >> "$here/order"
    while [ $# -gt 0 ]; do
        if [ "$1" = --ready-file ]; then ready=$2; fi
        shift
    done
    echo '{"url": "URL", "agents_url": "URL", "pid": '$$', "database_url": "d", "redis_url": "r"}' > "$ready.new"
    mv "$ready.new" "$ready"
    echo $$ > "$here/gateway.pid"
    exec sleep 600 ;;
admin)
    echo seed >> "$here/order"
    roles='{"operator": "o", "second_operator": "p", "supervisor": "s", "requester": "q", "owner": "w", "admin": "a"}'
    echo '{"sign_in": '$roles', "tokens": '$roles', "robots": [{"id": "r1", "name": "Juniper", "token": "t"}]}' ;;
esac
"#;

const AGENT: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$1" >> "$here/order"
if [ "$1" = run ]; then
    echo $$ > "$here/robot.pid"
    RUN
fi
"#;

const ROBOTS: &str = r#"{"items": [{"robot": "r1", "presence": {"state": "online"}}]}"#;

/// Answers everything with 200 and the robots, for as long as the test runs.
fn gateway_on_loopback() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).unwrap();
            assert!(read > 0);
            let answer = format!("HTTP/1.0 200 OK\r\n\r\n{ROBOTS}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

struct Stage {
    folder: tempfile::TempDir,
    workspace: Workspace,
    programs: Programs,
    options: Options,
}

/// A checkout whose robots run the shell words `run`.
fn stage(run: &str) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let binaries = folder.path().join("target/debug");
    std::fs::create_dir_all(&binaries).unwrap();
    let gateway = GATEWAY.replace("URL", &gateway_on_loopback());
    for (name, script) in [
        ("nooterra", gateway),
        ("nooterra-agent", AGENT.replace("RUN", run)),
    ] {
        let path = binaries.join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    Stage {
        workspace: Workspace {
            root: folder.path().to_owned(),
            target: folder.path().join("target"),
            cache: folder.path().join("cache"),
        },
        programs: Programs {
            binaries,
            data: folder.path().join("data"),
        },
        options: Options {
            headless: true,
            robots: 1,
            data: None,
            fresh: false,
            cameras: Vec::new(),
        },
        folder,
    }
}

impl Stage {
    fn start(&self) -> (Demo, Result<()>) {
        let mut demo = Demo::new(&self.workspace);
        let mut progress = Progress::new();
        let started = demo.start(
            &self.workspace,
            &self.programs,
            &self.options,
            &mut progress,
        );
        (demo, started)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("target/debug").join(name)).unwrap()
    }

    /// The process that wrote its id into this file, if it wrote one and runs what the scripts end in.
    fn running(&self, name: &str) -> Option<u32> {
        let path = self.programs.binaries.join(name);
        let pid = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
        runs(pid, "sleep").unwrap().then_some(pid)
    }

    /// Waits for it: a robot counts as online here before its script has done anything.
    fn await_running(&self, name: &str) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(pid) = self.running(name) {
                return pid;
            }
            assert!(began.elapsed() < ONLINE_WITHIN, "{name} does not run");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_stopped_demo_leaves_no_process_and_no_report() {
    let stage = stage("exec sleep 600");

    let (mut demo, started) = stage.start();
    started.unwrap();
    let report = Report::load(&stage.workspace).unwrap();
    stage.await_running("gateway.pid");
    stage.await_running("robot.pid");
    demo.stop().unwrap();

    assert_eq!(stage.read("order"), "serve\nseed\nenrol\npolicy\nrun\n");
    assert_eq!(report.robots, ["r1"]);
    assert_eq!(report.sign_in.owner, "w");
    assert_eq!(stage.running("gateway.pid"), None);
    assert_eq!(stage.running("robot.pid"), None);
    assert!(!report::path(&stage.workspace).exists());
}

#[test]
fn a_robot_that_ends_by_itself_is_named_and_the_demo_goes_on() {
    let stage = stage(
        r#"while [ ! -e "$here/cliff" ]; do sleep 0.02; done; echo the wheels came off; exit 4"#,
    );
    let (mut demo, started) = stage.start();
    started.unwrap();

    std::fs::write(stage.programs.binaries.join("cliff"), "").unwrap();
    let began = Instant::now();
    let mut lost = Vec::new();
    while lost.is_empty() && began.elapsed() < ONLINE_WITHIN {
        lost = demo.lost_robots();
        std::thread::yield_now();
    }
    let after = demo.check();
    stage.await_running("gateway.pid");
    demo.stop().unwrap();

    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].contains("Juniper ended by itself"), "{}", lost[0]);
    assert!(lost[0].contains("the wheels came off"), "{}", lost[0]);
    assert!(after.is_ok(), "{after:?}");
    assert_eq!(stage.running("gateway.pid"), None);
}

#[test]
fn a_gateway_that_ends_by_itself_ends_the_demo() {
    let stage = stage("exec sleep 600");
    let (mut demo, started) = stage.start();
    started.unwrap();

    stage.await_running("robot.pid");
    let gateway = stage.await_running("gateway.pid");
    processes::stop_left_behind(gateway).unwrap();
    let error = demo.hold().unwrap_err();
    demo.stop().unwrap();

    let message = format!("{error:#}");
    assert!(message.contains("the gateway ended by itself"), "{message}");
    assert_eq!(stage.running("robot.pid"), None);
}

#[test]
fn a_report_that_a_killed_demo_left_does_not_keep_the_next_from_starting() {
    let stage = stage("exec sleep 600");
    let (mut demo, started) = stage.start();
    started.unwrap();
    let left = std::fs::read(report::path(&stage.workspace)).unwrap();
    demo.stop().unwrap();
    std::fs::write(report::path(&stage.workspace), left).unwrap();

    clear_the_way(&stage.workspace).unwrap();

    assert!(!report::path(&stage.workspace).exists());
}

#[test]
fn busy_ports_are_not_taken() {
    // Whether the test or another program holds them, the usual ports are busy then.
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT));
    let held_media = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, MEDIA_PORT));

    let ports = free_ports().unwrap();

    drop((held, held_media));
    assert_ne!(ports.listen.port(), PORT);
    assert!(ports.listen.ip().is_loopback());
    assert_eq!(ports.media, 0);
}
