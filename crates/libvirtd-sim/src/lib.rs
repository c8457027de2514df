//! A daemon that speaks libvirt's RPC, for tests, benchmarks and the demo
//! where no hypervisor is.
//!
//! It has up to 10,000 domains as Nova makes them, whose counters move with
//! time, and it does on command what a libvirtd does when it, a domain or the
//! machine is in trouble. Its answers are held against recorded ones of
//! libvirtd 9.0, so that it does not drift into fiction.
//!
//! A [`Simulator`] runs on a thread of its own; the program `libvirtd-sim` is
//! one as a process. Both take the same commands:
//!
//! ```text
#![doc = include_str!("commands.txt")]
//! ```
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use libvirtd_sim::{Settings, Simulator};
//!
//! let settings = Settings { domains: 50, ..Settings::default() };
//! let simulator = Simulator::start("/tmp/sim/libvirt-sock".as_ref(), settings)?;
//! simulator.command("stuck instance-00000007")?;
//! simulator.command("fault 14 * error 68 times 3")?;
//! // A client connects to simulator.read_only_socket() and asks for statistics …
//! simulator.until(|status| status.hanging == 1).await.map_err(|other| format!("{other:?}"))?;
//! simulator.command("continue *")?;
//! # Ok(())
//! # }
//! ```
//!
//! # What there is
//!
//! Instance `n` is the domain `instance-%08x` with the UUID
//! `11111111-2222-4333-8444-%012x`, in project blue, green or red, of flavor
//! m1.tiny (1 vCPU, 512 MiB), m1.small (1, 2 GiB), m1.medium (2, 4 GiB),
//! m1.large (4, 8 GiB) or m1.xlarge (8, 16 GiB), in turn. It has the root disk
//! `vda`, every third a volume `vdb`; the tap `tap%08x-00`, every fourth
//! another.
//!
//! # What it has done
//!
//! Counters are functions of `n` and the time `t` that this run's vCPUs have
//! run, of which `s` are whole seconds. With `clock` standing they are exact.
//!
//! | field | value |
//! |---|---|
//! | `vcpu.K.time` | `t * (5 + 37n mod 95) / 100` |
//! | `vcpu.K.delay` | `t / 200` |
//! | `cpu.time` | the vCPUs' and `t / 100`; 9/10 of it `cpu.user` |
//! | `net.K.rx.bytes` | `1000 * (n mod 10 + K + 1)` a second; sent are half; 500 bytes a packet; one drop a minute |
//! | `block.K.rd.reqs` | `10 * (n mod 7 + K + 1)` a second; half as many writes; 4096 bytes and 50 µs each; a flush a second |
//! | `balloon.available` | 15/16 of the flavor's memory |
//! | `balloon.usable` | `40 + s mod 20` percent of `available`; half of it is `unused`, a quarter cache |
//! | `balloon.last-update` | when `t` was a multiple of 10 s |
//!
//! A migration sends 100 MB a second by the same clock. The host has 128 CPUs in
//! two cells and 512 GiB, a quarter of which is free.

pub use crate::{
    command::{CommandError, duration},
    settings::Settings,
    simulator::Simulator,
    status::Status,
};

/// The commands, as text for people.
pub const COMMANDS: &str = include_str!("commands.txt");

mod arguments;
mod asked;
mod clock;
mod command;
mod connection;
mod control;
mod counters;
mod daemon;
mod damage;
mod event;
mod fault;
mod flavor;
mod host;
mod instance;
mod job;
mod migration;
mod nova;
mod outgoing;
mod pool;
mod procedures;
mod refusal;
mod serve;
mod settings;
mod simulator;
mod status;
mod workers;
mod xml;
