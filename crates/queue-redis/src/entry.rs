//! An entry of a stream as a letter.

use bytes::Bytes;
use ports::queue::{Letter, LetterTag};
use redis::{RedisError, Value, from_redis_value};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads entries: each an id and its fields, or an id alone where the stream was trimmed of it meanwhile.
pub(crate) fn letters(entries: Value, body: &str) -> Result<Vec<Letter>, RedisError> {
    let entries: Vec<(String, Option<Fields>)> = from_redis_value(entries)?;
    let letter = |(id, fields): (String, Option<Fields>)| Some(letter(id, fields?, body));
    Ok(entries.into_iter().filter_map(letter).collect())
}

fn letter(id: String, fields: Fields, body: &str) -> Letter {
    let named = |(name, value): (Vec<u8>, Vec<u8>)| {
        (String::from_utf8_lossy(&name).to_ascii_lowercase(), Bytes::from(value))
    };
    let mut headers: Vec<_> = fields.into_iter().map(named).collect();
    let body = headers.iter().position(|(name, _)| name == body).map(|at| headers.swap_remove(at).1);
    Letter { tag: LetterTag(id), headers, body, reply_to: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn the_field_of_the_body_is_the_body_and_the_others_stand_beside_it() {
        let fields = ["Content-Type", "application/json", "body", "{}"].map(text).to_vec();
        let entries = Value::Array(vec![Value::Array(vec![text("1-1"), Value::Array(fields)])]);
        let letters = letters(entries, "body").unwrap();
        assert_eq!(letters[0].body.as_deref(), Some(b"{}".as_slice()));
        assert_eq!(letters[0].headers, [("content-type".to_owned(), Bytes::from("application/json"))]);
    }

    #[test]
    fn an_entry_that_was_trimmed_away_is_none_and_one_without_a_body_has_none() {
        let trimmed = Value::Array(vec![text("1-1"), Value::Nil]);
        let bare = Value::Array(vec![text("1-2"), Value::Array(["a", "b"].map(text).to_vec())]);
        let letters = letters(Value::Array(vec![trimmed, bare]), "body").unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].body, None);
    }
}
