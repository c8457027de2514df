//! The connections there are, how many, and how they end.

use std::{collections::HashMap, hash::Hash, net::Ipv4Addr, pin::pin, rc::Rc, time::Duration};

use futures_util::{
    future::{AbortHandle, Abortable},
    stream::{self, FuturesUnordered, StreamExt},
};
use hyper::{Request, body::Incoming};
use tokio::{
    net::TcpStream,
    time::{self, Instant},
};

use super::{
    Admission, Content,
    basic_auth::MAX_WAITING,
    connection::{self, Limits, Seat},
    dispatch::{Dispatch, MAX_SCRAPES, MAX_STREAMS},
    door::Door,
    listener::Listener,
    origin::Origin,
    probes::MAX_PROBES,
};
use crate::flags::MetricsPath;

/// Answers requests until `until` is done.
///
/// A scrape gets `deadline` where the request names none.
/// In the end nothing more is accepted, idle connections are closed, and responses that are
/// owed get two seconds.
///
/// When the future is dropped, all connections are closed and their scrapes abandoned.
pub(crate) async fn serve(
    listeners: Vec<Listener>,
    admission: &Admission,
    metrics_path: &MetricsPath,
    deadline: Duration,
    content: impl Content,
    until: impl Future<Output = ()>,
) {
    let dispatch = Dispatch::new(metrics_path, deadline, content);
    serve_within(Limits::default(), listeners, admission, &dispatch, until).await;
}

async fn serve_within(
    limits: Limits,
    listeners: Vec<Listener>,
    admission: &Admission,
    dispatch: &Dispatch<'_, impl Content>,
    until: impl Future<Output = ()>,
) {
    let door = Door::new(admission.tls());
    let attend = async |stream: TcpStream, seat: Rc<Seat>| {
        let until = seat.first_head_until(limits);
        let Some(wire) = door.open(stream, until).await else { return };
        let origin = seat.origin();
        let answer = async |request: &Request<Incoming>| {
            admission.pass(request.headers(), origin, dispatch.answer(request, origin)).await
        };
        connection::attend(wire, seat, limits, answer).await;
    };
    let mut connections = Connections::default();
    // As many as probes can take, on top.
    let most = || MAX_CONNECTIONS.saturating_add(MAX_PROBES.saturating_mul(dispatch.targets()));
    let arrivals = listeners.into_iter().map(|listener| Box::pin(listener.arrivals()));
    let mut arrivals = stream::select_all(arrivals);
    let mut until = pin!(until);
    loop {
        tokio::select! {
            // Whoever was turned out is gone before the next one comes: a flood fills no memory.
            biased;
            () = &mut until => break,
            Some(_) = connections.running.next() => {}
            Some(arrival) = arrivals.next() => match arrival {
                Ok(stream) => {
                    connections.admit(most(), origin(&stream), |seat| attend(stream, seat));
                }
                // For want of descriptors, most likely: an idle connection has one.
                Err(_) => connections.turn_one_out(),
            },
        }
    }
    drop(arrivals);
    connections.dismiss();
    let rest = async { while connections.running.next().await.is_some() {} };
    // Whoever is not done by then is cut off.
    let _ = time::timeout(GRACE, rest).await;
}

/// Time for responses that are owed at the end.
const GRACE: Duration = Duration::from_secs(2);

/// Where a peer comes from. One that is gone already comes from nowhere.
fn origin(stream: &TcpStream) -> Origin {
    let address = stream.peer_addr().map(|address| address.ip());
    address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()).into()
}

/// The connections there are, of which there is a most: [`MAX_CONNECTIONS`], and [`MAX_PROBES`] for
/// each target.
///
/// A newcomer always gets a place, if need be that of another: connections that are merely open
/// must not keep a scrape out.
struct Connections<C> {
    running: FuturesUnordered<Abortable<C>>,
    seats: Vec<(Rc<Seat>, AbortHandle)>,
}

/// A few scrapers and browsers with several connections each, at some 20 KB a connection.
const MAX_CONNECTIONS: usize = 128;

// There is always one to turn out: those that cannot be are the scrapes, the streams
// and those whose passwords are to be checked; and the probes, which have their own.
const _: () = assert!(
    MAX_SCRAPES + MAX_STREAMS + MAX_WAITING < MAX_CONNECTIONS,
    "they can take all connections"
);

impl<C> Default for Connections<C> {
    fn default() -> Self {
        Self { running: FuturesUnordered::new(), seats: Vec::new() }
    }
}

impl<C: Future<Output = ()>> Connections<C> {
    fn admit(&mut self, most: usize, origin: Origin, attend: impl FnOnce(Rc<Seat>) -> C) {
        // The connection holds its seat as long as it lasts.
        self.seats.retain(|(seat, _)| Rc::strong_count(seat) > 1);
        if self.seats.len() >= most {
            self.turn_one_out();
        }
        let seat = Rc::new(Seat::new(origin));
        let (handle, registration) = AbortHandle::new_pair();
        self.running.push(Abortable::new(attend(Rc::clone(&seat)), registration));
        self.seats.push((seat, handle));
    }

    /// Closes one of the connections that keep us waiting.
    fn turn_one_out(&mut self) {
        if let Some(at) = self.one_to_go() {
            self.seats.swap_remove(at).1.abort();
        }
    }

    /// Says which connection is to go: the one that has kept us waiting longest, of the largest
    /// crowd.
    ///
    /// A flood is the largest crowd, so it displaces itself: those of the origin that has most;
    /// among them, or among all where no origin has more than another, whichever are more, those
    /// that have sent a whole request before or those that have not.
    /// So neither a scraper's connection between two scrapes nor one that was just made goes for
    /// what others do.
    fn one_to_go(&self) -> Option<usize> {
        let waiting = |(at, (seat, _)): (usize, &(Rc<Seat>, _))| {
            Some(Waiting {
                since: seat.waiting_since()?,
                at,
                origin: seat.origin(),
                is_known: seat.is_known(),
            })
        };
        let mut crowd: Vec<_> = self.seats.iter().enumerate().filter_map(waiting).collect();
        keep_most(&mut crowd, |one| one.origin);
        keep_most(&mut crowd, |one| one.is_known);
        crowd.iter().min_by_key(|one| (one.since, one.at)).map(|one| one.at)
    }

    /// Closes what is idle, and lets the rest end with the response that is owed.
    fn dismiss(&self) {
        for (seat, handle) in &self.seats {
            if seat.owes_response() {
                seat.leave();
            } else {
                handle.abort();
            }
        }
    }
}

/// A connection that has been waiting for its peer.
struct Waiting {
    since: Instant,
    at: usize,
    origin: Origin,
    is_known: bool,
}

/// Keeps those of the kinds that have most.
fn keep_most<K: Copy + Eq + Hash>(crowd: &mut Vec<Waiting>, kind: impl Fn(&Waiting) -> K) {
    let mut counts = HashMap::<K, usize>::new();
    for one in crowd.iter() {
        let count = counts.entry(kind(one)).or_default();
        *count = count.saturating_add(1);
    }
    let most = counts.values().copied().max();
    crowd.retain(|one| counts.get(&kind(one)).copied() == most);
}

#[cfg(test)]
mod tests;
