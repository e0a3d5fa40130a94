//! What a delivery's tag says: which message was handed out by which claim, and what settling it needs to know.

use std::num::NonZeroU32;

use domain::id::TenantId;
use ports::bus::{DeliveryTag, Partition};

/// A message handed out again has the same number and another claim; so a tag of the earlier claim fits nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) claim: i64,
    pub(crate) seq: i64,
    pub(crate) partition: Partition,
    pub(crate) receipts: NonZeroU32,
    pub(crate) tenant: TenantId,
}

impl Tag {
    /// `None` for a tag this bus did not make.
    pub(crate) fn parse(tag: &DeliveryTag) -> Option<Self> {
        let mut parts = tag.0.splitn(5, '.');
        Some(Self {
            claim: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
            partition: Partition::from_index(parts.next()?.parse().ok()?),
            receipts: parts.next()?.parse().ok()?,
            tenant: TenantId::parse(parts.next()?).ok()?,
        })
    }

    pub(crate) fn to_delivery_tag(&self) -> DeliveryTag {
        let Self { claim, seq, partition, receipts, tenant } = self;
        DeliveryTag(format!("{claim}.{seq}.{}.{receipts}.{tenant}", partition.index()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_back_as_itself_and_a_foreign_one_as_nothing() {
        let tenant = TenantId::parse("salon-7").unwrap();
        let receipts = NonZeroU32::new(7).unwrap();
        let tag = Tag { claim: 3, seq: 12, partition: Partition::from_index(4), receipts, tenant };
        assert_eq!(Tag::parse(&tag.to_delivery_tag()), Some(tag));
        for foreign in ["", "1.2.3", "1732-0", "a.b.c.d.e", "1.2.3.0.salon"] {
            assert_eq!(Tag::parse(&DeliveryTag(foreign.to_owned())), None, "{foreign}");
        }
    }
}
