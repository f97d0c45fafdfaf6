//! Compressed copies beside each file, and what a visit weighs.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::bundle::{PARTS, files_under};

/// Compressing once for every visit is worth the slowest setting.
const BROTLI_QUALITY: i32 = 11;

/// Brotli's largest standard window: covers the wasm file in one.
const BROTLI_WINDOW_BITS: i32 = 24;

/// What compresses; fonts and pictures are compressed already.
const PRESSED: &[&str] = &["html", "css", "js", "wasm", "svg", "json"];

/// Writes `.br` and `.gz` beside every file that gains by it.
pub(super) fn press(folder: &Path) -> Result<()> {
    for file in files_under(folder)? {
        if !is_pressed(&file) {
            continue;
        }
        let path = folder.join(&file);
        let content = std::fs::read(&path)?;
        let name = path.to_string_lossy();

        let parameters = brotli::enc::BrotliEncoderParams {
            quality: BROTLI_QUALITY,
            lgwin: BROTLI_WINDOW_BITS,
            size_hint: content.len(),
            ..Default::default()
        };
        let mut brotli = File::create(format!("{name}.br"))?;
        brotli::BrotliCompress(&mut content.as_slice(), &mut brotli, &parameters)
            .with_context(|| format!("cannot compress {name}"))?;

        let gzip = File::create(format!("{name}.gz"))?;
        let mut gzip = GzEncoder::new(gzip, Compression::best());
        gzip.write_all(&content)?;
        gzip.finish()?;
    }
    Ok(())
}

/// What a browser downloads that opens the console for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) brotli: u64,
    pub(crate) raw: u64,
    /// What comes later, all pages together, compressed.
    pub(crate) later: u64,
}

impl Weight {
    /// Adds up a built console.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let mut weight = Self {
            brotli: 0,
            raw: 0,
            later: 0,
        };
        for file in files_under(folder)? {
            let extension = file.extension().unwrap_or_default();
            if extension == "br" || extension == "gz" {
                continue;
            }
            let path = folder.join(&file);
            let raw = path.metadata()?.len();
            let brotli = if is_pressed(&file) {
                let pressed = format!("{}.br", path.display());
                std::fs::metadata(&pressed)
                    .with_context(|| format!("cannot read {pressed}"))?
                    .len()
            } else {
                raw
            };
            if file.starts_with(Path::new("assets").join(PARTS)) {
                weight.later += brotli;
            } else {
                weight.raw += raw;
                weight.brotli += brotli;
            }
        }
        Ok(weight)
    }

    pub(crate) fn in_words(self) -> String {
        format!(
            "{} KB brotli, {} KB raw; pages later {} KB",
            self.brotli / 1024,
            self.raw / 1024,
            self.later / 1024
        )
    }
}

fn is_pressed(file: &Path) -> bool {
    file.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| PRESSED.contains(&extension))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn both_copies_unpack_to_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let text = "lease refused, lease granted. ".repeat(200);
        std::fs::write(folder.path().join("page.js"), &text).unwrap();

        press(folder.path()).unwrap();

        let mut from_brotli = Vec::new();
        let mut pressed = File::open(folder.path().join("page.js.br")).unwrap();
        brotli::BrotliDecompress(&mut pressed, &mut from_brotli).unwrap();
        let mut from_gzip = String::new();
        let pressed = File::open(folder.path().join("page.js.gz")).unwrap();
        flate2::read::GzDecoder::new(pressed)
            .read_to_string(&mut from_gzip)
            .unwrap();
        assert_eq!(from_brotli, text.as_bytes());
        assert_eq!(from_gzip, text);
    }

    #[test]
    fn a_visit_weighs_the_compressed_text_and_the_raw_fonts_and_not_what_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("page.css"), "b{}".repeat(1000)).unwrap();
        std::fs::write(folder.path().join("inter.woff2"), [7; 500]).unwrap();
        std::fs::create_dir_all(folder.path().join("assets/parts")).unwrap();
        let part = folder.path().join("assets/parts/work.wasm");
        std::fs::write(&part, [8; 900]).unwrap();
        press(folder.path()).unwrap();
        let css = folder.path().join("page.css.br").metadata().unwrap().len();

        let later = std::fs::metadata(format!("{}.br", part.display()));
        let later = later.unwrap().len();

        let weight = Weight::of(folder.path()).unwrap();

        assert_eq!(
            weight,
            Weight {
                brotli: css + 500,
                raw: 3500,
                later
            }
        );
        assert!(!folder.path().join("inter.woff2.br").exists());
    }
}
