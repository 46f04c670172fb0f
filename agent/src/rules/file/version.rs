//! What a rule file needs of the engine.

/// The version of the Falco engine whose language this is.
const ENGINE: [u64; 3] = [0, 63, 0];
/// What is there of Falco's plugins, at the versions whose fields we have.
const PLUGINS: &[(&str, [u64; 3])] = &[("container", [0, 7, 0])];

/// Whether the engine is as new as the file needs it.
pub(super) fn check_engine(required: &str) -> Result<(), String> {
    // A single number is the minor version of `0.N.0`.
    let version = required.parse().map(|minor| [0, minor, 0]).ok().or_else(|| parse(required));
    match version {
        None => Err(format!("Unable to parse engine version '{required}': use a version such as 0.57.0")),
        Some(version) if compatible(version, ENGINE) => Ok(()),
        Some([major, minor, patch]) => {
            let [a, b, c] = ENGINE;
            Err(format!(
                "Rules require engine version {major}.{minor}.{patch}, but engine version is {a}.{b}.{c}"
            ))
        }
    }
}

/// Whether there is a plugin of that name as new as the file needs it.
pub(super) fn has_plugin(name: &str, required: &str) -> bool {
    let required = parse(required);
    PLUGINS.iter().any(|(known, version)| {
        *known == name && required.is_some_and(|required| compatible(required, *version))
    })
}

fn compatible(required: [u64; 3], present: [u64; 3]) -> bool {
    required[0] == present[0] && required <= present
}

fn parse(text: &str) -> Option<[u64; 3]> {
    let mut parts = text.trim().split(['-', '+']).next()?.split('.').map(str::parse);
    let version = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_new_enough_for_what_is_not_newer_and_of_the_same_major_version() {
        for (required, fine) in [
            ("0.57.0", true),
            ("26", true),
            ("0.63.0", true),
            ("0.64.0", false),
            ("99", false),
            ("1.0.0", false),
            ("seven", false),
        ] {
            assert_eq!(check_engine(required).is_ok(), fine, "{required}");
        }
        assert!(has_plugin("container", "0.4.0") && !has_plugin("json", "0.1.0"));
    }
}
