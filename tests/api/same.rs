//! One question, one number: pages, API and commands count the same on generated queries over the sample.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use regex::Regex;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::app::sample::{Content, SampleFile, generate};
use wordkeep::app::{AppError, Appliance, SignIn};
use wordkeep::http::{House, HouseOptions, router};
use wordkeep::ingest::{DateOrder, QuestionKind};

use crate::chance::Chance;
use crate::house::{KEY, PASSWORD, Place, log_in};

/// Queries that are asked thrice.
const QUERIES: usize = 200;
/// Messages of the sample.
const MESSAGES: usize = 1_500;
const SEED: u64 = 20_240_229;

/// Leaves of the language that find something in the sample, or nothing.
const LEAVES: &[&str] = &[
    "discount",
    "price",
    "deliver*",
    "refund",
    "invoice~1",
    "\"delivery date\"",
    "preis",
    "preço",
    "entrega",
    "Friday",
    "nobodysaysthis",
    "app:whatsapp",
    "app:telegram",
    "app:slack",
    "app:line",
    "has:attachment",
    "is:edited",
    "is:deleted",
    "type:group",
    "type:dm",
    "date:2023",
    "date:2024-01..2024-06",
    "after:2024-03-01",
    "from:\"Rui Melo\"",
    "from:Marta",
    "price w/5 discount",
    "amount:>1000",
    "ship* OR send*",
    "/dis.ount/",
    "^deliver",
];

fn query(chance: &mut Chance) -> String {
    let leaf = |chance: &mut Chance| (*chance.one(LEAVES)).to_owned();
    let (one, two, three) = (leaf(chance), leaf(chance), leaf(chance));
    match chance.below(9) {
        0..3 => one,
        3 => format!("({one}) AND ({two})"),
        4 => format!("({one}) OR ({two})"),
        5 => format!("({one}) AND NOT ({two})"),
        6 => format!("(({one}) OR ({two})) AND ({three})"),
        7 => format!("NOT ({one})"),
        _ => format!("({one}) w/3msg ({two})"),
    }
}

fn bring(app: &Appliance, file: &SampleFile, into: &Path) {
    let path = into.join(&file.name);
    match &file.content {
        Content::Plain(bytes) => std::fs::write(&path, bytes).unwrap(),
        Content::Zip(entries) => {
            let folder = std::fs::File::create(&path).unwrap();
            let mut zip = zip::ZipWriter::new(folder);
            let (year, month, day) = file.options.modified.civil_utc();
            let date = zip::DateTime::from_date_and_time(year as u16, month, day, 0, 0, 0);
            let options =
                zip::write::SimpleFileOptions::default().last_modified_time(date.unwrap());
            for entry in entries {
                zip.start_file(&*entry.name, options).unwrap();
                std::io::Write::write_all(&mut zip, &entry.bytes).unwrap();
            }
            zip.finish().unwrap();
        }
    }
    let modified = u64::try_from(file.options.modified.0).unwrap();
    let since = std::time::Duration::from_micros(modified);
    let written = std::fs::File::options().write(true).open(&path).unwrap();
    written.set_modified(std::time::UNIX_EPOCH + since).unwrap();
    let request = ImportRequest {
        path,
        date_order: file.options.date_order.and_then(DateOrder::from_name),
        zone: Some(file.options.zone.to_owned()),
        mapping_text: file.options.mapping.clone(),
        title: file.options.title.map(str::to_owned),
        ..ImportRequest::default()
    };
    let officer = log_in(app, "rec");
    let done = match app.import(&officer, &request, &SilentProgress) {
        // Which conversation it continues is not what is tried here.
        Err(AppError::Questions(asked)) => {
            let kinds: Vec<QuestionKind> = asked.iter().map(|one| one.kind).collect();
            assert_eq!(kinds, [QuestionKind::Continues], "{}", file.name);
            let own = ImportRequest {
                new_conversation: true,
                ..request
            };
            app.import(&officer, &own, &SilentProgress)
        }
        done => done,
    };
    done.unwrap_or_else(|error| panic!("{}: {error}", file.name));
}

/// What somebody is told: a number, or that the query is none.
type Told = Option<u64>;

struct Asker {
    router: Router,
    runtime: tokio::runtime::Runtime,
    cookie: String,
    csrf: String,
}

impl Asker {
    fn send(&self, path: &str, kind: &str, body: String) -> (StatusCode, String, String) {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, format!("wordkeep={}", self.cookie))
            .header("x-csrf-token", &self.csrf)
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body))
            .unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, 8 << 20).await.unwrap();
            let to = parts.headers.get(header::LOCATION);
            let to = to.map_or(String::new(), |to| to.to_str().unwrap().to_owned());
            (
                parts.status,
                to,
                String::from_utf8_lossy(&bytes).into_owned(),
            )
        })
    }

    fn api(&self, query: &str) -> Told {
        let body = json!({ "query": query }).to_string();
        let (status, _, body) = self.send("/api/v1/search/count", "application/json", body);
        let told: Value = serde_json::from_str(&body).unwrap();
        assert!(
            status == StatusCode::OK || status.is_client_error(),
            "{status} {body}"
        );
        told["total"]["value"].as_u64()
    }

    fn page(&self, query: &str, total: &Regex) -> Told {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let kind = "application/x-www-form-urlencoded";
        let (_, place, _) = self.send("/search", kind, format!("query={escaped}"));
        let (status, _, page) = self.send(&place, "text/plain", String::new());
        if status != StatusCode::OK {
            assert!(status.is_client_error(), "{status} {page}");
            return None;
        }
        let shown = &total.captures(&page).unwrap()[1];
        Some(shown.replace(',', "").parse().unwrap())
    }
}

fn asker(app: &Arc<Appliance>) -> Asker {
    let SignIn::In(key, web) = app.sign_in("law", PASSWORD, None).unwrap() else {
        panic!("nobody has a second factor here");
    };
    let house = House::open(Arc::clone(app), HouseOptions::default());
    Asker {
        router: router(&house),
        runtime: tokio::runtime::Runtime::new().unwrap(),
        cookie: key.to_string(),
        csrf: web.csrf,
    }
}

#[test]
fn x1_pages_api_and_commands_count_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let exports = dir.path().join("exports");
    std::fs::create_dir_all(&exports).unwrap();
    let app = Arc::new(place.create());
    for file in &generate(SEED, MESSAGES).files {
        bring(&app, file, &exports);
    }
    let mut chance = Chance::new(SEED);
    let queries: Vec<String> = (0..QUERIES).map(|_| query(&mut chance)).collect();
    let total = Regex::new("<strong>([0-9,]+) messages?</strong>").unwrap();
    let asker = asker(&app);
    let mut counted: Vec<Told> = Vec::new();
    for query in &queries {
        let (page, api) = (asker.page(query, &total), asker.api(query));
        assert_eq!(page, api, "{query}");
        counted.push(api);
    }
    drop(asker);
    Arc::into_inner(app).unwrap().close().unwrap();

    let key = dir.path().join("unlock.key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::write(dir.path().join("password"), format!("{PASSWORD}\n")).unwrap();
    let wordkeep = |words: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_wordkeep"))
            .env("HOME", dir.path().join("home"))
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(dir.path())
            .args(["--no-input", "--token-file", "law.token", "--unlock-key"])
            .arg(&key)
            .arg("--data")
            .arg(place.data())
            .args(words)
            .output()
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        (
            done.status.code().unwrap(),
            text,
            String::from_utf8(done.stderr).unwrap(),
        )
    };
    let (code, _, why) = wordkeep(&["login", "law", "--password-file", "password"]);
    assert_eq!(code, 0, "{why}");
    for (query, expected) in queries.iter().zip(&counted) {
        let (code, text, why) = wordkeep(&["search", "--count", "--plain", "--", query]);
        let told = (code == 0).then(|| text.trim().parse::<u64>().unwrap());
        assert!(code == 0 || code == 2, "{query}: {code} {why}");
        assert_eq!(told, *expected, "{query}: {why}");
    }
    let answered = counted.iter().flatten().count();
    let found = counted.iter().flatten().filter(|count| **count > 0).count();
    assert!(
        answered > 150 && found > 100,
        "{answered} answered, {found} with hits"
    );
}
