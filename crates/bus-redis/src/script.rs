//! The scripts that Redis runs for us.

use redis::Cmd;

/// A script and the digest Redis knows it by.
pub(crate) struct Script {
    code: String,
    digest: String,
}

impl Script {
    /// Puts a script together from what it begins with and what it is.
    fn new(flags: &str, parts: &[&str]) -> Self {
        let code = format!("#!lua{flags}\n{}", parts.join("\n"));
        let digest = redis::Script::new(&code).get_hash().to_owned();
        Self { code, digest }
    }

    /// The command that runs it, without its arguments.
    pub(crate) fn by_digest(&self, keys: &[&str]) -> Cmd {
        Self::command("EVALSHA", &self.digest, keys)
    }

    /// The same for a Redis that does not know it yet.
    pub(crate) fn by_code(&self, keys: &[&str]) -> Cmd {
        Self::command("EVAL", &self.code, keys)
    }

    fn command(name: &str, script: &str, keys: &[&str]) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(keys.len()).arg(keys);
        command
    }
}

/// Runs although Redis is at its memory limit: what drains it must not be refused.
const DRAINING: &str = " flags=allow-oom";
/// Refused at the memory limit.
const FILLING: &str = "";
const READING: &str = " flags=no-writes";

const APPEND: &str = include_str!("lua/append.lua");
const GROUPS: &str = include_str!("lua/groups.lua");
const OWNED: &str = include_str!("lua/owned.lua");

/// All of them.
pub(crate) struct Scripts {
    pub(crate) publish: Script,
    pub(crate) ensure: Script,
    pub(crate) claim: Script,
    pub(crate) settle: Script,
    pub(crate) extend: Script,
    pub(crate) release: Script,
    pub(crate) backlog: Script,
    pub(crate) tidy: Script,
    pub(crate) begin: Script,
    pub(crate) finish: Script,
    pub(crate) forget: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            publish: Script::new(FILLING, &[APPEND, include_str!("lua/publish.lua")]),
            ensure: Script::new(DRAINING, &[GROUPS, include_str!("lua/ensure.lua")]),
            claim: Script::new(DRAINING, &[include_str!("lua/claim.lua")]),
            settle: Script::new(DRAINING, &[APPEND, GROUPS, include_str!("lua/settle.lua")]),
            extend: Script::new(DRAINING, &[OWNED, include_str!("lua/extend.lua")]),
            release: Script::new(DRAINING, &[OWNED, include_str!("lua/release.lua")]),
            backlog: Script::new(READING, &[GROUPS, include_str!("lua/backlog.lua")]),
            tidy: Script::new(DRAINING, &[GROUPS, include_str!("lua/tidy.lua")]),
            begin: Script::new(FILLING, &[include_str!("lua/begin.lua")]),
            finish: Script::new(DRAINING, &[include_str!("lua/finish.lua")]),
            forget: Script::new(DRAINING, &[include_str!("lua/forget.lua")]),
        }
    }
}
