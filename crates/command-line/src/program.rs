//! What differs from program to program in the words of the shared commands.

use clap::{CommandFactory, Parser};

/// How a program is called, in its help and in its hints.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name, as it is typed: `letopis`.
    pub name: &'static str,
    /// What to do where nothing listens, in few words: `letopis serve`.
    pub start: &'static str,
    /// The gateway that `send` sends to unless told otherwise.
    pub gateway: &'static str,
}

impl Program {
    /// The arguments the program was started with. Ends the process where they ask for help or are wrong, as
    /// [`Parser::parse`] does.
    pub fn arguments<A: Parser>(&self) -> A {
        let mut matches = self.command_of::<A>().get_matches();
        A::from_arg_matches_mut(&mut matches)
            .unwrap_or_else(|wrong| wrong.format(&mut self.command_of::<A>()).exit())
    }

    /// The command line with the program's own words put in where the shared commands leave them open.
    #[must_use]
    pub fn command_of<A: CommandFactory>(&self) -> clap::Command {
        A::command().mut_subcommands(|command| match command.get_name() {
            "inspect" => {
                let about = command.get_about().cloned().unwrap_or_default();
                let example = format!("Example: {} inspect --channel telegram update.json", self.name);
                // Where a description has one paragraph only, its full stop was taken off.
                command.long_about(format!("{about}.\n\n{example}"))
            }
            "send" => command.mut_arg("url", |url| url.default_value(self.gateway)),
            _ => command,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Subcommand;

    use super::*;
    use crate::cli::{Command, Demo};
    use crate::stand::ADMIN;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(subcommand)]
        command: Own,
    }

    #[derive(Debug, Subcommand)]
    enum Own {
        #[command(flatten)]
        Shared(Command),
        Demo(Demo),
    }

    fn help_of(name: &str) -> String {
        let mut command = ADMIN.command_of::<Arguments>();
        command.find_subcommand_mut(name).unwrap().render_long_help().to_string()
    }

    fn parse(words: &[&str]) -> Result<Own, clap::Error> {
        let mut matches =
            ADMIN.command_of::<Arguments>().try_get_matches_from([&["letopis-admin"], words].concat())?;
        clap::FromArgMatches::from_arg_matches_mut(&mut matches).map(|arguments: Arguments| arguments.command)
    }

    #[test]
    fn the_command_line_is_consistent() {
        ADMIN.command_of::<Arguments>().debug_assert();
    }

    #[test]
    fn an_example_calls_the_program_by_its_name() {
        let help = help_of("inspect");
        assert!(help.contains("Example: letopis-admin inspect --channel telegram"), "{help}");
        assert!(!help.contains("letopis inspect"), "{help}");
    }

    #[test]
    fn a_file_is_sent_to_the_gateway_of_the_program() {
        let Ok(Own::Shared(Command::Send(send))) = parse(&["send", "-", "--key", "k"]) else { panic!() };
        assert_eq!(send.url, ADMIN.gateway);
    }

    #[test]
    fn the_demo_plays_ninety_days_unless_told_otherwise() {
        let Ok(Own::Demo(demo)) = parse(&["demo", "--console", "http://127.0.0.1:8691"]) else { panic!() };
        assert_eq!((demo.play.days, demo.play.seed, demo.play.past_only), (90, 7, false));
        assert!(parse(&["demo", "--console", "http://127.0.0.1:8691", "--days", "0"]).is_err());
        assert!(parse(&["demo"]).is_err(), "it has to name a page");
    }
}
