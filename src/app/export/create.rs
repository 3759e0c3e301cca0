//! Making an export: intent, effect, outcome.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use chrono_tz::Tz;

use super::gather::{Gather, Place};
use super::manifest::{
    AskedQuery, Complete, ExportActor, ExportCounts, FileLine, LogPlace, Made, Manifest, SCHEMA,
    ScopeStatement, digest_of_files,
};
use super::packing::{Measure, Packing};
use super::page::Page;
use super::record::{LINE_BYTES_MAX, Record, instant};
use super::target::Target;
use super::{EXPORT_HITS_MAX, ExportReceipt, ExportRequest, names, readme, table};
use crate::app::clock::Stopwatch;
use crate::app::search::{Reading, refused, zone};
use crate::app::{AppError, Appliance, Result, Session};
use crate::archive::{Watermark, mint};
use crate::audit::{Action, Draft, EntryActor, Outcome, StatementKind};
use crate::crypto::{Digest, Edge, hex, leaf_hash, random_bytes};
use crate::domain::{EntryNo, ExportId, MessageId, Now, Right, Scope};
use crate::ingest::Span;
use crate::query::{NoFacts, Purpose};
use crate::search::{Budget, NameIndex, Search, SortKey};

/// Time the query of an export may take: nobody waits in front of a screen for it.
const QUERY_BUDGET: Duration = Duration::from_secs(600);
/// Messages between two questions whether to go on.
const MESSAGES_PER_QUESTION: u64 = 64;
/// Name of the fact that lists the exports that are being written, 16 bytes each.
const FACT_RUNNING: &str = "exports_running";

/// Hears how far it is; `false` stops it.
type Progress<'p> = &'p mut dyn FnMut(&'static str, u64, u64) -> bool;

/// What was found before anything was written.
struct Asked {
    reading: Reading,
    zone: Tz,
    scope: Scope,
    names: std::sync::Arc<NameIndex>,
    hits: Vec<Place>,
    total: u64,
    /// Hits of the query, where only some of them were chosen.
    chosen_of: Option<u64>,
    watermark: Watermark,
}

impl Appliance {
    /// Writes the messages that match into a new file, with everything that proves them. The entry
    /// of the intent is durable before the file is made; what fails or is stopped by `progress`
    /// (stage, done, of) leaves no file. The query is read strictly, inside the session's scope.
    pub fn export(
        &self,
        session: &Session,
        request: &ExportRequest,
        progress: Progress<'_>,
    ) -> Result<ExportReceipt> {
        request.check_out()?;
        let target = || Target::create(&request.out);
        let (target, receipt) = self.export_into(session, request, progress, &target)?;
        target.keep();
        self.sign_log()?;
        Ok(receipt)
    }

    /// Whether an export would be begun: the asker may, the query is clear, a reason is given.
    ///
    /// # Errors
    /// As [`Appliance::export`], as far as nothing has to be looked for.
    pub fn check_export(&self, session: &Session, request: &ExportRequest) -> Result<Reading> {
        self.require(session, Right::Export, Action::ExportIntent)?;
        request.check()?;
        let scope = self.scope(session)?;
        let names = self.names()?;
        self.understand(&request.to_search(), Purpose::Report, &names, &scope)
            .map(|(_, reading)| reading)
    }

    /// Writes the bundle into a target that is made once the intent is durable; the outcome is in the
    /// log when this returns.
    pub(super) fn export_into(
        &self,
        session: &Session,
        request: &ExportRequest,
        progress: Progress<'_>,
        target: &dyn Fn() -> Result<Target>,
    ) -> Result<(Target, ExportReceipt)> {
        self.require(session, Right::Export, Action::ExportIntent)?;
        request.check()?;
        let asked = self.asked(session, request)?;
        let now = self.clock.now();
        let id = ExportId(mint(&*self.entropy, now.compliance));
        self.intend_export(session, request, &asked, id, now)?;
        let mut making = Making {
            appliance: self,
            session,
            request,
            asked: &asked,
            id,
            now,
            progress,
        };
        let made = target().and_then(|target| making.make(target));
        let (target, mut receipt) = match made {
            Ok(made) => made,
            Err(error) => {
                self.end_export(session, id, None)?;
                return Err(error);
            }
        };
        receipt.audit = self.end_export(session, id, Some(&receipt))?;
        Ok((target, receipt))
    }

    fn asked(&self, session: &Session, request: &ExportRequest) -> Result<Asked> {
        let watch = Stopwatch::start();
        let scope = self.scope(session)?;
        let names = self.names()?;
        let (resolved, reading) =
            self.understand(&request.to_search(), Purpose::Report, &names, &scope)?;
        self.archive.replay_outbox(self.clock.now())?;
        let watermark = self.archive.watermark()?;
        if !watermark.is_complete() {
            return Err(AppError::Conflict(format!(
                "the search index is complete through {} of {} only, and an export must be whole; \
                 wait for the running import, or run: wordkeep index rebuild",
                watermark.through, watermark.of
            )));
        }
        let spent = || watch.elapsed();
        let scoped = names.within(&self.archive, &scope, None);
        let search = Search {
            archive: &self.archive,
            picture: None,
            names: &scoped,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget {
                allowed: QUERY_BUDGET,
                spent: &spent,
            },
        };
        let (keys, total) = search.keys(EXPORT_HITS_MAX).map_err(refused)?;
        let Some(keys) = keys else {
            return Err(AppError::Usage(format!(
                "{total} messages match, and one export holds at most {EXPORT_HITS_MAX}; export \
                 year by year, for instance"
            )));
        };
        let (keys, chosen_of) = match request.chosen.is_empty() {
            true => (keys, None),
            false => (self.only_chosen(keys, &request.chosen)?, Some(total)),
        };
        let total = chosen_of.map_or(total, |_| keys.len() as u64);
        let hits = Gather::new(self, &scope, &names, request.context).places(&keys)?;
        Ok(Asked {
            chosen_of,
            zone: zone(reading.zone.name())?,
            reading,
            scope,
            names,
            hits,
            total,
            watermark,
        })
    }

    /// The hits among those that were chosen one by one.
    fn only_chosen(&self, keys: Vec<SortKey>, chosen: &[MessageId]) -> Result<Vec<SortKey>> {
        let mut numbers = BTreeSet::new();
        for id in chosen {
            numbers.extend(self.archive.message_of_id(*id)?);
        }
        let keys: Vec<SortKey> = keys
            .into_iter()
            .filter(|key| numbers.contains(&key.no))
            .collect();
        match keys.is_empty() {
            true => Err(AppError::Usage(
                "none of the chosen messages is a hit of the query any more".to_owned(),
            )),
            false => Ok(keys),
        }
    }

    fn intend_export(
        &self,
        session: &Session,
        request: &ExportRequest,
        asked: &Asked,
        id: ExportId,
        now: Now,
    ) -> Result<()> {
        let mut draft = self
            .draft(session, Action::ExportIntent)
            .object(id)
            .count("hits", asked.hits.len() as u64)
            .count("context", u64::from(request.context));
        draft.matter.clone_from(&request.matter);
        let payload = format!(
            "{}\n{}\n{}",
            request.reason, asked.reading.text, asked.reading.resolved
        );
        self.change(now, |tx| {
            let mut running = tx.fact(FACT_RUNNING)?.unwrap_or_default();
            running.extend_from_slice(&id.0.to_be_bytes());
            tx.put_fact(FACT_RUNNING, &running)?;
            self.log(tx, now, draft, Some(payload.as_bytes())).map(drop)
        })
    }

    /// The outcome: done with what was made, or failed.
    fn end_export(
        &self,
        session: &Session,
        id: ExportId,
        made: Option<&ExportReceipt>,
    ) -> Result<EntryNo> {
        let now = self.clock.now();
        let draft = self.draft(session, Action::ExportOutcome).object(id);
        let draft = match made {
            Some(made) => draft
                .count("messages", made.manifest.counts.messages)
                .count("bytes", made.bytes)
                .word("bundle_sha256", &made.sha256),
            None => draft.result(Outcome::Failed),
        };
        self.change(now, |tx| {
            let running = tx.fact(FACT_RUNNING)?.unwrap_or_default();
            let others: Vec<u8> = running
                .chunks(size_of::<u128>())
                .filter(|other| *other != id.0.to_be_bytes())
                .flatten()
                .copied()
                .collect();
            tx.put_fact(FACT_RUNNING, &others)?;
            Ok(self.log(tx, now, draft, None)?.seq)
        })
    }

    /// Exports that were being written when a process died: their files are not whole, and the log
    /// says so.
    pub(in crate::app) fn close_interrupted_exports(&self) -> Result<()> {
        let running = self.archive.store().read()?.fact(FACT_RUNNING)?;
        let running = running.unwrap_or_default();
        if running.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.change(now, |tx| {
            let (ids, _) = running.as_chunks::<16>();
            for id in ids {
                let actor = EntryActor::system();
                let draft = Draft::new(actor, Action::ExportOutcome, self.request())
                    .object(ExportId(u128::from_be_bytes(*id)))
                    .result(Outcome::Failed);
                self.log(tx, now, draft, None)?;
            }
            Ok(tx.put_fact(FACT_RUNNING, &[])?)
        })
    }
}

/// An export while it is made.
struct Making<'a, 'p> {
    appliance: &'a Appliance,
    session: &'a Session,
    request: &'a ExportRequest,
    asked: &'a Asked,
    id: ExportId,
    now: Now,
    progress: Progress<'p>,
}

/// What the lines came to.
struct Lines {
    span: Span,
    root: Digest,
}

impl Making<'_, '_> {
    /// Writes the whole bundle; durable when it returns, and still to be kept.
    fn make(&mut self, mut target: Target) -> Result<(Target, ExportReceipt)> {
        let mut about = self.about();
        let bytes = self.write(&target, &mut about)?;
        let sha256 = target.digest(bytes)?;
        target.publish()?;
        let receipt = ExportReceipt {
            id: self.id,
            reading: self.asked.reading.clone(),
            manifest: about,
            path: self.request.out.clone(),
            bytes,
            sha256,
            audit: EntryNo(0),
        };
        Ok((target, receipt))
    }

    fn write(&mut self, target: &Target, about: &mut Manifest) -> Result<u64> {
        let failed = |error: io::Error| AppError::file(&self.request.out, &error);
        let mut packing = Packing::new(target.pen(), self.now.compliance);
        let origin = &self.appliance.archive.log_verifier().name;
        let readme = readme::text(about, origin);
        packing
            .file(names::README, readme.as_bytes())
            .map_err(failed)?;
        let mut gather = Gather::new(
            self.appliance,
            &self.asked.scope,
            &self.asked.names,
            self.request.context,
        );
        let lines = self.write_lines(&mut packing, &mut gather, about)?;
        about.counts.attachments = gather.attachments.len() as u64;
        about.messages_root = hex(&lines.root);
        self.write_table(target, &mut packing, &lines)?;
        self.write_page(target, &mut packing, &lines, about)?;
        self.write_attachments(&mut packing, &gather)?;
        about.files_digest = hex(&digest_of_files(&packing.files));
        let entry = self.log_made(about, &packing.files)?;
        self.write_proof(&mut packing, about, entry)?;
        about.files = std::mem::take(&mut packing.files);
        let signature = self
            .appliance
            .archive
            .sign_statement(StatementKind::ExportManifest, &about.unsigned()?);
        about.signature = Some(hex(&signature));
        let failed = |error: io::Error| AppError::file(&self.request.out, &error);
        packing
            .file(names::MANIFEST, &about.to_bytes()?)
            .map_err(failed)?;
        packing.finish().map_err(failed)
    }

    /// Everything that is known before the first message.
    fn about(&self) -> Manifest {
        let (asked, reading) = (self.asked, &self.asked.reading);
        let mut conversations: Vec<_> = asked.hits.iter().map(|hit| hit.conversation).collect();
        conversations.dedup();
        let key = self.appliance.archive.log_verifier();
        Manifest {
            actor: ExportActor {
                id: self.session.actor.id.to_string(),
                role: self.session.actor.role.name().to_owned(),
            },
            chosen_of: asked.chosen_of,
            complete: Complete {
                of: asked.watermark.of,
                through: asked.watermark.through,
            },
            context: self.request.context,
            counts: ExportCounts {
                conversations: conversations.len() as u64,
                ..ExportCounts::default()
            },
            export: self.id.to_string(),
            files: Vec::new(),
            files_digest: String::new(),
            generator: concat!("wordkeep ", env!("CARGO_PKG_VERSION")).to_owned(),
            log: LogPlace {
                entry: 0,
                key: key.to_vkey(),
                root: String::new(),
                size: 0,
            },
            made: Made {
                compliance: instant(self.now.compliance),
                wall: instant(self.now.wall),
            },
            matter: self.request.matter.clone(),
            messages_root: String::new(),
            query: AskedQuery {
                canonical: reading.canonical.clone(),
                notes: reading
                    .problems
                    .iter()
                    .map(|problem| format!("{} {}", problem.code.name(), problem.message))
                    .collect(),
                read_as: reading.read_as.clone(),
                resolved: reading.resolved.clone(),
                typed: reading.text.clone(),
                zone: asked.zone.name().to_owned(),
            },
            reason: self.request.reason.clone(),
            schema: SCHEMA.to_owned(),
            scope: scope_statement(&asked.scope),
            signature: None,
        }
    }

    fn go_on(&mut self, stage: &'static str, done: u64, of: u64) -> Result<()> {
        match (self.progress)(stage, done, of) {
            true => Ok(()),
            false => Err(AppError::Interrupted(
                "the export was not finished and its file was removed".to_owned(),
            )),
        }
    }

    fn write_lines(
        &mut self,
        packing: &mut Packing<'_>,
        gather: &mut Gather<'_>,
        about: &mut Manifest,
    ) -> Result<Lines> {
        let out = self.request.out.clone();
        let failed = |error: io::Error| AppError::file(&out, &error);
        let mut root = Edge::new();
        let asked = self.asked;
        let of = asked.hits.len() as u64;
        packing.begin(names::MESSAGES).map_err(failed)?;
        self.go_on("messages", 0, of)?;
        gather.each(&asked.hits, &mut |record| {
            let salt = random_bytes::<32>(&*self.appliance.entropy);
            let line = record.to_line(&salt)?;
            if line.text.len() > LINE_BYTES_MAX {
                return Err(AppError::Usage(format!(
                    "message {} with its versions is longer than a line may be",
                    record.id
                )));
            }
            packing.write_all(line.text.as_bytes()).map_err(failed)?;
            root.append(leaf_hash(&line.digest), |_| ());
            about.counts.hits += u64::from(record.hit);
            about.counts.messages += 1;
            match about.counts.messages % MESSAGES_PER_QUESTION {
                0 => self.go_on("messages", about.counts.hits, of),
                _ => Ok(()),
            }
        })?;
        about.counts.unavailable = asked.total.saturating_sub(about.counts.hits);
        Ok(Lines {
            span: packing.end().map_err(failed)?,
            root: root.root(),
        })
    }

    /// Hands every line that was written to `visit`.
    fn each_line(
        &mut self,
        target: &Target,
        lines: &Lines,
        stage: &'static str,
        visit: &mut dyn FnMut(&Record, &Digest) -> io::Result<()>,
    ) -> Result<()> {
        let out = self.request.out.clone();
        let failed = |error: io::Error| AppError::file(&out, &error);
        let mut reader = target.part(lines.span).lines();
        let (mut text, mut done, mut count) = (String::new(), 0, 0u64);
        loop {
            text.clear();
            done += match reader.read_line(&mut text).map_err(failed)? {
                0 => return Ok(()),
                bytes => bytes as u64,
            };
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let (record, digest) = Record::read_own(line)
                .map_err(|what| AppError::Integrity(format!("{}: {what}", out.display())))?;
            visit(&record, &digest).map_err(failed)?;
            count += 1;
            if count.is_multiple_of(MESSAGES_PER_QUESTION) {
                self.go_on(stage, done, lines.span.length)?;
            }
        }
    }

    fn write_table(
        &mut self,
        target: &Target,
        packing: &mut Packing<'_>,
        lines: &Lines,
    ) -> Result<()> {
        let out = self.request.out.clone();
        let failed = |error: io::Error| AppError::file(&out, &error);
        let zone = self.asked.zone;
        packing.begin(names::TABLE).map_err(failed)?;
        table::write_head(packing).map_err(failed)?;
        self.each_line(target, lines, "table", &mut |record, digest| {
            table::write(packing, record, digest, zone)
        })?;
        packing.end().map(drop).map_err(failed)
    }

    fn write_page(
        &mut self,
        target: &Target,
        packing: &mut Packing<'_>,
        lines: &Lines,
        about: &Manifest,
    ) -> Result<()> {
        let out = self.request.out.clone();
        let failed = |error: io::Error| AppError::file(&out, &error);
        packing.begin(names::PAGE).map_err(failed)?;
        let mut page = Page::begin(packing, about, self.asked.zone).map_err(failed)?;
        self.each_line(target, lines, "page", &mut |record, digest| {
            page.message(record, digest)
        })?;
        page.end().map_err(failed)?;
        packing.end().map(drop).map_err(failed)
    }

    fn write_attachments(&mut self, packing: &mut Packing<'_>, gather: &Gather<'_>) -> Result<()> {
        let out = self.request.out.clone();
        let failed = |error: io::Error| AppError::file(&out, &error);
        let of = gather.attachments.len() as u64;
        for (done, (name, (message, ordinal))) in (0..).zip(&gather.attachments) {
            self.go_on("attachments", done, of)?;
            packing.begin(name).map_err(failed)?;
            let archive = &self.appliance.archive;
            let there = archive.attachment_into(*message, *ordinal, packing)?;
            packing.end().map_err(failed)?;
            let hash = packing.files.last().map(|file| file.sha256.as_str());
            let named = hash.is_some_and(|hash| name.contains(hash));
            if there.is_none() || !named {
                return Err(AppError::Conflict(format!(
                    "an attachment of message {message} changed while it was exported; export again"
                )));
            }
        }
        Ok(())
    }

    /// The entry whose place in the log the bundle proves: it binds every data file.
    fn log_made(&self, about: &Manifest, files: &[FileLine]) -> Result<EntryNo> {
        let now = self.appliance.clock.now();
        let bytes = files.iter().map(|file| file.size).sum();
        let mut draft = self
            .appliance
            .draft(self.session, Action::ExportMade)
            .object(self.id)
            .count("messages", about.counts.messages)
            .count("hits", about.counts.hits)
            .count("files", files.len() as u64)
            .count("bytes", bytes)
            .word("files_digest", &about.files_digest)
            .word("messages_root", &about.messages_root);
        draft.matter.clone_from(&self.request.matter);
        self.appliance
            .change(now, |tx| Ok(self.appliance.log(tx, now, draft, None)?.seq))
    }

    fn write_proof(
        &self,
        packing: &mut Packing<'_>,
        about: &mut Manifest,
        entry: EntryNo,
    ) -> Result<()> {
        let failed = |error: io::Error| AppError::file(&self.request.out, &error);
        self.appliance.sign_log()?;
        let archive = &self.appliance.archive;
        let (bytes, proof) = archive.prove_entry(entry)?;
        let checkpoint = proof
            .verify(&bytes, archive.log_verifier())
            .map_err(|error| AppError::Integrity(error.to_string()))?;
        about.log.entry = entry.0;
        about.log.size = checkpoint.size;
        about.log.root = hex(&checkpoint.root);
        for (name, contents) in [
            (names::CHECKPOINT, proof.note.as_bytes()),
            (names::ENTRY, &bytes),
            (names::INCLUSION, proof.to_text().as_bytes()),
        ] {
            packing.file(name, contents).map_err(failed)?;
        }
        Ok(())
    }
}

/// What the exporter may see, in numbers and as a sentence; which conversations, is not said.
fn scope_statement(scope: &Scope) -> ScopeStatement {
    let (named, accounts, denied) = (
        scope.conversations.len() as u64,
        scope.accounts.len() as u64,
        scope.denied.len() as u64,
    );
    let mut statement = match scope.everything {
        true => "the exporter may see every conversation".to_owned(),
        false => format!(
            "the exporter may see {named} named conversation(s) and those of {accounts} account(s)"
        ),
    };
    if denied > 0 {
        statement += &format!(", except {denied} behind a wall");
    }
    if !scope.withheld.is_empty() {
        statement += ", and no message that a request for erasure restricted";
    }
    ScopeStatement {
        accounts,
        conversations: named,
        denied,
        everything: scope.everything,
        statement,
    }
}

impl Target {
    /// SHA-256 of the first `bytes`, in hex, read back from the file.
    pub(super) fn digest(&self, bytes: u64) -> Result<String> {
        let mut measure = Measure::new();
        let whole = Span {
            start: 0,
            length: bytes,
        };
        io::copy(&mut self.part(whole).lines(), &mut measure)
            .map_err(|error| AppError::Io(error.to_string()))?;
        Ok(measure.finish())
    }
}
