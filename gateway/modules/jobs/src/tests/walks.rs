//! Random jobs.

use protocol::job::PhaseName;

use crate::walk;

/// In the test command; a bench goes as far as it likes.
const TRANSITIONS: u64 = 10_000;

#[test]
fn ten_thousand_random_transitions_leave_no_invalid_state_and_replay_to_the_same_jobs() {
    let tally = walk::run(1, TRANSITIONS).unwrap();

    let unvisited: Vec<_> = PhaseName::ALL
        .into_iter()
        .filter(|phase| !tally.phases.contains_key(phase))
        .collect();
    assert!(
        unvisited.is_empty(),
        "never reached {unvisited:?}: {tally:?}"
    );
    assert!(tally.recorded > 1_000 && tally.refused > 1_000, "{tally:?}");
}
