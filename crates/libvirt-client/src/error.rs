//! What goes wrong in a conversation, by whose doing.
//!
//! * [`call`]: with a call
//! * [`connect`]: with a connection that is to be made
//! * [`obstacle`]: the same, as far as what mends it differs

pub use self::{call::CallError, connect::ConnectError, obstacle::Obstacle};
pub(crate) use self::{
    call::CallKind,
    connect::{ConnectKind, Unfit},
};

mod call;
mod connect;
mod obstacle;
