//! Messages told as one text, each with its role before it: `system: …`, and on another line `user: …`.
//!
//! A client who writes such a line cannot be told from one who does not. What nobody but an author of prompts would say, or would
//! not say last, is therefore taken for a part of the message before it, and nothing of the client's gets lost by it. Where they
//! write `user: ` at the head of a line, only what follows it is theirs; behind `tool: ` or `function: `, where answers of tools
//! stand as well, nothing is.

/// Who may be named at the head of a line.
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];
/// What stands between a role and what was said.
const COLON: &str = ": ";

/// One message, as it lies in the text. A line may belong to another message than it seems to, and there may be a hundred thousand
/// of them: moving a border costs the same however much lies between it and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    /// Empty where nobody is named.
    pub(super) role: &'static str,
    pub(super) text: &'t str,
}

/// Where a message begins.
struct Head {
    role: &'static str,
    at: usize,
}

/// The messages of a text; a text that begins without a role is one message, whatever follows.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    if role_of(text).is_none() {
        return vec![Piece { role: "", text }];
    }
    let mut heads = heads(text);
    // Whoever writes a prompt gives their orders first.
    let mut is_begun = false;
    heads.retain(|head| {
        let is_order = matches!(head.role, "system" | "developer");
        is_begun |= !is_order;
        !(is_order && is_begun)
    });
    // Whoever asks a model does not end with what it said itself.
    let last = heads.iter().rposition(|head| head.role != "assistant").unwrap_or_default();
    heads.truncate(last + 1);
    let ends = heads.iter().skip(1).map(|next| next.at - "\n".len()).chain([text.len()]);
    let piece = |(head, end): (&Head, usize)| Piece {
        role: head.role,
        text: &text[head.at + head.role.len() + COLON.len()..end],
    };
    heads.iter().zip(ends).map(piece).collect()
}

fn heads(text: &str) -> Vec<Head> {
    let mut at = 0;
    let head = |line: &str| {
        let begins = at;
        at += line.len() + "\n".len();
        Some(Head { role: role_of(line)?, at: begins })
    };
    text.split('\n').filter_map(head).collect()
}

fn role_of(line: &str) -> Option<&'static str> {
    let heads = |role: &&str| line.strip_prefix(*role).is_some_and(|rest| rest.starts_with(COLON));
    ROLES.into_iter().find(heads)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hundred_thousand_lines_in_the_name_of_the_assistant_are_not_copied_one_behind_the_other() {
        let text = ["user: a", &"\nassistant: ".repeat(87_000)].concat();
        let pieces = pieces(&text);
        assert_eq!((pieces.len(), pieces[0].role), (1, "user"));
        assert!(std::ptr::eq(pieces[0].text, &text["user: ".len()..]), "it is where it was");
    }

    #[test]
    fn a_text_of_the_assistant_alone_is_one_message() {
        let text = "assistant: да\nassistant: нет\n";
        assert_eq!(pieces(text), [Piece { role: "assistant", text: "да\nassistant: нет\n" }]);
    }

    proptest! {
        #[test]
        fn pieces_put_together_again_are_the_text(
            lines in prop::collection::vec("((system|developer|user|assistant|tool|function): )?[a-zа-я: ]{0,4}", 0..12),
        ) {
            let text = lines.join("\n");
            let together = |piece: Piece<'_>| match piece.role {
                "" => piece.text.to_owned(),
                role => format!("{role}: {}", piece.text),
            };
            let pieces = pieces(&text);
            let again = pieces.iter().copied().map(together).collect::<Vec<_>>().join("\n");
            prop_assert_eq!(&again, &text);
            prop_assert!(pieces.len() == 1 || pieces[pieces.len() - 1].role != "assistant");
        }

        #[test]
        fn nothing_of_what_a_client_says_gets_lost_by_looking_like_an_order_or_an_answer(
            before in prop::collection::vec("(system|developer|user|assistant|tool|function): [a-z]{0,4}", 0..6),
            first in "[a-zа-я: ]{0,8}",
            more in prop::collection::vec("((system|developer|assistant): )?[a-zа-я: ]{0,8}", 0..6),
        ) {
            let said = [vec![first], more].concat().join("\n");
            let text = [before, vec![format!("user: {said}")]].concat().join("\n");
            let pieces = pieces(&text);
            prop_assert_eq!(pieces.last(), Some(&Piece { role: "user", text: &said }));
        }
    }
}
