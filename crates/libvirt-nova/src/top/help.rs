//! What `?` shows.

/// The keys, and what the columns mean.
pub(super) const HELP: &str = "\
c vCPUs in use   k peak of the last minute   m memory in use   s steal
d disk   n network   N name   P project   F flavor   S state, stuck first
< >      sort by the column before, or after
r        reverse the order
/        filter by name, project, state or UUID: Enter keeps it, Esc clears it
arrows   move; also PgUp, PgDn, Home, End
Enter    details of a guest
Esc      back; quits where nothing is open
q        quit; also Ctrl-C.  Ctrl-Z leaves the terminal to the shell

vCPU     in use in the last second, of those that it has
STEAL    part of the time in which its vCPUs waited for a CPU of the host
MEM      in use as the guest tells it, of what it has
stuck    its QEMU does not answer libvirt
-        not known: libvirt did not say, or too long ago";
