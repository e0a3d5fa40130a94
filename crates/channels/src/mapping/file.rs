//! Reading a mapping file: every mistake in it at once, each with its spot in the file and what would be right there.

use std::collections::BTreeMap;

use domain::timestamp::Timestamp;
use event_schema::public;
use serde_json::{Map, Value, json};
use time::UtcOffset;
use time::format_description;

use super::field::{ATTRIBUTES, FIELDS, Field};
use super::place::Place;
use super::proof::{Encoding, Proof};
use super::rule::{Condition, Part, Rule, Test};
use super::value::{Clock, Filling, Form, label};
use super::{Body, Fault, MAX_RULES};

/// The most places that are looked at for one field, and values a table has.
const MAX_PLACES: usize = 8;
const MAX_TABLE: usize = 256;
const MAX_ATTRIBUTES: usize = 32;
const MAX_CONDITIONS: usize = 16;

/// What a mapping file says.
pub(super) struct File {
    pub(super) body: Body,
    pub(super) proof: Proof,
    pub(super) rules: Vec<Rule>,
}

/// Reads a file, or says everything that is wrong with it.
pub(super) fn read(value: &Value) -> Result<File, Vec<Fault>> {
    let mut reader = Reader::default();
    let file = reader.file(value);
    if reader.faults.is_empty() { Ok(file) } else { Err(reader.faults) }
}

#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn wrong(&mut self, at: &str, expected: impl Into<String>) {
        self.faults.push(Fault { pointer: at.to_owned(), expected: expected.into() });
    }

    /// An object with none but these keys; an empty one, when it is no object.
    fn object<'v>(&mut self, value: &'v Value, at: &str, known: &[&str]) -> BTreeMap<&'v str, &'v Value> {
        let Some(object) = value.as_object() else {
            self.wrong(at, format!("must be an object with keys among {}", known.join(", ")));
            return BTreeMap::new();
        };
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let expected = format!("must not be there: the keys known here are {}", known.join(", "));
            self.wrong(&under(at, key), expected);
        }
        object.iter().map(|(key, inside)| (key.as_str(), inside)).collect()
    }

    fn text<'v>(&mut self, value: Option<&&'v Value>, at: &str, expected: &str) -> Option<&'v str> {
        let text = value.and_then(|value| value.as_str());
        if text.is_none() {
            self.wrong(at, expected);
        }
        text
    }

    fn file(&mut self, value: &Value) -> File {
        let keys = self.object(value, "", &["version", "body", "verify", "events"]);
        if keys.get("version").and_then(|version| version.as_u64()) != Some(1) {
            self.wrong("/version", "must be 1");
        }
        let body = match keys.get("body").map(|body| body.as_str()) {
            None | Some(Some("json")) => Body::Json,
            Some(Some("form")) => Body::Form,
            Some(_) => {
                self.wrong("/body", "must be json or form");
                Body::Json
            }
        };
        let proof = keys.get("verify").map(|verify| self.proof(verify)).unwrap_or_default();
        let events = keys.get("events").and_then(|events| events.as_array());
        let rules = events.map(Vec::as_slice).unwrap_or_default();
        if rules.is_empty() || rules.len() > MAX_RULES {
            self.wrong("/events", format!("must be a list of 1 to {MAX_RULES} rules"));
        }
        let rules = rules.iter().take(MAX_RULES).enumerate();
        let rules = rules.map(|(index, rule)| self.rule(rule, &format!("/events/{index}"))).collect();
        File { body, proof, rules }
    }

    fn proof(&mut self, value: &Value) -> Proof {
        let keys = self.object(value, "/verify", &["by", "name", "at", "prefix", "encoding"]);
        let by = self.text(
            keys.get("by"),
            "/verify/by",
            "is required: parameter, header, bearer, hmac_sha256, standard_webhooks or body",
        );
        let mut name =
            |what: &str| self.text(keys.get("name"), "/verify/name", what).unwrap_or_default().to_owned();
        match by {
            Some("parameter") => {
                Proof::Parameter(name("is required: the name of the parameter of the address"))
            }
            Some("header") => Proof::Header(name(HEADER).to_lowercase()),
            Some("bearer") => Proof::Bearer,
            Some("standard_webhooks") => Proof::StandardWebhooks,
            Some("body") => {
                let at = keys.get("at").and_then(|at| at.as_str()).filter(|at| at.starts_with('/'));
                if at.is_none() {
                    self.wrong(
                        "/verify/at",
                        "is required: the place of the secret in the body, a JSON Pointer",
                    );
                }
                Proof::InBody(at.unwrap_or_default().to_owned())
            }
            Some("hmac_sha256") => {
                let header = name(HEADER).to_lowercase();
                let encoding = match keys.get("encoding").map(|encoding| encoding.as_str()) {
                    None | Some(Some("hex")) => Encoding::Hex,
                    Some(Some("base64")) => Encoding::Base64,
                    Some(_) => {
                        self.wrong("/verify/encoding", "must be hex or base64");
                        Encoding::Hex
                    }
                };
                let prefix = keys.get("prefix").and_then(|prefix| prefix.as_str()).unwrap_or_default();
                Proof::Hmac { header, prefix: prefix.to_owned(), encoding }
            }
            Some(_) => {
                self.wrong(
                    "/verify/by",
                    "must be parameter, header, bearer, hmac_sha256, standard_webhooks or body",
                );
                Proof::default()
            }
            None => Proof::default(),
        }
    }

    fn rule(&mut self, value: &Value, at: &str) -> Rule {
        let keys = self.object(value, at, &["name", "each", "when", "id", "set"]);
        let each = keys.get("each").and_then(|each| {
            let at = format!("{at}/each");
            let text = self.text(Some(each), &at, "must be the place of a list");
            text.and_then(|text| self.place(text, &at))
        });
        let when =
            keys.get("when").map(|when| self.conditions(when, &format!("{at}/when"))).unwrap_or_default();
        let id = keys.get("id").map(|id| self.id(id, &format!("{at}/id"))).unwrap_or_default();
        let mut rule = Rule { each, when, id, fields: Vec::new(), attributes: Vec::new() };
        match keys.get("set") {
            Some(set) => self.set(&mut rule, set, &format!("{at}/set")),
            None => {
                self.wrong(&format!("{at}/set"), "is required: what the fields of the event are filled with")
            }
        }
        rule
    }

    fn place(&mut self, text: &str, at: &str) -> Option<Place> {
        Place::parse(text).map_err(|expected| self.wrong(at, expected)).ok()
    }

    fn conditions(&mut self, value: &Value, at: &str) -> Vec<Condition> {
        match value {
            Value::Array(all) if all.len() <= MAX_CONDITIONS => {
                let all = all.iter().enumerate();
                all.filter_map(|(index, one)| self.condition(one, &format!("{at}/{index}"))).collect()
            }
            Value::Array(_) => {
                self.wrong(at, format!("must have at most {MAX_CONDITIONS} conditions"));
                Vec::new()
            }
            one => self.condition(one, at).into_iter().collect(),
        }
    }

    fn condition(&mut self, value: &Value, at: &str) -> Option<Condition> {
        let keys = self.object(value, at, &["at", "is", "not", "there"]);
        let place_at = format!("{at}/at");
        let text = self.text(keys.get("at"), &place_at, "is required: the place that is looked at")?;
        let place = self.place(text, &place_at)?;
        let test = match (keys.get("is"), keys.get("not"), keys.get("there")) {
            (None, None, None) => Test::There,
            (Some(is), None, None) => Test::Is(self.labels(is, &format!("{at}/is"))),
            (None, Some(not), None) => Test::Not(self.labels(not, &format!("{at}/not"))),
            (None, None, Some(Value::Bool(true))) => Test::There,
            (None, None, Some(Value::Bool(false))) => Test::Missing,
            (None, None, Some(_)) => {
                self.wrong(&format!("{at}/there"), "must be true or false");
                return None;
            }
            _ => {
                self.wrong(at, "must have one of is, not, there");
                return None;
            }
        };
        Some(Condition { place, test })
    }

    /// One value to compare with, or several.
    fn labels(&mut self, value: &Value, at: &str) -> Vec<String> {
        let values = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let labels: Vec<_> = values.iter().filter_map(label).map(|label| label.into_owned()).collect();
        if labels.len() != values.len() || labels.is_empty() || labels.len() > MAX_TABLE {
            self.wrong(at, "must be a text, number or truth, or a list of such");
        }
        labels
    }

    fn id(&mut self, value: &Value, at: &str) -> Vec<Part> {
        let parts = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        if parts.is_empty() || parts.len() > MAX_PLACES {
            self.wrong(at, format!("must be a place or a word, or a list of 1 to {MAX_PLACES} of them"));
        }
        let mut found = Vec::new();
        for (index, part) in parts.iter().take(MAX_PLACES).enumerate() {
            let at = if value.is_array() { format!("{at}/{index}") } else { at.to_owned() };
            match label(part) {
                Some(text) if Place::is_written(&text) => found.extend(self.place(&text, &at).map(Part::At)),
                Some(text) => found.push(Part::Word(text.into_owned())),
                None => self.wrong(&at, "must be a place or a word"),
            }
        }
        let names_a_place = |part| label(part).is_some_and(|text| Place::is_written(&text));
        if !parts.iter().any(names_a_place) {
            self.wrong(at, "must name a place: an id that is always the same would make all events one");
        }
        found
    }

    fn set(&mut self, rule: &mut Rule, value: &Value, at: &str) {
        let names: Vec<&str> = FIELDS.iter().map(|field| field.group.unwrap_or(field.name)).collect();
        let mut known: Vec<&str> = names;
        known.dedup();
        known.push(ATTRIBUTES);
        let keys = self.object(value, at, &known);
        let groups: Vec<&str> = FIELDS.iter().filter_map(|field| field.group).collect();
        for (key, inside) in keys {
            let at = under(at, key);
            if key == ATTRIBUTES {
                self.attributes(rule, inside, &at);
            } else if groups.contains(&key) {
                let of_group = FIELDS.iter().filter(|field| field.group == Some(key));
                let known: Vec<&str> = of_group.clone().map(|field| field.name).collect();
                let given = self.object(inside, &at, &known);
                for field in of_group {
                    self.field(rule, *field, given.get(field.name), &under(&at, field.name));
                }
            } else if let Some(field) = FIELDS.iter().find(|field| field.group.is_none() && field.name == key)
            {
                self.field(rule, *field, Some(&inside), &at);
            }
        }
        for name in ["channel", "session_id", "action"] {
            let is_set = rule.fields.iter().any(|(field, _)| field.pointer() == format!("/{name}"));
            if !is_set && value.get(name).is_none() {
                self.wrong(&under(at, name), "is required: every event has it");
            }
        }
    }

    fn field(&mut self, rule: &mut Rule, field: Field, value: Option<&&Value>, at: &str) {
        let Some(value) = value else { return };
        let Some(filling) = self.filling(value, field.form, at) else { return };
        for said in filling.said() {
            if let Err(expected) = check_said(field, &filling, said) {
                self.wrong(at, format!("says something that {} cannot hold: it {expected}", field.spoken()));
            }
        }
        rule.fields.push((field, filling));
    }

    fn attributes(&mut self, rule: &mut Rule, value: &Value, at: &str) {
        let Some(object) = value.as_object().filter(|object| object.len() <= MAX_ATTRIBUTES) else {
            return self.wrong(at, format!("must be an object with at most {MAX_ATTRIBUTES} keys"));
        };
        for (name, inside) in object {
            let at = under(at, name);
            if name.is_empty() || name.chars().count() > 64 || name.contains('\0') || name == super::UNMAPPED
            {
                let expected = format!("must be a name of 1 to 64 characters other than {}", super::UNMAPPED);
                self.wrong(&at, expected);
            }
            if let Some(filling) = self.filling(inside, Form::Any, &at) {
                rule.attributes.push((name.clone(), filling));
            }
        }
    }

    /// A place, a word that stands for itself, or an object that says more.
    fn filling(&mut self, value: &Value, form: Form, at: &str) -> Option<Filling> {
        match value {
            Value::String(text) if Place::is_written(text) => {
                Some(Filling { places: vec![self.place(text, at)?], ..Filling::default() })
            }
            Value::Object(_) => self.said_more(value, form, at),
            Value::Null | Value::Array(_) => {
                self.wrong(at, "must be a place, a value, or an object with at or value");
                None
            }
            plain => Some(Filling::always(plain.clone())),
        }
    }

    fn said_more(&mut self, value: &Value, form: Form, at: &str) -> Option<Filling> {
        let keys = self.object(value, at, &["at", "value", "table", "else", "default", "prefix", "as"]);
        let given = |key: &str| keys.get(key).copied().cloned().filter(|value| !value.is_null());
        if let Some(value) = given("value") {
            if keys.len() > 1 {
                self.wrong(at, "must have nothing beside value, which is always the same");
            }
            return Some(Filling::always(value));
        }
        let Some(places) = keys.get("at") else {
            self.wrong(&format!("{at}/at"), "is required: a place, or a list of places to look at in turn");
            return None;
        };
        let mut filling =
            Filling { otherwise: given("else"), absent: given("default"), ..Filling::default() };
        filling.places = self.places(places, &format!("{at}/at"));
        filling.table = keys.get("table").and_then(|table| self.table(table, &format!("{at}/table")));
        if filling.otherwise.is_some() && filling.table.is_none() {
            self.wrong(&format!("{at}/else"), "must stand beside a table");
        }
        if let Some(prefix) = keys.get("prefix") {
            let prefix_at = format!("{at}/prefix");
            filling.prefix =
                self.text(Some(prefix), &prefix_at, "must be text").unwrap_or_default().to_owned();
            if form != Form::Text {
                self.wrong(&prefix_at, "must stand in a field of text");
            }
        }
        if let Some(clock) = keys.get("as") {
            filling.clock = self.clock(clock, form, &format!("{at}/as"));
        }
        Some(filling)
    }

    fn places(&mut self, value: &Value, at: &str) -> Vec<Place> {
        let places = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        if places.is_empty() || places.len() > MAX_PLACES {
            self.wrong(at, format!("must be a place, or a list of 1 to {MAX_PLACES} places"));
        }
        let mut found = Vec::new();
        for (index, place) in places.iter().take(MAX_PLACES).enumerate() {
            let at = if value.is_array() { format!("{at}/{index}") } else { at.to_owned() };
            if let Some(text) = self.text(Some(&place), &at, "must be a place") {
                found.extend(self.place(text, &at));
            }
        }
        found
    }

    fn table(&mut self, value: &Value, at: &str) -> Option<BTreeMap<String, Value>> {
        match value.as_object() {
            Some(table) if (1..=MAX_TABLE).contains(&table.len()) => {
                Some(table.iter().map(|(from, to)| (from.clone(), to.clone())).collect())
            }
            _ => {
                self.wrong(
                    at,
                    format!("must be an object of 1 to {MAX_TABLE} values and what each stands for"),
                );
                None
            }
        }
    }

    fn clock(&mut self, value: &Value, form: Form, at: &str) -> Clock {
        if form != Form::Instant {
            self.wrong(at, "must stand in a field of time");
        }
        match value.as_str() {
            Some("rfc3339") => return Clock::Plain,
            Some("unix_seconds") => return Clock::Seconds,
            Some("unix_millis") => return Clock::Millis,
            Some(_) => {
                self.wrong(
                    at,
                    "must be rfc3339, unix_seconds, unix_millis, or an object with format and offset",
                );
                return Clock::Plain;
            }
            None => {}
        }
        let keys = self.object(value, at, &["format", "offset"]);
        let format_at = format!("{at}/format");
        let expected = "is required: a pattern such as %d.%m.%Y %H:%M";
        let Some(text) = self.text(keys.get("format"), &format_at, expected) else { return Clock::Plain };
        let Ok(pattern) = format_description::parse_strftime_owned(text) else {
            self.wrong(&format_at, "must be a pattern in the manner of strftime, such as %d.%m.%Y %H:%M");
            return Clock::Plain;
        };
        let offset_at = format!("{at}/offset");
        let offset = match keys.get("offset").map(|offset| offset.as_str().and_then(offset_of)) {
            Some(None) => {
                self.wrong(&offset_at, "must be an offset from UTC such as +03:00");
                None
            }
            Some(Some(offset)) => Some(offset),
            None if text.contains("%z") => None,
            None => {
                self.wrong(
                    &offset_at,
                    "is required where the pattern has no %z: an offset from UTC such as +03:00",
                );
                None
            }
        };
        Clock::Pattern(pattern, offset)
    }
}

const HEADER: &str = "is required: the name of the header";

fn under(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// `+03:00`.
fn offset_of(text: &str) -> Option<UtcOffset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two =
        |digits: &str| (digits.len() == 2).then(|| digits.parse::<i8>().ok()).flatten().filter(|n| *n >= 0);
    UtcOffset::from_hms(sign * two(hours)?, sign * two(minutes)?, 0).ok()
}

/// Whether a value that the mapping itself says can stand in its field: by the rules of the public event, which are asked.
fn check_said(field: Field, filling: &Filling, said: &Value) -> Result<(), String> {
    let value = filling.converted(field.form, said)?;
    let mut event = Map::new();
    for (key, least) in [("timestamp", Timestamp::EPOCH.to_string().as_str()), ("channel", "other")] {
        event.insert(key.to_owned(), json!(least));
    }
    event.insert("session_id".to_owned(), json!("s"));
    event.insert("action".to_owned(), json!("message"));
    match field.group {
        Some(group) => drop(event.insert(group.to_owned(), json!({ field.name: value }))),
        None => drop(event.insert(field.name.to_owned(), value)),
    }
    let violations = public::parse(Value::Object(event)).err().unwrap_or_default();
    // What else its group wants is not the question here.
    let own = violations.into_iter().find(|violation| violation.pointer.starts_with(&field.pointer()));
    own.map_or(Ok(()), |violation| Err(violation.expected))
}
