//! Hypervisors over the network: a libvirtd that listens, an sshd beside it, and who may come in.
//!
//! The daemons, virsh and the exporter run in libvirtd's own network, where 127.0.0.1 and every port are theirs alone.
//! What virsh accepts and refuses is what the exporter accepts and refuses.
//!
//! * `hypervisor`, `sshd`: who is connected to
//! * `certificates`, `passwords`: who may, and who may not
//! * `peer`: who is no libvirtd
//! * `network`: who knocks, and a cable that can be cut
//! * `fault`: what every fault has in common
//! * `service`: the packages' service, by its drop-in
//! * `same`: whether two ways lead to the same
//! * the others: the tests, a subject each

mod bed;
mod certificates;
mod cut;
mod fault;
mod hypervisor;
mod network;
mod passwords;
mod peer;
mod same;
mod service;
mod sshd;
mod ways;
mod wrong_certificates;
mod wrong_passwords;
mod wrong_peers;
mod wrong_ssh;
