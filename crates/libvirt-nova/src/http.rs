//! The HTTP side.
//!
//! * `listener`: sockets that are bound at start and never give up accepting
//! * `server`: the connections there are, how many, and how they end; [`serve`] is all of it
//! * `connection`: one connection, which waits for its peer only so long
//! * `dispatch`: which request gets which response
//! * `deadline`, `wanted`: how long a scrape may take, and in which form it is wanted
//! * `gzip`: compressed answers
//! * `response`, `landing`: what is sent
//!
//! All of it runs inside the future that [`serve`] returns: no task outlives it, and nothing
//! here needs to be sent between threads.
//! No peer can hold anything for ever, and none can keep another from being answered.

pub(crate) use self::{listener::bind, server::serve, wanted::Wanted};

mod connection;
mod deadline;
mod dispatch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod gzip;
mod landing;
mod listener;
mod response;
mod server;
mod wanted;
