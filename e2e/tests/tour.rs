//! A job from the wish to the proof: a requester at a phone, an operator and an admin at desks, a robot, and the record of it all.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    browser::{DESK, PHONE},
    evidence::{self, Logged, VerifyPage},
    operator::Operator,
    requester::Requester,
    stack::Stack,
    tampering,
};
use ledger::log::Checkpoint;
use protocol::{JobId, views::Role};
use rustix::process::Signal;

/// A robot drives across the site, or does its steps.
const WORK: Duration = Duration::from_mins(2);

/// Whatever needs no robot.
const SOON: Duration = Duration::from_secs(10);

/// A robot owes three beats of five seconds, and the gateway looks each second.
const SILENCE: Duration = Duration::from_secs(30);

/// Steps take a tenth of their time; drives keep theirs.
const AGENT: [&str; 5] = ["--test-stamp", "--people", "0", "--work-speed", "10"];

const COMPLAINT: &str = "The drawer was left open.";

const RULING: &str = "The last picture shows it open.";

async fn requester(stack: &Stack) -> Result<Requester> {
    Requester::sign_in(&stack.ready.url, &stack.seeded.sign_in.requester, PHONE).await
}

async fn operator(stack: &Stack) -> Result<Operator> {
    Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await
}

#[tokio::test]
async fn a_room_is_reset_with_help_complained_about_and_proved() -> Result<()> {
    let stack = Stack::start_with(1, &AGENT).await?;
    let phone = requester(&stack).await?;
    let desk = operator(&stack).await?;

    let kept = evidence::checkpoint(&stack.requester()?).await?;
    let job = asks_and_is_assigned(&stack, &phone, &desk).await?;
    is_helped(&stack, &phone, &desk).await?;
    ends_well(&phone).await?;
    let picture = phone.browser.picture("tour-complained-about").await?;
    let desk = complains_and_is_heard(&stack, phone, desk, job, picture).await?;
    is_signed_by_their_own_hands(&stack, job).await?;
    let proved = is_proved(&stack, &desk, job, &kept).await?;
    is_judged_without_a_gateway(stack, &desk, &proved).await
}

async fn asks_and_is_assigned(stack: &Stack, phone: &Requester, desk: &Operator) -> Result<JobId> {
    let robot = &stack.seeded.robots[0].name;
    phone.browser.look("tour-my-jobs-empty", PHONE).await?;
    phone.fill_in("Reset a room", "Room 3").await?;
    phone.browser.look("tour-order", PHONE).await?;
    let job = phone.send().await?;
    phone.until_state("Waiting for a robot", SOON).await?;
    phone.browser.look("tour-asked", PHONE).await?;

    desk.sees_job(job).await?;
    desk.begin_to_assign(job).await?;
    desk.browser.look("tour-board", DESK).await?;
    desk.assign(job, robot).await?;
    phone.until_state("On its way", SOON).await?;
    phone.browser.look("tour-on-its-way", PHONE).await?;
    Ok(job)
}

async fn is_helped(stack: &Stack, phone: &Requester, desk: &Operator) -> Result<()> {
    desk.goes_to_fleet().await?;
    desk.hears_call_of(&stack.seeded.robots[0].name).await?;
    desk.browser.look("tour-call", DESK).await?;
    desk.takes_call().await?;
    desk.sees_frames().await?;
    let frames = desk.measure_frames(30, WORK).await?;
    ensure!(
        frames.samples.len() >= 20,
        "only {} frames were decoded and carried a readable stamp",
        frames.samples.len()
    );
    phone.until_state("A person is helping", SOON).await?;
    phone.sees_frames().await?;
    phone.browser.look("tour-being-helped", PHONE).await?;
    desk.browser.look("tour-answering", DESK).await?;
    desk.answers(1).await?;
    desk.browser.look("tour-answered", DESK).await?;
    desk.hands_back().await
}

async fn ends_well(phone: &Requester) -> Result<()> {
    phone.until_state("Needs your answer", WORK).await?;
    phone.until_told("open the drawer", SOON).await?;
    phone.browser.look("tour-approval", PHONE).await?;
    phone.press("Allow once").await?;
    phone.until_state("Done, please check", WORK).await?;
    phone.sees_photographs(1).await?;
    phone.browser.look("tour-please-check", PHONE).await?;
    phone.press("All good").await?;
    phone.until_state("Done", SOON).await?;
    phone.browser.look("tour-receipt", PHONE).await
}

/// Gives the operator's window back.
async fn complains_and_is_heard(
    stack: &Stack,
    phone: Requester,
    desk: Operator,
    job: JobId,
    picture: PathBuf,
) -> Result<Operator> {
    phone
        .write_complaint(job, "The work", "2", COMPLAINT, &picture)
        .await?;
    phone.browser.look("tour-complaint", PHONE).await?;
    phone.send_complaint().await?;
    phone.browser.look("tour-complained", PHONE).await?;

    let admin = Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.admin, DESK).await?;
    admin.reads_complaint(COMPLAINT, 1).await?;
    admin.browser.look("tour-cases", DESK).await?;
    admin.triages("3").await?;
    admin.begins_review().await?;
    admin.browser.look("tour-review", DESK).await?;
    admin.rules("Upheld", RULING).await?;
    admin.browser.look("tour-ruled", DESK).await?;

    phone.open(job).await?;
    phone.until_told(RULING, SOON).await?;
    phone.browser.look("tour-heard", PHONE).await?;
    phone.open_list().await?;
    phone.browser.look("tour-my-jobs", PHONE).await?;
    Ok(desk)
}

/// What people did was sealed in their browsers, by keys that their sign-ins bound.
async fn is_signed_by_their_own_hands(stack: &Stack, job: JobId) -> Result<()> {
    let admin = stack.admin()?;
    let gateway = evidence::gateway_key(&evidence::log_keys(&admin).await?)?;
    let all = evidence::events(&admin, "/api/v1/events", &gateway).await?;
    let path = format!("/api/v1/jobs/{job}/events");
    let of_job = evidence::events(&stack.requester()?, &path, &gateway).await?;
    let find = |kind: &str| of_job.iter().find(|event| event.view.kind == kind);
    for (kind, role) in [
        ("job.requested", Role::Requester),
        ("access.granted", Role::Requester),
        ("job.assigned", Role::Operator),
        ("assist.claimed", Role::Operator),
        ("assist.started", Role::Operator),
        ("assist.answered", Role::Operator),
        ("assist.ended", Role::Operator),
        ("approval.granted", Role::Requester),
        ("work.accepted", Role::Requester),
    ] {
        let event = find(kind).with_context(|| format!("no {kind} in the log"))?;
        evidence::ensure_own_hand(event, &all)?;
        ensure!(
            event.actor.payload.acting_as == Some(role),
            "{kind} by another role"
        );
    }
    for kind in ["case.opened", "case.triaged", "case.ruled"] {
        let event = all.iter().find(|event| event.view.kind == kind);
        evidence::ensure_own_hand(
            event.with_context(|| format!("no {kind} in the log"))?,
            &all,
        )?;
    }
    Ok(())
}

/// The record holds in the browser and at a terminal, in both against the checkpoint that somebody kept from before the work, and not
/// against one of another history.
async fn is_proved(stack: &Stack, desk: &Operator, job: JobId, kept: &str) -> Result<Proved> {
    let events = desk.verifies_record(job).await?;
    ensure!(events > 20, "a record of {events} events is no tour");
    desk.browser.look("tour-job", DESK).await?;

    let requester = stack.requester()?;
    let bundle = evidence::download(&requester, job, stack.folder()).await?;
    let keys = evidence::log_keys(&requester).await?;
    let trust = evidence::trust_file(&keys, stack.folder())?;
    let whole = evidence::verify(&bundle, &trust)?;
    ensure!(whole.code == Some(0), "{whole:?}");
    ensure!(whole.text.contains("intact"), "{whole:?}");
    // What people wrote and photographed, and what the robot did.
    ensure!(whole.text.contains(" 4 of 4 "), "{whole:?}");
    ensure!(
        whole
            .text
            .contains("Nothing that the events name was deleted or left out"),
        "{whole:?}"
    );

    let page = VerifyPage::open(desk, &trust).await?;
    page.says_of(&bundle, "Intact").await?;
    desk.browser.look("tour-verify-intact", DESK).await?;

    page.compares_with(kept).await?;
    page.until_step("Consistency", "No proof given").await?;
    page.asks_for_proof().await?;
    page.until_step("Consistency", "Same history").await?;
    page.says_of(&bundle, "Intact").await?;
    desk.browser.look("tour-verify-kept", DESK).await?;

    let forked = tampering::forked(kept, &stack.folder().join("gateway"))?;
    page.compares_with(&forked).await?;
    page.asks_for_proof().await?;
    page.says_of(&bundle, "the log tells two histories").await?;
    desk.browser.look("tour-verify-forked", DESK).await?;
    is_compared_at_a_terminal(stack, &bundle, &trust, [kept, &forked]).await?;

    let path = format!("/api/v1/jobs/{job}/events");
    let mut events = evidence::events(&requester, &path, &evidence::gateway_key(&keys)?).await?;
    let answered = events
        .iter()
        .position(|event| event.view.kind == "assist.answered")
        .context("no answer in the log")?;
    Ok(Proved {
        bundle,
        trust,
        answered: events.swap_remove(answered),
    })
}

/// A bundle that holds, the keys that it holds under, and an event in its midst.
struct Proved {
    bundle: PathBuf,
    trust: PathBuf,
    answered: Logged,
}

/// The command finds the first checkpoint to be of the same history and the second of another one.
async fn is_compared_at_a_terminal(
    stack: &Stack,
    bundle: &Path,
    trust: &Path,
    [kept, forked]: [&str; 2],
) -> Result<()> {
    let tree = |note: &str| Checkpoint::claimed(note).map(|checkpoint| checkpoint.tree.size);
    let api = stack.requester()?;
    let files = ["kept.txt", "forked.txt", "proof.json"].map(|name| stack.folder().join(name));
    let [kept_file, forked_file, proof_file] = &files;
    fs::write(kept_file, kept)?;
    fs::write(forked_file, forked)?;
    let report = evidence::verify_with(bundle, trust, &[("--checkpoint", kept_file)])?;
    let size = report
        .text
        .split("the bundle's ")
        .nth(1)
        .and_then(|rest| rest.split(':').next())
        .context("the command names no tree of the bundle")?;
    let path = format!("/api/v1/log/proof?from={}&to={size}", tree(kept)?);
    let proof = api.get(&path).await?.error_for_status()?.text().await?;
    fs::write(proof_file, proof)?;

    for (note, code, words) in [
        (kept_file, 0, "Same history"),
        (forked_file, 1, "the log tells two histories"),
    ] {
        let options = [
            ("--checkpoint", note.as_path()),
            ("--consistency", proof_file.as_path()),
        ];
        let said = evidence::verify_with(bundle, trust, &options)?;
        ensure!(said.code == Some(code), "{said:?}");
        ensure!(said.text.contains(words), "{said:?}");
    }
    Ok(())
}

/// Whatever is done to the bundle at one entry, page and command name that entry, and neither needs the gateway for it.
async fn is_judged_without_a_gateway(
    mut stack: Stack,
    desk: &Operator,
    proved: &Proved,
) -> Result<()> {
    let Proved {
        bundle,
        trust,
        answered,
    } = proved;
    let page = VerifyPage::open(desk, trust).await?;
    stack.gateway.kill()?;

    page.says_of(bundle, "Intact").await?;
    let view = &answered.view;
    let name = format!("({}, number {}", view.stream, view.stream_number);
    for (what, copy) in tampering::damaged(bundle, answered)? {
        let said = evidence::verify(&copy, trust)?;
        ensure!(said.code == Some(1), "{what}: {said:?}");
        let is_named = said
            .text
            .lines()
            .any(|line| line.starts_with("NOT INTACT") && line.contains(&name));
        ensure!(is_named, "{what}: {name} is not named: {said:?}");
        page.says_of(&copy, &name).await?;
        page.says_of(&copy, "Not intact").await?;
    }
    desk.browser.look("tour-verify-broken", DESK).await
}

#[tokio::test]
async fn a_requester_stops_a_robot_takes_leave_back_lets_it_go_on_and_calls_another_job_off()
-> Result<()> {
    let stack = Stack::start_with(1, &AGENT).await?;
    let robot = &stack.seeded.robots[0].name;
    let phone = requester(&stack).await?;
    let desk = operator(&stack).await?;
    let job = phone.ask_for("Reset a room", "Room 3").await?;
    desk.sees_job(job).await?;
    desk.begin_to_assign(job).await?;
    desk.assign(job, robot).await?;
    phone.until_state("On its way", SOON).await?;

    phone.notes_states().await?;
    phone.press("Pause").await?;
    phone.until_told("reports stopped", SOON).await?;
    phone.until_state("Paused", SOON).await?;
    let states = phone.states_noted().await?;
    ensure!(
        states.ends_with(&["Stop sent".to_owned(), "Paused".to_owned()]),
        "{states:?}"
    );
    phone.browser.look("tour-paused", PHONE).await?;
    phone.let_it_go_on().await?;
    phone.until_state("On its way", SOON).await?;

    phone.revoke().await?;
    phone.until_state("Paused", SOON).await?;
    phone.browser.look("tour-revoked", PHONE).await?;
    phone.give_access().await?;
    phone.until_state("On its way", SOON).await?;
    phone.until_state("Working", WORK).await?;

    let other = phone.ask_for("Reset a room", "Room 2").await?;
    phone.until_state("Waiting for a robot", SOON).await?;
    phone.cancel().await?;
    phone.until_state("Cancelled", SOON).await?;
    phone.browser.look("tour-cancelled", PHONE).await?;
    desk.reads_phase(other, "Cancelled").await
}

#[tokio::test]
async fn a_robot_that_falls_silent_stalls_its_job_and_goes_on_once_it_is_heard_again() -> Result<()>
{
    let stack = Stack::start_with(1, &AGENT).await?;
    let robot = &stack.seeded.robots[0].name;
    let phone = requester(&stack).await?;
    let desk = operator(&stack).await?;
    let job = phone.ask_for("Reset a room", "Room 3").await?;
    desk.sees_job(job).await?;
    desk.begin_to_assign(job).await?;
    desk.assign(job, robot).await?;
    phone.until_state("On its way", SOON).await?;

    stack.agents[0].signal(Signal::STOP)?;
    phone.until_state("Nothing heard of it", SILENCE).await?;
    phone.browser.look("tour-silent", PHONE).await?;
    desk.goes_to_fleet().await?;
    desk.hears_call_of(robot).await?;
    desk.browser.look("tour-silent-call", DESK).await?;

    stack.agents[0].signal(Signal::CONT)?;
    desk.hears_no_call().await?;
    phone.until_state("On its way", SOON).await?;
    phone.until_state("Working", WORK).await
}
