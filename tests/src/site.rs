//! A place of its own in the engines: a key prefix, a schema, a database. Removed when dropped.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use uuid::Uuid;

use crate::engines::Engines;

/// How the content of a key of each type is read.
const REDIS_READS: [(&str, &str, &str); 6] = [
    ("string", "GET", ""),
    ("hash", "HGETALL", ""),
    ("stream", "XRANGE", "- +"),
    ("set", "SMEMBERS", ""),
    ("zset", "ZRANGE", "0 -1 WITHSCORES"),
    ("list", "LRANGE", "0 -1"),
];

/// Where one cluster keeps everything; many share the engines without seeing each other.
#[derive(Debug)]
pub struct Site {
    engines: Engines,
    name: String,
    app: String,
}

impl Site {
    /// A new name; nothing is made in the engines yet.
    pub fn new(engines: Engines) -> anyhow::Result<Self> {
        let app = engines.postgres_app()?;
        Ok(Self { engines, name: format!("t_{}", Uuid::now_v7().simple()), app })
    }

    /// The prefix of its keys, the name of its schema and of its database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The engines it is in.
    #[must_use]
    pub const fn engines(&self) -> &Engines {
        &self.engines
    }

    /// The settings that lead here, for every program.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let settings = [
            ("REDIS__NODES", &self.engines.redis),
            ("REDIS__KEY_PREFIX", &self.name),
            ("POSTGRES__URL", &self.app),
            ("POSTGRES__OWNER_URL", &self.engines.postgres),
            ("POSTGRES__SCHEMA", &self.name),
            ("CLICKHOUSE__URL", &self.engines.clickhouse),
            ("CLICKHOUSE__DATABASE", &self.name),
        ];
        settings.into_iter().map(|(key, value)| (format!("LETOPIS__{key}"), value.clone())).collect()
    }

    /// Everything in it as the engines show it, each with a word for where: every key, every table. Bytes in
    /// PostgreSQL come as hexadecimal.
    pub async fn content(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut found = self.keys().await?;
        found.push(("PostgreSQL".to_owned(), self.tables().await?));
        found.extend(self.columns().await?);
        Ok(found)
    }

    async fn keys(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let pattern = format!("{}*", self.name);
        let names = self.redis_cli(&["--scan", "--pattern", &pattern], "").await?;
        let names = String::from_utf8(names).context("a key is not text")?;
        let keys: Vec<&str> = names.lines().collect();
        ensure!(keys.iter().all(|key| !key.contains(['"', '\\'])), "a key needs quoting: {keys:?}");
        let questions: String = keys.iter().map(|key| format!("TYPE \"{key}\"\n")).collect();
        let types = String::from_utf8(self.redis_cli(&[], &questions).await?)?;
        let mut reads: BTreeMap<&str, String> = BTreeMap::new();
        for (key, kind) in keys.iter().zip(types.lines()) {
            let read = REDIS_READS.iter().find(|(known, ..)| *known == kind);
            // One that ended since it was listed is of type "none".
            let Some((kind, verb, range)) = read else { continue };
            reads.entry(kind).or_default().push_str(&format!("{verb} \"{key}\" {range}\n"));
        }
        let mut found = vec![("Redis: names of keys".to_owned(), names.into_bytes())];
        for (kind, commands) in reads {
            found.push((format!("Redis: {kind}s"), self.redis_cli(&[], &commands).await?));
        }
        Ok(found)
    }

    async fn tables(&self) -> anyhow::Result<Vec<u8>> {
        let script = format!(
            "SELECT format('COPY %I.%I TO STDOUT', n.nspname, c.relname) FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = '{}' AND c.relkind = 'r' ORDER BY c.relname \\gexec",
            self.name
        );
        self.psql(&script).await
    }

    async fn columns(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let tables = format!("SELECT name FROM system.tables WHERE database = '{}' FORMAT TSV", self.name);
        let tables = String::from_utf8(self.clickhouse(tables).await?)?;
        let mut found = Vec::new();
        for table in tables.lines() {
            let rows = self.clickhouse(format!("SELECT * FROM `{}`.`{table}` FORMAT RowBinary", self.name));
            found.push((format!("ClickHouse: {table}"), rows.await?));
        }
        Ok(found)
    }

    /// Runs a script as the owner; gives what it prints, rows unaligned.
    ///
    /// # Errors
    /// A statement fails.
    pub async fn psql(&self, script: &str) -> anyhow::Result<Vec<u8>> {
        let arguments = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"];
        let mut command = Command::new("psql");
        command.args(arguments).arg(&self.engines.postgres);
        // What it says about what goes along with a dropped schema is of no use.
        command.env("PGOPTIONS", "-c client_min_messages=warning -c lock_timeout=10s");
        feed(command, script).await
    }

    /// Runs commands, one a line; gives their raw answers.
    pub async fn redis_cli(&self, arguments: &[&str], commands: &str) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new("redis-cli");
        command.args(["-u", &self.engines.redis]).args(arguments);
        feed(command, commands).await
    }

    /// Runs a query; gives the rows in the format it asks for.
    pub async fn clickhouse(&self, query: String) -> anyhow::Result<Vec<u8>> {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let answer = http.post(&self.engines.clickhouse).body(query).send().await?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        ensure!(status.is_success(), "ClickHouse says {status}: {}", String::from_utf8_lossy(&body));
        Ok(body.into())
    }

    /// Takes everything of it out of the engines.
    async fn remove(&self) -> anyhow::Result<()> {
        let schema = format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE;", self.name);
        let database = format!("DROP DATABASE IF EXISTS `{}` SYNC", self.name);
        let keys = async {
            let pattern = format!("{}*", self.name);
            let names = String::from_utf8(self.redis_cli(&["--scan", "--pattern", &pattern], "").await?)?;
            let commands: String = names.lines().map(|key| format!("UNLINK \"{key}\"\n")).collect();
            self.redis_cli(&[], &commands).await
        };
        tokio::try_join!(self.psql(&schema), self.clickhouse(database), keys)?;
        Ok(())
    }
}

impl Drop for Site {
    /// What cannot be removed, because its engine is down or gone, is left behind.
    fn drop(&mut self) {
        // Dropping happens inside a runtime, which cannot be waited in.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(self.remove())).ok()
            });
        });
    }
}

/// Runs a program that reads `input`; gives what it prints.
async fn feed(mut command: Command, input: &str) -> anyhow::Result<Vec<u8>> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("cannot run {name}: run scripts/setup"))?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let write = async {
        // It may end before it has read everything, and then says why.
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), write);
    let output = output?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
