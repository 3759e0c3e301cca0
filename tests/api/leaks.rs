//! What is outside somebody's sight changes nothing of what they are answered: two archives that differ
//! only there are asked the same, and their answers compared byte for byte.
//!
//! Masked, because they differ between any two archives: ids that were minted, named in the order in
//! which they appear; the marks of sessions and of pages of lists; instants of the day of the test; how
//! long something took; and the numbers of entries of the log, which count what everybody does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use regex::Regex;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wordkeep::app::import::ImportReceipt;
use wordkeep::app::{
    Appliance, Grant, HoldTarget, NewPolicy, NewRequest, SearchRequest, Session, SignIn,
};
use wordkeep::domain::{ConversationId, Lock, PolicyAction, Role};
use wordkeep::http::{House, HouseOptions, ROUTES, router};

use crate::chance::Chance;
use crate::court::{Court, court, new_hold, policy};
use crate::house::{PASSWORD, import, ios_export, plain_chat};

/// Ids, in the order of their first appearance.
static ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("\\b([a-z]{3,4})_([0-9A-HJKMNP-TV-Z]{26})\\b").unwrap());
/// What differs between any two archives.
static MASKED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let masked = [
        ("name=\"csrf\" value=\"[0-9a-f]{64}\"", "csrf"),
        ("audit #[0-9]+", "audit #"),
        ("\"audit\": ?[0-9]+", "\"audit\":0"),
        ("[0-9,]+ ms", "ms"),
        (
            "20(2[6-9]|[3-9][0-9])-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?( UTC)?",
            "instant",
        ),
        (
            "[0-9]{1,2} [A-Z][a-z]{2} 20(2[6-9]|[3-9][0-9])(, [0-9:]+)?",
            "day",
        ),
        ("\"next_cursor\":\"[^\"]+\"", "\"next_cursor\":\"mark\""),
        ("after=[A-Za-z0-9_.=-]+", "after=mark"),
        ("cursor=[A-Za-z0-9_.=-]+", "cursor=mark"),
        // The hash over a bundle whose salts are random.
        ("\"sha256\":\"[0-9a-f]{64}\"", "\"sha256\":\"hash\""),
        ("\"SHA-256\":\"[0-9a-f]{64}\"", "\"SHA-256\":\"hash\""),
    ];
    let compiled = masked.map(|(shape, name)| (Regex::new(shape).unwrap(), name));
    compiled.into_iter().collect()
});

fn masked(text: &str) -> String {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut plain = String::new();
    let mut at = 0;
    for found in ID.captures_iter(text) {
        let whole = found.get(0).unwrap();
        let next = names.len();
        let no = *names.entry(whole.as_str().to_owned()).or_insert(next);
        plain.push_str(&text[at..whole.start()]);
        write!(plain, "{}_{no}", &found[1]).unwrap();
        at = whole.end();
    }
    plain.push_str(&text[at..]);
    for (shape, name) in MASKED.iter() {
        plain = shape.replace_all(&plain, *name).into_owned();
    }
    plain
}

/// A served archive with two people who see one conversation of it.
struct Half {
    _court: CourtLeft,
    app: Arc<Appliance>,
    router: Router,
    runtime: tokio::runtime::Runtime,
    inside: ConversationId,
    message: String,
    import: String,
    outside: Option<ConversationId>,
    /// What stands inside, by the word of the path before its id.
    rules: BTreeMap<&'static str, String>,
    /// The same of what stands outside.
    hidden: BTreeMap<&'static str, String>,
    people: BTreeMap<&'static str, (String, String)>,
}

/// What must live as long as the archive.
struct CourtLeft {
    _dir: tempfile::TempDir,
}

const SEEN: &str = "Zebrafinch Traders";

/// `more` puts other conversations, words, people, held and restricted messages where the two do not
/// look.
fn half(more: bool) -> Half {
    let court = court();
    let app = &court.appliance;
    let folder = court.dir.path().join("exports");
    std::fs::create_dir_all(&folder).unwrap();
    let bring = |title: &str, chat: &str, media: &[(&str, &[u8])]| {
        let path = ios_export(&folder, title, chat, media);
        import(app, &court.rec, &path).unwrap()
    };
    let seen = bring(SEEN, &plain_chat("quetzal", 90), &[]);
    let inside = conversation(app, &court.law, SEEN);
    // Something stands outside in both, so that both have an outside.
    bring("Other Chat", &plain_chat("heron", 10), &[]);
    let rules = rules_on(&court, inside, "quetzalword3");
    let mut hidden = BTreeMap::new();
    let outside = more.then(|| {
        let secret = fill(&court, &bring);
        hidden = rules_on(&court, secret, "Querfeld");
        rules_over_all(&court);
        secret
    });
    app.add_user(&court.root, "man", Role::Manager, PASSWORD, &[inside])
        .unwrap();
    app.add_user(&court.root, "low", Role::Lawyer, PASSWORD, &[])
        .unwrap();
    app.add_user(&court.root, "few", Role::RecordsOfficer, PASSWORD, &[])
        .unwrap();
    for login in ["low", "few"] {
        app.set_grants(&court.root, login, &[Grant::Conversation(inside)])
            .unwrap();
    }
    let message = court.one("quetzalword7").to_string();
    let Court { dir, appliance, .. } = court;
    let appliance = Arc::new(appliance);
    let house = House::open(Arc::clone(&appliance), HouseOptions::default());
    let people = ["man", "low", "few"].map(|login| {
        let SignIn::In(key, web) = appliance.sign_in(login, PASSWORD, None).unwrap() else {
            panic!("nobody has a second factor here");
        };
        (login, (key.to_string(), web.csrf))
    });
    Half {
        router: router(&house),
        runtime: tokio::runtime::Runtime::new().unwrap(),
        inside,
        message,
        import: seen.id.unwrap().to_string(),
        outside,
        rules,
        hidden,
        people: people.into_iter().collect(),
        app: appliance,
        _court: CourtLeft { _dir: dir },
    }
}

fn conversation(app: &Appliance, session: &Session, title: &str) -> ConversationId {
    let lines = app.conversations(session).unwrap();
    let line = lines.iter().find(|line| line.title.contains(title));
    line.unwrap().id
}

/// A matter, a hold, a policy, a request and a list that touch one conversation alone.
fn rules_on(court: &Court, inside: ConversationId, word: &str) -> BTreeMap<&'static str, String> {
    let app = &court.appliance;
    let (matter, _) = app.open_matter(&court.law, word, "reference").unwrap();
    let hold = new_hold(matter, HoldTarget::Conversation(inside));
    let hold = app.place_hold(&court.law, &hold).unwrap().id;
    let new = NewPolicy {
        scope: format!("conv:{inside}"),
        name: word.to_owned(),
        ..policy(PolicyAction::Delete, 1, Lock::None)
    };
    let policy = app.write_policy(&court.rec, &new).unwrap().0;
    let found = app
        .search(&court.law, &SearchRequest::new(format!("conv:{inside}")))
        .unwrap();
    let request = NewRequest {
        messages: vec![found.answer.hits[0].line.id],
        reference: word.to_owned(),
        reason: "asked in writing".to_owned(),
        ..NewRequest::default()
    };
    let request = app.add_request(&court.rec, &request).unwrap().0.id;
    BTreeMap::from([
        ("matters", matter.to_string()),
        ("holds", hold.to_string()),
        ("policies", policy.to_string()),
        ("requests", request.to_string()),
    ])
}

/// What reaches over the whole archive, by query and by person, and touches nothing that is seen.
fn rules_over_all(court: &Court) {
    let app = &court.appliance;
    let (matter, _) = app.open_matter(&court.law, "Whole house", "").unwrap();
    for target in [
        HoldTarget::Query("shipmants OR Querfeld".to_owned()),
        HoldTarget::Custodian("Xaver Querfeld".to_owned()),
    ] {
        app.place_hold(&court.law, &new_hold(matter, target))
            .unwrap();
    }
    let new = NewPolicy {
        scope: "from:\"Xaver Querfeld\" OR nobodywritesthis".to_owned(),
        name: "Querfeld leaves".to_owned(),
        ..policy(PolicyAction::Retain, 9, Lock::None)
    };
    app.write_policy(&court.rec, &new).unwrap();
    let request = NewRequest {
        people: vec!["Xaver Querfeld".to_owned()],
        reason: "asked in writing".to_owned(),
        ..NewRequest::default()
    };
    app.add_request(&court.rec, &request).unwrap();
}

/// Brings a chat in: title, text, media.
type Bring<'a> = &'a dyn Fn(&str, &str, &[(&str, &[u8])]) -> ImportReceipt;

/// Everything that one archive has and the other has not.
fn fill(court: &Court, bring: Bring<'_>) -> ConversationId {
    let app = &court.appliance;
    // The words of the conversation that is seen, words one letter away, and others.
    bring("Zebra Partners", &plain_chat("quetzal", 400), &[]);
    let mut chat = plain_chat("shipmemt quetzel", 60);
    chat.push_str(
        "[28/12/2024, 10:00:00] Xaver Querfeld: the shipmants leave \u{200e}<attached: plan.pdf>\n",
    );
    bring(
        "Querfeld Secret",
        &chat,
        &[("plan.pdf", b"%PDF-1.4 nothing")],
    );
    let secret = conversation(app, &court.law, "Querfeld Secret");
    court.hold(HoldTarget::Conversation(secret));
    let found = app
        .search(&court.law, &SearchRequest::new(format!("conv:{secret}")))
        .unwrap();
    let restricted = found.answer.hits.iter().take(5).map(|hit| hit.line.id);
    let request = NewRequest {
        people: Vec::new(),
        messages: restricted.collect(),
        received: None,
        reference: "letter".to_owned(),
        reason: "asked in writing".to_owned(),
    };
    app.add_request(&court.rec, &request).unwrap();
    secret
}

impl Half {
    /// Sends a request; again, where it came faster than any program may ask.
    fn send(&self, login: &str, method: &Method, path: &str, body: Sent<'_>) -> String {
        loop {
            let answer = self.send_once(login, method, path, body);
            if !answer.starts_with("429") {
                return answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    }

    fn send_once(&self, login: &str, method: &Method, path: &str, body: Sent<'_>) -> String {
        let (cookie, csrf) = &self.people[login];
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, format!("wordkeep={cookie}"))
            .header("x-csrf-token", csrf)
            .header("idempotency-key", format!("{login} {path} {body:?}"));
        let body = match body {
            Sent::Nothing => Body::empty(),
            Sent::Json(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            Sent::Query(query) => {
                let kind = "application/x-www-form-urlencoded";
                request = request.header(header::CONTENT_TYPE, kind);
                let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
                Body::from(format!("query={escaped}"))
            }
        };
        let request = request.body(body).unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request);
            let (parts, body) = answer.await.unwrap().into_parts();
            let bytes = to_bytes(body, 8 << 20).await.unwrap();
            let to = parts.headers.get(header::LOCATION);
            let to = to.map_or("", |to| to.to_str().unwrap());
            format!("{} {to}\n{}", parts.status, String::from_utf8_lossy(&bytes))
        })
    }

    fn get(&self, login: &str, path: &str) -> String {
        self.send(login, &Method::GET, path, Sent::Nothing)
    }

    /// Asks for a job until it is over.
    fn job(&self, login: &str, path: &str, body: &Value) -> String {
        let started = self.send(login, &Method::POST, path, Sent::Json(body));
        let Some((_, place)) = started.lines().next().unwrap().split_once("Accepted ") else {
            return started;
        };
        loop {
            let job = self.get(login, place);
            if !job.contains("\"state\":\"waiting\"") && !job.contains("\"state\":\"running\"") {
                return job;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The pages of hits of a query: hits, then counts.
    fn pages(&self, login: &str, query: &str) -> String {
        let asked = self.send(login, &Method::POST, "/search", Sent::Query(query));
        let place = asked.lines().next().unwrap().rsplit(' ').next().unwrap();
        if !place.starts_with("/s/") {
            return asked;
        }
        let hits = self.get(login, place);
        hits + &self.get(login, &format!("{place}/counts"))
    }
}

#[derive(Clone, Copy, Debug)]
enum Sent<'a> {
    Nothing,
    Json(&'a Value),
    Query(&'a str),
}

struct Two {
    plain: Half,
    full: Half,
    compared: usize,
    wrong: Vec<String>,
}

impl Two {
    fn compare(&mut self, what: &str, ask: impl Fn(&Half) -> String) {
        let (plain, full) = (masked(&ask(&self.plain)), masked(&ask(&self.full)));
        self.compared += 1;
        if plain != full {
            let at = plain
                .bytes()
                .zip(full.bytes())
                .take_while(|(one, two)| one == two);
            let at = at.count().saturating_sub(120);
            let piece = |text: &str| -> String {
                String::from_utf8_lossy(&text.as_bytes()[at.min(text.len())..])
                    .chars()
                    .take(400)
                    .collect()
            };
            self.wrong.push(format!(
                "{what}\n--- without\n{}\n--- with\n{}",
                piece(&plain),
                piece(&full)
            ));
        }
    }

    fn verdict(&self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n\n"));
    }
}

fn two() -> Two {
    Two {
        plain: half(false),
        full: half(true),
        compared: 0,
        wrong: Vec::new(),
    }
}

/// Words inside, outside, near to both, of both, and of none; and everything that spreads.
const WORDS: [&str; 24] = [
    "shipment",
    "quetzalword7",
    "quetzalword300",
    "shipmemt",
    "shipmants",
    "shipmen~1",
    "quetz*",
    "*word1?",
    "heronword3",
    "agreed",
    "from:\"Ana Reis\"",
    "from:Querfeld",
    "from:\"Xaver Querfeld\"",
    "with:Querfeld",
    "in:\"Querfeld Secret\"",
    "in:Zebra",
    "in:Zebrafinch",
    "has:attachment",
    "filename:plan",
    "date:2024",
    "date:2020-03..2021-06",
    "type:group",
    "/ship.*/",
    "nothinglikeit",
];

fn queries() -> Vec<String> {
    let mut chance = Chance::new(0x5_1EAC);
    let mut queries: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    for _ in 0..40 {
        let (one, two) = (*chance.one(&WORDS), *chance.one(&WORDS));
        queries.push(match chance.below(5) {
            0 => format!("{one} AND {two}"),
            1 => format!("{one} OR {two}"),
            2 => format!("{one} AND NOT {two}"),
            3 => format!(
                "shipment w/5 {}",
                chance.one(&["agreed", "order", "shipmemt"])
            ),
            _ => format!("({one}) w/3msg ({two})"),
        });
    }
    queries
}

#[test]
fn s14_answers_to_queries_are_the_same_whatever_stands_outside() {
    let mut two = two();
    for query in queries() {
        for login in ["man", "low"] {
            let what = format!("{login} asks {query}");
            for order in ["newest", "best"] {
                let body = json!({ "query": query, "order": order, "context": 2, "limit": 20 });
                two.compare(&format!("{what}, {order}"), |half| {
                    half.send(login, &Method::POST, "/api/v1/search", Sent::Json(&body))
                });
            }
            let body = json!({ "query": query });
            for path in [
                "search/count",
                "search/facets",
                "search/histogram",
                "query/check",
            ] {
                let path = format!("/api/v1/{path}");
                two.compare(&format!("{what}: {path}"), |half| {
                    half.send(login, &Method::POST, &path, Sent::Json(&body))
                });
            }
        }
        two.compare(&format!("pages: {query}"), |half| half.pages("man", &query));
    }
    for beginning in ["", "a", "q", "quer", "xa", "zebra", "an", "secret", "f"] {
        let path = format!("/api/v1/suggest?beginning={beginning}&limit=50");
        two.compare(&path, |half| half.get("man", &path));
    }
    assert!(two.compared > 500, "{}", two.compared);
    two.verdict();
}

#[test]
fn m2_every_page_of_a_manager_is_the_same_whatever_stands_outside() {
    let mut two = two();
    let routes = ROUTES.iter().copied().flatten();
    for route in routes.filter(|route| route.method == Method::GET) {
        // Kept searches and lists of tokens are one's own, and asked for elsewhere.
        if ["/s/", "{name}", "/uploads/"]
            .iter()
            .any(|part| route.path.contains(part))
        {
            continue;
        }
        two.compare(route.path, |half| {
            let path = route
                .path
                .replace("/c/{id}", &format!("/c/{}", half.inside))
                .replace("/m/{id}", &format!("/m/{}", half.message))
                .replace(
                    "conversations/{id}",
                    &format!("conversations/{}", half.inside),
                )
                .replace("messages/{id}", &format!("messages/{}", half.message))
                .replace("imports/{id}", &format!("imports/{}", half.import))
                .replace("{code}", "stale")
                .replace("{no}", "1")
                .replace("{login}", "man")
                .replace("{id}", "hld_00000000000000000000000000");
            half.get("man", &path)
        });
    }
    assert!(two.compared > 60, "{}", two.compared);
    two.verdict();
}

#[test]
fn m2_a_lawyer_who_sees_one_conversation_learns_of_no_other() {
    let mut two = two();
    for path in [
        "/c",
        "/imports",
        "/api/v1/conversations",
        "/api/v1/imports",
        "/exports",
        "/jobs",
        "/search",
    ] {
        two.compare(path, |half| half.get("low", path));
    }
    two.compare("why", |half| {
        half.get("low", &format!("/m/{}/why", half.message))
    });
    for query in [
        "shipment",
        "from:Querfeld",
        "quetz*",
        "in:\"Querfeld Secret\"",
        "agreed AND order",
    ] {
        let body = json!({ "query": query, "reason": "claim of Acme" });
        two.compare(&format!("export {query}"), |half| {
            half.job("low", "/api/v1/exports", &body)
        });
        let body = json!({ "query": query });
        two.compare(&format!("hold on {query}"), |half| {
            half.job("low", "/api/v1/holds/preview", &body)
        });
    }
    for name in ["Ana Reis", "Xaver Querfeld", "Bo Lund"] {
        let body = json!({ "custodian": name });
        two.compare(&format!("hold on {name}"), |half| {
            half.job("low", "/api/v1/holds/preview", &body)
        });
    }
    two.verdict();
}

/// Lists and pages of what the house decided: those who see a part are shown that part.
#[test]
fn m2_rules_are_shown_by_sight_whatever_stands_outside() {
    let mut two = two();
    let routes = ROUTES.iter().copied().flatten();
    for route in routes.filter(|route| route.method == Method::GET) {
        let is_rules = [
            "matters",
            "holds",
            "policies",
            "retention",
            "requests",
            "dispositions",
        ]
        .iter()
        .chain(&["/why", "freezes"])
        .any(|part| route.path.contains(part));
        if !is_rules && route.path != "/" && route.path != "/home" {
            continue;
        }
        for login in ["low", "few"] {
            two.compare(&format!("{login} {}", route.path), |half| {
                let mut path = route
                    .path
                    .replace("/m/{id}", &format!("/m/{}", half.message));
                for (word, id) in &half.rules {
                    path = path.replace(&format!("{word}/{{id}}"), &format!("{word}/{id}"));
                }
                let path = path.replace("{no}", "1").replace("{batch}", "1");
                half.get(login, &path.replace("{id}", "x"))
            });
        }
    }
    assert!(two.compared > 40, "{}", two.compared);
    for login in ["low", "few"] {
        for (word, one) in [
            ("matters", 1),
            ("holds", 1),
            ("policies", 1),
            ("dispositions", 0),
        ] {
            let list = two.full.get(login, &format!("/api/v1/{word}"));
            let total = format!("\"total\":{{\"relation\":\"exact\",\"value\":{one}}}");
            let other = format!("\"total\":{{\"value\":{one},\"relation\":\"exact\"}}");
            assert!(
                list.contains(&total) || list.contains(&other),
                "{login} {word}: {list}"
            );
            assert!(!list.contains("Querfeld"), "{login} {word}: {list}");
        }
    }
    two.verdict();
}

/// A matter, a hold, a policy or a request that touches something outside is answered like none.
#[test]
fn m2_hidden_rules_and_absent_ones_are_answered_alike() {
    let full = half(true);
    let mut compared = 0;
    for login in ["low", "few"] {
        for route in ROUTES.iter().copied().flatten() {
            for (word, hidden) in &full.hidden {
                let place = format!("{word}/{{id}}");
                if !route.path.contains(&place) {
                    continue;
                }
                let (prefix, _) = hidden.split_once('_').unwrap();
                let absent = format!("{prefix}_00000000000000000000000000");
                let ask = |id: &str| {
                    let path = route.path.replace(&place, &format!("{word}/{id}"));
                    let body = json!({ "reason": "x" });
                    let sent = match route.method == Method::GET {
                        true => Sent::Nothing,
                        false => Sent::Json(&body),
                    };
                    let answer = masked(&full.send(login, &route.method, &path, sent));
                    answer.replace(&path, "")
                };
                assert_eq!(
                    ask(hidden),
                    ask(&absent),
                    "{login} {} {}",
                    route.method,
                    route.path
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 30, "{compared}");
    // Nothing can be hung on what is hidden either.
    let session = full.app.log_in("low", PASSWORD, 1).unwrap().0;
    let on = |matter: &str| {
        let target = HoldTarget::Conversation(full.inside);
        let new = new_hold(matter.parse().unwrap(), target);
        full.app.place_hold(&session, &new).unwrap_err().to_string()
    };
    let absent = "mat_00000000000000000000000000";
    let told = on(&full.hidden["matters"]).replace(&full.hidden["matters"], absent);
    assert_eq!(told, on(absent));
}

/// What is there and hidden is answered like what never was.
#[test]
fn m2_hidden_and_absent_are_answered_alike_everywhere() {
    let full = half(true);
    let secret = full.outside.unwrap();
    let rec = full.app.log_in("rec", PASSWORD, 1).unwrap().0;
    let found = full
        .app
        .search(&rec, &SearchRequest::new(format!("conv:{secret}")))
        .unwrap();
    let message = found.answer.hits[0].line.id;
    let nowhere = "cnv_00000000000000000000000000";
    let nothing = "msg_00000000000000000000000000";
    let mut compared = 0;
    for login in ["man", "low"] {
        for route in ROUTES.iter().copied().flatten() {
            let of_conversation = ["/c/{id}", "conversations/{id}"]
                .iter()
                .any(|part| route.path.contains(part));
            let of_message = ["/m/{id}", "messages/{id}"]
                .iter()
                .any(|part| route.path.contains(part));
            let (hidden, absent) = match (of_conversation, of_message) {
                (true, _) => (secret.to_string(), nowhere),
                (_, true) => (message.to_string(), nothing),
                _ => continue,
            };
            let ask = |id: &str| {
                let path = route.path.replacen("{id}", id, 1);
                let body = json!({});
                let sent = match route.method == Method::GET {
                    true => Sent::Nothing,
                    false => Sent::Json(&body),
                };
                masked(&full.send(login, &route.method, &path, sent))
            };
            assert_eq!(ask(&hidden), ask(absent), "{login} {}", route.path);
            compared += 1;
        }
        for (path, body, absent) in [
            (
                "/api/v1/holds/preview",
                json!({ "conversation": secret.to_string() }),
                json!({ "conversation": nowhere }),
            ),
            (
                "/api/v1/holds/preview",
                json!({ "messages": [message.to_string()] }),
                json!({ "messages": [nothing] }),
            ),
            (
                "/api/v1/labels/removals",
                json!({ "message": message.to_string(), "reason": "x" }),
                json!({ "message": nothing, "reason": "x" }),
            ),
        ] {
            let ask = |body: &Value| -> Value {
                let answer = full.job(login, path, body);
                let text = answer.split_once('\n').unwrap().1;
                serde_json::from_str(text).unwrap()
            };
            let (hidden, absent) = (ask(&body), ask(&absent));
            for field in ["state", "problem", "status", "detail", "type", "result"] {
                assert_eq!(hidden[field], absent[field], "{login} {path} {body}");
            }
        }
    }
    assert!(compared > 8, "{compared}");
}

/// The law could fail: somebody who sees everything is answered differently.
#[test]
fn s14_whoever_sees_everything_sees_the_difference() {
    let (plain, full) = (half(false), half(true));
    let count = |half: &Half| {
        let law = half.app.log_in("law", PASSWORD, 1).unwrap().0;
        let answer = half.app.search(&law, &SearchRequest::new("shipment"));
        answer.unwrap().answer.total
    };
    assert!(count(&full) > count(&plain));
    let text = "cnv_0123456789ABCDEFGHJKMNPQRS and cnv_0123456789ABCDEFGHJKMNPQRS audit #7";
    assert_eq!(masked(text), "cnv_0 and cnv_0 audit #");
}
