"""docs/benchmarks.md."""

import tables

ABOUT = """# Benchmarks

This exporter beside Debian's, `virsh domstats`, and its calls alone.
The page is made by `scripts/bench` from one run; `scripts/bench --help` says what else it measures.

* [What it is to be](#what-it-is-to-be)
* [The machine](#the-machine)
* [Figures](#figures)
* [Ratios](#ratios)
* [Start, and doing nothing](#start-and-doing-nothing)
* [How it was measured](#how-it-was-measured)
* [What is not fair](#what-is-not-fair)

![Time of a scrape by number of domains](benchmarks/latency.svg)

![Resident memory by number of domains](benchmarks/memory.svg)

## What it is to be

Ratios are of neighbours, round by round, with their quartiles; those of 10,000 domains to 1,000 are of medians, with their 95 % interval.

"""

HOW = """## How it was measured

* On one libvirtd with its own sockets and the same guests, in rounds: each subject once, and whoever began the last round ends this one. What disturbs the machine disturbs neighbours alike, so ratios are taken within a round. Three rounds before are not counted.
* Guests are QEMU's emulation of 32 MiB with firmware alone, one vCPU, one disk, one network interface, Nova's metadata; idle. Simulated domains are `libvirtd-sim`'s: the same calls, answered at once by a single thread, so all that is measured there is the exporter's.
* libvirt_nova with its defaults and `--min-age=0`, so that each scrape is measured anew; among simulated domains also with `-interval 0`, or thousands of domains polled each second would be in each scrape. Both exporters are scraped as Prometheus does: a connection, `Accept-Encoding: gzip`; unpacking is no part of the time.
* The raw loop (`crates/raw-loop`) makes the calls that libvirt_nova made for its last scrape, over one connection with always four in flight, out of packets made before the clock runs; it reads headers and throws the rest away. libvirt_nova calls one kind after another, for each tells something to the next; here they are one stream, the longest first. It is the calls alone, no lower bound of each run: order and chance count, and libvirt_nova has four in flight on each of two connections, the second for calls of the node. Its time is its own clock's. The run fails where libvirtd refuses it more than it refused libvirt_nova, or sends it less than 500 bytes a domain.
* CPU is that of the process' clock (`clock_getcpuclockid`): in nanoseconds, with all threads, also those that have ended. It is read 20 ms after the answer, so that what is let go of afterwards counts. `virsh`'s is what the kernel says of a process that has ended.
* Memory is resident, page by page (`smaps_rollup`), after the last round, and the most that it ever was (`VmHWM`); of `virsh` when it waits for its next command. Bytes are those of the answer as it came, of the raw loop those of libvirtd's packets.
* Samples are those of libvirt, the host and the domains; those of an exporter's own runtime are left out. `virsh` has fields instead.
* Encoder and decoder are the medians of `crates/libvirt-nova/benches/scrape.rs`, built with the flags of the release, before all else and alone: `exposition` of 500 domains by its samples a second, `decoder` of 50.

"""

FAIR = """## What is not fair

* To Debian's: it has a fifth of the samples. Time a sample says what one costs, not that fewer of ours would take so much less. It is left out among simulated domains, for it lists them by procedures that the simulator does not know.
* To `virsh`: it pays for a process, its libraries and a connection each time, as whoever runs it each minute does.
* To all but libvirt_nova: what it polls each second, among real guests, goes on beneath the others, and what libvirtd needs for that is in theirs.
* To libvirt_nova: the raw loop knows beforehand what there is to ask, mixes what an exporter has to ask in turn, and reads nothing. Its own time is its own clock's, theirs are those of a client that reads what they send.
* To the exporters: guests are emulated and idle, and all share the machine's CPUs with QEMU, libvirtd and who measures.

"""


def page(run):
    """The whole page."""
    parts = [ABOUT, tables.verdicts(run), "\n## The machine\n\n"]
    parts.append(tables.table(("", ""), run["machine"].items()))
    parts += [f"\nLeft out: {what}.\n" for what in run["skipped"]]
    parts += ["\n## Figures\n\nMedians of a scrape.\n\n", tables.sizes(run)]
    parts += ["\n## Ratios\n\nThose of libvirt_nova to the others: the median of the rounds, and the quartiles.\n\n", tables.ratios(run)]
    parts += ["\nWhether it grows with the number of domains alone, with 95 % intervals:\n\n", tables.linearity(run)]
    parts += ["\n## Start, and doing nothing\n\nFrom the start of the process to the end of the first scrape that has all guests.\n\n"]
    parts += [tables.starts(run), "\n", idle(run), "\n", HOW]
    parts += ["### Calls\n\nMedians of the rounds. In each the raw loop makes what libvirt_nova called for its scrape before, so two medians may differ by a call; what was polled in between is left out.\n\n", tables.calls(run), "\n", FAIR]
    return "".join(parts).rstrip("\n") + "\n"


def idle(run):
    if not (idle := run.get("idle")):
        return ""
    return (f"Nobody asks, and `-interval 0` polls nothing: in {idle['seconds']} s it was given a CPU {idle['switches']} times, "
            f"for {idle['cpu'] * 1e3:.2f} ms in all. libvirtd asks each of its three connections every 5 s whether it is there.\n")


def printed(run):
    """What of it is worth reading at once."""
    return "\n".join([tables.sizes(run), tables.ratios(run), tables.linearity(run), tables.calls(run), tables.starts(run),
                      idle(run), tables.verdicts(run), *run["skipped"]])
