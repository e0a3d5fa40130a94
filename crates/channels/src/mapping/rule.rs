//! One rule: which part of a body it is about, and the event it makes of it.

use domain::action::{Action, Actor};
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::timestamp::Timestamp;
use event_schema::public::{self, Violation};
use serde_json::{Map, Value};

use super::field::{ATTRIBUTES, Field};
use super::place::{Place, Scope};
use super::rest::Used;
use super::room::Room;
use super::value::{Filling, Form, Misfit, is_blank, label};
use crate::Unparsed;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The list it goes through; without one, it is about the body.
    pub(super) each: Option<Place>,
    /// All of it must hold.
    pub(super) when: Vec<Condition>,
    /// What makes the event unique; empty, all that is said does.
    pub(super) id: Vec<Part>,
    pub(super) fields: Vec<(Field, Filling)>,
    pub(super) attributes: Vec<(String, Filling)>,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) place: Place,
    pub(super) test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    There,
    Missing,
    Is(Vec<String>),
    Not(Vec<String>),
}

/// A part of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    At(Place),
    Word(String),
}

/// An item a rule is about, with its number in the list it lies in.
#[derive(Clone, Copy)]
pub(super) struct Item<'v> {
    pub(super) scope: Scope<'v>,
    pub(super) number: Option<usize>,
}

impl Condition {
    fn holds<'v>(&'v self, scope: Scope<'v>, used: &mut Used) -> bool {
        let found = self.place.find(scope);
        let said = found.filter(|found| !is_blank(found));
        let is_among = |labels: &[String]| {
            said.and_then(label).is_some_and(|said| labels.iter().any(|label| *label == *said))
        };
        let holds = match &self.test {
            Test::There => said.is_some(),
            Test::Missing => said.is_none(),
            Test::Is(labels) => is_among(labels),
            Test::Not(labels) => !is_among(labels),
        };
        // What was only found to be there has not been read.
        if let (true, Test::Is(_), Some(found)) = (holds, &self.test, found) {
            used.add(found);
        }
        holds
    }
}

impl Rule {
    /// The items of a body this rule is about.
    pub(super) fn items<'v>(&'v self, root: &'v Value, used: &mut Used) -> Vec<Item<'v>> {
        let items = match &self.each {
            None => vec![Item { scope: Scope { root, item: root }, number: None }],
            Some(each) => {
                let items = each.items(root).into_iter().enumerate();
                items
                    .map(|(number, item)| Item { scope: Scope { root, item }, number: Some(number) })
                    .collect()
            }
        };
        items
            .into_iter()
            .filter(|item| self.when.iter().all(|condition| condition.holds(item.scope, used)))
            .collect()
    }

    /// The event this rule makes of an item.
    pub(super) fn read<'v>(
        &'v self,
        item: Item<'v>,
        received_at: Timestamp,
        used: &mut Used,
        room: &mut Room,
    ) -> Result<Observation, Unparsed> {
        let event = self.filled(item, received_at, used, room)?;
        let mut observation = public::parse(event).map_err(|violations| self.refuse(item, &violations))?;
        let id = self.id_of(item, used)?;
        room.hold_bytes(id.len())?;
        observation.native_id = native_id(&observation.action, observation.actor, &id);
        Ok(observation)
    }

    /// The public event, as JSON.
    fn filled<'v>(
        &'v self,
        item: Item<'v>,
        received_at: Timestamp,
        used: &mut Used,
        room: &mut Room,
    ) -> Result<Value, Unparsed> {
        let mut event = Map::new();
        let mut found_in: Vec<&str> = Vec::new();
        for (field, filling) in &self.fields {
            let found = filling.find(field.form, item.scope, used);
            let found = found.map_err(|misfit| self.misfit(item, &field.spoken(), misfit))?;
            let Some(found) = found else { continue };
            room.hold(&found.value)?;
            match field.group {
                None => drop(event.insert(field.name.to_owned(), found.value)),
                Some(group) => {
                    if found.place.is_some() {
                        found_in.push(group);
                    }
                    let inside = event.entry(group).or_insert_with(|| Value::Object(Map::new()));
                    inside[field.name] = found.value;
                }
            }
        }
        // A booking, say, of which only what the mapping itself says is known, is none.
        for (field, filling) in &self.fields {
            if let Some(group) = field.group
                && !filling.is_constant()
                && !found_in.contains(&group)
            {
                event.remove(group);
            }
        }
        event.entry("timestamp").or_insert_with(|| Value::from(received_at.to_string()));
        let mut attributes = Map::new();
        for (name, filling) in &self.attributes {
            let found = filling.find(Form::Any, item.scope, used);
            if let Some(found) = found.map_err(|misfit| self.misfit(item, name, misfit))? {
                room.hold(&found.value)?;
                attributes.insert(name.clone(), found.value);
            }
        }
        if !attributes.is_empty() {
            event.insert(ATTRIBUTES.to_owned(), Value::Object(attributes));
        }
        Ok(Value::Object(event))
    }

    /// What makes the event unique among all of its source.
    fn id_of<'v>(&'v self, item: Item<'v>, used: &mut Used) -> Result<String, Unparsed> {
        if self.id.is_empty() {
            return Ok(item.scope.item.to_string());
        }
        let mut parts = Vec::with_capacity(self.id.len());
        for part in &self.id {
            match part {
                Part::Word(word) => parts.push(word.clone()),
                Part::At(place) => {
                    let found = place.find(item.scope).filter(|found| !is_blank(found));
                    let misfit = || Misfit {
                        place: Some(place),
                        expected: "is required: a text or a number".to_owned(),
                    };
                    let found = found.ok_or_else(|| self.misfit(item, "id", misfit()))?;
                    used.add(found);
                    parts.push(label(found).ok_or_else(|| self.misfit(item, "id", misfit()))?.into_owned());
                }
            }
        }
        Ok(parts.join(":"))
    }

    /// The first thing that is wrong leads, in the words of the event's own rules.
    fn refuse(&self, item: Item<'_>, violations: &[Violation]) -> Unparsed {
        let first = violations.first();
        let at = first.map(|violation| violation.pointer.as_str()).unwrap_or_default();
        let of = self.fields.iter().find(|(field, _)| at.starts_with(&field.pointer()));
        let expected = first.map(|violation| violation.expected.clone()).unwrap_or_default();
        let spoken = at.trim_start_matches('/').replace('/', ".");
        let place = of.and_then(|(_, filling)| filling.places.first());
        self.misfit(item, &spoken, Misfit { place, expected })
    }

    /// Says where in the body something does not fit. Places are the mapping's words: none of the sender's is repeated.
    fn misfit(&self, item: Item<'_>, what: &str, misfit: Misfit<'_>) -> Unparsed {
        let within = match (&self.each, item.number) {
            (Some(each), Some(number)) => each.as_pointer().map(|each| format!("{each}/{number}")),
            _ => Some(String::new()),
        };
        let pointer =
            misfit.place.and_then(Place::as_pointer).zip(within).map(|(place, within)| within + place);
        let detail = match (&pointer, misfit.place) {
            (None, Some(place)) => format!("{what}, from {place}: {}", misfit.expected),
            _ => format!("{what}: {}", misfit.expected),
        };
        Unparsed { class: ReasonClass::Invalid, pointer, detail }
    }
}

/// One thing may be said by both sides, and a booking be made and cancelled: each is an event of its own.
fn native_id(action: &Action, actor: Actor, id: &str) -> String {
    format!("{}/{}:{id}", action.as_str(), actor.as_str())
}
