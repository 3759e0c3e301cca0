//! The three cookies: who is signed in, who is on the way to the provider and back, and light or dark.

use axum::http::{HeaderMap, header};

use crate::auth::sso::ATTEMPT_MINUTES;

/// Name of the session cookie under TLS: browsers take it from no other host or path.
const SESSION_SECURE: &str = "__Host-wordkeep";
/// Its name on loopback without TLS, where the other is refused.
const SESSION_PLAIN: &str = "wordkeep";
/// Name of the cookie of a browser that is at the provider of single sign-on, under TLS.
const AWAY_SECURE: &str = "__Host-wordkeep-sso";
/// Its name on loopback without TLS.
const AWAY_PLAIN: &str = "wordkeep-sso";
/// How long it is kept, in seconds.
const AWAY_SECONDS: i64 = ATTEMPT_MINUTES * 60;
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
    pub away: Option<String>,
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
            AWAY_SECURE | AWAY_PLAIN => cookies.away = Some(value.to_owned()),
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

/// The line that a browser takes along to the provider. It comes back by a link of another site, so it
/// may not be as strict as that of the session.
pub(super) fn away(secure: bool, key: &str) -> String {
    let lax = format!("Path=/; HttpOnly; SameSite=Lax; Max-Age={AWAY_SECONDS}");
    match secure {
        true => format!("{AWAY_SECURE}={key}; Secure; {lax}"),
        false => format!("{AWAY_PLAIN}={key}; {lax}"),
    }
}

/// The line that takes it away.
pub(super) fn back(secure: bool) -> String {
    let gone = "Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
    match secure {
        true => format!("{AWAY_SECURE}=; Secure; {gone}"),
        false => format!("{AWAY_PLAIN}=; {gone}"),
    }
}

/// The line that keeps the colours.
pub(super) fn theme(theme: Theme) -> String {
    let name = theme.name();
    format!("{THEME}={name}; Path=/; HttpOnly; SameSite=Strict; Max-Age={THEME_SECONDS}")
}
