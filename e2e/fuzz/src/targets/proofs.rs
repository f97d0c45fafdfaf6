//! Checkpoints, proofs, tiles and keys as texts: what is read is written as the same, and nobody's signature proves nothing.

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use ledger::{
    log::{
        Checkpoint, Frontier, Hash, LoggedProof, NoteKey, RightEdge, SignedNote, Tile, TileId,
        TreeHead, consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion, root_of,
        signature_line, verify_consistency, verify_inclusion,
    },
    verify::{KnownProof, Trust},
};
use protocol::views::ConsistencyView;

use crate::{Seed, Target, input::Input};

pub(crate) const TARGET: Target = Target {
    name: "proofs",
    run,
    seeds,
    longest: 4_096,
};

const ORIGIN: &str = "log.example/linden";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[2; 32]));

fn known() -> [NoteKey; 1] {
    [NoteKey::new(ORIGIN, KEY.verifying_key()).unwrap()]
}

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let which = input.byte() % 8;
    match (which, std::str::from_utf8(input.rest())) {
        (0, Ok(text)) => kept_proof(text),
        (1, Ok(text)) => note(text),
        (2, Ok(text)) => signed_note(text),
        (3, Ok(text)) => keys(text),
        (4, Ok(text)) => tile_path(text),
        (5, Ok(text)) => consistency_answer(text),
        (6, _) => tree(&mut input),
        (7, _) => edges(&mut input),
        (_, _) => false,
    }
}

fn kept_proof(text: &str) -> bool {
    let Ok(proof) = LoggedProof::parse(text) else {
        return false;
    };
    assert_eq!(proof.to_text(), text);
    assert!(proof.hashes.len() <= 64);
    // Seeds hold what the key signed: the way there leads from one leaf alone.
    assert!(proof.verify(&[0xab; 32], &known()).is_err());
    true
}

fn note(text: &str) -> bool {
    let opened = Checkpoint::open(text, &known());
    let claimed = Checkpoint::claimed(text);
    if let Ok(opened) = &opened {
        assert_eq!(claimed.as_ref().ok(), Some(&opened.checkpoint));
        assert_eq!(
            opened.checkpoint.text(),
            SignedNote::parse(text).unwrap().text()
        );
    }
    SignedNote::parse(text).is_ok_and(|note| {
        assert!(text.starts_with(note.text()));
        true
    })
}

/// Any text, truly signed: a checkpoint only if it is one, and then the one that the text says.
fn signed_note(text: &str) -> bool {
    let Ok(line) = signature_line(text, ORIGIN, &KEY) else {
        return false;
    };
    let note = format!("{text}\n{line}");
    let Ok(witnessed) = Checkpoint::open(&note, &known()) else {
        return false;
    };
    assert_eq!(witnessed.checkpoint.text(), text);
    assert_eq!(witnessed.checkpoint.origin, ORIGIN);
    true
}

fn keys(text: &str) -> bool {
    let key = text.parse::<NoteKey>().ok();
    if let Some(key) = &key {
        assert_eq!(key.to_string().parse::<NoteKey>().ok().as_ref(), Some(key));
    }
    key.is_some() || Trust::parse(text).is_ok()
}

fn tile_path(text: &str) -> bool {
    let Ok(id) = text.parse::<TileId>() else {
        return false;
    };
    assert_eq!(id.to_string(), text);
    let bytes = vec![7; usize::from(id.width) * 32];
    let tile = Tile::from_bytes(id, &bytes).unwrap();
    assert_eq!(tile.to_bytes(), bytes);
    assert!(Tile::from_bytes(id, &bytes[1..]).is_none());
    true
}

fn consistency_answer(text: &str) -> bool {
    let Ok(view) = serde_json::from_str::<ConsistencyView>(text) else {
        return false;
    };
    KnownProof::try_from(view.clone()).is_ok_and(|proof| {
        assert_eq!(ConsistencyView::from(&proof), view);
        true
    })
}

/// Proofs of any size, and of a small tree that is really there.
fn tree(input: &mut Input<'_>) -> bool {
    let (index, size, new) = (input.u64(), input.u64(), input.u64());
    let most = 64;
    if let Ok(nodes) = inclusion_nodes(index, size) {
        assert!(index < size && nodes.len() <= most * 2);
    }
    if let Ok(nodes) = consistency_nodes(size, new) {
        assert!(size <= new && nodes.len() <= most * 2);
    }
    let count = usize::from(input.byte() % 40) + 1;
    let leaves: Vec<Hash> = (0..count).map(|_| [input.byte(); 32]).collect();
    let proof: Vec<Hash> = (0..input.byte() % 8).map(|_| [input.byte(); 32]).collect();
    let head = |size: u64| TreeHead {
        size,
        root: root_of(&leaves[..usize::try_from(size).unwrap()]),
    };
    let subtree = |node: ledger::log::Node| {
        let width = 1_usize.checked_shl(node.level.into())?;
        let start = usize::try_from(node.index).ok()?.checked_mul(width)?;
        leaves.get(start..start.checked_add(width)?).map(root_of)
    };
    let all = u64::try_from(count).unwrap();
    let (at, old) = (index % all, size % all + 1);
    let way = prove_inclusion(at, all, subtree).unwrap();
    let leaf = leaves[usize::try_from(at).unwrap()];
    assert_eq!(verify_inclusion(&leaf, at, &head(all), &way), Ok(()));
    let steps = prove_consistency(old, all, subtree).unwrap();
    assert_eq!(verify_consistency(&head(old), &head(all), &steps), Ok(()));
    let made_up = verify_inclusion(&[0xff; 32], at, &head(all), &proof);
    assert!(made_up.is_err() || leaf == [0xff; 32] || proof == way);
    let of_any_size = TreeHead { size, root: leaf };
    if verify_inclusion(&leaf, index, &of_any_size, &proof).is_ok() {
        assert_eq!((index, size, proof.len()), (0, 1, 0));
    }
    true
}

/// The right edge of a tree that grows as its hashes say.
fn edges(input: &mut Input<'_>) -> bool {
    let (size, level, index) = (input.u64(), input.byte(), input.u64());
    if let Some(id) = TileId::in_tree(level, index, size) {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!((1..=256).contains(&id.width));
    }
    let tiles = RightEdge::tiles_of(size);
    assert!(tiles.len() <= 8);
    let filled: Vec<Tile> = tiles
        .iter()
        .filter_map(|id| Tile::new(*id, vec![[input.byte(); 32]; usize::from(id.width)]))
        .collect();
    let edge = RightEdge::from_tiles(size, filled);
    let peaks: Vec<Hash> = (0..input.byte() % 65).map(|_| [input.byte(); 32]).collect();
    let frontier = Frontier::from_peaks(size, peaks.clone());
    if let Ok(mut frontier) = frontier {
        assert_eq!(frontier.peaks(), peaks);
        if size < u64::MAX {
            frontier.append([1; 32]);
            assert_eq!(frontier.size(), size + 1);
            assert_eq!(
                frontier.peaks().len(),
                usize::try_from((size + 1).count_ones()).unwrap()
            );
        }
    }
    edge.is_ok()
}

fn seeds() -> Vec<Seed> {
    let mut seeds = texts();
    seeds.extend(trees());
    seeds
}

fn texts() -> Vec<Seed> {
    let leaves: Vec<Hash> = (0..5).map(|leaf| [leaf; 32]).collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        tree: TreeHead {
            size: 5,
            root: root_of(&leaves),
        },
    };
    let note = checkpoint.sign(&KEY).unwrap();
    let logged = LoggedProof {
        extra: Some(b"more".to_vec()),
        index: 4,
        hashes: vec![root_of(&leaves[..4])],
        checkpoint: note.clone(),
    };
    let key = known()[0].to_string();
    let gateway = hex::encode(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes());
    let trusted = format!("# keys\ngateway {gateway}\nlog {key}\nwitness {key} # both\n");
    let answer = r#"{"from":1,"to":5,"hashes":["CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="]}"#;
    let texts: [(&str, u8, &str); 11] = [
        ("kept proof", 0, &logged.to_text()),
        ("checkpoint", 1, &note),
        ("text of a checkpoint", 2, &checkpoint.text()),
        ("no checkpoint", 2, "log.example/linden\n007\nAAAA\n"),
        ("key", 3, &key),
        ("list of keys", 3, &trusted),
        ("tile", 4, "tile/0/x001/067.p/5"),
        (
            "tile far out",
            4,
            "tile/63/x018/x446/x744/x073/x709/x551/615",
        ),
        (
            "tile that overflows",
            4,
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ),
        ("consistency", 5, answer),
        ("nothing of a tree", 6, ""),
    ];
    texts
        .iter()
        .map(|(name, which, text)| Seed::new(name, [&[*which], text.as_bytes()].concat()))
        .collect()
}

fn trees() -> Vec<Seed> {
    let numbers = |numbers: [u64; 3], rest: &[u8]| {
        let bytes = numbers.map(u64::to_le_bytes).concat();
        [&[6][..], &bytes, rest].concat()
    };
    let sized = |size: u64, level: u8, index: u64| {
        let (size, index) = (size.to_le_bytes(), index.to_le_bytes());
        [&[7][..], &size, &[level], &index, &[2; 20]].concat()
    };
    let endless = [u64::MAX - 1, u64::MAX, u64::MAX];
    vec![
        Seed::new("tree", numbers([3, 5, 9], &[12; 30])),
        Seed::new("tree without end", numbers(endless, &[3; 9])),
        Seed::new("edge", sized(70_000, 1, 1)),
        Seed::new("edge without end", sized(u64::MAX, 255, u64::MAX)),
    ]
}
