//! Where rules come from.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path, or `embedded:holdfast.yaml`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The rules that are part of the agent.
#[must_use]
pub fn embedded() -> Vec<Source> {
    let text = include_str!("../../rules/holdfast.yaml").to_owned();
    vec![Source { name: "embedded:holdfast.yaml".to_owned(), text }]
}

/// A rule file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there, or not readable.
    #[error("cannot read the rules in `{path}`: give a rule file, or a folder with *.yaml files, that exists and is readable", path = .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is too large.
    #[error("the rule file `{path}` is larger than {MAX_BYTES} bytes: split it", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// Largest rule file, in bytes: a hundred times the largest that is published. A wrong path must not fill the memory.
const MAX_BYTES: u64 = 16 << 20;

/// Reads rule files in the order given; a folder gives its `*.yaml` and `*.yml` in the order of their names.
///
/// # Errors
/// A path that is not there or not readable.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Source>, ReadError> {
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in files_in(path).map_err(|source| ReadError::Read { path: path.clone(), source })? {
                sources.push(read_file(&file)?);
            }
        } else {
            sources.push(read_file(path)?);
        }
    }
    Ok(sources)
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let is_rules = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let mut files: Vec<_> = entries?.into_iter().filter(|path| is_rules(path) && path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Source, ReadError> {
    let failed = |source| ReadError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { path: path.to_owned() });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    Ok(Source { name: path.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_rule_files_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for name in ["b.yaml", "a.yml", "notes.txt"] {
            fs::write(folder.path().join(name), name).expect("the folder is writable");
        }
        let sources = read(&[folder.path().to_owned()]).expect("the folder is readable");
        assert_eq!(sources.iter().map(|source| &*source.text).collect::<Vec<_>>(), ["a.yml", "b.yaml"]);
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let error = read(&["/nowhere/rules.yaml".into()]).map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("/nowhere/rules.yaml")));
    }
}
