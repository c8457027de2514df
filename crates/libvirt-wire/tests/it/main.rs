//! What real daemons said, read by this crate.

mod damaged;
mod recorded;
mod replies;
