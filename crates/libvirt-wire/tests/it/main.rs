//! What real daemons said, read by this crate.

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod replies;
