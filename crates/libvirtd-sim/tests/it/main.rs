//! The simulator, held against recordings of the real daemon, and made to fail in every way.

#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

#[cfg(test)]
mod calls;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod conformity;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hangs;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod program;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod session;
