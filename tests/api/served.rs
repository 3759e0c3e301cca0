//! A served archive in a temporary directory: people of every role, chats with planted words, and a
//! matter, a hold, a policy and more for pages to show.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;
use wordkeep::app::{
    Appliance, ConversationRequest, HoldTarget, NewApiToken, NewCustodian, NewEvent, NewRequest,
    NoticeOrder, SearchRequest, Session, SignIn,
};
use wordkeep::auth::{SessionKey, Token};
use wordkeep::domain::{ApiScope, Lock, PolicyAction, Right, Role};
use wordkeep::http::{Access, House, HouseOptions, Route, router};
use wordkeep::search::Order;

use crate::court::{Court, court};
use crate::house::{PASSWORD, import, ios_export, plain_chat};

/// Stands in every message and nowhere else. Whoever may not read never sees it.
pub const CANARY: &str = "quetzalix";
/// Writes in the chats: no title and no address of a page holds this name.
pub const WRITER: &str = "Ana Reis";
/// Title of a conversation, for the same purpose.
pub const TITLE: &str = "Zebrafinch Traders";
/// What hostile people write.
pub const HOSTILE: &str =
    "<img src=x onerror=alert(1)> \" hx-get=\"/x\" <script>alert(2)</script> \u{202e}quetzalix";
/// Largest answer that is read, in bytes.
const ANSWER_MAX: usize = 8 << 20;

/// Somebody at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Nobody we know.
    Outsider,
    /// A browser that is signed in.
    Person(Role),
}

impl Who {
    pub fn all() -> impl Iterator<Item = Who> {
        std::iter::once(Who::Outsider).chain(Role::ALL.into_iter().map(Who::Person))
    }

    /// Whether the table lets them pass.
    pub fn may_take(self, access: Access) -> bool {
        match (access, self) {
            (Access::Unlogged | Access::Anyone, _) | (Access::SignedIn, Who::Person(_)) => true,
            (Access::With(right), Who::Person(role)) => role.may(right),
            (Access::SignedIn | Access::With(_), Who::Outsider) => false,
        }
    }

    /// Whether they may read what people wrote.
    pub fn reads(self) -> bool {
        matches!(self, Who::Person(role) if role.may(Right::ReadContent))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Outsider => "outsider",
            Who::Person(role) => role.name(),
        })
    }
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Where a redirect leads; empty for other answers.
    pub fn location(&self) -> &str {
        let value = self.headers.get(header::LOCATION);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub fn kind(&self) -> &str {
        let value = self.headers.get(header::CONTENT_TYPE);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{} {error}: {}", self.status, self.body))
    }

    /// Whether the guard sent somebody away who is not known, or not entitled.
    pub fn is_turned_away(&self) -> bool {
        matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) || self.location().starts_with("/sign-in")
    }
}

/// A browser with its cookie, and the token of a program of the same person.
#[derive(Clone)]
struct Badge {
    login: &'static str,
    cookie: String,
    csrf: String,
    token: String,
}

/// Ids of what stands in the archive, by the word of the path before them.
pub type Ids = BTreeMap<&'static str, String>;

/// The archive, served.
pub struct Served {
    pub court: CourtParts,
    pub ids: Ids,
    router: Router,
    runtime: tokio::runtime::Runtime,
    badges: RefCell<BTreeMap<Role, Badge>>,
}

/// What of the court is needed while it is served.
pub struct CourtParts {
    pub dir: tempfile::TempDir,
    pub clock: Arc<crate::court::Moved>,
    pub appliance: Arc<Appliance>,
    pub law: Session,
    pub rec: Session,
    pub root: Session,
}

const LOGINS: [(Role, &str); 5] = [
    (Role::Administrator, "root"),
    (Role::Lawyer, "law"),
    (Role::RecordsOfficer, "rec"),
    (Role::Manager, "man"),
    (Role::Auditor, "aud"),
];

/// Sets everything up. Takes about a second: ask for it once in a test.
pub fn served() -> Served {
    let court = court();
    let ids = furnish(&court);
    let Court {
        dir,
        clock,
        appliance,
        root,
        law,
        rec,
        ..
    } = court;
    let appliance = Arc::new(appliance);
    let house = House::open(Arc::clone(&appliance), HouseOptions::default());
    let served = Served {
        court: CourtParts {
            dir,
            clock,
            appliance,
            law,
            rec,
            root,
        },
        ids,
        router: router(&house),
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap(),
        badges: RefCell::default(),
    };
    for (role, login) in LOGINS {
        let badge = served.badge(login);
        served.badges.borrow_mut().insert(role, badge);
    }
    served
}

/// Chats, and something of everything that has a page.
fn furnish(court: &Court) -> Ids {
    let app = &court.appliance;
    let exports = court.dir.path().join("exports");
    std::fs::create_dir_all(&exports).unwrap();
    let mut chat = plain_chat(CANARY, 120);
    chat.push_str(&format!(
        "[28/12/2023, 10:00:00] {WRITER}: {HOSTILE}\n[28/12/2023, 10:01:00] Bo Lund: \u{645}\u{631}\u{62d}\u{628}\u{627} {CANARY}\n"
    ));
    for (title, chat) in [(TITLE, chat), ("Other Chat", plain_chat(CANARY, 30))] {
        let path = ios_export(&exports, title, &chat, &[]);
        import(app, &court.rec, &path).unwrap();
    }
    let lines = app.conversations(&court.law).unwrap();
    let conversation = lines.iter().find(|line| line.title.contains(TITLE));
    let conversation = conversation.unwrap().id;
    app.add_user(&court.root, "man", Role::Manager, PASSWORD, &[conversation])
        .unwrap();
    let hold = court.hold(HoldTarget::Query("shipment".to_owned()));
    let policy = court.policy(PolicyAction::Retain, 7, Lock::None);
    app.simulate_policy(&court.rec, policy, None).unwrap();
    let message = message(app, &court.law, 0);
    // The first one is restricted by a request below: another one has its page.
    let shown = self::message(app, &court.law, 1);
    let event = NewEvent {
        kind: "leaving",
        key: "Bo Lund",
        at: wordkeep::domain::Timestamp::from_seconds(1_700_000_000),
        reason: "left the company",
        corrects: None,
    };
    app.record_event(&court.rec, &event).unwrap();
    let (label, _) = app.create_label(&court.rec, "contract").unwrap();
    let request = NewRequest {
        people: Vec::new(),
        messages: vec![message.parse().unwrap()],
        received: None,
        reference: "letter".to_owned(),
        reason: "asked in writing".to_owned(),
    };
    let (request, _) = app.add_request(&court.rec, &request).unwrap();
    let custodian = NewCustodian {
        name: WRITER.to_owned(),
        manager: "Bo Lund".to_owned(),
        ..NewCustodian::default()
    };
    let (custodian, _) = app.add_custodian(&court.law, hold, &custodian).unwrap();
    let order = NoticeOrder {
        hold,
        custodians: Vec::new(),
        keep: "everything about the shipment".to_owned(),
        contact: "legal".to_owned(),
        remind_days: 7,
    };
    let notice = app.issue_notices(&court.law, &order).unwrap().issued[0];
    let import = app.imports(&court.rec).unwrap()[0].row.id;
    let matter = app.matters(&court.law).unwrap()[0].id;
    BTreeMap::from([
        ("c", conversation.to_string()),
        ("conversations", conversation.to_string()),
        ("messages", message.clone()),
        ("imports", import.to_string()),
        ("matters", matter.to_string()),
        ("holds", hold.to_string()),
        ("labels", label.to_string()),
        ("policies", policy.to_string()),
        ("requests", request.id.to_string()),
        ("users", "man".to_owned()),
        ("custodians", custodian.to_string()),
        ("notices", notice.to_string()),
        ("m", shown),
    ])
}

fn message(app: &Appliance, law: &Session, place: usize) -> String {
    let answer = app.search(law, &SearchRequest::new("shipment")).unwrap();
    answer.answer.hits[place].line.id.to_string()
}

impl Served {
    fn badge(&self, login: &'static str) -> Badge {
        let app = &self.court.appliance;
        let SignIn::In(key, web) = app.sign_in(login, PASSWORD, None).unwrap() else {
            panic!("nobody has a second factor here");
        };
        let (_, token): (_, Token) = app.log_in(login, PASSWORD, 1).unwrap();
        Badge {
            login,
            cookie: key.to_string(),
            csrf: web.csrf,
            token: token.to_string(),
        }
    }

    /// The badge of a role; a new one when the last one has ended.
    fn worn(&self, role: Role) -> Badge {
        let badge = self.badges.borrow()[&role].clone();
        let key: SessionKey = badge.cookie.parse().unwrap();
        if self.court.appliance.web_session(&key).is_ok() {
            return badge;
        }
        let badge = self.badge(badge.login);
        self.badges.borrow_mut().insert(role, badge.clone());
        badge
    }

    /// The session of a person, for use-cases.
    pub fn session(&self, role: Role) -> Session {
        let key: SessionKey = self.worn(role).cookie.parse().unwrap();
        self.court.appliance.web_session(&key).unwrap().session
    }

    /// The mark that forms of this person carry.
    pub fn csrf(&self, role: Role) -> String {
        self.worn(role).csrf
    }

    /// The token of a program of this person.
    pub fn token(&self, role: Role) -> String {
        self.worn(role).token
    }

    /// The server itself and what it runs on, for many who ask at once.
    pub fn many(&self) -> (Router, &tokio::runtime::Runtime) {
        (self.router.clone(), &self.runtime)
    }

    /// Sends a request as it is.
    pub fn send(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, ANSWER_MAX).await.unwrap();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }

    /// Sends a request whose answer may take its time.
    pub fn begin(&self, request: Request<Body>) -> tokio::task::JoinHandle<Answer> {
        let router = self.router.clone();
        self.runtime.spawn(async move {
            let answer = router.oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, ANSWER_MAX).await.unwrap();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }

    /// Waits for such an answer.
    pub fn ended(&self, begun: tokio::task::JoinHandle<Answer>) -> Answer {
        self.runtime.block_on(begun).unwrap()
    }

    /// The same, with the bytes of the answer.
    pub fn send_bytes(&self, request: Request<Body>) -> (Answer, Vec<u8>) {
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, ANSWER_MAX).await.unwrap();
            let answer = Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::new(),
            };
            (answer, bytes.to_vec())
        })
    }

    /// A request with the cookie of somebody.
    pub fn request(&self, who: Who, method: &Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path);
        match who {
            Who::Outsider => request,
            Who::Person(role) => {
                let cookie = format!("wordkeep={}", self.worn(role).cookie);
                request.header(header::COOKIE, cookie)
            }
        }
    }

    /// Opens a page.
    pub fn get(&self, who: Who, path: &str) -> Answer {
        let request = self.request(who, &Method::GET, path);
        self.send(request.body(Body::empty()).unwrap())
    }

    /// Sends a form with the mark of the session.
    pub fn post_form(&self, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mark = match who {
            Who::Outsider => String::new(),
            Who::Person(role) => self.csrf(role),
        };
        let mut form = format!("csrf={mark}");
        for (name, value) in fields {
            form.push_str(&format!("&{name}={}", escaped(value)));
        }
        let request = self
            .request(who, &Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form)).unwrap())
    }

    /// Asks the API with the token of somebody.
    pub fn api(&self, who: Who, method: Method, path: &str, json: Option<&Value>) -> Answer {
        self.api_with(who, method, path, json, &[])
    }

    /// The same with headers.
    pub fn api_with(
        &self,
        who: Who,
        method: Method,
        path: &str,
        json: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Who::Person(role) = who {
            let token = format!("Bearer {}", self.token(role));
            request = request.header(header::AUTHORIZATION, token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match json {
            None => Body::empty(),
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
        };
        self.send(request.body(body).unwrap())
    }

    /// The path of a route, with ids of what stands in the archive in the place of its parameters.
    pub fn path(&self, route: &Route, who: Who) -> String {
        let mut path = String::new();
        let mut before = "";
        for part in route.path.split('/').skip(1) {
            path.push('/');
            match part.starts_with('{') {
                false => path.push_str(part),
                true => path.push_str(&self.parameter(route, before, part, who)),
            }
            before = part;
        }
        path
    }

    fn parameter(&self, route: &Route, before: &str, part: &str, who: Who) -> String {
        if let Some(id) = self.ids.get(before) {
            return id.clone();
        }
        match (before, part) {
            ("assets", _) => env!("CARGO_PKG_VERSION").to_owned(),
            (_, "{name}") => "wordkeep.css".to_owned(),
            ("during", _) => "2023-12".to_owned(),
            ("problems", _) => "stale".to_owned(),
            ("Groups", _) => "lawyer".to_owned(),
            ("Users", _) => "usr_00000000000000000000000000".to_owned(),
            ("files", _) => "chat.txt".to_owned(),
            ("s", _) => self.search_of(who),
            ("jobs" | "terms", _) => self.job_of(who),
            ("export", _) => self.ids["m"].clone(),
            ("uploads", _) => self.upload_of(who),
            ("tokens", _) => self.api_token_of(who),
            ("exports", _) => self.export_of(who),
            // Lists of disposition, freezes and backups: the first, whether there is one or not.
            (_, "{no}" | "{number}" | "{batch}") => "1".to_owned(),
            _ => panic!(
                "nothing is known that could stand for {part} in {}: name it in `furnish`",
                route.path
            ),
        }
    }

    /// A search that this person has asked, or one that is nobody's.
    fn search_of(&self, who: Who) -> String {
        match who {
            Who::Person(role) if who.reads() => {
                let session = self.session(role);
                let app = &self.court.appliance;
                app.keep_search(&session, "shipment", Order::Newest)
                    .unwrap()
                    .to_string()
            }
            _ => "srch_00000000000000000000000000".to_owned(),
        }
    }

    /// A job of this person, or one that is nobody's.
    fn job_of(&self, who: Who) -> String {
        let nobodys = || "job_00000000000000000000000000".to_owned();
        let Who::Person(role) = who else {
            return nobodys();
        };
        if role.may(Right::Import) {
            let chat = plain_chat(CANARY, 3);
            let form = [("run", "dry")];
            self.post_file(who, "/imports", &self.csrf(role), &form, &chat);
        } else if role.may(Right::Verify) {
            self.post_form(who, "/system/index/verify", &[]);
        }
        let list = self.get(who, "/jobs").body;
        match list.split_once("/jobs/job_") {
            Some((_, rest)) => format!("job_{}", &rest[..26]),
            None => nobodys(),
        }
    }

    /// An export this person made, or one that is nobody's.
    fn export_of(&self, who: Who) -> String {
        let (path, body) = match who {
            Who::Person(role) if role.may(Right::Export) => (
                "/api/v1/exports",
                serde_json::json!({ "query": "shipment", "reason": "claim" }),
            ),
            Who::Person(role) if role.may(Right::ReadAudit) => {
                ("/api/v1/audit/exports", serde_json::json!({}))
            }
            _ => return "exp_00000000000000000000000000".to_owned(),
        };
        let listed = self.api(who, Method::GET, "/api/v1/exports", None).json();
        if let Some(id) = listed["items"][0]["id"].as_str() {
            return id.to_owned();
        }
        let key = [("idempotency-key", "an export to look at")];
        let started = self.api_with(who, Method::POST, path, Some(&body), &key);
        let job = over(self, who, &started);
        let export = &job["result"]["details"]["export"];
        export.as_str().unwrap().to_owned()
    }

    /// A file this person is sending, or one that is nobody's.
    fn upload_of(&self, who: Who) -> String {
        let form = [("name", "chat.txt"), ("bytes", "9")];
        let begun = self.post_form(who, "/imports/uploads", &form);
        match begun.status {
            StatusCode::CREATED => begun.json()["id"].as_str().unwrap().to_owned(),
            _ => "upl_00000000000000000000000000".to_owned(),
        }
    }

    /// Sends a form with a file, its mark first, as a browser without script does.
    pub fn post_file(
        &self,
        who: Who,
        path: &str,
        mark: &str,
        fields: &[(&str, &str)],
        file: &str,
    ) -> Answer {
        const EDGE: &str = "----edge";
        let mut body = String::new();
        let fields = fields.iter().copied();
        for (name, value) in std::iter::once(("csrf", mark)).chain(fields) {
            body.push_str(&format!(
                "--{EDGE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str(&format!(
            "--{EDGE}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"chat.txt\"\r\n\
             content-type: text/plain\r\n\r\n{file}\r\n--{EDGE}--\r\n"
        ));
        let kind = format!("multipart/form-data; boundary={EDGE}");
        let request = self
            .request(who, &Method::POST, path)
            .header(header::CONTENT_TYPE, kind);
        self.send(request.body(Body::from(body)).unwrap())
    }

    /// A token of a program of this person, or one that is nobody's.
    fn api_token_of(&self, who: Who) -> String {
        let Who::Person(role) = who else {
            return "tok_00000000000000000000000000".to_owned();
        };
        let app = &self.court.appliance;
        let session = self.session(role);
        if let Some(line) = app.api_tokens(&session).unwrap().first() {
            return line.id.to_string();
        }
        let scope = ApiScope::ALL.into_iter().find(|scope| scope.fits(role));
        let new = NewApiToken {
            name: "nightly".to_owned(),
            scopes: vec![scope.unwrap()],
            days: 1,
        };
        let (_, line, _) = app.create_api_token(&session, &new).unwrap();
        line.id.to_string()
    }

    /// A slice of the conversation, to compare with.
    pub fn slice(&self, limit: u32) -> wordkeep::app::ConversationSlice {
        let request = ConversationRequest {
            id: self.ids["c"].parse().unwrap(),
            around: None,
            since: None,
            until: None,
            limit,
            zone: None,
        };
        self.court
            .appliance
            .conversation(&self.court.law, &request)
            .unwrap()
    }
}

/// As a form writes it.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => text.push(byte as char),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Opens a page until no job on it waits or runs.
pub fn settled(served: &Served, who: Who, path: &str) -> Answer {
    let began = std::time::Instant::now();
    loop {
        let page = served.get(who, path);
        let open = ["waiting", "running"].map(|state| format!("data-state=\"{state}\""));
        if !open.iter().any(|state| page.body.contains(state)) {
            return page;
        }
        assert!(began.elapsed().as_secs() < 60, "{}", page.body);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Asks for a job that a program started until it is over.
pub fn over(served: &Served, who: Who, started: &Answer) -> Value {
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.body);
    let began = std::time::Instant::now();
    loop {
        let job = served
            .api(who, Method::GET, started.location(), None)
            .json();
        if !matches!(job["state"].as_str(), Some("waiting" | "running")) {
            return job;
        }
        assert!(began.elapsed().as_secs() < 60, "{job}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
