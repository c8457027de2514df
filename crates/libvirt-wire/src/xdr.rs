//! XDR ([RFC 4506]), the encoding of every libvirt payload.
//!
//! Two rules cover nearly all of it: integers are big-endian, and every item is
//! padded to a multiple of four bytes.
//!
//! [RFC 4506]: https://www.rfc-editor.org/rfc/rfc4506

pub use self::{
    reader::{Decode, Reader},
    writer::Writer,
};

mod reader;
mod writer;

/// The unit that every item is padded to, in bytes.
const UNIT: usize = 4;

/// `REMOTE_STRING_MAX`: the longest string, in bytes.
const STRING_MAX: usize = 4_194_304;
