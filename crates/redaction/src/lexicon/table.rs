//! The dictionary as it is looked up: small, for it is looked into at every word, and what is not in the cache is waited for.

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::{Entry, Flags, WordHash};

/// Places in the table; well above the number of forms, or those that are not there would be looked for at length.
const PLACES: usize = 1 << 16;

/// Open addressing with linear probing. A place is found by the upper quarter of a hash and its owner known by the half below
/// that: 48 bits, of which no two forms share all.
pub(crate) struct Table {
    tags: Box<[u32]>,
    /// Which of `kinds` the form at each place is.
    kind_at: Box<[u16]>,
    /// What forms may be: some hundreds of combinations.
    kinds: Vec<Flags>,
}

/// Nobody's tag.
const FREE: u32 = 0;

impl Table {
    pub(super) fn of(forms: &HashMap<WordHash, Entry, impl BuildHasher>) -> Self {
        assert!(forms.len() <= PLACES / 4 * 3, "the table is too small for the dictionary");
        let (tags, kind_at) = (vec![FREE; PLACES].into(), vec![0; PLACES].into());
        let mut table = Self { tags, kind_at, kinds: Vec::new() };
        let mut known = HashMap::new();
        for (hash, entry) in forms {
            let kind = *known.entry(entry.flags.0).or_insert_with(|| {
                table.kinds.push(entry.flags);
                u16::try_from(table.kinds.len() - 1).expect("kinds of words are few")
            });
            let (mut place, tag) = place_and_tag(*hash);
            while table.tags[place] != FREE {
                place = (place + 1) % PLACES;
            }
            (table.tags[place], table.kind_at[place]) = (tag, kind);
        }
        table
    }

    pub(crate) fn get(&self, hash: WordHash) -> Entry {
        let (mut place, tag) = place_and_tag(hash);
        loop {
            match self.tags[place] {
                FREE => return Entry::UNKNOWN,
                found if found == tag => {
                    return Entry { flags: self.kinds[usize::from(self.kind_at[place])] };
                }
                _ => place = (place + 1) % PLACES,
            }
        }
    }
}

fn place_and_tag(WordHash(hash): WordHash) -> (usize, u32) {
    let [_, _, a, b, c, d, e, f] = hash.to_le_bytes();
    (usize::from(u16::from_le_bytes([e, f])), u32::from_le_bytes([a, b, c, d]).max(FREE + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found_as_what_it_is() {
        let forms = super::super::forms();
        let table = Table::of(&forms);
        for (hash, entry) in &forms {
            assert_eq!(table.get(*hash).flags, entry.flags, "another form has its place and tag");
        }
        assert!(forms.len() > 20_000, "{}", forms.len());
    }
}
