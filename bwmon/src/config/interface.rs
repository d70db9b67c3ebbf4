//! Names of interfaces, and patterns that stand for several.

/// Most bytes of a name, a terminating zero aside (`IFNAMSIZ` of the kernel).
const MAX_BYTES: usize = 15;

/// The text is neither a name nor a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterfaceError {
    /// It is empty.
    #[error("an interface name can't be empty; leave the key out to find interfaces automatically")]
    Empty,
    /// It is longer than a name can be.
    #[error("{0:?} is longer than the {MAX_BYTES} bytes an interface name may have")]
    TooLong(String),
    /// The kernel allows no such name.
    #[error(
        "{0:?} can't be an interface name; write a name such as \"br-lan\" or a pattern such as \
         \"eth*\", without '/', ':', spaces or control characters"
    )]
    Invalid(String),
}

/// Whether an interface called `name` is meant by `pattern`: a name, in which `*` stands for any
/// characters or none, and `?` for one.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // After the latest `*`, and the first character it does not stand for.
    let mut retry = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, n));
            }
            Some(&wanted) if wanted == '?' || wanted == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, first)) = retry else {
                    return false;
                };
                (p, n) = (after, first + 1);
                retry = Some((p, n));
            }
        }
    }
    pattern[p..].iter().all(|&rest| rest == '*')
}

/// Checks that `text` is a name the kernel allows, or a pattern that can stand for one.
pub(super) fn check(text: &str) -> Result<String, InterfaceError> {
    let owned = || text.to_owned();
    let refused = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    if text.is_empty() {
        return Err(InterfaceError::Empty);
    }
    if text == "." || text == ".." || text.contains(refused) {
        return Err(InterfaceError::Invalid(owned()));
    }
    if text.bytes().filter(|&byte| byte != b'*').count() > MAX_BYTES {
        return Err(InterfaceError::TooLong(owned()));
    }
    Ok(owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(pattern: &str, name: &str, expected: bool) {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }

    #[test]
    fn patterns_match_names() {
        row("eth0", "eth0", true);
        row("eth0", "eth01", false);
        row("eth0", "eth", false);
        row("eth*", "eth0", true);
        row("eth*", "eth", true);
        row("eth*", "veth0", false);
        row("*eth*", "veth0", true);
        row("*", "", true);
        row("?", "", false);
        row("eth?", "eth0", true);
        row("eth?", "eth10", false);
        row("*.100", "eth0.100", true);
        row("*.100", "eth0.1001", false);
        row("a*b*c", "aXbYbZc", true);
        row("a*b*c", "aXbYbZ", false);
        row("?*?", "ab", true);
        row("?*?", "a", false);
        row("wlan?", "wlané", true);
        row("[eth]*", "eth0", false);
        row("*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaa", false);
    }

    #[test]
    fn names_that_the_kernel_refuses_are_refused() {
        for text in [
            "br-lan",
            "eth0.100",
            "eth*",
            "?",
            "exactly15bytes_",
            "wg0@x",
            "*a*b*c*d*e*f*g*h*",
        ] {
            assert_eq!(check(text).as_deref(), Ok(text));
        }
        for text in [".", "..", "a/b", "a b", "a\0", "a:1", "a\n", "\u{a0}"] {
            assert_eq!(check(text), Err(InterfaceError::Invalid(text.to_owned())));
        }
        assert_eq!(check(""), Err(InterfaceError::Empty));
        let long = "sixteen_bytes_16".to_owned();
        assert_eq!(check(&long), Err(InterfaceError::TooLong(long.clone())));
    }

    proptest! {
        #[test]
        fn a_plain_name_matches_itself_only(a in "[a-z0-9é]{0,15}", b in "[a-z0-9é]{0,15}") {
            prop_assert!(matches(&a, &a));
            prop_assert_eq!(matches(&a, &b), a == b);
        }

        #[test]
        fn a_star_stands_for_anything(a in "[ab]{0,5}", b in "[ab]{0,5}", c in "[ab]{0,5}") {
            let name = format!("{a}{b}{c}");
            let pattern = format!("{a}*{c}");
            prop_assert!(matches(&pattern, &name));
        }

        #[test]
        fn no_pattern_panics(pattern: String, name: String) {
            matches(&pattern, &name);
        }
    }
}
