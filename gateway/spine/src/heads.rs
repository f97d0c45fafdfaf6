//! The heads of streams as this process left them: mostly nobody else writes to a stream, and then it need not be asked.
//!
//! Nothing is believed from here: whoever writes behind a head says so in the same statement, and writes nothing where it
//! is another.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use ledger::log::Head;

static HEADS: LazyLock<Mutex<BTreeMap<String, Head>>> = LazyLock::new(Mutex::default);

/// Streams that are remembered, some 100 bytes each. When there are more, all are forgotten and asked for once again.
const MOST: usize = 16_384;

/// The head, which is then forgotten: two who write to one stream at once should not both build on it.
pub(crate) fn take(stream: &str) -> Option<Head> {
    heads().remove(stream)
}

/// Remembers heads that were committed.
pub(crate) fn keep(committed: BTreeMap<String, Head>) {
    let mut heads = heads();
    if heads.len() + committed.len() > MOST {
        heads.clear();
    }
    heads.extend(committed);
}

fn heads() -> MutexGuard<'static, BTreeMap<String, Head>> {
    HEADS.lock().unwrap_or_else(PoisonError::into_inner)
}
