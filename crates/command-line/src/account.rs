//! Who sits at the command line, for the audit.

/// The account on this machine that runs the program, by its number: names can be set to anything.
pub(crate) fn account() -> String {
    // Of the process itself, which the system tells and nobody else can.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    uid.map_or_else(|| "unknown".to_owned(), |uid| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_number() {
        let account = account();
        assert!(account.strip_prefix("uid ").is_some_and(|uid| uid.parse::<u32>().is_ok()), "{account}");
    }
}
