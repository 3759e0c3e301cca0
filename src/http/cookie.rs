//! The two cookies: who is signed in, and light or dark.

use axum::http::{HeaderMap, header};

/// Name of the session cookie under TLS: browsers take it from no other host or path.
const SESSION_SECURE: &str = "__Host-wordkeep";
/// Its name on loopback without TLS, where the other is refused.
const SESSION_PLAIN: &str = "wordkeep";
/// Name of the cookie with the colours.
const THEME: &str = "wordkeep-theme";
/// Name of the cookie of who wants no single keys.
const KEYS: &str = "wordkeep-keys";
/// How long the choice of colours is kept, in seconds: a year.
const THEME_SECONDS: u32 = 31_536_000;

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Theme {
    /// As the computer is set.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    pub(super) const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// What a browser sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Cookies {
    pub session: Option<String>,
    pub theme: Theme,
    /// Single keys are switched off.
    pub no_keys: bool,
}

/// Reads the cookies of a request; what is none of ours is left alone.
pub(super) fn read(headers: &HeaderMap) -> Cookies {
    let mut cookies = Cookies::default();
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    for (name, value) in lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
    {
        match name {
            SESSION_SECURE | SESSION_PLAIN => cookies.session = Some(value.to_owned()),
            KEYS => cookies.no_keys = value == "off",
            THEME => cookies.theme = Theme::from_name(value).unwrap_or_default(),
            _ => {}
        }
    }
    cookies
}

/// The line that gives a browser its session.
pub(super) fn session(secure: bool, key: &str) -> String {
    match secure {
        true => format!("{SESSION_SECURE}={key}; Path=/; Secure; HttpOnly; SameSite=Strict"),
        false => format!("{SESSION_PLAIN}={key}; Path=/; HttpOnly; SameSite=Strict"),
    }
}

/// The line that takes it away.
pub(super) fn no_session(secure: bool) -> String {
    format!("{}; Max-Age=0", session(secure, ""))
}

/// The line that keeps whether single keys do something.
pub(super) fn keys(on: bool) -> String {
    let name = if on { "on" } else { "off" };
    format!("{KEYS}={name}; Path=/; HttpOnly; SameSite=Strict; Max-Age={THEME_SECONDS}")
}

/// The line that keeps the colours.
pub(super) fn theme(theme: Theme) -> String {
    let name = theme.name();
    format!("{THEME}={name}; Path=/; HttpOnly; SameSite=Strict; Max-Age={THEME_SECONDS}")
}
