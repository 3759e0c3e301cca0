//! A small archive with talk, files and a judge, for the tests of the purge.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::archive::{
    Admitted, Archive, ArchiveConfig, Batch, Fate, Incoming, Milestones, NewConversation,
    NewHandle, NewVault, Packed, Targets, Vault,
};
use crate::audit::EntryActor;
use crate::crypto::{Secret, SeededEntropy, StretchCost, sha256};
use crate::domain::{
    App, Attachment, AttachmentState, ConversationKind, ConversationNo, HandleNo, ImportId,
    ImportNo, Kind, MessageNo, Now, Precision, Presence, Scope, Timestamp, UserNo, ZoneSource,
};
use crate::query::{NoDirectory, ParseContext, Purpose, Record, ResolveContext, parse, resolve};
use crate::store::{ImportCounts, ImportRow, ImportState, Rows};

pub(super) const NOW: Now = Now {
    compliance: Timestamp(1_720_000_000_000_000),
    wall: Timestamp(1_720_000_000_000_000),
};

/// Panics at a named point, the n-th time: what was not durable then is lost, as in a crash.
pub(super) struct Fuse(Mutex<Option<(&'static str, u32)>>);

impl Fuse {
    pub(super) fn at(point: &'static str, nth: u32) -> Arc<Fuse> {
        Arc::new(Fuse(Mutex::new(Some((point, nth)))))
    }
}

impl Milestones for Fuse {
    fn reached(&self, name: &'static str) {
        let mut fuse = self.0.lock().unwrap();
        if let Some((point, left)) = fuse.as_mut()
            && *point == name
        {
            *left -= 1;
            if *left == 0 {
                *fuse = None;
                drop(fuse);
                std::panic::panic_any("the fuse");
            }
        }
    }
}

/// Judges by list.
#[derive(Default)]
pub(super) struct Bench {
    pub(super) held: BTreeMap<MessageNo, u64>,
    pub(super) refuses: Option<String>,
    pub(super) seen: RefCell<Vec<(MessageNo, String)>>,
}

pub(super) const HELD: u16 = 20;

impl Judge for Bench {
    fn begin(&self, _rows: &Rows, _epoch: u64, _now: Now) -> std::result::Result<(), JudgeError> {
        match &self.refuses {
            Some(why) => Err(JudgeError::Refused(why.clone())),
            None => Ok(()),
        }
    }

    fn judge(&self, message: &Judged<'_>) -> std::result::Result<Judgement, JudgeError> {
        let body = message.record.versions.last().unwrap_or(&"").to_string();
        self.seen.borrow_mut().push((message.row.no, body));
        Ok(match self.held.get(&message.row.no) {
            Some(hold) => Judgement::Keep(KeepReason {
                code: HELD,
                object: *hold,
            }),
            None => Judgement::Erase,
        })
    }
}

pub(super) fn approved(batch: u64, items: &[PlanItem]) -> Approved<Plan> {
    let mut items = items.to_vec();
    items.sort_unstable();
    let plan = Plan {
        batch,
        hold_epoch: 7,
        items,
    };
    let rule = ApprovalRule {
        needed: 1,
        requester: UserNo(1),
        barred: Vec::new(),
        computed: Timestamp(0),
        recall_micros: 0,
    };
    let approval = Approval {
        by: UserNo(2),
        at: Timestamp(1),
    };
    Approved::new(plan, &[approval], &rule, NOW).unwrap()
}

pub(super) fn context() -> EraseContext<'static> {
    EraseContext {
        actor: EntryActor::system(),
        request: "test".to_owned(),
        now: &|| NOW,
        backups: &NoBackups,
        slice_items: SLICE_ITEMS,
    }
}

pub(super) struct House {
    pub(super) dir: TempDir,
    pub(super) archive: Option<Archive>,
    pub(super) import: ImportNo,
    starts: u64,
    orders: u64,
}

impl House {
    pub(super) fn new() -> House {
        let mut house = House {
            dir: tempfile::tempdir().unwrap(),
            archive: None,
            import: ImportNo(0),
            starts: 0,
            orders: 0,
        };
        let secret = Secret::key_file(&[7; 64]);
        let root = house.root();
        let new = NewVault {
            root: &root,
            keys: None,
            secret: &secret,
            label: "test",
            cost: StretchCost::LOGIN,
        };
        let vault = Vault::create(&new, house.entropy(), NOW.wall).unwrap();
        house.archive = Some(Archive::open(vault, Self::config()).unwrap());
        house.begin_import();
        house
    }

    fn config() -> ArchiveConfig {
        ArchiveConfig {
            cache_bytes: 4 << 20,
            ..ArchiveConfig::default()
        }
    }

    fn entropy(&mut self) -> Arc<SeededEntropy> {
        self.starts += 1;
        Arc::new(SeededEntropy::new(self.starts))
    }

    pub(super) fn root(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(super) fn archive(&self) -> &Archive {
        self.archive.as_ref().unwrap()
    }

    /// Drops the archive as a crash would leave it and opens it again, with a fuse if wanted.
    pub(super) fn reopen(&mut self, fuse: Option<Arc<Fuse>>) {
        self.archive = None;
        let secret = Secret::key_file(&[7; 64]);
        let entropy = self.entropy();
        let mut vault = Vault::open(&self.root(), None, &secret, entropy, NOW.wall).unwrap();
        if let Some(fuse) = fuse {
            vault.milestones = fuse;
        }
        let archive = Archive::open(vault, Self::config()).unwrap();
        archive.repair_index(NOW).unwrap();
        archive.replay_outbox(NOW).unwrap();
        self.archive = Some(archive);
    }

    pub(super) fn begin_import(&mut self) {
        self.starts += 1;
        let row = ImportRow {
            no: ImportNo(0),
            id: ImportId(u128::from(self.starts)),
            actor: UserNo(1),
            began: NOW.wall,
            ended: None,
            state: ImportState::Running,
            source_lookup: self.starts.to_be_bytes().to_vec(),
            source_bytes: 0,
            report_no: None,
            counts: ImportCounts::default(),
        };
        let write = |tx: &crate::store::WriteTx<'_>| Ok(tx.insert_import(&row)?);
        self.import = self.archive().write(NOW, write).unwrap();
    }

    /// A chat whose look-up is its title.
    pub(super) fn chat(&mut self, title: &str) -> Chat {
        let archive = self.archive();
        let lookup = archive.lookup("conversation", &[title.as_bytes()]);
        let known = archive.store().read().unwrap();
        if let Some(row) = known.conversation_by_lookup(&lookup).unwrap() {
            return self.chat_of(row.no, title);
        }
        drop(known);
        let mut batch = Batch::new(self.import);
        let no = archive.next_conversation();
        let shard = archive.shard_of(&lookup);
        batch.create_conversation(NewConversation {
            no,
            app: App::WhatsApp,
            kind: ConversationKind::Direct,
            lookup,
            shard,
            title: title.to_owned(),
        });
        let sender = archive.next_handle();
        batch.create_handle(NewHandle {
            no: sender,
            app: App::WhatsApp,
            lookup: archive.lookup("label", &[title.as_bytes()]),
            label: format!("author of {title}"),
            handle: None,
        });
        batch.join(no, sender);
        self.admit(batch);
        Chat { no, shard, sender }
    }

    fn chat_of(&self, no: ConversationNo, title: &str) -> Chat {
        let archive = self.archive();
        let rows = archive.store().read().unwrap();
        let lookup = archive.lookup("label", &[title.as_bytes()]);
        Chat {
            no,
            shard: rows.conversation(no).unwrap().unwrap().shard,
            sender: rows.handle_by_lookup(&lookup).unwrap().unwrap().no,
        }
    }

    pub(super) fn admit(&self, batch: Batch) -> Admitted {
        let admitted = self.archive().admit(batch, NOW, |_, _| Ok(())).unwrap();
        self.show(&admitted);
        admitted
    }

    fn show(&self, admitted: &Admitted) {
        let mut settler = self.archive().settler();
        settler.show(admitted, NOW).unwrap();
        settler.finish(NOW).unwrap();
    }

    /// Says things in a chat, one a minute from `seconds` on; gives their numbers.
    pub(super) fn say(&mut self, chat: Chat, seconds: i64, bodies: &[String]) -> Vec<MessageNo> {
        let admitted = self.tell(chat, seconds, bodies, |_| Fate::New);
        admitted.batch.items.iter().map(|item| item.no).collect()
    }

    pub(super) fn tell(
        &mut self,
        chat: Chat,
        seconds: i64,
        bodies: &[String],
        fate: impl Fn(usize) -> Fate,
    ) -> Admitted {
        let batch = self.told(chat, seconds, bodies, fate);
        self.admit(batch)
    }

    /// As `tell` of new messages, to an archive in which a hold may want what was disposed of.
    pub(super) fn tell_wanted(
        &mut self,
        chat: Chat,
        seconds: i64,
        bodies: &[String],
        wanted: &mut dyn FnMut(&Record<'_>) -> crate::archive::Result<bool>,
    ) -> Admitted {
        let mut batch = self.told(chat, seconds, bodies, |_| Fate::New);
        batch.retitle(chat.no, chat.shard, "deals");
        batch.rename(NewHandle {
            no: chat.sender,
            app: App::WhatsApp,
            lookup: self.archive().lookup("label", &[b"deals"]),
            label: "author of deals".to_owned(),
            handle: None,
        });
        let done = |_: &crate::store::WriteTx<'_>, _: &ImportCounts| Ok(());
        let admitted = self
            .archive()
            .admit_wanted(batch, NOW, &mut Targets::default(), wanted, done)
            .unwrap();
        self.show(&admitted);
        admitted
    }

    /// Somebody else says one thing in a chat, which gets its title back by it.
    pub(super) fn guest(&mut self, chat: Chat, seconds: i64, says: &str) -> HandleNo {
        let archive = self.archive();
        let guest = Chat {
            sender: archive.next_handle(),
            ..chat
        };
        let lookup = archive.lookup("label", &[b"guest"]);
        let mut batch = self.told(guest, seconds, &[says.to_owned()], |_| Fate::New);
        batch.create_handle(NewHandle {
            no: guest.sender,
            app: App::WhatsApp,
            lookup,
            label: "guest".to_owned(),
            handle: None,
        });
        batch.join(chat.no, guest.sender);
        batch.retitle(chat.no, chat.shard, "deals");
        self.admit(batch);
        guest.sender
    }

    /// As `tell` of new messages, from a source that lists their author among those who take part.
    pub(super) fn tell_joined(&mut self, chat: Chat, seconds: i64, bodies: &[String]) -> Admitted {
        let mut batch = self.told(chat, seconds, bodies, |_| Fate::New);
        batch.join(chat.no, chat.sender);
        self.admit(batch)
    }

    pub(super) fn told(
        &mut self,
        chat: Chat,
        seconds: i64,
        bodies: &[String],
        fate: impl Fn(usize) -> Fate,
    ) -> Batch {
        let mut batch = Batch::new(self.import);
        for (at, body) in bodies.iter().enumerate() {
            self.orders += 1;
            let sent = Timestamp::from_seconds(seconds + 60 * at as i64);
            let incoming = Incoming {
                fate: fate(at),
                ..chat.incoming(sent, self.orders)
            };
            batch.push(
                incoming,
                &packed(body, None, Vec::new()),
                std::iter::empty(),
            );
        }
        batch
    }

    /// A message to which its platform gave an id.
    pub(super) fn say_with_id(
        &mut self,
        chat: Chat,
        seconds: i64,
        body: &str,
        id: &str,
    ) -> MessageNo {
        self.orders += 1;
        let mut batch = Batch::new(self.import);
        let incoming = chat.incoming(Timestamp::from_seconds(seconds), self.orders);
        let words = packed(body, Some(id), Vec::new());
        batch.push(incoming, &words, std::iter::empty());
        self.admit(batch).batch.items[0].no
    }

    /// A message that carries a file with these bytes.
    pub(super) fn send_file(&mut self, chat: Chat, seconds: i64, bytes: &[u8]) -> MessageNo {
        self.orders += 1;
        let mut batch = Batch::new(self.import);
        let attachment = Attachment {
            name: "offer.pdf".to_owned(),
            state: AttachmentState::Present {
                size: bytes.len() as u64,
                sha256: sha256(bytes),
                mime: "application/pdf".to_owned(),
            },
        };
        let words = packed("see the file", None, vec![attachment]);
        let incoming = chat.incoming(Timestamp::from_seconds(seconds), self.orders);
        batch.push(incoming, &words, std::iter::once(Some(1)));
        let admitted = self.admit(batch);
        for one in admitted.attachments() {
            let archive = self.archive();
            archive
                .seal_attachment(NOW, &one, &sha256(bytes), &mut &*bytes)
                .unwrap();
        }
        admitted.batch.items[0].no
    }

    pub(super) fn items(&self, numbers: &[MessageNo]) -> Vec<PlanItem> {
        let rows = self.archive().store().read().unwrap();
        let item = |no: &MessageNo| PlanItem {
            no: *no,
            revision: rows.message(*no).unwrap().map_or(0, |row| row.version),
        };
        numbers.iter().map(item).collect()
    }

    pub(super) fn erase(
        &self,
        batch: u64,
        numbers: &[MessageNo],
    ) -> crate::archive::Result<Erased> {
        let plan = approved(batch, &self.items(numbers));
        self.archive().erase(&plan, &Bench::default(), &context())
    }

    /// The latest words of every message there is, by number.
    pub(super) fn words(&self) -> BTreeMap<MessageNo, String> {
        let mut reader = self.archive().reader().unwrap();
        let last = reader.rows().last_message().unwrap();
        let open = |no| Some((no, reader.message(no).unwrap()?));
        let found = (1..=last.0).map(MessageNo).filter_map(open);
        found
            .map(|(no, message)| (no, message.latest().unwrap().body.clone()))
            .collect()
    }

    pub(super) fn found(&self, word: &str) -> BTreeSet<MessageNo> {
        let context = ParseContext {
            zone: chrono_tz::UTC,
            now: NOW.wall,
            strict: false,
            purpose: Purpose::Search,
        };
        let query = parse(word, &context).ast.unwrap();
        let context = ResolveContext {
            zone: chrono_tz::UTC,
            now: NOW.wall,
        };
        let resolved = resolve(&query, &NoDirectory, &context);
        let index = self.archive().index();
        let (found, _) = index.candidates(&resolved, &Scope::everything()).unwrap();
        let (count, _) = index.count(&resolved, &Scope::everything()).unwrap();
        assert_eq!(count, found.len() as u64, "the count of {word}");
        found.into_iter().collect()
    }

    pub(super) fn bucket_keys(&self) -> usize {
        let rows = self.archive().store().read().unwrap();
        let keys = rows.data_keys().unwrap();
        let of_bucket = keys
            .iter()
            .filter(|row| row.purpose.kind == crate::store::KeyKind::Bucket);
        of_bucket.count()
    }
}

#[derive(Clone, Copy)]
pub(super) struct Chat {
    pub(super) no: ConversationNo,
    pub(super) shard: u16,
    pub(super) sender: HandleNo,
}

impl Chat {
    fn incoming(self, sent: Timestamp, order: u64) -> Incoming {
        Incoming {
            fate: Fate::New,
            conversation: self.no,
            shard: self.shard,
            sender: Some(self.sender),
            sent,
            order,
            app: App::WhatsApp,
            conversation_kind: ConversationKind::Direct,
            kind: Kind::Text,
            presence: Presence::default(),
        }
    }
}

fn packed<'a>(
    body: &'a str,
    source_id: Option<&'a str>,
    attachments: Vec<Attachment>,
) -> Packed<'a> {
    Packed {
        body,
        local_offset: None,
        precision: Precision::Minute,
        zone_source: ZoneSource::Record,
        source_id,
        reply_to: None,
        entry: 0,
        span: (0, 0),
        raw_form: &[],
        attachments,
        extras: crate::domain::Extras::default(),
    }
}

pub(super) fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push(path),
            }
        }
    }
    files
}

/// `count` bodies, each with a word of its own.
pub(super) fn bodies(tag: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("{tag}{n}word we agreed on the price {tag}all"))
        .collect()
}
