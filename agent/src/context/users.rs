//! Names of users and groups.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The names of users and groups of the node, by id.
#[derive(Clone, Debug, Default)]
pub struct Users {
    users: HashMap<u32, Box<str>>,
    groups: HashMap<u32, Box<str>>,
}

impl Users {
    /// Name of the user, if it has one.
    #[must_use]
    pub fn user(&self, uid: u32) -> Option<&str> {
        self.users.get(&uid).map(AsRef::as_ref)
    }

    /// Name of the group, if it has one.
    #[must_use]
    pub fn group(&self, gid: u32) -> Option<&str> {
        self.groups.get(&gid).map(AsRef::as_ref)
    }

    /// Reads the text of `/etc/passwd` and `/etc/group`. Lines that are not of that form are passed over.
    #[must_use]
    pub fn parse(passwd: &str, group: &str) -> Self {
        Self { users: names(passwd), groups: names(group) }
    }
}

/// `name:password:id:...`, the form that both files share.
fn names(text: &str) -> HashMap<u32, Box<str>> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut parts = line.split(':');
        if let (Some(name), Some(_), Some(Ok(id))) =
            (parts.next(), parts.next(), parts.next().map(str::parse))
        {
            // The first line of an id wins, as in getpwuid(3).
            names.entry(id).or_insert_with(|| name.into());
        }
    }
    names
}

/// The node's files, read again when they change.
#[derive(Debug)]
pub(super) struct UserFiles {
    passwd: PathBuf,
    group: PathBuf,
    read: Option<[Option<SystemTime>; 2]>,
    pub(super) users: Users,
}

impl UserFiles {
    /// `root` is where the node's root file system is seen: `/` on the node itself, a mount of it in a pod.
    pub(super) fn new(root: &Path) -> Self {
        let mut files = Self {
            passwd: root.join("etc/passwd"),
            group: root.join("etc/group"),
            read: None,
            users: Users::default(),
        };
        files.refresh();
        files
    }

    /// Reads the files if they have changed. A file that cannot be read gives no names: rules then see `<NA>`.
    pub(super) fn refresh(&mut self) {
        let changed =
            [&self.passwd, &self.group].map(|path| fs::metadata(path).and_then(|meta| meta.modified()).ok());
        if self.read == Some(changed) {
            return;
        }
        let text = |path| {
            fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
        };
        self.users = Users::parse(&text(&self.passwd), &text(&self.group));
        self.read = Some(changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("etc")).expect("made");
        let passwd = root.path().join("etc/passwd");
        fs::write(&passwd, "root:x:0:0::/:/bin/sh\nbroken\nroot2:x:0:0::/:/bin/sh\n").expect("written");
        let mut files = UserFiles::new(root.path());
        assert_eq!((files.users.user(0), files.users.user(7)), (Some("root"), None));
        fs::write(&passwd, "seven:x:7:0::/:/bin/sh\n").expect("written");
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        fs::File::options()
            .append(true)
            .open(&passwd)
            .and_then(|file| file.set_modified(later))
            .expect("set");
        files.refresh();
        assert_eq!((files.users.user(0), files.users.user(7)), (None, Some("seven")));
    }
}
