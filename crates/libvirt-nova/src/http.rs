//! The HTTP side.
//!
//! * `listener`: sockets that are bound at start and never give up accepting
//! * `inherited`: the same of those that systemd has bound
//! * `server`: the connections there are, how many, and how they end; [`serve`] is all of it
//! * `connection`: one connection, which waits for its peer only so long
//! * `dispatch`: which request gets which response
//! * `content`: what there is to be served, as this side sees it
//! * `deadline`, `wanted`: how long a scrape may take, and in which form it is wanted
//! * `gzip`: compressed answers
//! * `response`, `page`: what is sent
//!
//! All of it runs inside the future that [`serve`] returns: no task outlives it, and nothing
//! here needs to be sent between threads.
//! No peer can hold anything for ever, and none can keep another from being answered.

pub(crate) use self::{
    content::Content,
    inherited::{inherit, is_passed_a_socket},
    listener::bind,
    server::serve,
    wanted::Wanted,
};

mod connection;
mod content;
mod deadline;
mod dispatch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod gzip;
mod inherited;
mod listener;
mod page;
mod response;
mod server;
mod wanted;
