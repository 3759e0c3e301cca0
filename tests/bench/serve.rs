//! Bench: the served archive over a connection of this computer: searches of programs, pages of a
//! search, and a message in the middle of a long conversation, from the request's first byte to the
//! answer's last, sealing, scope, rendering and the entry in the audit log included.
//!
//! `cargo bench --bench serve -- [messages]`; the corpus lies at `$WORDKEEP_CORPUS` (default
//! `../shared/corpus`).

#[path = "import/corpus.rs"]
mod corpus;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::app::{Appliance, SearchRequest, Session, SignIn};
use wordkeep::crypto::Secret;
use wordkeep::domain::Role;
use wordkeep::http::{House, HouseOptions, ServeOptions, serve};

use corpus::{MAPPING, Outcome, PASSWORD, QUERIES, corpus, create, import_all, percentile, unpack};

/// Messages of the long conversation, and the one in its middle that is opened.
const LONG: u32 = 300_000;
const MIDDLE: u32 = 150_000;
const ROUNDS: usize = 15;
/// Windows of the long conversation that are opened.
const WINDOWS: u32 = 200;

/// One connection that is kept.
struct Caller {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    badge: String,
}

struct Answer {
    status: u16,
    location: String,
    body: Vec<u8>,
    took: Duration,
}

impl Caller {
    fn new(address: SocketAddr, badge: String) -> Outcome<Caller> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Caller {
            stream: BufReader::new(stream),
            address,
            badge,
        })
    }

    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Outcome<Answer> {
        let began = Instant::now();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            self.badge,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).unwrap_or_default().parse()?;
        let (mut length, mut location) = (0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(": ") else {
                break;
            };
            match name {
                "content-length" => length = value.parse()?,
                "location" => location = value.to_owned(),
                "transfer-encoding" => return Err("an answer without its length".into()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer {
            status,
            location,
            body,
            took: began.elapsed(),
        })
    }
}

fn expect(answer: &Answer, status: u16) -> Outcome<()> {
    match answer.status == status {
        true => Ok(()),
        false => Err(format!(
            "{} instead of {status}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        )
        .into()),
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    println!(
        "{what}: p50 {:.2} ms, p95 {:.2} ms, worst {:.2} ms over {} answers",
        percentile(&times, 50),
        percentile(&times, 95),
        percentile(&times, 100),
        times.len()
    );
}

/// A chat of two people over some years, each message with a word of its own.
fn long_chat(into: &Path) -> Outcome<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(into)?);
    let start = chrono::DateTime::from_timestamp(1_500_000_000, 0).ok_or("a time")?;
    for no in 0..LONG {
        let time = start + chrono::Duration::seconds(i64::from(no) * 400);
        let author = ["Ana Maria", "Bo"][no as usize % 2];
        writeln!(
            out,
            "{} - {author}: mark{no} about the offer, its price and what was said before",
            time.format("%d/%m/%Y, %H:%M")
        )?;
    }
    Ok(out.flush()?)
}

/// The same queries as in the bench of import, as a program asks them: fifty hits, exact total.
fn programs(appliance: &Appliance, address: SocketAddr) -> Outcome<()> {
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        // A program of its own for each round: one alone may not ask that often.
        let (_, token) = appliance.log_in("lawyer", PASSWORD, 1)?;
        let badge = format!("Authorization: Bearer {token}");
        let mut caller = Caller::new(address, badge)?;
        for query in QUERIES {
            let body = serde_json::json!({"query": query, "limit": 50}).to_string();
            let answer = caller.ask("POST", "/api/v1/search", "application/json", &body)?;
            expect(&answer, 200)?;
            if round > 0 {
                times.push(answer.took);
            }
            if round == ROUNDS {
                let told: serde_json::Value = serde_json::from_slice(&answer.body)?;
                println!(
                    "{query:32} {:>8} hits {:>8.2} ms {:>8} bytes",
                    told["total"]["value"],
                    answer.took.as_secs_f64() * 1e3,
                    answer.body.len()
                );
            }
        }
    }
    print("search over the API", times);
    Ok(())
}

/// The pages that answer the same queries, asked by form and followed.
fn pages(appliance: &Appliance, address: SocketAddr) -> Outcome<()> {
    let SignIn::In(key, web) = appliance.sign_in("lawyer", PASSWORD, None)? else {
        return Err("nobody has a second factor here".into());
    };
    let mut caller = Caller::new(address, format!("Cookie: wordkeep={key}"))?;
    let (mut asked, mut shown, mut counted) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=5 {
        for query in QUERIES {
            let form = format!("csrf={}&query={}", web.csrf, escaped(query));
            let kind = "application/x-www-form-urlencoded";
            let sent = caller.ask("POST", "/search", kind, &form)?;
            expect(&sent, 303)?;
            let page = caller.ask("GET", &sent.location, "text/plain", "")?;
            expect(&page, 200)?;
            let counts = format!("{}/counts", sent.location);
            let counts = caller.ask("GET", &counts, "text/plain", "")?;
            expect(&counts, 200)?;
            if round == 5 {
                println!(
                    "{query:32} page {:>8.2} ms {:>8} bytes, facets {:>8.2} ms",
                    page.took.as_secs_f64() * 1e3,
                    page.body.len(),
                    counts.took.as_secs_f64() * 1e3
                );
            }
            if round > 0 {
                asked.push(sent.took);
                shown.push(page.took);
                counted.push(counts.took);
            }
        }
    }
    print("a question kept (page)", asked);
    print("its answer (page)", shown);
    print("its facets (fragment)", counted);
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Where a message with a word of its own stands.
fn found(appliance: &Appliance, lawyer: &Session, no: u32) -> Outcome<String> {
    let request = SearchRequest::new(format!("mark{no}"));
    let answer = appliance.search(lawyer, &request)?;
    let hit = answer.answer.hits.first().ok_or("the long chat is there")?;
    Ok(hit.line.id.to_string())
}

/// Messages of the long conversation, opened around themselves.
fn windows(appliance: &Appliance, lawyer: &Session, address: SocketAddr) -> Outcome<()> {
    let lines = appliance.conversations(lawyer)?;
    let long = lines.iter().find(|line| line.title.contains("Long"));
    let long = long.ok_or("the long chat is listed")?.id;
    let SignIn::In(key, _) = appliance.sign_in("lawyer", PASSWORD, None)? else {
        return Err("nobody has a second factor here".into());
    };
    let mut caller = Caller::new(address, format!("Cookie: wordkeep={key}"))?;
    let middle = found(appliance, lawyer, MIDDLE)?;
    let page = caller.ask("GET", &format!("/c/{long}?at={middle}"), "text/plain", "")?;
    expect(&page, 200)?;
    println!(
        "message {MIDDLE} of {LONG}, the first time: {:.2} ms, {} bytes",
        page.took.as_secs_f64() * 1e3,
        page.body.len()
    );
    let mut times = Vec::new();
    for window in 0..WINDOWS {
        let at = found(appliance, lawyer, window * (LONG / WINDOWS) + 7)?;
        let page = caller.ask("GET", &format!("/c/{long}?at={at}"), "text/plain", "")?;
        expect(&page, 200)?;
        times.push(page.took);
    }
    print("a window of the long conversation", times);
    Ok(())
}

fn main() -> Outcome<()> {
    let Some(chats) = corpus() else {
        println!("SKIPPED: no corpus; set WORDKEEP_CORPUS");
        return Ok(());
    };
    let limit = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(u64::MAX >> 1);
    let dir = tempfile::tempdir()?;
    let files = unpack(&chats, dir.path(), limit)?;
    let mapping = dir.path().join("mapping.json");
    std::fs::write(&mapping, MAPPING)?;
    let (appliance, _) = create(dir.path(), &Secret::key_file(&[7; 32]))?;
    let (root, _) = appliance.log_in("root", PASSWORD, 1)?;
    appliance.add_user(&root, "lawyer", Role::Lawyer, PASSWORD, &[])?;
    let (lawyer, _) = appliance.log_in("lawyer", PASSWORD, 1)?;
    import_all(&appliance, &root, &files, &mapping)?;
    let chat = dir.path().join("WhatsApp Chat with Long.txt");
    long_chat(&chat)?;
    let request = ImportRequest {
        path: chat,
        zone: Some("Europe/Lisbon".to_owned()),
        ..ImportRequest::default()
    };
    let receipt = appliance.import(&root, &request, &SilentProgress)?;
    println!("{} messages in the long conversation", receipt.counts.fresh);

    let appliance = Arc::new(appliance);
    let house = House::open(Arc::clone(&appliance), HouseOptions::default());
    let stop = AtomicBool::new(false);
    let (ready, served) = mpsc::channel();
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let options = ServeOptions {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                tls: None,
                insecure_http: false,
            };
            serve(
                &house,
                &options,
                &|| stop.load(Ordering::Relaxed),
                &mut |at| {
                    // Who waits for it hears it, or has given up.
                    let _ = ready.send(at.address);
                },
            )
        });
        let address = served.recv()?;
        let done = programs(&appliance, address)
            .and_then(|()| pages(&appliance, address))
            .and_then(|()| windows(&appliance, &lawyer, address));
        stop.store(true, Ordering::Relaxed);
        serving.join().map_err(|_| "serving died")??;
        done
    })
}
