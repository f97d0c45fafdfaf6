//! What somebody who is not honest does to a bundle, or to the log.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ciborium::Value;
use ledger::log::Checkpoint;
use spine::{LogKey, Signer};

use crate::evidence::Logged;

/// Copies of a bundle that were damaged at one entry, behind which another one follows; and what was done to each.
pub fn damaged(bundle: &Path, entry: &Logged) -> Result<Vec<(&'static str, PathBuf)>> {
    let bytes = fs::read(bundle)?;
    let items = items(&bytes)?;
    let sealed = BASE64_STANDARD.decode(&entry.view.entry)?;
    let begins = bytes
        .windows(sealed.len())
        .position(|window| window == sealed)
        .context("the entry is not in the bundle as it is in the log")?;
    let at = items
        .iter()
        .position(|item| item.contains(&begins))
        .context("the entry is in no item")?;

    let mut flipped = bytes.clone();
    flipped[begins + sealed.len() / 2] ^= 1;
    let mut dropped = items.clone();
    dropped.remove(at);
    let mut swapped = items.clone();
    swapped.swap(at, at + 1);
    let cut = &bytes[..begins + sealed.len() / 2];
    let copies = [
        ("flipped", flipped),
        ("dropped", joined(&bytes, &dropped)),
        ("swapped", joined(&bytes, &swapped)),
        ("cut", cut.to_vec()),
    ];
    let mut files = Vec::new();
    for (what, bytes) in copies {
        let path = bundle.with_extension(format!("{what}.nooterra"));
        fs::write(&path, bytes)?;
        files.push((what, path));
    }
    Ok(files)
}

/// Where each item of the file stands, as any reader of CBOR sequences finds them.
fn items(file: &[u8]) -> Result<Vec<Range<usize>>> {
    let mut items = Vec::new();
    let mut begins = 0;
    while begins < file.len() {
        let mut rest = &file[begins..];
        let _item: Value = ciborium::from_reader(&mut rest)?;
        let ends = file.len() - rest.len();
        items.push(begins..ends);
        begins = ends;
    }
    Ok(items)
}

fn joined(file: &[u8], items: &[Range<usize>]) -> Vec<u8> {
    let bytes = items.iter().flat_map(|item| &file[item.clone()]);
    bytes.copied().collect()
}

/// What a log that shows others another history signs: as many entries as `checkpoint`, but not the same ones. `folder` has the log's key.
pub fn forked(checkpoint: &str, folder: &Path) -> Result<String> {
    let mut told = Checkpoint::claimed(checkpoint)?;
    told.tree.root[0] ^= 1;
    let key = Signer::load_or_create(&folder.join(LogKey::FILE_NAME))?;
    Ok(told.sign(key.key())?)
}
