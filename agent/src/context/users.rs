//! Names of users and groups.

use std::collections::HashMap;

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
