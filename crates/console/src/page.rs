//! The owner's page: files built into the binary, served as they are. Everything it shows it reads from the API.
//!
//! No script, style, font or picture comes from elsewhere, and the policy sent along makes the browser hold to it.

use actix_web::http::header::{CACHE_CONTROL, ETAG};
use actix_web::{HttpRequest, HttpResponse, web};
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};

use crate::answer::Tag;

pub(crate) const INDEX: Endpoint = Endpoint { service: "console", pattern: "/", methods: &["GET"] };
pub(crate) const ASSET: Endpoint =
    Endpoint { service: "console", pattern: "/assets/{file}", methods: &["GET"] };

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";
/// An example to copy: shown by the page, never run by the browser.
const EXAMPLE: &str = "text/plain; charset=utf-8";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        asset!($name, "../page/", $content_type)
    };
    ($name:literal, $folder:literal, $content_type:expr) => {
        Asset { name: $name, content_type: $content_type, bytes: include_bytes!(concat!($folder, $name)) }
    };
}

const ASSETS: [Asset; 24] = [
    asset!("app.css", STYLE),
    asset!("favicon.svg", PICTURE),
    asset!("app.js", SCRIPT),
    asset!("client.js", SCRIPT),
    asset!("api.js", SCRIPT),
    asset!("bubbles.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("format.js", SCRIPT),
    asset!("i18n.js", SCRIPT),
    asset!("login.js", SCRIPT),
    asset!("overview.js", SCRIPT),
    asset!("parts.js", SCRIPT),
    asset!("quarantine.js", SCRIPT),
    asset!("remap.js", SCRIPT),
    asset!("sessions.js", SCRIPT),
    asset!("settings.js", SCRIPT),
    asset!("source.js", SCRIPT),
    asset!("sources.js", SCRIPT),
    asset!("timeline.js", SCRIPT),
    asset!("workbench.js", SCRIPT),
    asset!("curl.sh", "../page/snippets/", EXAMPLE),
    asset!("client.py", "../page/snippets/", EXAMPLE),
    asset!("client.mjs", "../page/snippets/", EXAMPLE),
    asset!("aiogram_bot.py", "../page/snippets/", EXAMPLE),
];

const PAGE: Asset = asset!("index.html", HTML);

pub(crate) async fn index(req: HttpRequest) -> HttpResponse {
    serve(&req, &PAGE)
}

pub(crate) async fn asset(req: HttpRequest, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == file.as_str());
    asset.map(|asset| serve(&req, asset)).ok_or(Problem::new(ProblemKind::NotFound))
}

fn serve(req: &HttpRequest, asset: &Asset) -> HttpResponse {
    // A few hundred microseconds at the most; not worth a table made at the start.
    let tag = Tag::of(asset.bytes);
    let is_known = tag.is_known_to(req);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header(("Content-Security-Policy", POLICY))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        // Kept by the browser, and asked about each time: the names stay the same from release to release.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((ETAG, tag.as_str()))
        .content_type(asset.content_type);
    if is_known { response.finish() } else { response.body(asset.bytes) }
}

#[cfg(test)]
mod tests {
    use domain::action::Actor;
    use domain::appointment::Step;
    use domain::channel::Channel;
    use domain::event::AliasKind;
    use domain::observation::ConsentPurpose;
    use domain::quarantine::{QuarantineState, ReasonClass, Stage};
    use domain::registry::{SourceKind, Trade};
    use domain::session::Outcome;
    use domain::source_state::{Condition, Refusal};

    use super::*;

    const I18N: &str = include_str!("../page/i18n.js");

    fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
        let scripts = ASSETS.iter().filter(|asset| asset.content_type == SCRIPT);
        scripts.map(|asset| (asset.name, std::str::from_utf8(asset.bytes).unwrap()))
    }

    /// The texts between double quotes.
    fn quoted(source: &str) -> impl Iterator<Item = &str> {
        source.lines().flat_map(|line| line.split('"').skip(1).step_by(2))
    }

    fn keys() -> Vec<&'static str> {
        I18N.lines()
            .filter_map(|line| line.strip_prefix("  \"")?.split_once("\": ["))
            .map(|(key, _)| key)
            .collect()
    }

    #[test]
    fn every_file_a_script_imports_is_served() {
        for (name, source) in sources() {
            for line in
                source.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from "))
            {
                let file = quoted(line).last().unwrap().trim_start_matches("./");
                assert!(ASSETS.iter().any(|asset| asset.name == file), "{name} imports {file}");
            }
        }
    }

    #[test]
    fn every_text_asked_for_exists_and_every_text_is_asked_for() {
        let keys = keys();
        assert!(keys.len() > 150, "{}", keys.len());
        let asked: Vec<_> =
            sources().filter(|(name, _)| *name != "i18n.js").flat_map(|(_, source)| quoted(source)).collect();
        // A key put together from a prefix and a word (`t(`channel.${word}`)`) is looked for by its prefix.
        let all: String =
            sources().filter(|(name, _)| *name != "i18n.js").map(|(_, source)| source).collect();
        let is_used = |key: &str| {
            let prefix = key.rsplit_once('.').map_or("", |(prefix, _)| prefix);
            asked.contains(&key)
                || all.contains(&format!("`{prefix}.${{"))
                || all.contains(&format!("word(\"{prefix}\""))
        };
        let unused: Vec<_> = keys.iter().filter(|key| !is_used(key)).collect();
        assert_eq!(unused, Vec::<&&str>::new());
        for call in all.split("t(\"").skip(1).chain(all.split("plural(\"").skip(1)) {
            let key = call.split('"').next().unwrap();
            if key.contains('.') {
                assert!(keys.contains(&key), "{key} is asked for and not there");
            }
        }
    }

    #[test]
    fn every_word_of_a_vocabulary_has_a_text_in_both_languages() {
        let words = Channel::ALL.map(|word| ("channel", word.as_str())).into_iter();
        let words = words
            .chain(Outcome::ALL.map(|word| ("outcome", word.as_str())))
            .chain(Actor::ALL.map(|word| ("actor", word.as_str())))
            .chain(AliasKind::ALL.map(|word| ("alias", word.as_str())))
            .chain(ConsentPurpose::ALL.map(|word| ("purpose", word.as_str())))
            .chain(Step::ALL.map(|word| ("action", word.as_str())))
            .chain(Step::ALL.map(|word| ("appointment", word.leads_to().as_str())))
            .chain(ReasonClass::ALL.map(|word| ("class", word.as_str())))
            .chain(Stage::ALL.map(|word| ("stage", word.as_str())))
            .chain(QuarantineState::ALL.map(|word| ("state", word.as_str())))
            .chain(SourceKind::ALL.map(|word| ("kind", word.as_str())))
            .chain(SourceKind::ALL.map(|word| ("kind_what", word.as_str())))
            .chain(SourceKind::ALL.map(|word| ("paste.where", word.as_str())))
            .chain(Trade::ALL.map(|word| ("trade", word.as_str())))
            .chain(Trade::ALL.map(|word| ("trade_what", word.as_str())))
            .chain(Trade::ALL.map(|word| ("trade_saved", word.as_str())))
            .chain(Condition::ALL.map(|word| ("condition", word.as_str())))
            .chain(Refusal::ALL.map(|word| ("refusal", word.as_str())))
            .chain(Refusal::ALL.map(|word| ("refusal_do", word.as_str())));
        let keys = keys();
        for (vocabulary, word) in words {
            assert!(keys.contains(&format!("{vocabulary}.{word}").as_str()), "{vocabulary}.{word}");
        }
    }

    #[test]
    fn the_filters_offer_every_word_there_is() {
        let offered = |file: &str, word: &str| {
            let (_, source) = sources().find(|(name, _)| *name == file).unwrap();
            quoted(source).any(|text| text == word)
        };
        assert!(Channel::ALL.iter().all(|word| offered("sessions.js", word.as_str())));
        assert!(Outcome::ALL.iter().all(|word| offered("sessions.js", word.as_str())));
        assert!(Trade::ALL.iter().all(|word| offered("settings.js", word.as_str())));
        assert!(ReasonClass::ALL.iter().all(|word| offered("quarantine.js", word.as_str())));
        assert!(SourceKind::ALL.iter().all(|word| offered("sources.js", word.as_str())));
        assert!(QuarantineState::ALL.iter().all(|word| offered("quarantine.js", word.as_str())));
    }

    #[test]
    fn nothing_is_written_into_the_markup_that_the_policy_forbids() {
        let html = std::str::from_utf8(PAGE.bytes).unwrap();
        for forbidden in ["<style", "style=", "onclick", "onload", "http://", "https://", "javascript:"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        for (name, source) in sources() {
            for forbidden in ["innerHTML", "eval(", "insertAdjacentHTML", "document.write"] {
                assert!(!source.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }
}
