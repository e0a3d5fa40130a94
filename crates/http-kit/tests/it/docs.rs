//! docs/problems.md and the code say the same.

use http_kit::explain;
use http_kit::problem::ProblemKind;

const DOCUMENT: &str = include_str!("../../../../docs/problems.md");

#[test]
fn the_document_explains_exactly_the_problems_there_are() {
    let documented: Vec<_> = DOCUMENT.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let known: Vec<_> = ProblemKind::ALL.into_iter().map(ProblemKind::slug).collect();
    assert_eq!(documented, known);
}

#[test]
fn every_section_has_status_title_meaning_and_advice() {
    for kind in ProblemKind::ALL {
        let section = explain::section(kind.slug()).unwrap();
        let paragraphs: Vec<_> = section.trim().split("\n\n").collect();
        assert_eq!(paragraphs.len(), 4, "{kind:?}: heading, status and title, meaning, advice");
        assert_eq!(paragraphs[1], format!("**{}** {}", kind.status(), kind.title()));
        assert!(paragraphs[3].starts_with("What to do: "), "{kind:?}");
    }
}

#[test]
fn slugs_are_unique_and_a_status_leads_to_a_kind_of_that_status() {
    let mut slugs: Vec<_> = ProblemKind::ALL.into_iter().map(ProblemKind::slug).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), ProblemKind::ALL.len());
    for status in [400, 401, 403, 404, 405, 408, 409, 413, 415, 429, 500, 503] {
        assert_eq!(ProblemKind::of_status(status).status(), status);
    }
}
