//! What `benches/` measures: the steps of a scrape, each with what it begins with.
//!
//! * [`Reply`]: what libvirtd sends, read
//! * [`Host`]: what was found, put together and written

pub use self::{
    host::{Found, Host, Measured},
    reply::{Reply, Statistics},
};

mod guest;
mod host;
mod reply;
