//! The console's files on disk, and the list of them that everybody can compare with the log.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use protocol::console_code::{ConsoleFiles, ConsoleHash};

/// Files that hold others in a smaller form: what comes of them is listed already.
const PRESSED: [&str; 2] = ["br", "gz"];

/// Folders below one another at most: the console has two, and a link that leads in a circle ends.
const MOST_DEEP: usize = 8;

/// What the gateway serves to browsers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ConsoleBundle {
    folder: Arc<Path>,
    /// None where the folder could not be read.
    list: Option<Arc<str>>,
}

impl ConsoleBundle {
    /// Reads every file once. One that can't be read leaves the bundle without a list: the console works all the same.
    pub fn at(folder: PathBuf) -> Self {
        let list = match list_of(&folder) {
            Ok(list) => Some(list.into()),
            Err(error) => {
                let folder = folder.display();
                tracing::warn!(%folder, %error, "the console's files can't be read, and are not named in the log");
                None
            }
        };
        Self {
            folder: folder.into(),
            list,
        }
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A line for each file, as [`ConsoleFiles::list`] has it.
    pub fn list(&self) -> Option<&str> {
        self.list.as_deref()
    }

    /// What the log calls it.
    pub fn hash(&self) -> Option<ConsoleHash> {
        self.list().map(ConsoleHash::of)
    }
}

fn list_of(folder: &Path) -> io::Result<String> {
    let mut files = ConsoleFiles::default();
    add(&mut files, folder, "", MOST_DEEP)?;
    Ok(files.list())
}

fn add(files: &mut ConsoleFiles, folder: &Path, before: &str, deep: usize) -> io::Result<()> {
    if deep == 0 {
        return Err(io::Error::other("folders below folders without end"));
    }
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let is_pressed = path
            .extension()
            .is_some_and(|ending| PRESSED.iter().any(|pressed| ending == *pressed));
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(io::Error::other("a name that is no text"));
        };
        let name = format!("{before}{name}");
        if path.is_dir() {
            add(files, &path, &format!("{name}/"), deep - 1)?;
        } else if !is_pressed {
            files.add(name, &std::fs::read(&path)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_below_its_folders_and_no_smaller_form_of_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("assets/fonts")).unwrap();
        for (name, content) in [
            ("index.html", "the page"),
            ("assets/app-1f.js", "code"),
            ("assets/app-1f.js.br", "smaller"),
            ("assets/app-1f.js.gz", "smaller"),
            ("assets/fonts/one.woff2", "letters"),
        ] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }

        let bundle = ConsoleBundle::at(folder.path().to_owned());

        let names: Vec<&str> = (bundle.list().unwrap().lines())
            .map(|line| &line[66..])
            .collect();
        let expected = ["assets/app-1f.js", "assets/fonts/one.woff2", "index.html"];
        assert_eq!(names, expected);
        let before = bundle.hash();
        std::fs::write(folder.path().join("assets/app-1f.js"), "other code").unwrap();
        assert_ne!(ConsoleBundle::at(folder.path().to_owned()).hash(), before);
    }

    #[test]
    fn what_can_not_be_read_has_no_list() {
        let bundle = ConsoleBundle::at(PathBuf::from("/nowhere/console"));

        assert_eq!((bundle.list(), bundle.hash()), (None, None));
    }
}
