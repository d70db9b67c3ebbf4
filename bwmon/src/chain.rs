//! An error with its causes, in one line.

use std::error::Error;

/// The error and its causes, joined by colons; a cause that the error before it tells already is left
/// out.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn each_cause_is_told_once() {
        let inner = anyhow!("permission denied");
        let twice = inner
            .context("cannot open f: permission denied")
            .context("cannot start");
        assert_eq!(
            chain(twice.as_ref()),
            "cannot start: cannot open f: permission denied"
        );
    }
}
