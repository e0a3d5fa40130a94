//! What was said, out of a span: the messages that went into a model and came out of it, in the ways instrumentations have
//! written them so far.
//!
//! | written | since |
//! |---|---|
//! | attributes `gen_ai.prompt.0.content`, `gen_ai.completion.0.content` | OpenLLMetry |
//! | events `gen_ai.content.prompt`, `gen_ai.content.completion` | conventions 1.27 |
//! | events `gen_ai.user.message`, …, `gen_ai.choice`; what was said in attributes, or as JSON in `gen_ai.event.content` | 1.28 |
//! | attributes `gen_ai.input.messages`, `gen_ai.output.messages`; also of an event | 1.37 |
//!
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md>

use serde_json::{Map, Value};

/// Most attributes of one kind that are gone through: `gen_ai.prompt.0.role`, `gen_ai.prompt.1.role` …
const INDEXED: usize = 512;

/// One message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    role: String,
    text: String,
    calls: Vec<Call>,
}

/// A tool the model asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) arguments: Option<Value>,
}

/// What went in and what came out.
#[derive(Debug, Default)]
pub(super) struct Talk {
    input: Vec<Said>,
    output: Vec<Said>,
}

/// An event inside a span.
pub(super) struct Note {
    pub(super) name: String,
    pub(super) attributes: Map<String, Value>,
}

impl Talk {
    /// Reads what a span holds of it. Where it is told twice, the attributes of today count.
    pub(super) fn of(attributes: &Map<String, Value>, notes: &[Note]) -> Self {
        let mut told = Self::default();
        notes.iter().for_each(|note| told.hear(note));
        let Self { input, output } = Self::in_attributes(attributes);
        let first = |ways: [Vec<Said>; 3]| ways.into_iter().find(|said| !said.is_empty()).unwrap_or_default();
        Self {
            input: first([input, told.input, indexed(attributes, "gen_ai.prompt", "user")]),
            output: first([output, told.output, indexed(attributes, "gen_ai.completion", "assistant")]),
        }
    }

    fn in_attributes(attributes: &Map<String, Value>) -> Self {
        let first = |keys: [&str; 2]| {
            keys.iter().find_map(|key| attributes.get(*key)).map(messages).unwrap_or_default()
        };
        Self {
            input: first(["gen_ai.input.messages", "gen_ai.prompt"]),
            output: first(["gen_ai.output.messages", "gen_ai.completion"]),
        }
    }

    fn hear(&mut self, note: &Note) {
        match note.name.as_str() {
            "gen_ai.client.inference.operation.details"
            | "gen_ai.content.prompt"
            | "gen_ai.content.completion" => {
                let Self { input, output } = Self::in_attributes(&note.attributes);
                self.input.extend(input.into_iter().map(|said| said.by("user")));
                self.output.extend(output.into_iter().map(|said| said.by("assistant")));
            }
            "gen_ai.choice" => {
                let content = content_of(note);
                let message = content.get("message").map(|message| one(&unpacked(message)));
                let said = message.unwrap_or_else(|| of_object(&content));
                self.output.push(said.by("assistant"));
            }
            name => {
                let role = name.strip_prefix("gen_ai.").and_then(|rest| rest.strip_suffix(".message"));
                if let Some(role @ ("user" | "assistant" | "system" | "tool")) = role {
                    // The event's name is its role: some write another beside it, for the model.
                    self.input.push(Said { role: role.to_owned(), ..of_object(&content_of(note)) });
                }
            }
        }
    }

    /// What the client said in this turn: the last word, where it is the client's. Otherwise the model was asked again, with
    /// the answer of a tool, and what the client said was told before.
    pub(super) fn by_client(&self) -> Option<&str> {
        let last =
            self.input.iter().rev().find(|said| !matches!(said.role.as_str(), "system" | "developer"))?;
        let is_the_clients = matches!(last.role.as_str(), "user" | "human" | "");
        (is_the_clients && !last.text.trim().is_empty()).then_some(last.text.as_str())
    }

    /// What the assistant said. Of several choices the first is the one that is used.
    pub(super) fn by_assistant(&self) -> Option<&str> {
        self.output.iter().map(|said| said.text.as_str()).find(|text| !text.trim().is_empty())
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.output.iter().flat_map(|said| &said.calls)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.output.is_empty()
    }
}

/// What an event says: its attributes, or what one of them packs.
fn content_of(note: &Note) -> Map<String, Value> {
    let packed = note.attributes.get("gen_ai.event.content").map(unpacked);
    match packed {
        Some(Value::Object(content)) => content,
        Some(Value::String(text)) => Map::from_iter([("content".to_owned(), Value::String(text))]),
        _ => note.attributes.clone(),
    }
}

/// Messages as a list, as one, inside an object with their version, or as JSON of any of these in a text.
fn messages(value: &Value) -> Vec<Said> {
    match unpacked(value) {
        Value::Array(items) => items.iter().map(one).collect(),
        Value::Object(mut keys) => match keys.remove("messages") {
            Some(Value::Array(items)) => items.iter().map(one).collect(),
            _ => vec![of_object(&keys)],
        },
        Value::Null => Vec::new(),
        other => vec![one(&other)],
    }
}

/// JSON that travels as a text.
pub(super) fn unpacked(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    let is_packed = text.trim_start().starts_with(['[', '{']);
    is_packed.then(|| serde_json::from_str(text).ok()).flatten().unwrap_or_else(|| value.clone())
}

fn one(value: &Value) -> Said {
    match value {
        Value::Object(keys) => of_object(keys),
        Value::String(text) => Said { text: text.clone(), ..Said::default() },
        _ => Said::default(),
    }
}

fn of_object(keys: &Map<String, Value>) -> Said {
    let mut said = Said { role: text_of(keys.get("role")), ..Said::default() };
    let inside =
        ["parts", "content", "text"].iter().find_map(|key| keys.get(*key).filter(|held| !held.is_null()));
    said.fill(inside);
    if let Some(Value::Array(calls)) = keys.get("tool_calls").map(unpacked) {
        said.calls.extend(calls.iter().map(call));
    }
    said
}

impl Said {
    /// Where nobody is named, it was this one.
    fn by(self, role: &str) -> Self {
        if self.role.is_empty() { Self { role: role.to_owned(), ..self } } else { self }
    }

    /// Takes the content of a message: a text, or parts.
    fn fill(&mut self, content: Option<&Value>) {
        match content.map(unpacked) {
            Some(Value::Array(parts)) => parts.iter().for_each(|part| self.take(part)),
            // A client may well write braces: only a list is of parts.
            Some(_) | None => self.text = text_of(content),
        }
    }

    fn take(&mut self, part: &Value) {
        match part.get("type").and_then(Value::as_str) {
            Some("tool_call" | "tool_use" | "function_call") => self.calls.push(call(part)),
            Some("text" | "input_text" | "output_text") | None => {
                let text = part.get("content").or_else(|| part.get("text")).unwrap_or(part);
                let text = text_of(Some(text));
                if !self.text.is_empty() && !text.is_empty() {
                    self.text.push('\n');
                }
                self.text.push_str(&text);
            }
            // Reasoning, images, answers of tools: not what was said to the client.
            Some(_) => {}
        }
    }
}

fn call(value: &Value) -> Call {
    let function = value.get("function").unwrap_or(value);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    Call {
        id: text(value.get("id")),
        name: text(function.get("name")),
        arguments: function.get("arguments").or_else(|| function.get("input")).map(unpacked),
    }
}

/// `gen_ai.prompt.0.content`.
fn indexed(attributes: &Map<String, Value>, prefix: &str, role: &str) -> Vec<Said> {
    let message = |index: usize| {
        let at = |name: &str| attributes.get(&format!("{prefix}.{index}.{name}"));
        let (given, content) = (at("role"), at("content"));
        let calls = indexed_calls(attributes, &format!("{prefix}.{index}.tool_calls"));
        if given.is_none() && content.is_none() && calls.is_empty() {
            return None;
        }
        let mut said = Said { role: text_of(given), calls, ..Said::default() };
        said.fill(content);
        Some(said.by(role))
    };
    (0..INDEXED).map_while(message).collect()
}

/// `gen_ai.completion.0.tool_calls.0.name`.
fn indexed_calls(attributes: &Map<String, Value>, prefix: &str) -> Vec<Call> {
    let call = |index: usize| {
        let at = |name: &str| attributes.get(&format!("{prefix}.{index}.{name}"));
        let text = |name: &str| at(name).and_then(Value::as_str).map(str::to_owned);
        let name = text("name")?;
        Some(Call { id: text("id"), name: Some(name), arguments: at("arguments").map(unpacked) })
    };
    (0..INDEXED).map_while(call).collect()
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
