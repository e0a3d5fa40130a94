//! A synthetic salon with a seed, whose truth is known; speaks the channels' real formats.
//!
//! [`Salon`] lives through a number of past days and gives what it sent as [`Delivery`]s in order of time: the
//! client's side of Telegram as native updates, everything else as canonical events. [`Truth`] is the salon's own
//! account of the same days, kept without any of the product's rules, so that any figure can be held against it.
//! [`Live`] goes on from there without an end, for somebody to watch.
//!
//! The same configuration gives the same bytes on every machine. Nothing here reads a clock, sleeps or sends.

mod calendar;
mod catalogue;
mod dice;
mod fact;
mod live;
mod people;
mod phrases;
mod render;
mod salon;
mod story;
mod talk;
mod truth;
mod world;

pub use live::Live;
pub use salon::{Delivery, Door, Salon, SalonConfig};
pub use truth::{AppointmentCounts, AppointmentTruth, ChannelTruth, SessionCounts, SessionTruth, Truth};
