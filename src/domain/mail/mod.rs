//! A mail to the company: what it asks for, and by which rule that was decided.
//!
//! Pure text work on a [`Letter`] that `codec::mail` has read out of a message. The mailbox gets every
//! question that people have, so "unsure" is an answer of its own, and every [`Reading`] names its rule, so
//! that a person can see why. No text of a mail leaves this module.

pub mod letter;
pub mod quote;
pub mod reading;
