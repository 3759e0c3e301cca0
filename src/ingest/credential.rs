//! Credentials that records carry beside words: they stay in the sealed bytes and are shown to nobody.
//!
//! Slack writes into its exports links to files that open with a token, `?t=xoxe-...`: whoever reads the
//! link reads the file. Slack help, "How to read Slack data exports".

use std::borrow::Cow;

/// How the token of an export begins.
const TOKEN: &str = "xoxe-";
/// The name of the parameter it is given to, plain or inside of an address that is itself a parameter.
const NAMES: [&str; 2] = ["t=", "t%3D"];
/// What joins a parameter to what stands before it.
const JOINS: [&str; 5] = ["?", "&amp;", "&", "\\u0026", "%3F"];

/// What joins a parameter to one behind it.
const NEXT: [&str; 3] = ["&amp;", "&", "\\u0026"];

/// A text without the credentials that links to files carry.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((at, mark)) = first(rest) {
        let behind = &rest[at + mark.len()..];
        let behind = behind.trim_start_matches(is_token);
        let before = &rest[..at];
        let alone = without_join(before);
        let next = NEXT.iter().find_map(|join| behind.strip_prefix(join));
        (out, rest) = match next.filter(|_| alone.len() < before.len()) {
            // Another parameter takes its place.
            Some(next) => (out + before, next),
            None => (out + alone, behind),
        };
    }
    match out.is_empty() && rest.len() == text.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(out + rest),
    }
}

/// Where the first credential begins, and with what.
fn first(text: &str) -> Option<(usize, &str)> {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&text.as_bytes()[from..], TOKEN.as_bytes()) {
        let at = from + found;
        let end = at + TOKEN.len();
        let mark = NAMES.iter().find_map(|name| {
            let start = at.checked_sub(name.len())?;
            let before = text.as_bytes().get(start..at)?;
            before
                .eq_ignore_ascii_case(name.as_bytes())
                .then_some(start)
        });
        if let Some(start) = mark {
            return Some((start, &text[start..end]));
        }
        from = end;
    }
    None
}

fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '%' | '=')
}

/// The text without what joins a parameter to it.
fn without_join(text: &str) -> &str {
    let joined = JOINS.iter().find_map(|join| text.strip_suffix(join));
    joined.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn credentials_are_left_out_and_nothing_else() {
        for (written, shown) in [
            ("https://a/b.pdf?t=xoxe-12-ab", "https://a/b.pdf"),
            ("<https://a/b?t=xoxe-1|b> c", "<https://a/b|b> c"),
            ("https://a/b?x=1&t=xoxe-1&y=2", "https://a/b?x=1&y=2"),
            ("https://a/b?t=xoxe-1&amp;y=2", "https://a/b?y=2"),
            ("t=xoxe-1 t=xoxe-2", " "),
            ("t=xoxe-1&t=xoxe-2", ""),
            (
                r#""https:\/\/a\/b?x=1\u0026t=xoxe-1","#,
                r#""https:\/\/a\/b?x=1","#,
            ),
            (
                "https://a?to=https%3A%2F%2Fb%3Ft%3Dxoxe-1-2",
                "https://a?to=https%3A%2F%2Fb",
            ),
            ("https://a?to=b%3Ft%3dxoxe-1-2", "https://a?to=b"),
            ("xoxe is a word, t=xoxe too", "xoxe is a word, t=xoxe too"),
        ] {
            assert_eq!(without_credentials(written), shown);
        }
    }

    proptest! {
        #[test]
        fn no_credential_is_left(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "t=xoxe-", "t%3Dxoxe-", "t%3dxoxe-", "SECRET", "?", "&", "&amp;", "é", " ", "t=", "xoxe-", "%", "-",
            ]), 0..30),
        ) {
            let text = pieces.concat();
            let shown = without_credentials(&text);
            let marks = ["t=xoxe-", "t%3Dxoxe-", "t%3dxoxe-"];
            prop_assert!(marks.iter().all(|mark| !shown.contains(mark)), "{shown}");
        }
    }
}
