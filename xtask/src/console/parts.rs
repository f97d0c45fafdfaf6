//! Cuts the program into what opening the console needs and parts that are loaded when a page of theirs is first opened. Where it
//! is cut, the console says itself, in `console/src/pages/parts.rs` and `acts.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wasm_split_cli_support::Options;

/// The module that loads the parts, as the main one asks for it.
const LOADER: &str = "./__wasm_split.js";

/// Cuts `compiled` into `folder`; gives the main part, which goes on to wasm-bindgen.
pub(super) fn split(compiled: &[u8], folder: &Path) -> Result<Vec<u8>> {
    let main = folder.join("main.wasm");
    let mut options = Options::new(compiled);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = "./console.js";
    options.link_name = LOADER;
    // The tool has its own kind of error; its words are what counts.
    if let Err(error) = wasm_split_cli_support::transform(options) {
        bail!("the console can't be cut into parts: {error:?}");
    }
    let cut = std::fs::read(&main)?;
    std::fs::remove_file(main)?;
    Ok(cut)
}

/// A part without its names and notes, which only its makers read: these are more than half of it.
pub(super) fn strip(part: &[u8]) -> Result<Vec<u8>> {
    const HEADER_BYTES: usize = 8;
    const CUSTOM_SECTION: u8 = 0;
    let mut rest = part.get(HEADER_BYTES..).context("a part is no wasm")?;
    let mut stripped = part[..HEADER_BYTES].to_vec();
    while let Some((&kind, behind)) = rest.split_first() {
        let (length, length_bytes) = leb128(behind).context("a part's section has no length")?;
        let end = 1 + length_bytes + length;
        let section = rest.get(..end).context("a part ends within a section")?;
        if kind != CUSTOM_SECTION {
            stripped.extend_from_slice(section);
        }
        rest = &rest[end..];
    }
    Ok(stripped)
}

/// An unsigned number as wasm writes it, and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, place + 1));
        }
    }
    None
}

/// Puts the loader of the parts into the module that asks for it: the two ask for each other, so neither could be named for its
/// content. `names` are the parts' new names.
pub(super) fn inline(
    module: &str,
    loader: &str,
    names: &BTreeMap<String, String>,
) -> Result<String> {
    let mut offered = Vec::new();
    let mut body = String::new();
    for line in loader.lines().filter(|line| !line.starts_with("import ")) {
        let own = line.strip_prefix("export ").unwrap_or(line);
        if own.len() < line.len() {
            let name = own.split_whitespace().nth(1).unwrap_or_default();
            offered.push(name.to_owned());
        }
        body.push_str(own);
        body.push('\n');
    }
    for (name, renamed) in names {
        body = body.replace(&format!("\"./{name}\""), &format!("\"./{renamed}\""));
    }
    let offers = offered.join(", ");
    let mut whole = format!("const parts = (() => {{\n{body}return {{ {offers} }};\n}})();\n");
    let asked = format!(" from \"{LOADER}\"");
    let mut is_asked = false;
    for line in module.lines() {
        let import = line.trim_end_matches(';').strip_suffix(&asked);
        let name = import.and_then(|import| import.strip_prefix("import * as "));
        is_asked |= name.is_some();
        let own = name.map(|name| format!("const {name} = parts;"));
        whole.push_str(own.as_deref().unwrap_or(line));
        whole.push('\n');
    }
    if !is_asked || offered.is_empty() {
        bail!("wasm-bindgen's module does not load the console's parts");
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_loses_its_notes_and_nothing_else() {
        let header = b"\0asm\x01\0\0\0".to_vec();
        let note = [0, 3, 1, b'n', 7];
        let code = [10, 2, 1, 1];
        let part = [header.as_slice(), &note, &code, &note].concat();

        assert_eq!(strip(&part).unwrap(), [header.as_slice(), &code].concat());
        assert!(strip(&part[..part.len() - 1]).is_err());
        assert!(strip(b"\0as").is_err());
    }

    #[test]
    fn the_loader_moves_into_the_module_that_asks_for_it() {
        let module = "import * as import1 from \"./__wasm_split.js\"\nconst imports = { \"./__wasm_split.js\": import1 };\nexport { initSync };\n";
        let loader = "import { initSync } from \"./console.js\";\nexport const load_work = fetch(\"./split_work.wasm\");\n";
        let names =
            BTreeMap::from([("split_work.wasm".to_owned(), "parts/work-1.wasm".to_owned())]);

        let whole = inline(module, loader, &names).unwrap();

        assert!(whole.contains("const load_work = fetch(\"./parts/work-1.wasm\");"));
        assert!(whole.contains("return { load_work };"));
        assert!(whole.contains("const import1 = parts;"));
        assert!(!whole.contains(" from "));
    }

    #[test]
    fn a_module_that_loads_no_parts_is_refused() {
        let names = BTreeMap::new();

        assert!(inline("start();", "export const load = 1;", &names).is_err());
    }
}
