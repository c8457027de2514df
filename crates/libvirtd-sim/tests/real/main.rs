//! libvirt's own client talks to the simulator.
//!
//! Needs `virsh`, which `scripts/install-needs test` installs.

#[cfg(test)]
mod virsh;
