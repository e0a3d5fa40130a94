//! Writing the fields of a message straight from the domain's values.
//!
//! The same bytes as the generated types write, which a test compares, without filling one of them first: that is a
//! copy of every text and every sealed byte.

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// A message being written, field after field in the order of their numbers.
pub(super) struct Fields<'b>(&'b mut Vec<u8>);

impl<'b> Fields<'b> {
    pub(super) const fn into(buffer: &'b mut Vec<u8>) -> Self {
        Self(buffer)
    }

    /// A field that always says something; empty, it is left out.
    pub(super) fn bytes(&mut self, tag: u32, value: &[u8]) {
        if !value.is_empty() {
            self.given_bytes(tag, Some(value));
        }
    }

    pub(super) fn text(&mut self, tag: u32, value: &str) {
        self.bytes(tag, value.as_bytes());
    }

    /// A field whose absence says something; empty, it is there all the same.
    pub(super) fn given_bytes(&mut self, tag: u32, value: Option<&[u8]>) {
        if let Some(value) = value {
            encode_key(tag, WireType::LengthDelimited, self.0);
            encode_varint(length(value.len()), self.0);
            self.0.extend_from_slice(value);
        }
    }

    pub(super) fn given_text(&mut self, tag: u32, value: Option<&str>) {
        self.given_bytes(tag, value.map(str::as_bytes));
    }

    pub(super) fn int64(&mut self, tag: u32, value: i64) {
        if value != 0 {
            self.given_int64(tag, Some(value));
        }
    }

    pub(super) fn given_int64(&mut self, tag: u32, value: Option<i64>) {
        // Protobuf writes a negative number as its two's complement.
        self.given_uint64(tag, value.map(i64::cast_unsigned));
    }

    pub(super) fn given_uint64(&mut self, tag: u32, value: Option<u64>) {
        if let Some(value) = value {
            encode_key(tag, WireType::Varint, self.0);
            encode_varint(value, self.0);
        }
    }

    pub(super) fn truth(&mut self, tag: u32, value: bool) {
        self.given_uint64(tag, value.then_some(1));
    }

    pub(super) fn given_double(&mut self, tag: u32, value: Option<f64>) {
        if let Some(value) = value {
            encode_key(tag, WireType::SixtyFourBit, self.0);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A message inside.
    pub(super) fn message(&mut self, tag: u32, write: impl FnOnce(&mut Fields<'_>)) {
        encode_key(tag, WireType::LengthDelimited, self.0);
        let start = self.0.len();
        // Its length stands in front and is known behind: one byte is kept free, which is enough for most.
        self.0.push(0);
        write(&mut Fields(self.0));
        let written = length(self.0.len() - start - 1);
        if encoded_len_varint(written) > 1 {
            let mut prefix = Vec::with_capacity(10);
            encode_varint(written, &mut prefix);
            drop(self.0.splice(start..=start, prefix));
        } else {
            self.0[start] = u8::try_from(written).expect("a varint of one byte is below 128");
        }
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("no address is longer than 64 bits")
}
