//! Checks a JSON document against a JSON Schema (2020-12), as far as ours use it: a keyword that is
//! not known here fails, so that no schema is believed unread.

use regex::Regex;
use serde_json::Value;

/// Keywords that say nothing a document could break.
const SILENT: [&str; 6] = ["$schema", "$id", "$defs", "title", "description", "default"];

/// A schema with its definitions.
pub struct Schema(Value);

impl Schema {
    /// Reads a schema.
    pub fn parse(text: &str) -> Schema {
        Schema(serde_json::from_str(text).unwrap())
    }

    /// Everything that is wrong with a document, by its place.
    pub fn problems(&self, document: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(&self.0, document, "$", &mut found);
        found
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            let fine = match keyword.as_str() {
                silent if SILENT.contains(&silent) => true,
                "$ref" => {
                    let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    self.check(self.0.pointer(pointer).unwrap(), value, place, found);
                    true
                }
                "properties" | "items" => {
                    self.check_inside(keyword, rule, value, place, found);
                    true
                }
                "additionalProperties" => {
                    assert_eq!(rule, &Value::Bool(false), "{place}");
                    let known = schema["properties"].as_object().unwrap();
                    let mut names = value.as_object().into_iter().flatten();
                    names.all(|(name, _)| known.contains_key(name))
                }
                _ => is_kept(keyword, rule, value),
            };
            if !fine {
                found.push(format!("{place}: {keyword} {rule}: {value}"));
            }
        }
    }

    fn check_inside(
        &self,
        keyword: &str,
        rule: &Value,
        value: &Value,
        place: &str,
        found: &mut Vec<String>,
    ) {
        if keyword == "items" {
            for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                self.check(rule, item, &format!("{place}[{at}]"), found);
            }
            return;
        }
        for (name, rule) in rule.as_object().unwrap() {
            if let Some(member) = value.get(name) {
                self.check(rule, member, &format!("{place}.{name}"), found);
            }
        }
    }
}

fn is_kept(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = |value: &Value| value.as_str().map(|text| text.chars().count() as u64);
    match keyword {
        "type" => match rule {
            Value::Array(any) => any.iter().any(|one| is_of(one, value)),
            one => is_of(one, value),
        },
        "required" => {
            let mut names = rule.as_array().unwrap().iter();
            !value.is_object() || names.all(|name| value.get(name.as_str().unwrap()).is_some())
        }
        "enum" => rule.as_array().unwrap().contains(value),
        "const" => rule == value,
        "pattern" => {
            let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "minimum" => value
            .as_f64()
            .is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value
            .as_f64()
            .is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minLength" => length(value).is_none_or(|length| length >= rule.as_u64().unwrap()),
        "minItems" => value
            .as_array()
            .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        unknown => panic!("the schema uses {unknown}, which is not checked here"),
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        unknown => panic!("the schema names the type {unknown}"),
    }
}
