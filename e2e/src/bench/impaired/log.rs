//! What a process of ours wrote, line by line: when, and the fields of each.

use anyhow::{Context as _, Result};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// When a line was written, milliseconds since 1970 by this machine's clock.
pub(super) fn at_ms(line: &str) -> Result<f64> {
    let stamp = line.split_whitespace().next().context("an empty line")?;
    let at = OffsetDateTime::parse(stamp, &Rfc3339).with_context(|| line.to_owned())?;
    Ok(milliseconds(at))
}

/// A moment as milliseconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^53")]
pub(super) fn milliseconds(at: OffsetDateTime) -> f64 {
    (at.unix_timestamp_nanos() / 1_000) as f64 / 1_000.0
}

/// The lines that say this.
pub(super) fn lines<'log>(log: &'log str, words: &str) -> impl Iterator<Item = &'log str> {
    log.lines().filter(move |line| line.contains(words))
}

/// A field of a line, as it was written.
pub(super) fn field<'line>(line: &'line str, name: &str) -> Option<&'line str> {
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// Numbers of this name in the lines that say this.
pub(super) fn numbers(log: &str, words: &str, name: &str) -> Vec<f64> {
    lines(log, words)
        .filter_map(|line| field(line, name)?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
2026-11-30T23:55:01.250000Z  INFO agent::orders: driving ended command.id=0190 why=DeadMan since_moved_ms=262
2026-11-30T23:55:02.000000Z DEBUG agent::journal: wrote an event down kind=\"drive.segment\" sealed_us=41 written_us=900
2026-11-30T23:55:03.000000Z  INFO agent::orders: driving ended command.id=0191 why=ControlEnded
";

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let ended: Vec<&str> = lines(LOG, "driving ended").collect();

        assert_eq!(field(ended[0], "why"), Some("DeadMan"));
        assert_eq!(field(ended[1], "since_moved_ms"), None);
        assert_eq!(field(ended[0], "moved_ms"), None);
        assert_eq!(numbers(LOG, "driving ended", "since_moved_ms"), [262.0]);
        assert_eq!(numbers(LOG, "kind=\"drive.segment\"", "sealed_us"), [41.0]);
    }

    #[test]
    fn lines_are_dated_to_the_millisecond() {
        let times: Vec<f64> = LOG.lines().map(|line| at_ms(line).unwrap()).collect();

        assert!((times[1] - times[0] - 750.0).abs() < 0.001);
    }
}
