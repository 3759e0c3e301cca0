//! Names to numbers: the directory of the archive as the resolver asks it, inside one scope.
//!
//! `NameIndex` folds every name once and is shared; `ScopedNames` is the picture of one asker.
//! What lies outside the scope does not exist: a person is made of the handles that take part in
//! a visible conversation, and nobody else is known.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::archive::{Archive, Directory, HandleEntry};
use crate::domain::{
    ConversationId, ConversationNo, HandleNo, ImportId, ImportNo, MessageId, MessageNo, PersonId,
    PersonNo, Scope,
};
use crate::query::analysis::fold;
use crate::query::ast::StemLanguage;
use crate::query::{ConversationMatch, Field, NamePattern, ObjectMatch, PersonMatch};

/// Fewest digits of a name that is also found as a phone number, whatever stands between them.
const PHONE_DIGITS_MIN: usize = 6;

/// Folded words of names, each with the places it occurs in.
///
/// It finds candidates only; whether a name matches is decided by [`NamePattern`].
#[derive(Debug, Default)]
struct Lookup {
    places: HashMap<Box<str>, Vec<u32>>,
}

impl Lookup {
    fn add(&mut self, key: &str, place: u32) {
        if key.is_empty() {
            return;
        }
        let places = match self.places.get_mut(key) {
            Some(places) => places,
            None => self.places.entry(key.into()).or_default(),
        };
        // Places come in order, and one name may hold a word twice.
        if places.last() != Some(&place) {
            places.push(place);
        }
    }

    /// Adds every key by which a pattern may ask for the name.
    fn add_name(&mut self, name: &str, place: u32) {
        let folded = fold(name);
        self.add(folded.trim(), place);
        self.add(folded.strip_prefix('@').unwrap_or(&folded), place);
        for word in folded.split_whitespace() {
            self.add(word, place);
        }
        for word in folded.split(|letter: char| !letter.is_alphanumeric()) {
            self.add(word, place);
        }
        if let Some(digits) = digits_of(name) {
            self.add(digits.trim_start_matches('0'), place);
        }
    }

    /// Places whose names may match; `None` when every place has to be looked at.
    fn candidates(&self, pattern: &NamePattern) -> Option<BTreeSet<u32>> {
        if pattern.text.contains(['*', '?']) {
            return None;
        }
        let of = |key: &str| self.places.get(key).map_or(&[][..], Vec::as_slice);
        let folded = fold(pattern.text.trim());
        let rarest = pattern
            .text
            .split_whitespace()
            .map(|word| of(&fold(word)))
            .min_by_key(|places| places.len())
            .unwrap_or_default();
        let bare = folded.strip_prefix('@').unwrap_or(&folded);
        let digits = digits_of(&pattern.text).unwrap_or_default();
        let mut found: BTreeSet<u32> = rarest.iter().copied().collect();
        for key in [&folded, bare, digits.trim_start_matches('0')] {
            found.extend(of(key));
        }
        Some(found)
    }
}

fn digits_of(name: &str) -> Option<String> {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= PHONE_DIGITS_MIN).then_some(digits)
}

/// All names of an archive, folded once. Share it as long as the directory it was made of.
#[derive(Debug)]
pub struct NameIndex {
    directory: Arc<Directory>,
    handles: Vec<HandleNo>,
    handle_names: Lookup,
    titles: Vec<ConversationNo>,
    title_names: Lookup,
    persons: HashMap<PersonNo, Vec<HandleNo>>,
    person_numbers: HashMap<PersonId, PersonNo>,
    conversations_of: HashMap<HandleNo, Vec<ConversationNo>>,
    conversation_numbers: HashMap<ConversationId, ConversationNo>,
}

impl NameIndex {
    /// Folds the names of a directory.
    pub fn new(directory: Arc<Directory>) -> NameIndex {
        let mut index = NameIndex {
            handles: directory.handles.keys().copied().collect(),
            titles: directory.conversations.keys().copied().collect(),
            handle_names: Lookup::default(),
            title_names: Lookup::default(),
            persons: HashMap::new(),
            person_numbers: HashMap::new(),
            conversations_of: HashMap::new(),
            conversation_numbers: HashMap::new(),
            directory: Arc::clone(&directory),
        };
        for (place, entry) in (0..).zip(directory.handles.values()) {
            index.handle_names.add_name(&entry.label, place);
            index.handle_names.add_name(&entry.handle, place);
            index
                .persons
                .entry(entry.person)
                .or_default()
                .push(entry.no);
            index.person_numbers.insert(entry.person_id, entry.person);
        }
        for (place, (row, title)) in (0..).zip(directory.conversations.values()) {
            index.title_names.add_name(title, place);
            index.conversation_numbers.insert(row.id, row.no);
        }
        for (conversation, handles) in &directory.participants {
            for handle in handles {
                let places = index.conversations_of.entry(*handle).or_default();
                places.push(*conversation);
            }
        }
        index
    }

    /// The names it was made of.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The picture of an asker who sees `scope`. `me` is their own person, where they have one.
    pub fn within<'a>(
        &'a self,
        archive: &'a Archive,
        scope: &'a Scope,
        me: Option<PersonId>,
    ) -> ScopedNames<'a> {
        ScopedNames {
            names: self,
            archive,
            scope,
            me,
            language: StemLanguage::English,
        }
    }

    /// The scope with the conversations of its accounts named one by one, so that it can be checked
    /// where only the conversation is known.
    pub fn spell_out(&self, scope: &Scope) -> Scope {
        let mut spelled = scope.clone();
        if scope.accounts.is_empty() || scope.everything {
            return spelled;
        }
        let of_accounts = self
            .directory
            .conversations
            .values()
            .filter(|(row, _)| row.account.is_some_and(|no| scope.accounts.contains(&no)))
            .map(|(row, _)| row.no);
        spelled.conversations.extend(of_accounts);
        spelled
    }
}

/// The names one asker sees.
#[derive(Clone, Copy)]
pub struct ScopedNames<'a> {
    names: &'a NameIndex,
    archive: &'a Archive,
    scope: &'a Scope,
    me: Option<PersonId>,
    language: StemLanguage,
}

impl<'a> ScopedNames<'a> {
    /// The same picture with another language of `^stem`.
    #[must_use]
    pub fn with_language(self, language: StemLanguage) -> ScopedNames<'a> {
        ScopedNames { language, ..self }
    }

    /// The scope.
    pub fn scope(&self) -> &'a Scope {
        self.scope
    }

    /// The scope with the conversations of its accounts named one by one.
    pub fn spelled_scope(&self) -> Scope {
        self.names.spell_out(self.scope)
    }

    /// The public id of a visible conversation; empty when it is not known.
    pub fn conversation_id(&self, no: ConversationNo) -> String {
        self.conversation(no)
            .map(|known| known.id)
            .unwrap_or_default()
    }

    /// Whether the conversation is inside.
    pub fn sees(&self, no: ConversationNo) -> bool {
        match self.names.directory.conversations.get(&no) {
            Some((row, _)) => self.scope.allows(no, row.account),
            None => self.scope.allows(no, None),
        }
    }

    /// A handle that takes part in a visible conversation. One that takes part in none at all is
    /// visible to who sees everything, without a wall.
    pub fn handle(&self, no: HandleNo) -> Option<&'a HandleEntry> {
        let entry = self.names.directory.handles.get(&no)?;
        let conversations = self.names.conversations_of.get(&no);
        let visible = match conversations {
            Some(conversations) => conversations.iter().any(|no| self.sees(*no)),
            None => self.scope.everything && self.scope.denied.is_empty(),
        };
        visible.then_some(entry)
    }

    /// The writer of a message that is shown: who sees the message sees who wrote it.
    pub fn sender(&self, no: HandleNo) -> Option<&'a HandleEntry> {
        self.names.directory.handles.get(&no)
    }

    /// The title of a visible conversation.
    pub fn title(&self, no: ConversationNo) -> Option<&'a str> {
        let (_, title) = self.names.directory.conversations.get(&no)?;
        self.sees(no).then_some(title.as_str())
    }

    /// The name of the person behind a handle, as the asker sees them.
    pub fn person_label(&self, entry: &HandleEntry) -> String {
        match self.person(entry.person) {
            Some(person) => person.label,
            None if entry.label.is_empty() => entry.handle.clone(),
            None => entry.label.clone(),
        }
    }

    fn person(&self, no: PersonNo) -> Option<PersonMatch> {
        let handles = self.names.persons.get(&no)?;
        let visible: Vec<&HandleEntry> = handles.iter().filter_map(|no| self.handle(*no)).collect();
        let first = visible.first()?;
        let named = visible.iter().find(|entry| !entry.label.is_empty());
        Some(PersonMatch {
            id: first.person_id.to_string(),
            label: match named {
                Some(entry) => entry.label.clone(),
                None => first.handle.clone(),
            },
            handles: visible.iter().map(|entry| entry.no).collect(),
        })
    }

    fn handle_matches(&self, place: u32, pattern: &NamePattern) -> Option<PersonNo> {
        let no = self.names.handles.get(place as usize)?;
        let entry = self.names.directory.handles.get(no)?;
        let named = |name: &str| {
            !name.is_empty() && (pattern.matches_label(name) || pattern.matches_handle(name))
        };
        (named(&entry.label) || named(&entry.handle))
            .then_some(entry.person)
            .filter(|_| self.handle(*no).is_some())
    }

    fn conversation_matches(&self, place: u32, pattern: &NamePattern) -> Option<ConversationMatch> {
        let no = *self.names.titles.get(place as usize)?;
        let (_, title) = self.names.directory.conversations.get(&no)?;
        pattern
            .matches_label(title)
            .then(|| self.conversation(no))
            .flatten()
    }

    fn conversation(&self, no: ConversationNo) -> Option<ConversationMatch> {
        let (row, title) = self.names.directory.conversations.get(&no)?;
        self.sees(no).then(|| ConversationMatch {
            id: row.id.to_string(),
            label: title.clone(),
            no,
        })
    }

    /// Whether the import brought a message of the scope; the index knows.
    fn import_is_visible(&self, no: ImportNo) -> bool {
        if self.scope.everything && self.scope.denied.is_empty() {
            return true;
        }
        super::execute::any_of_import(self.archive, &self.names.spell_out(self.scope), no)
            .unwrap_or(false)
    }
}

/// The value of an id of this kind, typed in either case.
fn typed_id(text: &str, prefix: &str) -> Option<u128> {
    let (kind, rest) = text.split_once('_')?;
    if !kind.eq_ignore_ascii_case(prefix) {
        return None;
    }
    // All ids are written alike; the kind was compared above.
    let id: PersonId = format!("{}_{rest}", PersonId::PREFIX).parse().ok()?;
    Some(id.0)
}

fn places(candidates: Option<BTreeSet<u32>>, all: usize) -> Box<dyn Iterator<Item = u32>> {
    match candidates {
        Some(places) => Box::new(places.into_iter()),
        None => Box::new(0..all as u32),
    }
}

impl crate::query::Directory for ScopedNames<'_> {
    fn people(&self, pattern: &NamePattern) -> Vec<PersonMatch> {
        if let Some(id) = typed_id(&pattern.text, PersonId::PREFIX)
            && let Some(no) = self.names.person_numbers.get(&PersonId(id))
            && let Some(known) = self.person(*no)
        {
            return vec![known];
        }
        let candidates = self.names.handle_names.candidates(pattern);
        let found: BTreeSet<PersonNo> = places(candidates, self.names.handles.len())
            .filter_map(|place| self.handle_matches(place, pattern))
            .collect();
        found.into_iter().filter_map(|no| self.person(no)).collect()
    }

    fn me(&self) -> Option<PersonMatch> {
        let no = self.names.person_numbers.get(&self.me?)?;
        self.person(*no)
    }

    fn conversations(&self, pattern: &NamePattern) -> Vec<ConversationMatch> {
        if let Some(id) = typed_id(&pattern.text, ConversationId::PREFIX)
            && let Some(no) = self.names.conversation_numbers.get(&ConversationId(id))
            && let Some(known) = self.conversation(*no)
        {
            return vec![known];
        }
        let candidates = self.names.title_names.candidates(pattern);
        places(candidates, self.names.titles.len())
            .filter_map(|place| self.conversation_matches(place, pattern))
            .collect()
    }

    fn conversations_with(&self, handles: &BTreeSet<HandleNo>) -> BTreeSet<ConversationNo> {
        handles
            .iter()
            .filter_map(|handle| self.names.conversations_of.get(handle))
            .flatten()
            .copied()
            .filter(|no| self.sees(*no))
            .collect()
    }

    fn message(&self, id: &str) -> Option<MessageNo> {
        let id: MessageId = id.parse().ok()?;
        let no = self.archive.message_of_id(id).ok().flatten()?;
        let row = self
            .archive
            .store()
            .read()
            .ok()?
            .message(no)
            .ok()
            .flatten()?;
        self.sees(row.conversation).then_some(no)
    }

    fn imports(&self, pattern: &NamePattern) -> Vec<(ImportNo, ObjectMatch)> {
        let Ok(id) = pattern.text.parse::<ImportId>() else {
            return Vec::new();
        };
        let known = self
            .archive
            .store()
            .read()
            .ok()
            .and_then(|rows| rows.import_by_id(id).ok().flatten())
            .filter(|row| self.import_is_visible(row.no));
        known
            .into_iter()
            .map(|row| {
                let object = ObjectMatch {
                    id: row.id.to_string(),
                    label: row.id.to_string(),
                };
                (row.no, object)
            })
            .collect()
    }

    fn objects(&self, _field: Field, _name: &NamePattern) -> Vec<ObjectMatch> {
        Vec::new()
    }

    fn language(&self) -> StemLanguage {
        self.language
    }
}
