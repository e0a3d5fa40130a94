//! `cargo xtask layers`: which crate may know which. This file is the rule; `docs/` only explains it.
//!
//! A crate that is not in [`LAYERS`] fails the check: whoever adds one says here where it belongs. Crates of other
//! people that name a product or a mechanism are held to their places by [`FOREIGN`]. A rule holds for tests too,
//! unless the table lets tests know more. How a manifest is written is checked in [`crate::manifests`].

use std::collections::BTreeSet;

/// No I/O, no async.
const VOCABULARY: &[&str] = &["domain", "event-schema", "redaction", "privacy", "channels"];
/// What services are made with.
const MACHINERY: &[&str] = &["ports", "bus-consumer", "service-runtime", "http-kit"];
/// One product each.
const ADAPTERS: &[&str] =
    &["store-sqlite", "bus-redis", "ledger-postgres", "analytics-clickhouse", "queue-amqp", "queue-redis"];
/// Libraries that know each other only by what is on the bus.
const SERVICES: &[&str] =
    &["ingest-gateway", "normalizer", "storage-writer", "crm-sync", "alerting", "console"];
/// What both composition roots are made with: services over ports, and the commands they share. The commands let the
/// simulator play.
const ASSEMBLY: &[&str] = &["assembly", "command-line"];
/// Put services and adapters together; the only crates that know both.
const ROOTS: &[&str] = &["standalone", "cluster"];

/// Crates with one place in the graph, and what they may know of ours.
struct Layer {
    crates: &'static [&'static str],
    may_know: &'static [&'static [&'static str]],
    /// What their tests may know besides.
    tests_may_know: &'static [&'static [&'static str]],
}

/// From the bottom up.
const LAYERS: &[Layer] = &[
    Layer { crates: &["domain"], may_know: &[], tests_may_know: &[] },
    Layer { crates: &["event-schema"], may_know: &[&["domain"]], tests_may_know: &[] },
    Layer { crates: &["redaction"], may_know: &[], tests_may_know: &[] },
    Layer {
        crates: &["privacy"],
        may_know: &[&["domain", "event-schema", "redaction"]],
        tests_may_know: &[],
    },
    Layer { crates: &["channels"], may_know: &[&["domain", "event-schema"]], tests_may_know: &[] },
    Layer { crates: &["ports"], may_know: &[&["domain"]], tests_may_know: &[] },
    Layer { crates: &["contract-tests"], may_know: &[&["domain", "ports"]], tests_may_know: &[] },
    Layer { crates: &["bus-consumer"], may_know: &[&["domain", "ports"]], tests_may_know: &[] },
    Layer { crates: &["service-runtime"], may_know: &[&["ports"]], tests_may_know: &[] },
    Layer { crates: &["http-kit"], may_know: &[&["domain", "ports"]], tests_may_know: &[] },
    Layer { crates: ADAPTERS, may_know: &[&["domain", "ports"]], tests_may_know: &[&["contract-tests"]] },
    Layer { crates: SERVICES, may_know: &[VOCABULARY, MACHINERY], tests_may_know: &[] },
    Layer {
        crates: ASSEMBLY,
        may_know: &[VOCABULARY, MACHINERY, SERVICES, &["simulator"]],
        tests_may_know: &[],
    },
    Layer {
        crates: ROOTS,
        may_know: &[VOCABULARY, MACHINERY, ADAPTERS, SERVICES, ASSEMBLY, &["simulator"]],
        tests_may_know: &[],
    },
    Layer { crates: &["simulator"], may_know: &[&["domain", "event-schema"]], tests_may_know: &[] },
    // From outside, over HTTP and the command line, as a user would: it knows no service.
    Layer {
        crates: &["system-tests"],
        may_know: &[&["domain", "simulator"]],
        // Benchmarks of single pieces call them as services do.
        tests_may_know: &[VOCABULARY],
    },
    Layer { crates: &["xtask"], may_know: &[], tests_may_know: &[] },
];

/// A crate of other people that belongs to some places only.
struct Foreign {
    name: &'static str,
    place: Place,
}

enum Place {
    OnlyIn(&'static [&'static [&'static str]]),
    NeverIn(&'static [&'static [&'static str]]),
}

const FOREIGN: &[Foreign] = &[
    Foreign { name: "rusqlite", place: Place::OnlyIn(&[&["store-sqlite"]]) },
    // The tests of the whole send as the bots of a customer do, with the same clients.
    Foreign { name: "redis", place: Place::OnlyIn(&[&["bus-redis", "queue-redis", "system-tests"]]) },
    Foreign { name: "lapin", place: Place::OnlyIn(&[&["queue-amqp", "system-tests"]]) },
    Foreign { name: "sqlx", place: Place::OnlyIn(&[&["ledger-postgres"]]) },
    Foreign { name: "clickhouse", place: Place::OnlyIn(&[&["analytics-clickhouse"]]) },
    Foreign { name: "actix-web", place: Place::OnlyIn(SPEAK_HTTP) },
    Foreign { name: "actix-http", place: Place::OnlyIn(SPEAK_HTTP) },
    Foreign { name: "tokio", place: Place::NeverIn(&[VOCABULARY]) },
    Foreign { name: "reqwest", place: Place::NeverIn(&[VOCABULARY]) },
];

const SPEAK_HTTP: &[&[&str]] =
    &[&["http-kit", "service-runtime", "ingest-gateway", "console", "assembly"], ROOTS];

/// A crate of the workspace and what its manifest says it depends on.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) arrows: Vec<Arrow>,
}

/// One dependency.
#[derive(Debug)]
pub(crate) struct Arrow {
    pub(crate) to: String,
    /// Needed by tests only.
    pub(crate) tests_only: bool,
}

/// Every arrow that is not allowed, in words; empty when all is well.
pub(crate) fn violations(members: &[Member]) -> Vec<String> {
    let ours: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    members.iter().flat_map(|member| violations_of(member, &ours)).collect()
}

fn violations_of(member: &Member, ours: &BTreeSet<&str>) -> Vec<String> {
    let name = member.name.as_str();
    let Some(layer) = LAYERS.iter().find(|layer| layer.crates.contains(&name)) else {
        return vec![format!("{name} is unknown: say in xtask/src/layers.rs where it belongs")];
    };
    let forbidden = |arrow: &&Arrow| {
        let to = arrow.to.as_str();
        if ours.contains(to) { !layer.allows(to, arrow.tests_only) } else { !is_in_its_place(to, name) }
    };
    let say = |arrow: &Arrow| {
        let whose = if arrow.tests_only { "the tests of " } else { "" };
        format!("{whose}{name} must not know {}", arrow.to)
    };
    member.arrows.iter().filter(forbidden).map(say).collect()
}

impl Layer {
    fn allows(&self, to: &str, tests_only: bool) -> bool {
        names(self.may_know, to) || (tests_only && names(self.tests_may_know, to))
    }
}

fn is_in_its_place(foreign: &str, member: &str) -> bool {
    FOREIGN.iter().filter(|rule| rule.name == foreign).all(|rule| match rule.place {
        Place::OnlyIn(groups) => names(groups, member),
        Place::NeverIn(groups) => !names(groups, member),
    })
}

fn names(groups: &[&[&str]], name: &str) -> bool {
    groups.iter().any(|group| group.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as members without arrows, and one of them with the arrows given.
    fn graph(from: &str, arrows: Vec<Arrow>) -> Vec<Member> {
        let all = LAYERS.iter().flat_map(|layer| layer.crates);
        let mut members: Vec<_> =
            all.map(|name| Member { name: (*name).to_owned(), arrows: Vec::new() }).collect();
        let member = members.iter_mut().find(|member| member.name == from).unwrap();
        member.arrows = arrows;
        members
    }

    fn to(name: &str) -> Arrow {
        Arrow { to: name.to_owned(), tests_only: false }
    }

    fn in_tests_to(name: &str) -> Arrow {
        Arrow { to: name.to_owned(), tests_only: true }
    }

    #[test]
    fn every_crate_has_one_place() {
        let all: Vec<_> = LAYERS.iter().flat_map(|layer| layer.crates).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), distinct.len());
    }

    #[test]
    fn every_name_a_rule_allows_has_a_place() {
        let all: BTreeSet<&str> = LAYERS.iter().flat_map(|layer| layer.crates).copied().collect();
        let allowed = LAYERS.iter().flat_map(|layer| [layer.may_know, layer.tests_may_know]);
        let in_foreign = FOREIGN.iter().map(|rule| match rule.place {
            Place::OnlyIn(groups) | Place::NeverIn(groups) => groups,
        });
        for name in allowed.chain(in_foreign).flatten().copied().flatten() {
            assert!(all.contains(name), "{name}");
        }
    }

    #[test]
    fn a_layer_knows_only_layers_below_it_or_the_simulator() {
        let mut below = vec!["simulator"];
        for layer in LAYERS {
            for known in layer.may_know.iter().chain(layer.tests_may_know).copied().flatten() {
                assert!(below.contains(known), "{:?} may know {known}", layer.crates);
            }
            below.extend(layer.crates);
        }
    }

    #[test]
    fn an_allowed_arrow_is_not_reported() {
        assert!(
            violations(&graph("normalizer", vec![to("ports"), to("privacy"), to("thiserror")])).is_empty()
        );
        assert!(violations(&graph("standalone", vec![to("store-sqlite"), to("console")])).is_empty());
    }

    #[test]
    fn a_service_that_knows_another_service_is_reported() {
        let found = violations(&graph("console", vec![to("normalizer")]));
        assert_eq!(found, ["console must not know normalizer"]);
    }

    #[test]
    fn a_service_that_knows_an_adapter_is_reported_even_if_only_its_tests_do() {
        let found = violations(&graph("console", vec![to("store-sqlite"), in_tests_to("store-sqlite")]));
        assert_eq!(
            found,
            ["console must not know store-sqlite", "the tests of console must not know store-sqlite"]
        );
    }

    #[test]
    fn an_adapter_knows_the_contract_in_its_tests_only() {
        assert!(violations(&graph("store-sqlite", vec![in_tests_to("contract-tests")])).is_empty());
        let found = violations(&graph("store-sqlite", vec![to("contract-tests")]));
        assert_eq!(found, ["store-sqlite must not know contract-tests"]);
    }

    #[test]
    fn the_domain_knows_nothing_of_ours() {
        let arrows = || vec![to("ports"), to("event-schema"), to("time")];
        assert_eq!(violations(&graph("domain", arrows())).len(), 2);
    }

    #[test]
    fn a_product_is_known_to_its_adapter_alone() {
        assert!(violations(&graph("store-sqlite", vec![to("rusqlite")])).is_empty());
        let found = violations(&graph("standalone", vec![to("rusqlite")]));
        assert_eq!(found, ["standalone must not know rusqlite"]);
    }

    #[test]
    fn the_vocabulary_does_no_io() {
        let found = violations(&graph("channels", vec![to("tokio"), in_tests_to("reqwest")]));
        assert_eq!(found, ["channels must not know tokio", "the tests of channels must not know reqwest"]);
    }

    #[test]
    fn an_unknown_crate_is_asked_where_it_belongs() {
        let mut members = graph("domain", Vec::new());
        members.push(Member { name: "utils".to_owned(), arrows: vec![to("domain")] });
        assert_eq!(violations(&members), ["utils is unknown: say in xtask/src/layers.rs where it belongs"]);
    }
}
