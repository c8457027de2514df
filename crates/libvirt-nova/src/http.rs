//! The HTTP side.
//!
//! * `listener`: sockets that are bound at start and never give up accepting
//! * `inherited`: the same of those that systemd has bound
//! * `server`: the connections there are, how many, and how they end; [`serve`] is all of it
//! * `door`, `wire`: how a connection begins, and what it is made of: TCP, or TLS on it
//! * `connection`: one connection, which waits for its peer only so long
//! * `dispatch`: which request gets which response
//! * `content`: what there is to be served, as this side sees it
//! * `deadline`, `wanted`: how long a scrape may take, and in which form it is wanted
//! * `admission`: what the web configuration asks of requests
//! * `gate` with `rate_limit` and `basic_auth`: what a request has to pass where the operator says so
//! * `extra_headers`: what the operator adds to responses
//! * `query`: which target a probe is of
//! * `origin`, `places`, `probes`: where a peer comes from, and what it may take
//! * `gzip`: compressed answers, piece by piece
//! * `response` with `body`, `page`, `listing`: what is sent
//!
//! All of it runs inside the future that [`serve`] returns: no task of its own outlives it, and
//! nothing here needs to be sent between threads.
//! No peer can hold anything for ever, and none can keep another from being answered.

#[cfg(any(test, feature = "bench"))]
pub(crate) use self::gzip::gzipped;
pub(crate) use self::{
    admission::Admission,
    basic_auth::Users,
    content::Content,
    extra_headers::ExtraHeaders,
    inherited::{inherit, is_passed_a_socket},
    listener::bind,
    server::serve,
    wanted::Wanted,
};

mod admission;
mod basic_auth;
mod body;
mod connection;
mod content;
mod deadline;
mod dispatch;
mod door;
mod extra_headers;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod gate;
mod gzip;
mod inherited;
mod listener;
mod listing;
mod origin;
mod page;
mod places;
mod probes;
mod query;
mod rate_limit;
mod response;
mod server;
mod wanted;
mod wire;
