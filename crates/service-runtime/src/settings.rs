//! Settings: compiled-in defaults < file < environment.

use std::path::Path;

use config::{Config, Environment, File, FileFormat};
use serde::de::DeserializeOwned;

/// Why the settings cannot be used; the message names the key and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read, or a key is unknown or its value unfit.
    #[error("the settings cannot be used")]
    Unusable(#[from] config::ConfigError),
}

/// Reads settings: `defaults` (TOML, compiled in, also the documentation), then `file` if given, then the environment
/// (`LETOPIS__SECTION__KEY`). A misspelt key in either stops the start, if `T` denies unknown fields.
pub fn load<T: DeserializeOwned>(defaults: &str, file: Option<&Path>) -> Result<T, SettingsError> {
    load_from(defaults, file, environment())
}

/// Settings that are lists: in a variable, their items are separated by commas.
const LISTS: [&str; 1] = ["redis.nodes"];

fn environment() -> Environment {
    let environment = Environment::with_prefix("LETOPIS").prefix_separator("__").separator("__");
    let environment = environment.try_parsing(true).list_separator(",");
    LISTS.into_iter().fold(environment, Environment::with_list_parse_key)
}

fn load_from<T: DeserializeOwned>(
    defaults: &str,
    file: Option<&Path>,
    environment: Environment,
) -> Result<T, SettingsError> {
    let mut builder = Config::builder().add_source(File::from_str(defaults, FileFormat::Toml));
    if let Some(file) = file {
        builder = builder.add_source(File::from(file).format(FileFormat::Toml).required(true));
    }
    Ok(builder.add_source(environment).build()?.try_deserialize()?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        ingest: Ingest,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Ingest {
        listen: String,
        workers: u8,
    }

    const DEFAULTS: &str = "[ingest]\nlisten = \"127.0.0.1:1\"\nworkers = 2\n";

    fn with(variable: &str, value: &str) -> Result<Settings, SettingsError> {
        let variables = HashMap::from([(variable.to_owned(), value.to_owned())]);
        load_from(DEFAULTS, None, environment().source(Some(variables)))
    }

    #[test]
    fn the_environment_overrides_the_defaults() {
        let ingest = with("LETOPIS__INGEST__WORKERS", "7").unwrap().ingest;
        assert_eq!((ingest.listen.as_str(), ingest.workers), ("127.0.0.1:1", 7));
    }

    #[test]
    fn a_list_in_a_variable_is_separated_by_commas_and_other_values_may_hold_some() {
        #[derive(Deserialize)]
        struct Lists {
            redis: Redis,
        }
        #[derive(Deserialize)]
        struct Redis {
            nodes: Vec<String>,
            master: String,
        }
        let variables = [("LETOPIS__REDIS__NODES", "redis://a,redis://b"), ("LETOPIS__REDIS__MASTER", "a,b")];
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let lists: Lists = load_from("", None, environment().source(Some(variables))).unwrap();
        assert_eq!(lists.redis.nodes, ["redis://a", "redis://b"]);
        assert_eq!(lists.redis.master, "a,b");
    }

    #[test]
    fn a_misspelt_variable_stops_the_start_and_is_named() {
        let error = with("LETOPIS__INGEST__LISTNE", "x").unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("listne") && cause.contains("listen"), "{cause}");
    }
}
