//! Fields as predicates over the record, or as questions to the workspace.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use super::Resolver;
use super::words::{patterns, sequence, wildcard};
use crate::domain::{App, ConversationKind, ConversationNo, HandleNo, MessageNo, Presence};
use crate::query::analysis::{analyse_query_word, exact, fold};
use crate::query::ast::{Comparison, DateSpec, FieldTest, Pieces, TextField, Value, Values};
use crate::query::dates::instant;
use crate::query::directory::{NamePattern, PersonMatch};
use crate::query::fields::{Field, ValueKind};
use crate::query::matcher::TermPattern;
use crate::query::problem::{Code, Span};
use crate::query::resolved::{
    AmountRange, FactTest, FactValues, NameReading, Node, Predicate, TextLeaf, TimeRange, bounds,
};

/// The asker, in person fields.
const ME: &str = "me";

impl Resolver<'_> {
    pub(super) fn field(&mut self, test: &mut FieldTest, span: Span) -> Node {
        let field = test.field;
        match field.kind() {
            ValueKind::Person => self.person_field(field, &mut test.values, span),
            ValueKind::Name => self.name_field(field, &mut test.values, span),
            ValueKind::Choice(_) => choice_field(field, &test.values),
            ValueKind::Date | ValueKind::DateRange | ValueKind::Duration => {
                self.date_field(field, &test.values)
            }
            ValueKind::TimeOfDay => match &test.values {
                Values::Range(Value::Minute(from), Value::Minute(until)) => {
                    Node::Fact(Predicate::TimeOfDay {
                        zone: self.zone,
                        from: from % MINUTES_PER_DAY,
                        until: until % MINUTES_PER_DAY,
                    })
                }
                _ => Node::Everything,
            },
            ValueKind::Weekday => {
                let days = list(&test.values)
                    .iter()
                    .fold(0, |days, value| match value {
                        Value::Weekday(day) => days | 1 << day,
                        _ => days,
                    });
                match test.values {
                    Values::Any => Node::Everything,
                    _ => Node::Fact(Predicate::Weekday {
                        zone: self.zone,
                        days,
                    }),
                }
            }
            ValueKind::Size => size_field(&test.values),
            ValueKind::Amount => amount_field(&test.values),
            ValueKind::Currency => Node::Fact(Predicate::Currency(
                list(&test.values)
                    .iter()
                    .filter_map(|value| match value {
                        Value::Currency(code) => Some(*code),
                        _ => None,
                    })
                    .collect(),
            )),
            ValueKind::Code => self.code_field(field, &test.values),
            ValueKind::Emoji => self.emoji_field(field, &test.values),
            ValueKind::Text | ValueKind::Directive => Node::Everything,
        }
    }

    fn person_field(&mut self, field: Field, values: &mut Values, span: Span) -> Node {
        let Values::OneOf(values) = values else {
            return match field {
                Field::From => Node::Fact(Predicate::AnySender),
                Field::To | Field::With => Node::Everything,
                Field::Mention => Node::Fact(Predicate::Presence(Presence::MENTION)),
                _ => workspace(field, FactValues::Any),
            };
        };
        let people = self.people(field, values, span);
        let all = |people: &[PersonMatch]| -> BTreeSet<HandleNo> {
            people
                .iter()
                .flat_map(|person| person.handles.iter().copied())
                .collect()
        };
        match field {
            Field::From => one_of(all(&people), Predicate::Sender),
            Field::Mention => one_of(all(&people), Predicate::Mention),
            Field::To => Node::Or(
                people
                    .iter()
                    .map(|person| {
                        let conversations = self.directory.conversations_with(&person.handles);
                        Node::And(vec![
                            one_of(conversations, Predicate::Conversation),
                            Node::Not(Box::new(one_of(person.handles.clone(), Predicate::Sender))),
                        ])
                    })
                    .collect(),
            ),
            Field::With => {
                let handles = all(&people);
                let conversations = self.directory.conversations_with(&handles);
                Node::Or(vec![
                    one_of(conversations, Predicate::Conversation),
                    one_of(handles, Predicate::Sender),
                ])
            }
            _ => ids(field, people.into_iter().map(|person| person.id).collect()),
        }
    }

    /// The people of each name; their ids replace the names.
    fn people(&mut self, field: Field, values: &mut Vec<Value>, span: Span) -> Vec<PersonMatch> {
        let mut found: Vec<PersonMatch> = Vec::new();
        let mut spelled: Vec<Value> = Vec::new();
        for value in values.iter() {
            let Value::Name(name) = value else {
                continue;
            };
            let text = name.text();
            let matches = if text.eq_ignore_ascii_case(ME) {
                self.directory.me().into_iter().collect()
            } else {
                self.directory.people(&NamePattern::new(name))
            };
            self.report_matches(field, name, matches.len(), span);
            if matches.is_empty() {
                spelled.push(value.clone());
            }
            for person in matches {
                let id = Value::Name(Pieces::literal(person.id.as_str()));
                if !spelled.contains(&id) {
                    spelled.push(id);
                    self.names.push(NameReading {
                        field,
                        id: person.id.clone(),
                        label: person.label.clone(),
                        identities: person.handles.len(),
                    });
                    found.push(person);
                }
            }
        }
        *values = spelled;
        found
    }

    /// W02 and W03 of one name.
    fn report_matches(&mut self, field: Field, name: &Pieces, count: usize, span: Span) {
        let (field, text) = (field.name(), name.text());
        match count {
            0 => self.report(
                Code::W03,
                span,
                format!("{field}: nothing here is called \"{text}\""),
            ),
            1 => {}
            _ if name.has_wildcard() => {}
            count => self.report(
                Code::W02,
                span,
                format!(
                    "\"{text}\" could be {count} of {field}:; all are taken until one is chosen"
                ),
            ),
        }
    }

    fn name_field(&mut self, field: Field, values: &mut Values, span: Span) -> Node {
        let Values::OneOf(values) = values else {
            return match field {
                Field::In | Field::Conv | Field::Import => Node::Everything,
                Field::Thread => Node::Fact(Predicate::AnyThread),
                _ => workspace(field, FactValues::Any),
            };
        };
        let mut conversations: BTreeSet<ConversationNo> = BTreeSet::new();
        let mut imports = BTreeSet::new();
        let mut threads: BTreeSet<MessageNo> = BTreeSet::new();
        let mut objects: BTreeSet<String> = BTreeSet::new();
        let mut spelled: Vec<Value> = Vec::new();
        for value in values.iter() {
            let Value::Name(name) = value else {
                continue;
            };
            let pattern = NamePattern::new(name);
            let matches: Vec<(String, String)> = match field {
                Field::In | Field::Conv => {
                    let found = self.directory.conversations(&pattern);
                    conversations.extend(found.iter().map(|one| one.no));
                    found.into_iter().map(|one| (one.id, one.label)).collect()
                }
                Field::Import => {
                    let found = self.directory.imports(&pattern);
                    imports.extend(found.iter().map(|(no, _)| *no));
                    found
                        .into_iter()
                        .map(|(_, one)| (one.id, one.label))
                        .collect()
                }
                Field::Thread => {
                    let found = self.directory.message(&pattern.text);
                    threads.extend(found);
                    found
                        .map(|_| (pattern.text.clone(), pattern.text.clone()))
                        .into_iter()
                        .collect()
                }
                // Free text of the workspace, compared by the caller.
                Field::Note | Field::Bates => vec![(pattern.text.clone(), pattern.text.clone())],
                _ => {
                    let found = self.directory.objects(field, &pattern);
                    found.into_iter().map(|one| (one.id, one.label)).collect()
                }
            };
            self.report_matches(field, name, matches.len(), span);
            if matches.is_empty() {
                spelled.push(value.clone());
            }
            for (id, label) in matches {
                spelled.push(Value::Name(Pieces::literal(id.as_str())));
                objects.insert(id.clone());
                self.names.push(NameReading {
                    field,
                    id,
                    label,
                    identities: 0,
                });
            }
        }
        *values = spelled;
        match field {
            Field::In | Field::Conv => one_of(conversations, Predicate::Conversation),
            Field::Import => one_of(imports, Predicate::Import),
            Field::Thread => one_of(threads, Predicate::Thread),
            _ => ids(field, objects),
        }
    }

    fn date_field(&self, field: Field, values: &Values) -> Node {
        let ranges: Vec<TimeRange> = match values {
            Values::Any => Vec::new(),
            Values::OneOf(values) => values
                .iter()
                .filter_map(|value| self.date_range(field, value))
                .collect(),
            Values::Compare(comparison, Value::Date(spec)) => {
                vec![self.compared(*comparison, *spec)]
            }
            Values::Range(Value::Date(from), Value::Date(to)) => vec![TimeRange {
                since: Some(instant(self.edges(*from).0, self.zone)),
                until: Some(instant(self.edges(*to).1, self.zone)),
            }],
            Values::Compare(..) | Values::Range(..) => Vec::new(),
        };
        let workspace_date = matches!(field, Field::Due | Field::Expires);
        let node = |range: TimeRange| match workspace_date {
            true => workspace(field, FactValues::Between(range)),
            false => Node::Fact(Predicate::Sent(range)),
        };
        match (values, ranges.as_slice()) {
            (Values::Any, _) if workspace_date => workspace(field, FactValues::Any),
            (Values::Any, _) => Node::Everything,
            (_, [range]) => node(*range),
            (_, ranges) => Node::Or(ranges.iter().copied().map(node).collect()),
        }
    }

    fn edges(&self, spec: DateSpec) -> (NaiveDateTime, NaiveDateTime) {
        spec.edges(self.now)
    }

    fn date_range(&self, field: Field, value: &Value) -> Option<TimeRange> {
        let spec = match value {
            Value::Date(spec) => *spec,
            Value::Lapse(lapse) => lapse.before(self.now)?,
            _ => return None,
        };
        let (begin, end) = self.edges(spec);
        let at = |local| Some(instant(local, self.zone));
        let (since, until) = match field {
            Field::Before | Field::OlderThan => (None, at(begin)),
            Field::After => (at(end), None),
            Field::Since | Field::NewerThan => (at(begin), None),
            Field::Until => (None, at(end)),
            _ => (at(begin), at(end)),
        };
        Some(TimeRange { since, until })
    }

    fn compared(&self, comparison: Comparison, spec: DateSpec) -> TimeRange {
        let (begin, end) = self.edges(spec);
        let at = |local| Some(instant(local, self.zone));
        let (since, until) = match comparison {
            Comparison::Greater => (at(end), None),
            Comparison::GreaterOrEqual => (at(begin), None),
            Comparison::Less => (None, at(begin)),
            Comparison::LessOrEqual => (None, at(end)),
            Comparison::Equal => (at(begin), at(end)),
        };
        TimeRange { since, until }
    }

    fn code_field(&self, field: Field, values: &Values) -> Node {
        let Values::OneOf(values) = values else {
            return match field {
                Field::Url => Node::Fact(Predicate::Presence(Presence::LINK)),
                Field::Ext | Field::Mime => Node::Fact(Predicate::Presence(Presence::ATTACHMENT)),
                _ => workspace(field, FactValues::Any),
            };
        };
        let names = values.iter().filter_map(|value| match value {
            Value::Name(name) => Some(name),
            _ => None,
        });
        match field {
            Field::Url => Node::Fact(Predicate::Url(names.flat_map(url_patterns).collect())),
            Field::Ext => Node::Fact(Predicate::Extension(names.map(code_pattern).collect())),
            Field::Mime => Node::Fact(Predicate::Mime(names.map(code_pattern).collect())),
            _ => ids(field, names.map(|name| fold(&name.text())).collect()),
        }
    }

    fn emoji_field(&self, field: Field, values: &Values) -> Node {
        let Values::OneOf(values) = values else {
            return Node::Fact(match field {
                Field::Reaction => Predicate::Presence(Presence::REACTION),
                _ => Predicate::AnyEmoji,
            });
        };
        let places = values.iter().filter_map(|value| match value {
            Value::Emoji(text) => Some(analyse_query_word(text).unquoted),
            _ => None,
        });
        if field == Field::Reaction {
            let first = places.filter_map(|places| places.into_iter().next());
            let patterns = first
                .flat_map(|place| patterns(&place, self.strict))
                .collect();
            return Node::Fact(Predicate::Reaction(patterns));
        }
        let mut leaves: Vec<Node> = places
            .map(|places| {
                Node::Text(TextLeaf {
                    field: TextField::Text,
                    span: sequence(&places, self.strict),
                })
            })
            .collect();
        match leaves.len() {
            1 => leaves.pop().unwrap_or(Node::Nothing),
            _ => Node::Or(leaves),
        }
    }
}

const MINUTES_PER_DAY: u16 = 1_440;

fn list(values: &Values) -> &[Value] {
    match values {
        Values::OneOf(values) => values,
        _ => &[],
    }
}

fn workspace(field: Field, values: FactValues) -> Node {
    Node::Fact(Predicate::Workspace(FactTest { field, values }))
}

fn ids(field: Field, ids: BTreeSet<String>) -> Node {
    one_of(ids, |ids| {
        Predicate::Workspace(FactTest {
            field,
            values: FactValues::OneOf(ids),
        })
    })
}

/// The predicate of a set, or nothing when the set is empty.
fn one_of<T>(set: BTreeSet<T>, predicate: impl Fn(BTreeSet<T>) -> Predicate) -> Node {
    if set.is_empty() {
        Node::Nothing
    } else {
        Node::Fact(predicate(set))
    }
}

fn choice_field(field: Field, values: &Values) -> Node {
    let Values::OneOf(values) = values else {
        return match field {
            Field::App | Field::Type => Node::Everything,
            Field::Has | Field::Is => Node::Everything,
            _ => workspace(field, FactValues::Any),
        };
    };
    let choices = values.iter().filter_map(|value| match value {
        Value::Choice(choice) => Some(choice.as_str()),
        _ => None,
    });
    match field {
        Field::App => one_of(choices.filter_map(App::from_name).collect(), Predicate::App),
        Field::Type => one_of(
            choices.filter_map(conversation_kind).collect(),
            Predicate::ConversationKind,
        ),
        Field::Has | Field::Is => {
            let mut nodes: Vec<Node> = choices.map(|choice| state(field, choice)).collect();
            match nodes.len() {
                1 => nodes.pop().unwrap_or(Node::Nothing),
                _ => Node::Or(nodes),
            }
        }
        _ => ids(field, choices.map(str::to_owned).collect()),
    }
}

fn conversation_kind(choice: &str) -> Option<ConversationKind> {
    match choice {
        "dm" => Some(ConversationKind::Direct),
        "group" => Some(ConversationKind::Group),
        "channel" => Some(ConversationKind::Channel),
        "broadcast" => Some(ConversationKind::Broadcast),
        _ => None,
    }
}

fn state(field: Field, choice: &str) -> Node {
    let bit = match choice {
        "attachment" => Presence::ATTACHMENT,
        "image" => Presence::IMAGE,
        "video" => Presence::VIDEO,
        "audio" => Presence::AUDIO,
        "voice" => Presence::VOICE,
        "file" => Presence::FILE,
        "link" => Presence::LINK,
        "location" => Presence::LOCATION,
        "contact" => Presence::CONTACT,
        "poll" => Presence::POLL,
        "reaction" => Presence::REACTION,
        "mention" => Presence::MENTION,
        "quote" => Presence::QUOTE,
        "amount" => Presence::AMOUNT,
        "date" => Presence::DATE,
        "phone" => Presence::PHONE,
        "email" => Presence::EMAIL,
        "iban" => Presence::IBAN,
        "edited" => Presence::EDITED,
        "deleted" => Presence::DELETED,
        "forwarded" => Presence::FORWARDED,
        "reply" => Presence::REPLY,
        "system" => Presence::SYSTEM,
        "disappearing" => Presence::DISAPPEARING,
        "duplicate" => Presence::DUPLICATE,
        "original" => return Node::Fact(Predicate::Original),
        "promise" => return workspace(Field::Promise, FactValues::Any),
        "note" => return workspace(Field::Note, FactValues::Any),
        "tag" => return workspace(Field::Tag, FactValues::Any),
        other => return ids(field, BTreeSet::from([other.to_owned()])),
    };
    Node::Fact(Predicate::Presence(bit))
}

fn size_field(values: &Values) -> Node {
    let range = |least: i64, most: i64| {
        let least = u64::try_from(least.max(0)).unwrap_or(0);
        match u64::try_from(most) {
            Ok(most) => Node::Fact(Predicate::Size(least, most)),
            Err(_) => Node::Nothing,
        }
    };
    let bytes = |value: &Value| match value {
        Value::Size(bytes) => i64::try_from(*bytes).unwrap_or(i64::MAX),
        _ => 0,
    };
    match values {
        Values::Any => Node::Fact(Predicate::Presence(Presence::ATTACHMENT)),
        Values::OneOf(values) => Node::Or(
            values
                .iter()
                .map(|value| range(bytes(value), bytes(value)))
                .collect(),
        ),
        Values::Compare(comparison, value) => {
            let (least, most) = bounds(*comparison, bytes(value));
            range(least, most)
        }
        Values::Range(from, to) => range(bytes(from), bytes(to)),
    }
}

fn amount_field(values: &Values) -> Node {
    let range = |(least, most): (i64, i64), currency| {
        Node::Fact(Predicate::Amount(AmountRange {
            least,
            most,
            currency,
        }))
    };
    let parts = |value: &Value| match value {
        Value::Amount(amount) => (amount.millis, amount.currency),
        _ => (0, None),
    };
    match values {
        Values::Any => Node::Fact(Predicate::Presence(Presence::AMOUNT)),
        Values::OneOf(values) => Node::Or(
            values
                .iter()
                .map(|value| {
                    let (millis, currency) = parts(value);
                    range((millis, millis), currency)
                })
                .collect(),
        ),
        Values::Compare(comparison, value) => {
            let (millis, currency) = parts(value);
            range(bounds(*comparison, millis), currency)
        }
        Values::Range(from, to) => range((parts(from).0, parts(to).0), parts(from).1),
    }
}

/// A short code such as `pdf` or `image/*`, case and accents folded.
fn code_pattern(name: &Pieces) -> TermPattern {
    match name.has_wildcard() {
        true => wildcard(name, false),
        false => TermPattern::literal(fold(&name.text()), exact(&name.text()), false),
    }
}

/// A web address without scheme and closing slash.
fn url_patterns(name: &Pieces) -> Vec<TermPattern> {
    if name.has_wildcard() {
        return vec![wildcard(name, false)];
    }
    let text = name.text();
    let bare = text
        .split_once("://")
        .map_or(text.as_str(), |(_, rest)| rest);
    let mut spellings = vec![bare, bare.trim_end_matches('/')];
    spellings.dedup();
    spellings
        .into_iter()
        .map(|text| TermPattern::literal(fold(text), exact(text), false))
        .collect()
}
