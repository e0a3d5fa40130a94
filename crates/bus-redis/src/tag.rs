//! What a delivery's tag says: which message, where, and by which delivery.

use std::num::NonZeroU32;

use domain::id::TenantId;
use ports::bus::DeliveryTag;

/// The consumer is not in it: whoever extends or releases says who he is, and whoever settles first has settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// As in the stream: `<ms>-<number>`.
    pub(crate) id: String,
    pub(crate) partition: u16,
    pub(crate) attempt: u32,
    pub(crate) receipts: NonZeroU32,
    pub(crate) tenant: TenantId,
}

impl Tag {
    /// `None` for a tag this bus did not make.
    pub(crate) fn parse(tag: &DeliveryTag) -> Option<Self> {
        let mut parts = tag.0.splitn(5, '.');
        let id = parts.next()?;
        let (time, number) = id.split_once('-')?;
        time.parse::<u64>().ok()?;
        number.parse::<u64>().ok()?;
        Some(Self {
            id: id.to_owned(),
            partition: parts.next()?.parse().ok()?,
            attempt: parts.next()?.parse().ok()?,
            receipts: parts.next()?.parse().ok()?,
            tenant: TenantId::parse(parts.next()?).ok()?,
        })
    }

    pub(crate) fn to_delivery_tag(&self) -> DeliveryTag {
        let Self { id, partition, attempt, receipts, tenant } = self;
        DeliveryTag(format!("{id}.{partition}.{attempt}.{receipts}.{tenant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_back_as_itself_and_a_foreign_one_as_nothing() {
        let tenant = TenantId::parse("salon-7").unwrap();
        let receipts = NonZeroU32::new(7).unwrap();
        let tag = Tag { id: "1732000000000-12".to_owned(), partition: 3, attempt: 2, receipts, tenant };
        assert_eq!(Tag::parse(&tag.to_delivery_tag()), Some(tag));
        for foreign in [
            "",
            "1.2.3.1.salon",
            "1732-0",
            "1-x.1.1.1.salon",
            "1-1.1.1.1.",
            "1-1.70000.1.1.salon",
            "1-1.1.1.0.salon",
        ] {
            assert_eq!(Tag::parse(&DeliveryTag(foreign.to_owned())), None, "{foreign}");
        }
    }
}
