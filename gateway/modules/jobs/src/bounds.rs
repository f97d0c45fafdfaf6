//! The spans and sizes that the rules go by, each with its reason.

use protocol::{
    UnixMicros,
    assist::AssistQuestion,
    job::{AccessPlan, EvidenceHash, HeartbeatPolicy, Window},
    limits::{
        MAX_ASSIST_OPTIONS, MAX_CHECKPOINT_EVIDENCE, MAX_NAME_CHARS, MAX_TEXT_CHARS,
        MAX_WORDS_CHARS,
    },
};

use crate::refusal::Refusal;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// A robot that is connected answers at once; after this long another one is asked while the requester still waits.
pub const ACKNOWLEDGE_WITHIN_MICROS: i64 = 10 * SECOND;

/// Coming to a safe stand takes a robot two seconds and its word one more; after this long somebody must go and look.
pub const STOP_WITHIN_MICROS: i64 = 10 * SECOND;

/// A requester who comes home at night can look at the work the next day; after that, silence is contentment.
pub const ACCEPT_WITHIN_MICROS: i64 = 24 * HOUR;

/// Nobody knows the roster of robots longer than this ahead.
pub const MAX_AHEAD_MICROS: i64 = 14 * 24 * HOUR;

/// Shorter, and nobody could read the question.
pub(crate) const MIN_ANSWER_S: u32 = 10;

/// Longer, and the robot would rather leave the step out.
pub(crate) const MAX_ANSWER_S: u32 = 3_600;

/// What the secrets of doors are kept in: the log holds the reference and never the secret.
const SECRET_PREFIX: &str = "vault://";

pub(crate) const fn is_inside(window: Window, now: UnixMicros) -> bool {
    window.from.0 <= now.0 && now.0 < window.until.0
}

pub(crate) fn check_window(window: Window, now: UnixMicros) -> Result<(), Refusal> {
    if window.until <= window.from {
        return Err(Refusal::WindowEmpty);
    }
    // Who asks for a moment in another age has slipped with a unit.
    if window.until <= now || window.from < now.plus(-MAX_AHEAD_MICROS) {
        return Err(Refusal::WindowPast);
    }
    if window.until > now.plus(MAX_AHEAD_MICROS) {
        return Err(Refusal::WindowTooFar);
    }
    Ok(())
}

pub(crate) fn check_access(plan: &AccessPlan, now: UnixMicros) -> Result<(), Refusal> {
    let is_reference = plan.secret.as_deref().is_none_or(|secret| {
        secret.len() > SECRET_PREFIX.len()
            && secret.starts_with(SECRET_PREFIX)
            && is_short(secret, MAX_WORDS_CHARS)
    });
    if !is_reference || !is_said(&plan.place, MAX_WORDS_CHARS) {
        return Err(Refusal::AccessUnsound);
    }
    check_window(plan.window, now)
}

/// Whether the robot owes more beats than the policy forgives.
pub(crate) fn is_overdue(policy: HeartbeatPolicy, last_heard: UnixMicros, now: UnixMicros) -> bool {
    let forgiven_ms = i64::from(policy.beat_ms) * i64::from(policy.missed_beats);
    forgiven_ms > 0 && now.since(last_heard) / 1_000 >= forgiven_ms
}

pub(crate) fn is_question_sound(question: &AssistQuestion) -> bool {
    is_said(&question.words, MAX_TEXT_CHARS)
        && is_short(&question.camera, MAX_NAME_CHARS)
        && question.options.len() <= MAX_ASSIST_OPTIONS
        && question
            .options
            .iter()
            .all(|option| is_said(option, MAX_WORDS_CHARS))
}

pub(crate) fn is_approval_sound(words: &str, answer_within_s: u32) -> bool {
    is_said(words, MAX_TEXT_CHARS) && (MIN_ANSWER_S..=MAX_ANSWER_S).contains(&answer_within_s)
}

pub(crate) fn is_evidence_sound(evidence: &[EvidenceHash]) -> bool {
    evidence.len() <= MAX_CHECKPOINT_EVIDENCE
        && evidence
            .iter()
            .all(|one| is_said(&one.media_type, MAX_NAME_CHARS))
}

/// Whether these are words, and not too many.
pub(crate) fn is_said(words: &str, most_chars: usize) -> bool {
    !words.trim().is_empty() && is_short(words, most_chars)
}

fn is_short(words: &str, most_chars: usize) -> bool {
    words.chars().count() <= most_chars
}
