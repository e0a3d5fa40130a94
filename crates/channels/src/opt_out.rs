//! What a client does, in any channel, that says: no more mailings.
//!
//! Each channel's own signs are in its module; a word that stands alone in a message means the same in all of them. What
//! counts and why is in `docs/subjects.md`.

use domain::action::{Action, Actor};
use domain::observation::{Consent, ConsentPurpose, Observation};

/// What a client types who has had enough. Each of them is the whole message.
const WORDS: [&str; 5] = ["стоп", "отписаться", "отписка", "stop", "unsubscribe"];

/// The longest message that could be one of them, in bytes.
const LONGEST: usize = 64;

/// The client wants mailings, or no more of them.
pub(crate) const fn mailing(granted: bool) -> Consent {
    Consent { purpose: ConsentPurpose::Mailing, granted, text_version: None, text_hash: None }
}

/// Takes what clients say for what it means. A channel that has read a consent itself knows better.
pub(crate) fn heed(observations: &mut [Observation]) {
    for observation in observations {
        let is_said = match &observation.action {
            Action::Message => true,
            Action::Other(word) => word.as_str() == "button",
            _ => false,
        };
        let said =
            observation.texts.user.as_deref().filter(|_| is_said && observation.actor == Actor::Client);
        if observation.consent.is_none() && said.is_some_and(is_enough) {
            observation.consent = Some(mailing(false));
        }
    }
}

/// Whether a message is one of the words and nothing else, but for the slash of a command and the end of a sentence.
fn is_enough(said: &str) -> bool {
    if said.len() > LONGEST {
        return false;
    }
    let word = said.trim().trim_end_matches(['.', '!']);
    let word = word.strip_prefix('/').unwrap_or(word).to_lowercase();
    WORDS.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_is_enough() {
        for said in ["СТОП", "Стоп.", " стоп!! ", "/stop", "Stop", "Отписаться", "отписка", "UNSUBSCRIBE\n"]
        {
            assert!(is_enough(said), "{said}");
        }
        let others = [
            "",
            ".",
            "/",
            "стоп, я перепутала день",
            "стоп стоп",
            "не стоп",
            "стопка",
            "стоп?",
            "//stop",
            "как отписаться",
            "Stop by at 6",
            "стоп".repeat(40).as_str(),
        ]
        .map(str::to_owned);
        for said in others {
            assert!(!is_enough(&said), "{said}");
        }
    }
}
