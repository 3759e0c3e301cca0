//! What follows the first administrator: the recovery kit and its proof, whose archive it is, and the
//! first chat. The last two can be left for later; every step can be gone back to.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, INTERRUPTED, JobLine, JobResult, JobState, NewJob, Tone};
use super::super::posted::{Asked, Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::sign_in::entered;
use super::{Page, form, job, step_up};
use crate::app::{SAMPLE_READER, parse_recovery_key};
use crate::crypto::equal;
use crate::domain::{JobId, Right, UserNo};

/// The steps of setting up, in their order.
pub(super) const STEPS: &[&str] = &["Administrator", "Keys", "Organisation", "First chat"];

/// Places of the characters that prove a kit, from 1, without the prefix and the hyphens.
const PROOF: [usize; 4] = [3, 9, 17, 22];

const KEYS: Access = Access::With(Right::ManageKeys);
const HOUSE: Access = Access::With(Right::ManageUsers);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/setup/keys", KEYS, || get(keys)),
    Route::post("/setup/keys", KEYS, || post(prove)),
    Route::post("/setup/kit", KEYS, || post(download)),
    Route::get("/setup/organisation", HOUSE, || get(organisation)),
    Route::post("/setup/organisation", HOUSE, || post(name)),
    Route::get("/setup/chat", HOUSE, || get(chat)),
    Route::post("/setup/sample", HOUSE, || post(load_sample)),
    Route::post("/setup/look", HOUSE, || post(look)),
];

/// The recovery key that was given out last and is not proved yet. It is in the memory of the program
/// until it is proved, another is made, or the program ends; it is wiped then.
#[derive(Default)]
pub(in crate::http) struct Kits(Mutex<Option<(UserNo, Zeroizing<String>)>>);

impl Kits {
    fn kept(&self, owner: UserNo) -> Option<Zeroizing<String>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = kept.as_ref().filter(|(of, _)| *of == owner);
        own.map(|(_, text)| text.clone())
    }

    fn keep(&self, kit: Option<(UserNo, Zeroizing<String>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kit;
    }
}

/// The characters of a printed key that are counted: behind the prefix, without hyphens.
fn counted(text: &str) -> impl Iterator<Item = char> + '_ {
    let behind = text.split_once('-').map_or("", |(_, letters)| letters);
    behind.chars().filter(|letter| *letter != '-')
}

/// What is to be typed for a key.
fn proof_of(text: &str) -> Zeroizing<String> {
    let letters = PROOF
        .iter()
        .filter_map(|place| counted(text).nth(place - 1));
    Zeroizing::new(letters.collect())
}

/// The kit as a file: its first line is the key, as commands read it.
fn kit_file(key: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(1_024));
    text.push_str(key);
    text.push_str(
        "\n\n\
         Recovery kit of a Wordkeep archive\n\
         ----------------------------------\n\
         Backups hold no keys. The keys lie in the escrow, and only the line above opens it.\n\
         Print this page and lock it away, far from the data and from the backups. It is kept\n\
         nowhere else.\n\n\
         To restore:  wordkeep backup restore --recovery-key-file THIS-FILE --help\n\n\
         Characters by their number, without the prefix and the hyphens:\n",
    );
    for (place, letter) in (1..).zip(counted(key)) {
        text.push_str(&format!(
            "{place:>3} {letter}{}",
            if place % 8 == 0 { "\n" } else { "  " }
        ));
    }
    text.push('\n');
    text
}

async fn keys(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    if let Some(way) = step_up::asked(&who, "/setup/keys") {
        return Ok(way);
    }
    Ok(keyed(&frame, is_proved(&house, &who).await?, None))
}

async fn is_proved(house: &Arc<House>, who: &Who) -> Result<bool, Refusal> {
    let session = who.session.clone();
    let figures = house.ask(move |one| one.system_figures(&session)).await?;
    Ok(figures.recovery.is_some_and(|(_, tested)| tested.is_some()))
}

fn keyed(frame: &Frame, proved: bool, refusal: Option<&Refusal>) -> Response {
    let places = PROOF.map(|place| place.to_string());
    let frame = frame.clone().at(Section::Outside, "Recovery kit");
    let content = html! {
        (form::step(2, STEPS))
        h1 { "Recovery kit" }
        p {
            "If this computer is lost, a backup brings the archive back, and the recovery kit opens it. \
             Without the kit no backup can be made."
        }
        @if proved { p.notice.good role="status" { "A recovery kit was proved. You can go on, or make another one." } }
        section.card {
            h2 { "1. Save it" }
            form method="post" action="/setup/kit" {
                (frame.mark())
                button.primary[!proved] type="submit" { "Download recovery kit" }
            }
            p.aside { "A small text file. Print it, or put it on a stick that lies in a safe: not on this computer." }
        }
        section.card {
            h2 { "2. Prove that you have it" }
            (form::refused(refusal))
            form method="post" action="/setup/keys" {
                (frame.mark())
                label.field {
                    span { "Characters " (places[..3].join(", ")) " and " (places[3]) " of the kit" }
                    input name="proof" required autocomplete="off" spellcheck="false" maxlength="12";
                    small { "The kit lists them by number. Capitals do not matter." }
                }
                button.primary type="submit" { "Prove it and go on" }
            }
        }
        @if proved { p { a.button href="/setup/organisation" { "Go on" } } }
    };
    form::again(&frame, &content, refusal)
}

async fn download(State(house): State<Arc<House>>, who: Who) -> Page {
    if let Some(way) = step_up::asked(&who, "/setup/keys") {
        return Ok(way);
    }
    let owner = who.session.actor.no;
    let key = match house.kits.kept(owner) {
        // A file that was lost on its way is given once more; it is the same key.
        Some(key) => key,
        None => {
            let session = who.session.clone();
            let made = house
                .ask(move |one| Ok(one.create_recovery_key(&session)?.0.to_text()))
                .await?;
            house.kits.keep(Some((owner, made.clone())));
            made
        }
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"wordkeep-recovery-kit.txt\""),
        ),
    ];
    Ok((headers, kit_file(&key).to_string()).into_response())
}

#[derive(Deserialize)]
struct Proof {
    proof: Hidden,
}

async fn prove(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Proof>,
) -> Page {
    if let Some(way) = step_up::asked(&who, "/setup/keys") {
        return Ok(way);
    }
    let owner = who.session.actor.no;
    let Some(key) = house.kits.kept(owner) else {
        let why = Refusal::usage("Download the kit first: there is none that waits to be proved.");
        let proved = is_proved(&house, &who).await?;
        return Ok(keyed(&frame, proved, Some(&why)));
    };
    let mut letters = Zeroizing::new(String::with_capacity(16));
    let blank = |letter: &char| !letter.is_whitespace() && *letter != ',' && *letter != '-';
    letters.extend(
        typed
            .proof
            .chars()
            .filter(blank)
            .map(|letter| letter.to_ascii_uppercase()),
    );
    if !equal(letters.as_bytes(), proof_of(&key).as_bytes()) {
        let why = Refusal::usage(
            "These are not the characters of the kit. Count them in the file, and try again.",
        );
        let proved = is_proved(&house, &who).await?;
        return Ok(keyed(&frame, proved, Some(&why)));
    }
    let session = who.session.clone();
    house
        .ask(move |one| one.test_recovery_key(&session, &parse_recovery_key(&key)?))
        .await?;
    house.kits.keep(None);
    Ok(Redirect::to("/setup/organisation").into_response())
}

#[derive(Clone, Deserialize)]
struct Typed {
    #[serde(default)]
    organisation: String,
    #[serde(default)]
    zone: String,
}

async fn organisation(State(house): State<Arc<House>>, frame: Frame) -> Page {
    let (workspace, zone) = house
        .ask(|one| Ok((one.workspace(), one.zone_name())))
        .await?;
    let typed = Typed {
        organisation: workspace.organisation,
        zone,
    };
    Ok(organised(&frame, &typed, None))
}

fn organised(frame: &Frame, typed: &Typed, refusal: Option<&Refusal>) -> Response {
    let frame = frame.clone().at(Section::Outside, "Organisation");
    let content = html! {
        (form::step(3, STEPS))
        h1 { "Organisation" }
        form.card method="post" action="/setup/organisation" {
            (frame.mark())
            (form::refused(refusal))
            label.field {
                span { "Organisation" }
                input name="organisation" value=(typed.organisation) maxlength="120" dir="auto"
                    autocomplete="organization";
                small { "Whose archive it is. It can stay empty." }
            }
            label.field {
                span { "Time zone" }
                input name="zone" value=(typed.zone) required maxlength="60" autocomplete="off"
                    spellcheck="false" list="zones";
                datalist #zones {
                    @for zone in chrono_tz::TZ_VARIANTS.iter().filter(|zone| zone.name().contains('/')) {
                        option value=(zone.name()) {}
                    }
                }
                small { "In which dates are shown and read, such as Europe/Lisbon." }
            }
            p.field {
                strong { "Retention: keep everything." }
                " Nothing is ever deleted until a records officer has written a policy, simulated it, and \
                 others have approved its list."
            }
            button.primary type="submit" { "Keep it and go on" }
            " " a.button href="/setup/chat" { "Later" }
            " " a.button.quiet href="/setup/keys" { "Back" }
        }
    };
    form::again(&frame, &content, refusal)
}

async fn name(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Typed>,
) -> Page {
    let (session, wanted) = (who.session.clone(), typed.clone());
    let named = house
        .ask(move |one| one.name_workspace(&session, &wanted.organisation, &wanted.zone))
        .await;
    match named {
        Ok(_) => Ok(Redirect::to("/setup/chat").into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            Ok(organised(&frame, &typed, Some(&refusal)))
        }
    }
}

#[derive(Deserialize)]
struct Loading {
    job: Option<String>,
}

async fn chat(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(loading): Asked<Loading>,
) -> Page {
    let id: Option<JobId> = loading.job.and_then(|id| id.parse().ok());
    let job = id.and_then(|id| house.jobs.find(who.session.actor.no, id));
    let (workspace, may_load) = house
        .ask(|one| Ok((one.workspace(), one.may_load_sample()?)))
        .await?;
    let frame = frame.at(Section::Outside, "First chat");
    let content = html! {
        (form::step(4, STEPS))
        h1 { "First chat" }
        @match &job {
            Some(job) => (loading_now(&frame, job)),
            None => @if workspace.sample { (sample_here(&frame)) },
        }
        div.cards {
            section.card {
                h2 { "Your own chats" }
                p { "Exports of WhatsApp and tables, as phones and platforms write them. What a file leaves open is asked." }
                p { a.button.primary href="/imports" { "Choose files" } }
            }
            @if may_load && job.is_none() { (offer(&frame)) }
            section.card {
                h2 { "People" }
                p { "You read no message yourself: add a lawyer, a records officer or a manager who does." }
                p { a.button href="/users" { "Add people" } }
            }
        }
        p {
            a.button href="/" { "Finish" }
            " " a.button.quiet href="/setup/organisation" { "Back" }
        }
    };
    Ok(frame.page(&content))
}

fn offer(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "Sample data" }
            p {
                "A made-up company with two years of chat. It goes through the same door as yours, and \
                 every page says that it is here. For an archive you want to keep, start with your own."
            }
            form method="post" action="/setup/sample" {
                (frame.mark())
                button type="submit" { "Load sample data" }
            }
        }
    }
}

/// How far it is; asked for again every second until it is over.
fn loading_now(frame: &Frame, job: &JobLine) -> Markup {
    let over = job.state.is_over();
    let way = (!over).then(|| format!("/setup/chat?job={}", job.id));
    let trigger = way.as_ref().map(|_| "every 1s");
    let part = way.as_ref().map(|_| "#loading");
    html! {
        div #loading hx-get=[way] hx-trigger=[trigger] hx-select=[part] hx-swap="outerHTML" {
            @match &job.state {
                JobState::Done(_) => (sample_here(frame)),
                JobState::Refused(refusal) => (form::refused(Some(refusal))),
                JobState::Stopped(saved) => p.notice.warn { (saved) },
                JobState::Interrupted => p.notice.warn { (INTERRUPTED) },
                JobState::Waiting => p.notice.good role="status" { "The sample waits its turn." },
                JobState::Running { done, total, .. } => {
                    p.notice.good role="status" { "The sample is being imported: chat " (done + 1) " of " (total) "." }
                    progress max=(total) value=(done) aria-label="How far it is" {}
                }
            }
        }
        @if !over { (job::look_again()) }
    }
}

fn sample_here(frame: &Frame) -> Markup {
    html! {
        section.card {
            p.notice.good role="status" { "The sample is here." }
            p {
                "Its conversations are read by " code { (SAMPLE_READER) } ", who sees nothing else. You can look \
                 at them with their eyes; it is in the log, and takes the place of your own session in this browser."
            }
            form method="post" action="/setup/look" {
                (frame.mark())
                button.primary type="submit" { "Look at the sample" }
            }
        }
    }
}

async fn load_sample(State(house): State<Arc<House>>, who: Who) -> Page {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let session = who.session.clone();
    let act: Act = Box::new(move |one, teller| {
        let entry = one.load_sample(&session, &mut |done, of| {
            teller.tell("chats imported", done, of)
        })?;
        let mut result = JobResult::new(Tone::Good, "The sample is here.");
        result.page = Some("/setup/chat".to_owned());
        result.audit = Some(entry.seq);
        Ok(result)
    });
    let new = NewJob {
        id: appliance.mint_job(),
        owner: who.session.actor.no,
        title: "Load sample data",
        stops: false,
    };
    let id = house.jobs.start(&appliance, new, act)?;
    Ok(Redirect::to(&format!("/setup/chat?job={id}")).into_response())
}

async fn look(State(house): State<Arc<House>>, who: Who) -> Page {
    let key = house
        .ask(move |one| one.look_at_sample(&who.session))
        .await?;
    Ok(entered(&house, &key, "/search"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WKREC1-ABCDE-FGHJK-MNPQR-STVWX-YZ012";

    #[test]
    fn t2_a_kit_is_proved_by_its_counted_characters() {
        assert_eq!(counted(KEY).count(), 25);
        assert_eq!(*proof_of(KEY), "CJTZ");
    }

    #[test]
    fn t2_the_first_line_of_a_kit_is_the_key_and_every_place_is_named() {
        let file = kit_file(KEY);
        assert_eq!(file.lines().next(), Some(KEY));
        for (place, letter) in PROOF.iter().zip(proof_of(KEY).chars()) {
            assert!(file.contains(&format!("{place:>3} {letter}")), "{place}");
        }
    }
}
