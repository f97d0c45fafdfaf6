//! What the console consists of, each file under a name that changes with its content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::parts;

/// Hex digits of the content's hash in a file name: enough to never meet twice by accident.
const HASH_DIGITS: usize = 16;

/// Folders of `assets/` that a browser may ask for. The others (README pictures) stay out.
const SERVED: &[&str] = &["fonts", "icons", "img", "workers"];

/// Folder of the parts that are loaded later, in `assets/`.
pub(super) const PARTS: &str = "parts";

/// Files by their path in the served folder.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Puts together `assets` and what wasm-bindgen made.
    pub(super) fn read(assets: &Path, bound: &Path) -> Result<Self> {
        let mut bundle = Self::default();
        let mut renamed = BTreeMap::new();
        for file in files_under(assets)? {
            let text = file.to_string_lossy().into_owned();
            if SERVED.iter().any(|folder| file.starts_with(folder)) {
                let name = bundle.add_hashed("assets", &text, std::fs::read(assets.join(&file))?);
                renamed.insert(format!("/assets/{text}"), name);
            }
        }

        let style = rename(&stylesheet(&assets.join("css"))?, &renamed);
        let style = bundle.add_hashed("assets", "console.css", style.into_bytes());
        let program = bundle.add_program(bound)?;

        let page = std::fs::read_to_string(assets.join("index.html"))
            .context("cannot read assets/index.html")?;
        let page = fill(&rename(&page, &renamed), &style, &program)?;
        bundle
            .files
            .insert("index.html".to_owned(), page.into_bytes());
        Ok(bundle)
    }

    /// Writes every file.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, bytes)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Adds what wasm-bindgen made and the module that starts it: an inline script would need a
    /// hole in the content security policy.
    fn add_program(&mut self, bound: &Path) -> Result<Program> {
        let wasm = std::fs::read(bound.join("console_bg.wasm"))
            .context("wasm-bindgen made no console_bg.wasm")?;
        let wasm = self.add_hashed("assets", "console.wasm", wasm);
        let module = std::fs::read_to_string(bound.join("console.js"))
            .context("wasm-bindgen made no console.js")?;
        let snippets = self.add_snippets(&bound.join("snippets"))?;
        let module = module.replace("./snippets/", &format!("./{snippets}/"));
        let loader = std::fs::read_to_string(bound.join("__wasm_split.js"))
            .context("the console was not cut into parts")?;
        let module = parts::inline(&module, &loader, &self.add_parts(bound)?)?;
        let module = without_indents(&module);
        let module = self.add_hashed("assets", "console.js", module.into_bytes());
        let start =
            format!("import start from {module:?};\nstart({{ module_or_path: {wasm:?} }});\n");
        let start = self.add_hashed("assets", "start.js", start.into_bytes());
        Ok(Program {
            start,
            module,
            wasm,
        })
    }

    /// Adds the parts that are loaded later; gives their names as the program's folder knows them.
    fn add_parts(&mut self, bound: &Path) -> Result<BTreeMap<String, String>> {
        let mut renamed = BTreeMap::new();
        for file in files_under(bound)? {
            let name = file.to_string_lossy().into_owned();
            let is_part = name.starts_with("split_") || name.starts_with("chunk_");
            if is_part {
                let part = parts::strip(&std::fs::read(bound.join(&file))?)?;
                let address = self.add_hashed("assets", &format!("{PARTS}/{name}"), part);
                let within = address.replacen("/assets/", "", 1);
                renamed.insert(name, within);
            }
        }
        Ok(renamed)
    }

    /// Adds the scripts that crates bring along, under one folder that is named for all of them.
    fn add_snippets(&mut self, folder: &Path) -> Result<String> {
        let mut files = Vec::new();
        let mut all = Vec::new();
        if folder.is_dir() {
            for file in files_under(folder)? {
                let content = std::fs::read(folder.join(&file))?;
                all.extend_from_slice(&content);
                files.push((file, content));
            }
        }
        let name = hashed_name("snippets", &all);
        for (file, content) in files {
            let path = format!("assets/{name}/{}", file.to_string_lossy());
            self.files.insert(path, content);
        }
        Ok(name)
    }

    /// Adds a file and returns the address that its content gives it.
    fn add_hashed(&mut self, folder: &str, name: &str, content: Vec<u8>) -> String {
        let name = format!("{folder}/{}", hashed_name(name, &content));
        self.files.insert(name.clone(), content);
        format!("/{name}")
    }
}

/// The addresses of the three files that run.
#[derive(Debug)]
struct Program {
    start: String,
    module: String,
    wasm: String,
}

/// Every file below `folder`, as paths relative to it, in the order of their names.
pub(super) fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let entries =
            std::fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// All style sheets as one, in the order of their names, without what only their makers read.
fn stylesheet(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for file in files_under(folder)? {
        if file.extension().is_some_and(|extension| extension == "css") {
            let written = std::fs::read_to_string(folder.join(&file))?;
            text.push_str(&without_indents(&without_comments(&written)));
        }
    }
    Ok(text)
}

/// A text without the space around its lines, which says nothing in a style sheet or a module. No text in one goes over lines.
fn without_indents(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A style sheet without its comments. None of ours has such marks within a text.
fn without_comments(style: &str) -> String {
    let mut parts = style.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once("*/").map_or("", |(_comment, rest)| rest)
    })
}

/// `inter.woff2` becomes `inter-0123456789abcdef.woff2`.
fn hashed_name(name: &str, content: &[u8]) -> String {
    let hash = hex::encode(Sha256::digest(content));
    let hash = &hash[..HASH_DIGITS];
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{hash}.{extension}"),
        None => format!("{name}-{hash}"),
    }
}

/// Replaces addresses by their hashed ones; the longest first, lest one be the start of another.
fn rename(text: &str, renamed: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (address, hashed) in renamed.iter().rev() {
        text = text.replace(address, hashed);
    }
    text
}

/// Fills the page's placeholders. A page that does not start the console is a mistake.
fn fill(page: &str, style: &str, program: &Program) -> Result<String> {
    for needed in ["%SCRIPT%", "%STYLE%"] {
        if !page.contains(needed) {
            bail!("assets/index.html has no {needed}");
        }
    }
    Ok(page
        .replace("%SCRIPT%", &program.start)
        .replace("%STYLE%", style)
        .replace("%MODULE%", &program.module)
        .replace("%WASM%", &program.wasm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn sample() -> (tempfile::TempDir, tempfile::TempDir) {
        let assets = tempfile::tempdir().unwrap();
        write(
            assets.path(),
            "index.html",
            "<link href=\"%STYLE%\"><link href=\"/assets/icons/mark.svg\"><script src=\"%SCRIPT%\">",
        );
        write(assets.path(), "css/2-page.css", "/* a\n note */\n  b{}\n");
        write(
            assets.path(),
            "css/1-base.css",
            "@font-face{src:url(/assets/fonts/inter.woff2)}",
        );
        write(assets.path(), "fonts/inter.woff2", "font");
        write(assets.path(), "icons/mark.svg", "<svg/>");
        write(assets.path(), "readme/fleet.png", "picture");

        let bound = tempfile::tempdir().unwrap();
        write(bound.path(), "console_bg.wasm", "wasm");
        write(
            bound.path(),
            "console.js",
            "import { a } from './snippets/part-12/inline0.js';\nimport * as import1 from \"./__wasm_split.js\"\n",
        );
        write(
            bound.path(),
            "__wasm_split.js",
            "export const load = \"./split_work.wasm\";\n",
        );
        write(bound.path(), "split_work.wasm", "\0asm\u{1}\0\0\0");
        write(bound.path(), "snippets/part-12/inline0.js", "snippet");
        (assets, bound)
    }

    #[test]
    fn every_file_but_the_page_is_named_for_its_content() {
        let (assets, bound) = sample();

        let bundle = Bundle::read(assets.path(), bound.path()).unwrap();

        for (name, content) in &bundle.files {
            if name != "index.html" {
                let hash = hex::encode(Sha256::digest(content));
                assert!(name.contains(&hash[..HASH_DIGITS]), "{name}");
            }
        }
        assert!(!bundle.files.keys().any(|name| name.contains("fleet")));
    }

    #[test]
    fn every_address_in_page_and_style_is_of_a_file_that_exists() {
        let (assets, bound) = sample();

        let bundle = Bundle::read(assets.path(), bound.path()).unwrap();

        let page = String::from_utf8(bundle.files["index.html"].clone()).unwrap();
        let (_, style) = bundle
            .files
            .iter()
            .find(|(name, _)| name.contains("console-") && name.contains(".css"))
            .unwrap();
        let style = String::from_utf8(style.clone()).unwrap();
        let addresses: Vec<&str> = page
            .split(['"', '(', ')'])
            .chain(style.split(['"', '(', ')']))
            .filter(|word| word.starts_with("/assets/"))
            .collect();
        assert_eq!(addresses.len(), 4, "{addresses:?}");
        for address in addresses {
            assert!(bundle.files.contains_key(&address[1..]), "{address}");
        }
    }

    #[test]
    fn a_script_that_a_crate_brings_is_found_by_its_new_name() {
        let (assets, bound) = sample();

        let bundle = Bundle::read(assets.path(), bound.path()).unwrap();

        let (_, module) = bundle
            .files
            .iter()
            .find(|(name, _)| name.starts_with("assets/console-") && name.contains(".js"))
            .unwrap();
        let module = String::from_utf8(module.clone()).unwrap();
        let asked = module.split('\'').nth(1).unwrap();
        let name = asked.replace("./", "assets/");
        assert!(bundle.files.contains_key(&name), "{name}");
    }

    #[test]
    fn a_part_is_found_by_its_new_name() {
        let (assets, bound) = sample();

        let bundle = Bundle::read(assets.path(), bound.path()).unwrap();

        let named = |start: &str| {
            let mut files = bundle.files.iter();
            files.find(|(name, _)| name.starts_with(start)).unwrap()
        };
        let (part, _) = named("assets/parts/split_work-");
        let (_, module) = named("assets/console-");
        let asked = part.replacen("assets/", "\"./", 1) + "\"";
        let modules = bundle.files.iter().filter(|(name, _)| name.contains(".js"));
        let is_asked = modules
            .map(|(_, module)| String::from_utf8_lossy(module).into_owned())
            .any(|module| module.contains(&asked));
        assert!(is_asked, "{asked} in {module:?}");
    }

    #[test]
    fn style_sheets_are_joined_in_the_order_of_their_names() {
        let (assets, _) = sample();

        let style = stylesheet(&assets.path().join("css")).unwrap();

        assert!(style.find("@font-face").unwrap() < style.find("b{}").unwrap());
        assert!(
            !style.contains("note") && style.ends_with("\nb{}\n"),
            "{style}"
        );
    }

    #[test]
    fn a_page_that_does_not_start_the_console_is_refused() {
        let program = Program {
            start: "/s.js".to_owned(),
            module: "/m.js".to_owned(),
            wasm: "/w.wasm".to_owned(),
        };

        let error = fill("<p>%STYLE%</p>", "/c.css", &program).unwrap_err();

        assert!(error.to_string().contains("%SCRIPT%"));
    }
}
