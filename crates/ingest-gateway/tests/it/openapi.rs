//! The OpenAPI document says what the door does.

use http_kit::openapi::DOCUMENT;
use http_kit::problem::ProblemKind;
use ingest_gateway::{ENDPOINTS, EVENTS};
use jsonschema::Draft;
use serde_json::{Value, json};

use crate::salon::{Salon, event};

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Whether a value fits a schema of the document.
fn fits(schema: &str, value: &Value) -> bool {
    let mut root = json!({"$ref": format!("#/components/schemas/{schema}")});
    root["components"] = document()["components"].clone();
    jsonschema::options().with_draft(Draft::Draft202012).build(&root).unwrap().is_valid(value)
}

#[test]
fn every_route_is_described_with_its_problems() {
    let document = document();
    for endpoint in ENDPOINTS {
        for method in endpoint.methods {
            let operation = &document["paths"][endpoint.pattern][method.to_lowercase()];
            let responses =
                operation["responses"].as_object().unwrap_or_else(|| panic!("{method} {endpoint:?}"));
            // A question without a body has fewer ways to be wrong.
            let statuses: &[&str] = match *method {
                "GET" | "OPTIONS" => &["401", "404", "405", "500", "503"],
                // Exporters know no conflict, and what is wrong with single spans is no failure.
                _ if endpoint.pattern.ends_with("/traces") => {
                    &["400", "401", "405", "413", "415", "429", "500", "503"]
                }
                _ => &["400", "401", "405", "409", "413", "415", "422", "429", "500", "503"],
            };
            for status in statuses.iter().copied() {
                assert!(responses.contains_key(status), "{method} {} {status}", endpoint.pattern);
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer =
            reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        _ => {}
    }
}

/// The event of the document is the published JSON Schema, with its references led through the document.
#[test]
fn the_event_is_the_published_schema() {
    const SCHEMA: &str = include_str!("../../../../proto-schemas/json/event.schema.json");
    let led = SCHEMA.replace("\"#/$defs/", "\"#/components/schemas/Event/$defs/");
    let mut expected: Value = serde_json::from_str(&led).unwrap();
    let members = expected.as_object_mut().unwrap();
    members.remove("$schema");
    members.remove("$id");
    let found = &document()["components"]["schemas"]["Event"];
    assert!(*found == expected, "components.schemas.Event should be: {expected:#}");
}

#[test]
fn examples_fit_their_schemas() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert!(fits(name, example), "an example of {name}");
        }
    }
    let examples =
        &document["paths"][EVENTS.pattern]["post"]["requestBody"]["content"]["application/json"]["examples"];
    assert!(fits("Event", &examples["one"]["value"]));
    assert!(examples["many"]["value"].as_array().unwrap().iter().all(|event| fits("Event", event)));
}

#[tokio::test]
async fn answers_fit_their_schemas() {
    let salon = Salon::open();
    let one = salon.post(event("s-1").to_string()).await;
    assert!(fits("Accepted", &one.body), "{}", one.body);
    let many = salon.post(json!([event("s-1"), 1, {"timestamp": 1}]).to_string()).await;
    assert!(fits("BatchAnswer", &many.body), "{}", many.body);
    for body in ["", "x", "{}", "[1]"] {
        let refused = salon.post(body).await;
        assert!(fits("Problem", &refused.body), "{}", refused.body);
    }
}

#[test]
fn every_problem_is_named_in_the_description_of_its_status() {
    let responses = document()["components"]["responses"].to_string();
    for kind in ProblemKind::ALL {
        assert!(
            kind == ProblemKind::Conflict || responses.contains(&format!("`{}`", kind.slug())),
            "{kind:?}"
        );
    }
}
