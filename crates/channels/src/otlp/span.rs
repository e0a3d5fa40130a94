//! One span: what its attributes say of an assistant's turn.

use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::observation::{Observation, Scenario, Usage};
use domain::timestamp::Timestamp;
use serde_json::{Map, Value};

use super::said::{Call, Note, Talk, unpacked};
use super::wire::any_value::Value as Kind;
use super::wire::{AnyValue, KeyValue, Resource, Span};
use crate::seen::{kept, kind_name, unknown, word};

/// The longest text kept; a longer one is cut, for the rest of the span is still worth having.
const TEXT: usize = 16_384;
const LABEL: usize = 256;
const SESSION: usize = 200;

/// The most calls of tools in one turn that become events; models are offered as many tools at most. The others are counted.
const MAX_CALLS: usize = 128;

/// What JSON holds exactly, and nobody has ever spent.
const MAX_TOKENS: u64 = 1 << 53;

const KIND_CLIENT: i32 = 3;
const STATUS_ERROR: i32 = 2;

/// Where instrumentations say which conversation it is, the conventions' own name first.
const CONVERSATION: [&str; 4] = [
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
];
/// The door the client used: the one attribute of ours.
const CHANNEL: &str = "letopis.channel";

/// Whether a span is about the talk of an assistant: it says anything under `gen_ai.`.
pub(super) fn is_of_an_assistant(span: &Span) -> bool {
    let is_ours = |name: &str| name.starts_with("gen_ai.");
    span.attributes.iter().any(|pair| is_ours(&pair.key))
        || span.events.iter().any(|event| is_ours(&event.name))
}

/// Whether a span has the ids by which a resend is known.
pub(super) fn has_ids(span: &Span) -> bool {
    let is_id = |id: &[u8], bytes: usize| id.len() == bytes && id.iter().any(|byte| *byte != 0);
    is_id(&span.trace_id, 16) && is_id(&span.span_id, 8)
}

/// Whether an attribute of a resource, which describes the whole machine, is read and kept.
pub(super) fn is_read_of_a_resource(key: &str) -> bool {
    matches!(key, "service.name" | CHANNEL) || CONVERSATION.contains(&key) || key.starts_with("gen_ai.")
}

/// What a span is about.
enum Operation {
    /// A model was asked, or an assistant elsewhere: the client hears the answer.
    Turn,
    /// A tool was run.
    Tool,
    /// Something around a turn, by its name in the conventions.
    Around(&'static str),
    /// Something nobody knows yet.
    Unknown(String),
}

/// A span in the clear.
pub(super) struct Turn {
    trace_id: String,
    span_id: String,
    kind: i32,
    start: u64,
    end: u64,
    is_failed: bool,
    attributes: Map<String, Value>,
    notes: Vec<Note>,
}

impl Turn {
    /// Reads a span that [has ids](has_ids), with what is read of its resource.
    pub(super) fn of(span: Span, resource: &Resource) -> Self {
        let mut attributes = table(&resource.attributes);
        attributes.append(&mut table(&span.attributes));
        let notes = span
            .events
            .into_iter()
            .map(|event| Note { attributes: table(&event.attributes), name: event.name });
        Self {
            trace_id: hex::encode(&span.trace_id),
            span_id: hex::encode(&span.span_id),
            kind: span.kind,
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
            is_failed: span.status.is_some_and(|status| status.code == STATUS_ERROR),
            notes: notes.collect(),
            attributes,
        }
    }

    /// What happened in it: at least one thing.
    pub(super) fn observations(&self, received_at: Timestamp) -> Vec<Observation> {
        let talk = Talk::of(&self.attributes, &self.notes);
        match self.operation(&talk) {
            Operation::Turn => self.turn(&talk, received_at),
            Operation::Tool => vec![self.tool_run(received_at)],
            Operation::Around(name) => vec![self.around(name, received_at)],
            Operation::Unknown(name) => vec![self.unknown(&name, received_at)],
        }
    }

    fn operation(&self, talk: &Talk) -> Operation {
        let Some(name) = self.label(&["gen_ai.operation.name"], LABEL) else { return self.unnamed(talk) };
        match name.as_str() {
            "chat" | "text_completion" | "generate_content" | "completion" => Operation::Turn,
            // In a process of its own: its model cannot be seen from here, only what it says.
            "invoke_agent" if self.kind == KIND_CLIENT => Operation::Turn,
            "execute_tool" => Operation::Tool,
            // Inside, there are spans of the turns themselves, which say the same.
            "invoke_agent" => Operation::Around("invoke_agent"),
            "invoke_workflow" => Operation::Around("invoke_workflow"),
            "create_agent" => Operation::Around("create_agent"),
            "plan" => Operation::Around("plan"),
            "embeddings" => Operation::Around("embeddings"),
            "retrieval" => Operation::Around("retrieval"),
            _ => Operation::Unknown(name),
        }
    }

    /// Before there were names of operations, there were kinds of requests.
    fn unnamed(&self, talk: &Talk) -> Operation {
        match self.label(&["llm.request.type"], LABEL).as_deref() {
            Some("chat" | "completion") => Operation::Turn,
            Some("embedding") => Operation::Around("embeddings"),
            Some(other) => Operation::Unknown(other.to_owned()),
            None if !talk.is_empty() => Operation::Turn,
            None if self.label(&["gen_ai.tool.name"], LABEL).is_some() => Operation::Tool,
            None if self.label(&["gen_ai.request.model", "gen_ai.response.model"], LABEL).is_some() => {
                Operation::Turn
            }
            None => Operation::Unknown("span".to_owned()),
        }
    }

    /// The client said something; the model answered, or asked for tools, or both, or failed.
    fn turn(&self, talk: &Talk, received_at: Timestamp) -> Vec<Observation> {
        let mut all = talk.calls();
        let calls: Vec<_> = all.by_ref().take(MAX_CALLS).collect();
        let left_out = all.count();
        let mut seen = Vec::with_capacity(2 + calls.len());
        if let Some(text) = talk.by_client() {
            let mut said = self.seen(received_at, Action::Message, Actor::Client);
            said.native_id.push_str(":client");
            said.occurred_at = instant(self.start).unwrap_or(said.occurred_at);
            said.texts.user = words(text);
            seen.push(said);
        }
        let told = seen.len();
        if let Some(text) = talk.by_assistant() {
            let mut said = self.seen(received_at, Action::Message, Actor::Assistant);
            said.texts.assistant = words(text);
            seen.push(said);
        } else if self.is_failed {
            seen.push(self.seen(received_at, word("model_failed"), Actor::Assistant));
        } else if calls.is_empty() {
            // What was said is only told where that is switched on: that there was an answer is all that is known.
            seen.push(self.seen(received_at, Action::Message, Actor::Assistant));
        }
        seen.extend(calls.into_iter().map(|(number, call)| self.tool_call(received_at, number, call)));
        if let Some(answer) = seen.get_mut(told) {
            self.describe(answer);
            note(answer, "tool_calls_left_out", (left_out > 0).then(|| Value::from(left_out)));
            answer.response_time_ms = self.took_ms();
        }
        seen
    }

    fn tool_call(&self, received_at: Timestamp, number: usize, call: &Call) -> Observation {
        let mut seen = self.seen(received_at, word("tool_call"), Actor::Assistant);
        seen.native_id.push_str(&format!(":tool:{number}"));
        note(&mut seen, "tool", call.name.as_deref().map(|name| Value::from(cut(name, LABEL))));
        note(&mut seen, "call", call.id.as_deref().map(|id| Value::from(cut(id, LABEL))));
        note(&mut seen, "arguments", call.arguments.as_ref().map(kept));
        seen
    }

    /// A tool was run, wherever that was.
    fn tool_run(&self, received_at: Timestamp) -> Observation {
        let mut seen = self.seen(received_at, word("tool_run"), Actor::Assistant);
        self.describe(&mut seen);
        note(&mut seen, "duration_ms", self.took_ms().map(Value::from));
        for (name, key) in [
            ("tool", "gen_ai.tool.name"),
            ("call", "gen_ai.tool.call.id"),
            ("arguments", "gen_ai.tool.call.arguments"),
            ("result", "gen_ai.tool.call.result"),
        ] {
            note(&mut seen, name, self.attributes.get(key).map(|value| kept(&unpacked(value))));
        }
        seen
    }

    /// What goes on around a turn is no part of the conversation, and begins none.
    fn around(&self, name: &str, received_at: Timestamp) -> Observation {
        let mut seen = self.seen(received_at, word("service_message"), Actor::System);
        self.describe(&mut seen);
        if name != "embeddings" {
            // The sum of what the turns inside say themselves.
            seen.usage = None;
        }
        seen.attributes.insert("kind".to_owned(), kind_name(name));
        note(&mut seen, "duration_ms", self.took_ms().map(Value::from));
        seen
    }

    fn unknown(&self, name: &str, received_at: Timestamp) -> Observation {
        let known = self.seen(received_at, word("service_message"), Actor::System);
        unknown(known.occurred_at, known.channel, known.session, known.native_id, name)
    }

    /// An observation with what all of a span have.
    fn seen(&self, received_at: Timestamp, action: Action, actor: Actor) -> Observation {
        let at = [self.end, self.start].into_iter().find_map(instant).unwrap_or(received_at);
        let channel = self.label(&[CHANNEL], LABEL).and_then(|word| word.parse().ok());
        let session = self.label(&CONVERSATION, SESSION).unwrap_or_else(|| self.trace_id.clone());
        let mut seen = Observation::new(at, channel.unwrap_or(Channel::Other), session, action);
        seen.native_id = format!("span:{}:{}", self.trace_id, self.span_id);
        seen.actor = actor;
        seen.user_hash = self.label(&["enduser.pseudo.id", "enduser.id", "user.id"], LABEL);
        seen
    }

    /// What is known of the span as a whole: said once.
    fn describe(&self, seen: &mut Observation) {
        let whole = |keys: [&str; 2]| {
            let tokens = keys.iter().find_map(|key| whole_number(self.attributes.get(*key)?));
            tokens.filter(|tokens| *tokens < MAX_TOKENS)
        };
        seen.model = self.label(&["gen_ai.response.model", "gen_ai.request.model"], LABEL);
        let input_tokens = whole(["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]);
        let output_tokens = whole(["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]);
        if input_tokens.is_some() || output_tokens.is_some() {
            seen.usage = Some(Usage { input_tokens, output_tokens });
        }
        let agent = self.label(&["gen_ai.agent.name", "gen_ai.agent.id"], LABEL);
        let version =
            self.label(&["gen_ai.agent.version"], LABEL).and_then(|version| Word::parse(&version).ok());
        let id = agent.as_deref().and_then(|agent| Word::parse(agent).ok());
        seen.scenario = id.map(|id| Scenario { id, version });
        let text = |keys: &[&str]| self.label(keys, LABEL).map(Value::from);
        note(seen, "provider", text(&["gen_ai.provider.name", "gen_ai.system"]));
        note(seen, "service", text(&["service.name"]));
        let reasons = self.attributes.get("gen_ai.response.finish_reasons");
        note(seen, "finish_reasons", reasons.map(|reasons| kept(&unpacked(reasons))));
        let failed = self.is_failed.then(|| Value::from(true));
        note(seen, "error", text(&["error.type"]).or(failed));
    }

    fn took_ms(&self) -> Option<u64> {
        self.end.checked_sub(self.start).filter(|_| self.start > 0).map(|nanos| nanos / 1_000_000)
    }

    /// The first of these attributes that says something, on one line and within bounds.
    fn label(&self, keys: &[&str], max: usize) -> Option<String> {
        keys.iter().find_map(|key| {
            let line = match self.attributes.get(*key)? {
                Value::String(text) => one_line(text.chars(), max),
                Value::Number(number) => one_line(number.to_string().chars(), max),
                _ => return None,
            };
            Some(line).filter(|line| !line.is_empty())
        })
    }
}

/// As much of a text as makes a label. It is read no further: each event of a span has its labels, and a text may fill the span.
fn one_line(text: impl Iterator<Item = char>, max: usize) -> String {
    let blank_for_control = text.map(|c| if c.is_control() { ' ' } else { c });
    let line: String = blank_for_control.skip_while(|c| c.is_whitespace()).take(max).collect();
    line.trim_end().to_owned()
}

fn note(seen: &mut Observation, name: &str, value: Option<Value>) {
    if let Some(value) = value.filter(|value| !value.is_null()) {
        seen.attributes.insert(name.to_owned(), value);
    }
}

/// A count, which some write as text and some with a point.
fn whole_number(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        other => other.as_str()?.trim().to_owned(),
    };
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

/// As much of a text as is kept. No database keeps U+0000.
fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(max).collect::<String>().trim_end().to_owned()
}

fn words(text: &str) -> Option<String> {
    Some(cut(text, TEXT)).filter(|text| !text.is_empty())
}

fn instant(nanos: u64) -> Option<Timestamp> {
    let micros = i64::try_from(nanos / 1_000).ok().filter(|micros| *micros > 0)?;
    Timestamp::from_unix_micros(micros).ok()
}

/// Attributes as a table of plain JSON; of two with one key the later counts.
fn table<'p>(pairs: impl IntoIterator<Item = &'p KeyValue>) -> Map<String, Value> {
    pairs.into_iter().filter_map(|pair| Some((pair.key.clone(), plain(pair.value.as_ref()?)))).collect()
}

fn plain(value: &AnyValue) -> Value {
    match &value.value {
        Some(Kind::StringValue(text)) => Value::from(text.as_str()),
        Some(Kind::BoolValue(truth)) => Value::from(*truth),
        Some(Kind::IntValue(number)) => Value::from(*number),
        Some(Kind::DoubleValue(number)) => Value::from(*number),
        Some(Kind::ArrayValue(list)) => list.values.iter().map(plain).collect(),
        Some(Kind::KvlistValue(inside)) => Value::Object(table(&inside.values)),
        Some(Kind::BytesValue(_)) | None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_far_as_it_is_kept() {
        assert_eq!(one_line("\n \u{0}бот\n2 \t".chars(), 256), "бот 2");
        assert_eq!(one_line("бот 2".chars(), 4), "бот");
        assert_eq!(one_line(std::iter::repeat('a'), 3), "aaa", "of a text without end, too");
    }
}
