//! What keeps persons out of the stores: keyed pseudonyms, and the sealing of bodies, texts and contacts.
//!
//! Everything hangs on master keys that are in no database ([`master`]): one for names, one for seals, which can be
//! changed. From them each tenant gets keys of its own, one for every use (HKDF-SHA-256), held by a [`Vault`]:
//!
//! - identifiers become `v1:` HMAC-SHA-256 pseudonyms ([`identifier`]): without the key, going through all mobile
//!   numbers of a country finds nothing, as it would with a plain hash;
//! - bodies, texts and contacts are sealed with XChaCha20-Poly1305 ([`seal`]), bound to the tenant, the use and the id
//!   they belong to, so that a sealed text moved to another row does not open; what an earlier master key sealed is
//!   sealed anew by [`reseal`]. Contacts are sealed to the public half of a key ([`master::contacts`]) and opened with the
//!   secret one, which a process that only seals does not have;
//! - [`protect`] turns an observation, which is in the clear, into an event, which is not. What a person wrote goes under
//!   its seal with placeholders for whatever names or reaches somebody (crate `redaction`);
//! - what leaves for another system leaves as an [`Outgoing`], by the rules of its tenant's trade ([`outbound`]).

pub mod identifier;
pub mod key;
pub mod master;
pub mod outbound;
pub mod protect;
pub mod reseal;
pub mod seal;

pub use key::{TenantKeys, Vault};
pub use master::{Generation, KeyError, MasterKey, MasterKeys};
pub use outbound::Outgoing;
pub use protect::{Identity, Receipt};
pub use seal::OpenError;
