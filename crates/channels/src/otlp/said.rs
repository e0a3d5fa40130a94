//! What was said, out of a span: the messages that went into a model and came out of it, in the ways instrumentations have
//! written them so far.
//!
//! | written | since |
//! |---|---|
//! | attributes `gen_ai.prompt.0.content`, `gen_ai.completion.0.content` | OpenLLMetry |
//! | events `gen_ai.content.prompt`, `gen_ai.content.completion` | conventions 1.27, Spring AI |
//! | the same, as one text with a role before each message | OpenLIT |
//! | events `gen_ai.user.message`, …, `gen_ai.choice`; what was said in attributes, or as JSON in `gen_ai.event.content` | 1.28 |
//! | the same events, as a list in an attribute `events` | Pydantic AI |
//! | attributes `ai.prompt.messages`, `ai.response.text`, `ai.response.toolCalls` | Vercel's AI SDK |
//! | attributes `gen_ai.input.messages`, `gen_ai.output.messages`; also of an event | 1.37 |
//!
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md>

mod one_text;

use one_text::{Piece, pieces};
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
        let indexed = Self {
            input: indexed(attributes, "gen_ai.prompt", "user"),
            output: indexed(attributes, "gen_ai.completion", "assistant"),
        };
        let ways = [
            Self::in_attributes(attributes),
            told,
            indexed,
            Self::in_a_list_of_events(attributes),
            Self::of_the_ai_sdk(attributes),
        ];
        let mut talk = Self::default();
        for Self { input, output } in ways {
            if talk.input.is_empty() {
                talk.input = input;
            }
            if talk.output.is_empty() {
                talk.output = output;
            }
        }
        talk
    }

    fn in_attributes(attributes: &Map<String, Value>) -> Self {
        let first = |keys: [&str; 3]| keys.iter().find_map(|key| attributes.get(*key));
        let input = first(["gen_ai.input.messages", "gen_ai.prompt", "gen_ai.content.prompt"]);
        let output = first(["gen_ai.output.messages", "gen_ai.completion", "gen_ai.content.completion"]);
        Self { input: input.map(asked).unwrap_or_default(), output: output.map(messages).unwrap_or_default() }
    }

    /// Events that are no events of the span, but a list in one of its attributes.
    fn in_a_list_of_events(attributes: &Map<String, Value>) -> Self {
        let mut told = Self::default();
        let Some(Value::Array(events)) = attributes.get("events").map(unpacked) else { return told };
        for event in events {
            if let Value::Object(attributes) = event {
                let name = text_of(attributes.get("event.name"));
                told.hear(&Note { name, attributes });
            }
        }
        told
    }

    fn of_the_ai_sdk(attributes: &Map<String, Value>) -> Self {
        let mut answer = Said { text: text_of(attributes.get("ai.response.text")), ..Said::default() };
        if let Some(Value::Array(calls)) = attributes.get("ai.response.toolCalls").map(unpacked) {
            answer.calls.extend(calls.iter().map(call));
        }
        let is_there = !answer.text.is_empty() || !answer.calls.is_empty();
        Self {
            input: attributes.get("ai.prompt.messages").map(messages).unwrap_or_default(),
            output: is_there.then(|| answer.by("assistant")).into_iter().collect(),
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

    /// The tools the model asks for, each with its place among them.
    pub(super) fn calls(&self) -> impl Iterator<Item = (usize, &Call)> {
        let all = self.output.iter().flat_map(|said| &said.calls);
        all.enumerate().filter(|(_place, call)| !call.is_nothing())
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

/// What went in: messages, or one text of them all.
fn asked(value: &Value) -> Vec<Said> {
    match unpacked(value) {
        Value::String(text) => pieces(&text).into_iter().map(Said::from).collect(),
        other => messages(&other),
    }
}

/// Messages as a list, as one, inside an object with their version, as choices of an answer, or as JSON of any of these in a text.
fn messages(value: &Value) -> Vec<Said> {
    match unpacked(value) {
        Value::Array(items) => items.iter().map(one).collect(),
        Value::Object(keys) => match (keys.get("messages"), keys.get("choices")) {
            (Some(Value::Array(items)), _) => items.iter().map(one).collect(),
            (_, Some(Value::Array(items))) => {
                items.iter().map(|choice| one(choice.get("message").unwrap_or(choice))).collect()
            }
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
        Value::Array(_parts) => {
            let mut said = Said::default();
            said.fill(Some(value));
            said
        }
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

impl From<Piece<'_>> for Said {
    fn from(piece: Piece<'_>) -> Self {
        Self { role: piece.role.to_owned(), text: piece.text.to_owned(), ..Self::default() }
    }
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
            Some("tool_call" | "tool-call" | "tool_use" | "function_call") => self.calls.push(call(part)),
            None if part.get("toolUse").is_some_and(Value::is_object) => {
                self.calls.push(call(&part["toolUse"]))
            }
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

impl Call {
    /// Whether it says neither which tool, nor which call, nor with what.
    fn is_nothing(&self) -> bool {
        let is_empty = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        let is_without = matches!(&self.arguments, None | Some(Value::Null));
        is_empty(&self.id) && is_empty(&self.name) && is_without
    }
}

fn call(value: &Value) -> Call {
    let function = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let first = |holder: &Value, keys: [&str; 3]| keys.iter().find_map(|key| holder.get(*key).cloned());
    let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    Call {
        id: text(first(value, ["id", "toolCallId", "toolUseId"])),
        name: text(first(function, ["name", "toolName", "tool_name"])),
        arguments: first(function, ["arguments", "input", "args"]).as_ref().map(unpacked),
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
