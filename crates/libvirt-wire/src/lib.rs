//! The bytes of libvirt's RPC protocol, as far as reading statistics needs them.
//!
//! A connection to libvirtd carries [packets](packet): a length, a header and an
//! [XDR](xdr) payload. A [`Call`] is a procedure with its arguments and knows
//! the type of its reply; an [`Event`] is what the daemon says unasked.
//!
//! This crate performs no I/O and reads no clock. No input makes it panic, and
//! none makes it allocate more than a small constant times the input.
//!
//! The layouts were written from libvirt's public description of its protocol,
//! which its support statement declares stable: between 1.2.8 and 11.3 no
//! structure or number was changed.

pub use crate::{
    call::Call,
    domain::{Domain, Uuid},
    error::DecodeError,
    event::{Event, EventKind},
    procedure::Procedure,
    remote_error::RemoteError,
    typed_param::{TypedParam, Value},
};

pub mod call;
mod domain;
mod error;
mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod packet;
mod procedure;
mod remote_error;
mod typed_param;
pub mod xdr;
