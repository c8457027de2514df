//! Conversations with a scripted daemon: slow, silent, out of order, cut off, refusing.
//!
//! The clock is paused, so a deadline passes as soon as nothing else can happen.

mod calls;
mod events;
mod handshake;
mod peer;
