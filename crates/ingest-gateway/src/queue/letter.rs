//! One letter, judged as a request of its source would be.

use std::borrow::Cow;

use bytes::Bytes;
use channels::cloudevents::Mode;
use channels::otlp::Form;
use channels::{Delivery, Mapping};
use domain::event::Digest;
use domain::quarantine::{Reason, ReasonClass};
use domain::registry::{Scope, Source, SourceKind};
use domain::timestamp::Timestamp;
use http_kit::auth;
use http_kit::problem::{self, Problem, ProblemKind};
use ports::queue::{Answer, Letter, LetterTag, ReplyTo};
use serde_json::Value;

use super::metrics::Outcome;
use crate::items::Items;
use crate::media::{Encoding, Format};
use crate::publish::{Accepted, Material};
use crate::{Door, Gateway, body, cloudevents, events, hooks, intake, sender, traces};

/// What became of a letter, and what is to be done about it.
pub(super) struct Judged {
    tag: LetterTag,
    reply_to: Option<ReplyTo>,
    kind: SourceKind,
    taken: Vec<Piece>,
    refused: Vec<Piece>,
    problems: Vec<Problem>,
    answer: Answer,
}

/// Something to publish.
pub(super) struct Piece {
    body: Bytes,
    payload_digest: Digest,
    kind: SourceKind,
    refusal: Option<Reason>,
}

impl Piece {
    pub(super) fn material(&self) -> Material<'_> {
        let Self { body, payload_digest, kind, refusal } = self;
        let accepted = Accepted { body, payload_digest: *payload_digest };
        Material { accepted, kind: *kind, refusal: refusal.as_ref() }
    }
}

impl Judged {
    pub(super) fn tag(&self) -> &LetterTag {
        &self.tag
    }

    pub(super) fn reply_to(&self) -> Option<&ReplyTo> {
        self.reply_to.as_ref()
    }

    /// Whether somebody waits to be told.
    pub(super) fn is_awaited(&self) -> bool {
        self.reply_to.is_some()
    }

    /// What HTTP would have answered.
    pub(super) fn answer(&self) -> Answer {
        self.answer.clone()
    }

    /// What goes on as any other event or delivery.
    pub(super) fn taken(&self) -> impl Iterator<Item = &Piece> {
        self.taken.iter()
    }

    /// What goes to quarantine, unless its sender was told.
    pub(super) fn refused(&self) -> impl Iterator<Item = &Piece> {
        self.refused.iter()
    }

    /// How many events its source is charged with: as over HTTP, one at least.
    pub(super) fn events(&self) -> usize {
        (self.taken.len() + self.refused.len()).max(1)
    }

    pub(super) fn bytes(&self) -> usize {
        self.taken().chain(self.refused()).map(|piece| piece.body.len()).sum()
    }

    /// What became of it if nobody is told.
    pub(super) fn outcome(&self) -> Outcome {
        match (self.taken.is_empty(), self.refused.is_empty()) {
            (_, true) => Outcome::Taken,
            (false, false) => Outcome::Part,
            (true, false) => Outcome::Quarantined,
        }
    }

    /// Counts what the door counts of a request.
    pub(super) fn count(&self, gateway: &Gateway, source: &Source) {
        gateway.metrics.accepted(self.kind, self.taken.len());
        self.problems.iter().for_each(|problem| gateway.rejected(Some(source), problem));
    }

    /// Refused whole. What is larger than may be received is not kept: the digest says which it was.
    fn refused_whole(gateway: &Gateway, source: &Source, letter: &Letter, problem: &Problem) -> Self {
        let keys = gateway.vault.tenant(&source.tenant);
        let body = letter.body.clone().unwrap_or_default();
        let piece = Piece {
            payload_digest: keys.payload_digest(&body),
            body: kept(gateway, body),
            kind: source.kind,
            refusal: Some(reason(problem)),
        };
        Self {
            tag: letter.tag.clone(),
            reply_to: letter.reply_to.clone(),
            kind: source.kind,
            taken: Vec::new(),
            refused: vec![piece],
            problems: vec![problem.clone()],
            answer: refusal(problem),
        }
    }
}

/// It cannot be judged now, which is no fault of the letter's: what it has to be judged by is not to be had.
#[derive(Debug)]
pub(super) struct NotNow;

/// Judges a letter.
pub(super) async fn judge(
    door: &Door,
    source: &Source,
    signed: bool,
    letter: &Letter,
) -> Result<Judged, NotNow> {
    match read(door, source, signed, letter).await {
        Ok(judged) => Ok(judged),
        // What HTTP answers so the sender sends again; a refusal would stay one for ever.
        Err(problem) if problem.kind().status() >= 500 => Err(NotNow),
        Err(problem) => Ok(Judged::refused_whole(&door.gateway, source, letter, &problem)),
    }
}

async fn read(door: &Door, source: &Source, signed: bool, letter: &Letter) -> Result<Judged, Problem> {
    let gateway = &door.gateway;
    let received = letter.body.as_ref().ok_or_else(|| {
        Problem::new(ProblemKind::EmptyBody).detail("the letter has nothing where its body should be")
    })?;
    let encoding = Encoding::read(letter.header("content-encoding").unwrap_or_default())?;
    let limits = match source.kind {
        SourceKind::Events | SourceKind::Otlp | SourceKind::Cloudevents => events::limits(&gateway.config),
        kind => hooks::limits(&gateway.config, kind),
    };
    limits.admit(received.len())?;
    let mapping = match source.kind {
        SourceKind::Mapping => hooks::mapping_of(door, source)?,
        _ => None,
    };
    let mapping = mapping.as_deref();
    if signed || source.kind != SourceKind::Events {
        prove(gateway, source, mapping, letter, received).await?;
    }
    let body = body::unpack(received.clone(), encoding, limits)?;
    gateway.metrics.observe_body(body.len());
    match source.kind {
        SourceKind::Events => {
            let format = letter.header("content-type").map_or(Ok(Format::Json), Format::read)?;
            let items = Items::split(body::text(&body)?, format, gateway.config.max_batch_events.get())?;
            Ok(read_events(gateway, source, letter, (&body, &items)))
        }
        SourceKind::Cloudevents => read_cloud_events(gateway, source, letter, body),
        SourceKind::Otlp => read_traces(gateway, source, letter, &body),
        _ => read_delivery(gateway, source, mapping, letter, body),
    }
}

/// CloudEvents, in any form; without a content type one event or a list of them.
fn read_cloud_events(
    gateway: &Gateway,
    source: &Source,
    letter: &Letter,
    body: Bytes,
) -> Result<Judged, Problem> {
    let is_list = body.trim_ascii_start().starts_with(b"[");
    let mode = match (letter.header("content-type"), letter.header(cloudevents::VERSION)) {
        (None, None) => Some(if is_list { Mode::Batch } else { Mode::Structured }),
        (content_type, version) => Mode::of(content_type, version.is_some()),
    };
    let mode = mode.ok_or_else(cloudevents::no_mode)?;
    let headers = letter.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref()));
    let body = cloudevents::structured(mode, headers, letter.header("content-type"), body)?;
    let items = cloudevents::items(mode, body::text(&body)?, gateway.config.max_batch_events.get())?;
    let items = items.unwrap_or(Items::Many(Vec::new()));
    Ok(read_events(gateway, source, letter, (&body, &items)))
}

/// Events, each judged by itself.
fn read_events(
    gateway: &Gateway,
    source: &Source,
    letter: &Letter,
    (body, items): (&Bytes, &Items<'_>),
) -> Judged {
    let kind = source.kind;
    gateway.metrics.observe_batch(items.as_slice().len());
    let keys = gateway.vault.tenant(&source.tenant);
    let (mut taken, mut refused, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    let verdicts: Vec<_> =
        items.as_slice().iter().map(|item| intake::judge(gateway, source, kind, &keys, item)).collect();
    for (item, verdict) in items.as_slice().iter().zip(&verdicts) {
        let body = body.slice_ref(item.as_bytes());
        match verdict {
            Ok(good) => {
                taken.push(Piece { body, payload_digest: good.accepted.payload_digest, kind, refusal: None })
            }
            Err(problem) => {
                problems.push(problem.clone());
                refused.push(Piece {
                    payload_digest: keys.payload_digest(&body),
                    body: kept(gateway, body),
                    kind,
                    refusal: beyond_the_normalizer(problem),
                });
            }
        }
    }
    let answer = if verdicts.is_empty() {
        Answer { status: 200, media_type: "application/json", body: Bytes::from_static(b"{}") }
    } else if taken.is_empty() {
        refusal(&intake::refuse_all(items, verdicts))
    } else {
        let answer = intake::answer(items, &verdicts, taken.len(), gateway.clock.now());
        Answer { status: answer.status, media_type: "application/json", body: answer.body.into() }
    };
    let (tag, reply_to) = (letter.tag.clone(), letter.reply_to.clone());
    Judged { tag, reply_to, kind, taken, refused, problems, answer }
}

/// Traces, each span of an assistant by itself; without a content type they are JSON.
fn read_traces(gateway: &Gateway, source: &Source, letter: &Letter, body: &Bytes) -> Result<Judged, Problem> {
    let form =
        letter.header("content-type").map_or(Some(Form::Json), Form::of).ok_or_else(traces::no_form)?;
    let export = traces::split(gateway, form, body)?;
    gateway.metrics.spans(&source.id, &export);
    gateway.metrics.observe_batch(export.spans.len());
    let keys = gateway.vault.tenant(&source.tenant);
    let piece = |body: Bytes, refusal: Option<Reason>| Piece {
        payload_digest: keys.payload_digest(&body),
        body,
        kind: SourceKind::Otlp,
        refusal,
    };
    let problem = traces::refused_span();
    let answer =
        Answer { status: 200, media_type: form.media_type(), body: form.answer(export.refused.len()).into() };
    Ok(Judged {
        tag: letter.tag.clone(),
        reply_to: letter.reply_to.clone(),
        kind: source.kind,
        problems: vec![problem.clone(); export.refused.len()],
        taken: export.spans.into_iter().map(|span| piece(span.into(), None)).collect(),
        refused: export.refused.into_iter().map(|span| piece(span.into(), Some(reason(&problem)))).collect(),
        answer,
    })
}

/// A delivery of a messenger or of another system, whole.
fn read_delivery(
    gateway: &Gateway,
    source: &Source,
    mapping: Option<&Mapping>,
    letter: &Letter,
    body: Bytes,
) -> Result<Judged, Problem> {
    let kind = source.kind;
    let brings_nothing = with_delivery(letter, &body, |delivery| channels::small_talk(kind, delivery));
    let (taken, reply) = match brings_nothing {
        Some(reply) => (Vec::new(), reply.map_err(sender::unproven)?),
        None => {
            hooks::check(mapping, &body)?;
            gateway.metrics.observe_batch(1);
            let payload_digest = gateway.vault.tenant(&source.tenant).payload_digest(&body);
            (vec![Piece { body, payload_digest, kind, refusal: None }], channels::thanks(kind))
        }
    };
    let body = match reply.body {
        Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
        Cow::Owned(text) => text.into(),
    };
    let answer = Answer { status: 200, media_type: reply.media_type, body };
    let (tag, reply_to) = (letter.tag.clone(), letter.reply_to.clone());
    Ok(Judged { tag, reply_to, kind, taken, refused: Vec::new(), problems: Vec::new(), answer })
}

/// Checks that the source itself sent this: by a key of it, or as its messenger or its mapping proves it.
async fn prove(
    gateway: &Gateway,
    source: &Source,
    mapping: Option<&Mapping>,
    letter: &Letter,
    received: &[u8],
) -> Result<(), Problem> {
    if source.kind == SourceKind::Events
        && let Some(key) = letter.header("authorization")
    {
        let principal = auth::require_in(key, &gateway.keyring, Scope::Ingest).await?;
        let is_its_own = principal.source.as_ref() == Some(&source.id);
        let refuse = || Problem::new(ProblemKind::Forbidden).detail("the key is another source's");
        return if is_its_own { Ok(()) } else { Err(refuse()) };
    }
    let now = signed_at(letter).unwrap_or_else(|| gateway.clock.now());
    with_delivery(letter, received, |delivery| sender::verify(gateway, source, mapping, delivery, now))
}

/// When it was signed. A letter may wait for days, which is what a queue is for: how old its proof is says nothing, and
/// one that comes again is known by its ids.
fn signed_at(letter: &Letter) -> Option<Timestamp> {
    let seconds = std::str::from_utf8(letter.header("webhook-timestamp")?).ok()?.parse().ok()?;
    Timestamp::from_unix_seconds(seconds).ok()
}

/// As over HTTP. What messengers have in their addresses stands beside the body, too.
fn with_delivery<T>(letter: &Letter, body: &[u8], act: impl FnOnce(&Delivery<'_>) -> T) -> T {
    let header = |name: &str| letter.header(name);
    let query = |name: &str| Some(String::from_utf8_lossy(letter.header(name)?));
    act(&Delivery { header: &header, query: &query, body })
}

fn kept(gateway: &Gateway, body: Bytes) -> Bytes {
    if body.len() > gateway.config.max_body_bytes.get() { Bytes::new() } else { body }
}

/// An event that is none the normalizer refuses by itself, and better with a later release, when it is sent through again.
/// Of limits it knows nothing.
fn beyond_the_normalizer(problem: &Problem) -> Option<Reason> {
    (problem.kind() == ProblemKind::EventTooLarge).then(|| reason(problem))
}

fn reason(problem: &Problem) -> Reason {
    let class = match problem.kind().status() {
        // It may well be of its channel, and is not to be had like this.
        401 | 403 | 413 => ReasonClass::Invalid,
        _ => ReasonClass::Unreadable,
    };
    let pointer = problem.field_errors().first().map(|error| error.pointer.clone());
    Reason { class, pointer, detail: format!("{}: {}", problem.kind().slug(), problem.summary()) }
}

fn refusal(problem: &Problem) -> Answer {
    let body = Value::Object(problem.members()).to_string().into();
    Answer { status: problem.kind().status(), media_type: problem::CONTENT_TYPE, body }
}
