//! The frame around every page: head, navigation, bars, and where the content stands.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::super::assets::address;
use super::super::cookie::{self, Theme};
use super::super::guard::{CSRF_FIELD, Who};
use super::super::house::House;
use super::super::refusal::Refusal;
use crate::app::Workspace;
use crate::domain::{NoticeLanguage, Right, Role};

/// The settings htmx reads before it does anything: nothing is evaluated, kept or asked elsewhere.
const HTMX_CONFIG: &str = r#"{"allowEval":false,"includeIndicatorStyles":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"historyRestoreAsHxRequest":false}"#;

/// A place of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Section {
    Home,
    Search,
    Conversations,
    Matters,
    Retention,
    Import,
    Audit,
    Users,
    System,
    /// Nowhere: signing in, setting up, help.
    Outside,
}

/// What stands in the navigation, in its order, and the right that shows it.
const NAVIGATION: [(Section, &str, &str, Option<Right>); 9] = [
    (Section::Home, "Home", "/", None),
    (
        Section::Search,
        "Search",
        "/search",
        Some(Right::ReadContent),
    ),
    (
        Section::Conversations,
        "Conversations",
        "/c",
        Some(Right::ReadContent),
    ),
    (
        Section::Matters,
        "Matters",
        "/matters",
        Some(Right::ReadRules),
    ),
    (
        Section::Retention,
        "Retention",
        "/retention",
        Some(Right::ReadRules),
    ),
    (Section::Import, "Import", "/imports", Some(Right::Import)),
    (Section::Audit, "Audit", "/audit", Some(Right::ReadAudit)),
    (Section::Users, "Users", "/users", Some(Right::ManageUsers)),
    (Section::System, "System", "/system", Some(Right::Verify)),
];

/// What the frame of one answer knows.
#[derive(Clone, Debug)]
pub(in crate::http) struct Frame {
    who: Option<Who>,
    theme: Theme,
    no_keys: bool,
    demo: bool,
    workspace: Workspace,
    quarantine: Option<String>,
    path: String,
    here: Section,
    title: String,
    wide: bool,
    language: NoticeLanguage,
    skip: &'static str,
}

impl FromRequestParts<Arc<House>> for Frame {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Frame, Refusal> {
        let who = parts.extensions.get::<Who>();
        let cookies = cookie::read(&parts.headers);
        let mut frame = Frame::new(house, who, cookies.theme);
        frame.no_keys = cookies.no_keys;
        frame.path = parts.uri.path().to_owned();
        Ok(frame)
    }
}

impl Frame {
    pub(in crate::http) fn new(house: &House, who: Option<&Who>, theme: Theme) -> Frame {
        let appliance = house.appliance();
        let quarantine = appliance
            .as_ref()
            .and_then(|one| one.quarantine().map(str::to_owned));
        Frame {
            who: who.cloned(),
            theme,
            no_keys: false,
            demo: house.options.demo,
            workspace: appliance
                .as_ref()
                .map(|one| one.workspace())
                .unwrap_or_default(),
            quarantine,
            path: "/".to_owned(),
            here: Section::Outside,
            title: String::new(),
            wide: false,
            language: NoticeLanguage::English,
            skip: "Skip to content",
        }
    }

    /// Where the page stands, and its title. A title never holds words that people wrote.
    pub(in crate::http) fn at(mut self, here: Section, title: impl Into<String>) -> Frame {
        self.here = here;
        self.title = title.into();
        self
    }

    /// The same for somebody who was recognised late.
    pub(in crate::http) fn of(mut self, who: &Who) -> Frame {
        self.who = Some(who.clone());
        self
    }

    /// The content uses the whole width.
    pub(in crate::http) fn wide(mut self) -> Frame {
        self.wide = true;
        self
    }

    /// The page is for somebody who may not read English.
    pub(in crate::http) fn speaking(
        mut self,
        language: NoticeLanguage,
        skip: &'static str,
    ) -> Frame {
        self.language = language;
        self.skip = skip;
        self
    }

    /// Whether everything here is made up and will be deleted.
    pub(in crate::http) fn is_demo(&self) -> bool {
        self.demo
    }

    /// Whether single keys do something in this browser.
    pub(in crate::http) fn has_keys(&self) -> bool {
        !self.no_keys
    }

    /// The hidden field that every form carries.
    pub(in crate::http) fn mark(&self) -> Markup {
        let csrf = self.who.as_ref().map_or("", Who::csrf);
        html! { input type="hidden" name=(CSRF_FIELD) value=(csrf); }
    }

    /// Whether whoever sees the page may do something.
    pub(in crate::http) fn may(&self, right: Right) -> bool {
        self.role().is_some_and(|role| role.may(right))
    }

    pub(in crate::http) fn role(&self) -> Option<Role> {
        self.who.as_ref().map(|who| who.session.actor.role)
    }

    /// The whole page.
    pub(in crate::http) fn page(&self, content: &Markup) -> Response {
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) dir=[self.language.is_rtl().then_some("rtl")]
                data-theme=(self.theme.name()) {
                (self.head())
                body {
                    a.skip href="#content" { (self.skip) }
                    @if self.who.is_some() { (self.top()) } @else { (self.masthead()) }
                    (self.bars())
                    main #content .wide[self.wide] .narrow[self.who.is_none()] tabindex="-1" {
                        (content)
                    }
                    div #said .said role="status" aria-live="polite" {}
                }
            }
        }
        .into_response()
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(match self.theme {
                    Theme::System => "light dark",
                    Theme::Light => "light",
                    Theme::Dark => "dark",
                });
                meta name="robots" content="noindex";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (self.title) " · Wordkeep" }
                link rel="icon" type="image/svg+xml" href=(address("mark.svg"));
                link rel="stylesheet" href=(address("wordkeep.css"));
                script src=(address("boot.js")) defer {}
                @if !self.no_keys { script src=(address("keys.js")) defer {} }
            }
        }
    }

    /// Who this is, for those who are not signed in.
    fn masthead(&self) -> Markup {
        html! {
            header.top {
                span.brand {
                    (mark()) span { "Wordkeep" }
                    @if !self.workspace.organisation.is_empty() {
                        span.house { (super::part::name(&self.workspace.organisation)) }
                    }
                }
            }
        }
    }

    fn top(&self) -> Markup {
        let role = self.role();
        let shown = |right: &Option<Right>| {
            right.is_none_or(|right| role.is_some_and(|role| role.may(right)))
        };
        let web = self.who.as_ref().and_then(|who| who.web.as_ref());
        html! {
            header.top {
                a.brand href="/" {
                    (mark()) span { "Wordkeep" }
                    @if !self.workspace.organisation.is_empty() {
                        span.house { (super::part::name(&self.workspace.organisation)) }
                    }
                }
                nav.sections aria-label="Sections" {
                    @for (section, name, path, right) in NAVIGATION {
                        @if section != Section::Home && shown(&right) {
                            a href=(path) aria-current=[(section == self.here).then_some("page")] {
                                (name)
                            }
                        }
                    }
                }
                div.account {
                    form method="post" action="/theme" {
                        (self.mark())
                        input type="hidden" name="back" value=(self.path);
                        button.quiet type="submit" name="theme" value=(self.other_theme().name())
                            title="Light, dark, or as this computer is set" {
                            span aria-hidden="true" { "◐" }
                            span.unseen { "Colours: now " (self.theme.name()) }
                        }
                    }
                    @if let (Some(web), Some(role)) = (web, role) {
                        a.who href="/account" {
                            span { (web.login) } " " small { (role_name(role)) }
                        }
                    }
                    a.button.quiet href="/help" title="Help" {
                        span aria-hidden="true" { "?" }
                        span.unseen { "Help" }
                    }
                    form method="post" action="/sign-out" {
                        (self.mark())
                        button.quiet type="submit" { "Sign out" }
                    }
                }
            }
        }
    }

    fn bars(&self) -> Markup {
        html! {
            @let sample = self.workspace.sample && !self.demo;
            @if self.demo || sample || self.quarantine.is_some() {
                aside aria-label="State of the archive" {
                    @if self.demo {
                        p.bar.note { "Demo data: a made-up company. Everything is deleted on exit." }
                    }
                    @if sample {
                        p.bar.note { "Sample data: messages of a made-up company are in this archive." }
                    }
                    @if let Some(why) = &self.quarantine {
                        p.bar.warn role="alert" {
                            strong { "Read-only: " } "this copy is older than its own log (" (why) ")."
                        }
                    }
                }
            }
        }
    }

    fn other_theme(&self) -> Theme {
        match self.theme {
            Theme::System => Theme::Dark,
            Theme::Dark => Theme::Light,
            Theme::Light => Theme::System,
        }
    }
}

/// The job title as people say it.
pub(in crate::http) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Administrator",
        Role::Lawyer => "Lawyer",
        Role::RecordsOfficer => "Records officer",
        Role::Manager => "Manager",
        Role::Auditor => "Auditor",
    }
}

fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" aria-hidden="true" {
            rect x="2" y="3" width="20" height="15" rx="4" {}
            path d="M7 18v4l5-4" {}
            path.word d="M6.5 8l2 6 2.2-5 2.2 5 2-6" {}
        }
    }
}
