//! Conversations with a scripted daemon: slow, silent, out of order, cut off, refusing.
//!
//! The clock is paused, so a deadline passes as soon as nothing else can happen.

#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

#[cfg(test)]
mod calls;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod events;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod keepalive;
#[cfg(test)]
mod mechanism;
#[cfg(test)]
mod network;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod program;
#[cfg(test)]
mod sasl;
#[cfg(test)]
mod sasl_faults;
#[cfg(test)]
mod scram;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tls_chains;
#[cfg(test)]
mod tls_faults;
