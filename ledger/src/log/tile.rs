//! Tiles (C2SP tlog-tiles): the tree cut into pieces of 256 hashes, under paths that never change what they hold.

use std::{fmt, str::FromStr};

use super::{
    checkpoint::decimal,
    tree::{Frontier, Hash, Node, root_of},
};

/// A tile spans this many levels of the tree.
const TILE_HEIGHT: u8 = 8;

/// Hashes of a full tile.
pub const TILE_WIDTH: u16 = 1 << TILE_HEIGHT;

/// The same, for indices.
const WIDTH: u64 = 1 << TILE_HEIGHT;

/// The specification counts levels so far; a tree of 2⁶⁴ leaves ends at 7.
const LAST_LEVEL: u8 = 63;

/// Levels at which a tree of 64-bit size has tiles.
const LEVELS: u8 = 8;

/// Which tile. Written as its path, "tile/0/x001/067" or "tile/0/x001/067.p/5".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 for tiles of leaf hashes. Each hash one level up stands for a full tile.
    pub level: u8,
    /// Its place among the tiles of its level, from 0.
    pub index: u64,
    /// How many hashes: [`TILE_WIDTH`], or fewer in the last tile of a level.
    pub width: u16,
}

/// The text is no path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile")]
pub struct NoTile;

impl TileId {
    /// The tile in the tree of `size` leaves with this place; absent where the tree has none.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size
            .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
            .unwrap_or(0);
        let width = hashes.saturating_sub(index.checked_mul(WIDTH)?).min(WIDTH);
        let width = u16::try_from(width).ok().filter(|width| *width > 0)?;
        Some(Self {
            level,
            index,
            width,
        })
    }

    /// The tile of the tree of `size` leaves from which the hash of `node` follows.
    pub fn of(node: Node, size: u64) -> Option<Self> {
        let level = node.level / TILE_HEIGHT;
        let first = node.index.checked_mul(1 << (node.level % TILE_HEIGHT))?;
        Self::in_tree(level, first / WIDTH, size)
    }

    /// Whether nothing will ever be added to it.
    pub const fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = vec![format!("{:03}", self.index % 1_000)];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        groups.reverse();
        write!(formatter, "tile/{}/{}", self.level, groups.join("/"))?;
        if self.is_full() {
            return Ok(());
        }
        write!(formatter, ".p/{}", self.width)
    }
}

impl FromStr for TileId {
    type Err = NoTile;

    fn from_str(path: &str) -> Result<Self, NoTile> {
        let tile = read(path).ok_or(NoTile)?;
        // One tile, one path: caches and clients may rely on it.
        (tile.to_string() == path).then_some(tile).ok_or(NoTile)
    }
}

fn read(path: &str) -> Option<TileId> {
    let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let level = u8::try_from(decimal(level)?).ok()?;
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, u16::try_from(decimal(width)?).ok()?),
        None => (rest, TILE_WIDTH),
    };
    let mut index = 0_u64;
    for group in groups.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let digits: u64 = digits.parse().ok().filter(|digits| *digits < 1_000)?;
        index = index.checked_mul(1_000)?.checked_add(digits)?;
    }
    let is_one = level <= LAST_LEVEL && (1..=TILE_WIDTH).contains(&width);
    is_one.then_some(TileId {
        level,
        index,
        width,
    })
}

/// A tile and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    id: TileId,
    hashes: Vec<Hash>,
}

impl Tile {
    /// The tile with these hashes; absent unless there are as many as it is wide.
    pub fn new(id: TileId, hashes: Vec<Hash>) -> Option<Self> {
        (usize::from(id.width) == hashes.len()).then_some(Self { id, hashes })
    }

    /// The tile with these bytes, as they are served and stored.
    pub fn from_bytes(id: TileId, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        Self::new(id, hashes.to_vec()).filter(|_| rest.is_empty())
    }

    /// Its hashes, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }

    /// Which tile.
    pub const fn id(&self) -> TileId {
        self.id
    }

    /// Its hashes from the left.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The hash over all of it: what stands for a full tile one level up.
    pub fn root(&self) -> Hash {
        root_of(&self.hashes)
    }

    /// The hash of `node`, if it is in this tile or between its hashes and its root.
    pub fn hash_of(&self, node: Node) -> Option<Hash> {
        let bottom = self.id.level.checked_mul(TILE_HEIGHT)?;
        let above = node.level.checked_sub(bottom)?;
        if above >= TILE_HEIGHT {
            return None;
        }
        let first = node.index.checked_mul(1 << above)?;
        let first = first.checked_sub(self.id.index.checked_mul(WIDTH)?)?;
        let first = usize::try_from(first).ok()?;
        let hashes = self.hashes.get(first..first.checked_add(1 << above)?)?;
        Some(root_of(hashes))
    }
}

/// The right edge of a tree in tiles: the hashes of the tiles that are not full yet. Grows, and gives the tiles that fill up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightEdge {
    frontier: Frontier,
    /// By level; no trailing empty ones.
    partial: Vec<Vec<Hash>>,
}

/// A tree of this size has other tiles at its right edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves has not these tiles at its edge")]
pub struct WrongEdge {
    /// How many leaves.
    pub size: u64,
}

impl RightEdge {
    /// Which tiles of a tree of `size` leaves are not full, from level 0 up.
    pub fn tiles_of(size: u64) -> Vec<TileId> {
        (0..LEVELS)
            .filter_map(|level| {
                let index = size >> (u32::from(level) * u32::from(TILE_HEIGHT)) >> TILE_HEIGHT;
                TileId::in_tree(level, index, size)
            })
            .collect()
    }

    /// The edge of a tree of `size` leaves, from the tiles that [`RightEdge::tiles_of`] names.
    pub fn from_tiles(size: u64, tiles: Vec<Tile>) -> Result<Self, WrongEdge> {
        let ids: Vec<TileId> = tiles.iter().map(Tile::id).collect();
        if ids != Self::tiles_of(size) {
            return Err(WrongEdge { size });
        }
        let mut partial = Vec::new();
        let mut peaks = Vec::new();
        for tile in tiles {
            partial.resize(usize::from(tile.id.level), Vec::new());
            peaks.push(peaks_of(&tile.hashes));
            partial.push(tile.hashes);
        }
        // The topmost tile holds the largest subtrees.
        let peaks = peaks.into_iter().rev().flatten().collect();
        let frontier = Frontier::from_peaks(size, peaks).map_err(|_wrong| WrongEdge { size })?;
        Ok(Self { frontier, partial })
    }

    /// Adds a leaf; the tiles that it fills are added to `full`.
    pub fn append(&mut self, leaf: Hash, full: &mut Vec<Tile>) {
        self.frontier.append(leaf);
        let mut hash = leaf;
        for level in 0..LEVELS {
            if self.partial.len() <= usize::from(level) {
                self.partial.push(Vec::new());
            }
            let hashes = &mut self.partial[usize::from(level)];
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let height = u32::from(level + 1) * u32::from(TILE_HEIGHT);
            let tiles_there = self.frontier.size().checked_shr(height).unwrap_or(1);
            let id = TileId {
                level,
                index: tiles_there - 1,
                width: TILE_WIDTH,
            };
            let hashes = std::mem::take(hashes);
            let tile = Tile { id, hashes };
            hash = tile.root();
            full.push(tile);
        }
    }

    /// The few hashes that the tree's root follows from.
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }
}

/// The complete subtrees over the hashes of one tile, largest first.
fn peaks_of(mut hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    while let Some(level) = hashes.len().checked_ilog2() {
        let (first, rest) = hashes.split_at(1 << level);
        peaks.push(root_of(first));
        hashes = rest;
    }
    peaks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{
        super::{
            entry::entry_hash,
            proof::{
                TreeHead, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
            },
        },
        *,
    };

    fn leaf(index: u64) -> Hash {
        entry_hash(&index.to_be_bytes())
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        for (path, level, index, width) in [
            ("tile/0/000", 0, 0, 256),
            ("tile/0/x001/x234/067", 0, 1_234_067, 256),
            ("tile/1/x001/000.p/17", 1, 1_000, 17),
            ("tile/63/999.p/255", 63, 999, 255),
        ] {
            let tile = TileId {
                level,
                index,
                width,
            };
            assert_eq!(path.parse(), Ok(tile));
            assert_eq!(tile.to_string(), path);
        }
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/1",
            "tile/0/0001",
            "tile/00/001",
            "tile/64/001",
            "tile/0/001/067",
            "tile/0/x001",
            "tile/0/x000/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/05",
            "tile/0/001.p/",
            "tile/0/x1/067",
            "tile/0/+01",
            "tile/entries/000",
            "tile/0/x99/x999/x999/x999/x999/x999/999",
            "tile/-1/000",
            "/tile/0/000",
        ] {
            assert_eq!(path.parse::<TileId>(), Err(NoTile), "{path}");
        }
    }

    #[test]
    fn a_tree_of_seventy_thousand_has_the_tiles_of_the_specification() {
        let widths = |level, index| TileId::in_tree(level, index, 70_000).map(|tile| tile.width);

        assert_eq!(widths(0, 272), Some(256));
        assert_eq!(widths(0, 273), Some(112));
        assert_eq!(widths(0, 274), None);
        assert_eq!(widths(1, 0), Some(256));
        assert_eq!(widths(1, 1), Some(17));
        assert_eq!(widths(2, 0), Some(1));
        assert_eq!(widths(3, 0), None);
        assert_eq!(widths(63, u64::MAX), None);
    }

    /// A store of tiles, filled as a sequencer fills it.
    struct Store {
        edge: RightEdge,
        leaves: Vec<Hash>,
        full: BTreeMap<(u8, u64), Tile>,
    }

    impl Store {
        fn of(size: u64) -> Self {
            let mut store = Self {
                edge: RightEdge::default(),
                leaves: (0..size).map(leaf).collect(),
                full: BTreeMap::new(),
            };
            for leaf in &store.leaves {
                let mut full = Vec::new();
                store.edge.append(*leaf, &mut full);
                let tiles = full
                    .into_iter()
                    .map(|tile| ((tile.id.level, tile.id.index), tile));
                store.full.extend(tiles);
            }
            store
        }

        /// As a client has it for a tree of `size`: a tile's first hashes where it is fuller today.
        fn tile(&self, id: TileId) -> Tile {
            let hashes = if let Some(tile) = self.full.get(&(id.level, id.index)) {
                tile.hashes.clone()
            } else if id.level == 0 {
                self.leaves[usize::try_from(id.index * WIDTH).unwrap()..].to_vec()
            } else {
                let below = self
                    .full
                    .range((id.level - 1, id.index * WIDTH)..(id.level, 0));
                below.map(|(_, tile)| tile.root()).collect()
            };
            Tile::new(id, hashes[..usize::from(id.width)].to_vec()).unwrap()
        }

        fn hash_of(&self, node: Node, size: u64) -> Option<Hash> {
            self.tile(TileId::of(node, size)?).hash_of(node)
        }
    }

    #[test]
    fn proofs_of_every_size_can_be_made_from_tiles_alone() {
        const SIZE: u64 = 66_100;
        let store = Store::of(SIZE);
        let head = |size: u64| TreeHead {
            size,
            root: root_of(&store.leaves[..usize::try_from(size).unwrap()]),
        };

        for (old, new) in [
            (1, 256),
            (255, 257),
            (256, 65_536),
            (300, 65_537),
            (65_535, SIZE),
        ] {
            let consistency = prove_consistency(old, new, |node| store.hash_of(node, new)).unwrap();
            assert_eq!(
                verify_consistency(&head(old), &head(new), &consistency),
                Ok(())
            );
            for index in [0, old - 1, old.min(new - 1), new - 1] {
                let inclusion = prove_inclusion(index, new, |node| store.hash_of(node, new));
                let holds = verify_inclusion(&leaf(index), index, &head(new), &inclusion.unwrap());
                assert_eq!(holds, Ok(()), "{index} in {new}");
            }
        }
    }

    #[test]
    fn an_edge_is_found_again_from_its_tiles_and_from_no_others() {
        for size in [0, 1, 255, 256, 257, 65_536, 65_793] {
            let store = Store::of(size);
            let tiles: Vec<Tile> = RightEdge::tiles_of(size)
                .into_iter()
                .map(|id| store.tile(id))
                .collect();

            let again = RightEdge::from_tiles(size, tiles.clone()).unwrap();

            assert_eq!(again.frontier(), store.edge.frontier());
            let (mut full, mut full_again) = (Vec::new(), Vec::new());
            let (mut edge, mut edge_again) = (store.edge, again);
            for index in size..size + 300 {
                edge.append(leaf(index), &mut full);
                edge_again.append(leaf(index), &mut full_again);
            }
            assert_eq!(full, full_again);
            assert_eq!(edge.frontier(), edge_again.frontier());
            assert!(RightEdge::from_tiles(size + 1, tiles).is_err());
        }
    }

    proptest! {
        #[test]
        fn every_tile_has_one_path(level in 0..=LAST_LEVEL, index: u64, width in 1..=TILE_WIDTH) {
            let tile = TileId { level, index, width };

            prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        }

        #[test]
        fn no_path_breaks_the_reader(path in "tile/[0-9]{1,3}/[x0-9/.p]{0,30}") {
            if let Ok(tile) = path.parse::<TileId>() {
                prop_assert_eq!(tile.to_string(), path);
            }
        }
    }
}
