"""One instance, by its UUID: wherever it runs, whatever it is called."""

from grafana import Dashboard, column, heatmap, lines, stat, table, timeline, variable
from query import ABSENT, BALLOON, INSTANCE, MONITOR, ON, RATE, UUID, latency, to_project

OF_IT = 'uuid="$uuid"'


def chosen():
    """Names may repeat and hold anything; the pattern takes what stands between the first quote and the UUID at the end."""
    names = 'group by (instance_name, uuid) (libvirt_domain_openstack_info{project_id=~"$project"})'
    pattern = r'/^\{instance_name="(?<text>[\s\S]*)",uuid="(?<value>[0-9a-f-]{36})"\}/'
    return variable("uuid", "Instance", "By its name; its identity is the UUID, which Nova's API takes.", f"query_result({names})", pattern)


def projects(description, several=True):
    names = "group by (project_id, project_name) (libvirt_domain_openstack_info)"
    pattern = r'/^\{project_id="(?<value>[^"]*)",project_name="(?<text>[\s\S]*)"\}/'
    return variable("project", "Project", description, f"query_result({names})", pattern, several)


def own(family):
    """A family of the instance that has Nova's words for labels."""
    return f"{family} and on (instance, libvirtname) libvirt_nova_instance_info{{{OF_IT}}}"


def of(family):
    return f"{family}{{{OF_IT}}}"


def rate(family):
    return f"rate({of(family)}{RATE})"


def dashboard():
    board = Dashboard(
        INSTANCE,
        "libvirt_nova / Instance",
        "One Nova instance, from libvirt_nova alone. While it migrates it is on two hosts, and each tells what it sees.",
        [projects("Whose instances are to choose from."), chosen()],
    )
    now(board)
    cpu(board)
    memory(board)
    disks(board)
    network(board)
    life(board)
    return board.json


def now(board):
    board.row("Now")
    board.add(
        table(
            "Who it is",
            "What Nova wrote into the domain. A rename shows when Nova writes it the next time. Absent where the domain is gone.",
            [f"max by (instance, domain, instance_name, flavor_name, project_name, project_id, user_name, uuid) ({of('libvirt_domain_openstack_info')})"],
            [
                column("instance_name", "Instance"),
                column("project_name", "Project", link=to_project()),
                column("user_name", "User"),
                column("flavor_name", "Flavor"),
                ON,
                column("domain", "Domain"),
                UUID,
                column("project_id", "Project id", link=to_project()),
            ],
        ),
        24,
        4,
    )
    board.add(
        stat("State", "And its reason; on the other host of a migration, too. Absent where libvirtd does not answer.", [(f"{of('libvirt_domain_state_reason')} == 1", "{{state}}: {{reason}}")], text="name"),
        4,
        4,
    )
    board.add(
        stat(
            "QEMU",
            "Whether QEMU answers libvirt: occupied for long is stuck, job is a migration or a backup.",
            [(f"{of('libvirt_domain_control_state')} == 1", "{{state}}")],
            text="name",
        ),
        3,
        4,
    )
    board.add(
        stat("Statistics", "Whether the last scrape has what only QEMU can tell: memory and disks.", [of("libvirt_domain_stats_complete")], mappings=[whole()]),
        3,
        4,
    )
    board.add(
        stat(
            "vCPUs in use, peak, of",
            "Over the last second, and the highest of the last 60. Absent before its second poll on this host.",
            [
                (own("libvirt_nova_instance_vcpus_in_use"), "in use"),
                (own("libvirt_nova_instance_vcpus_in_use_peak"), "peak"),
                (own("libvirt_nova_instance_vcpu_count"), "of"),
            ],
            decimals=2,
        ),
        5,
        4,
    )
    board.add(
        stat(
            "Steal",
            "Share of its time that a vCPU was ready to run and had no CPU, on average.",
            [(f"avg by (instance) ({rate('libvirt_domain_vcpu_delay_seconds_total')})", "{{instance}}")],
            unit="percentunit",
            limits=[(0.05, "orange"), (0.2, "red")],
        ),
        4,
        4,
    )
    board.add(
        stat("Memory used", f"Caches not counted. {BALLOON}", [(of("libvirt_domain_memory_stats_used_percent"), "{{instance}}")], unit="percent", limits=[(90, "orange"), (97, "red")], decimals=0),
        5,
        4,
    )
    board.add(timeline("State over time", f"One line a state and host. {ABSENT}", (f"{of('libvirt_domain_state')} == 1", "{{instance}}: {{state}}")), 24, 5)


def whole():
    return {"type": "value", "options": {"0": {"text": "incomplete", "color": "red", "index": 0}, "1": {"text": "complete", "color": "green", "index": 1}}}


def cpu(board):
    board.row("CPU")
    board.add(
        lines(
            "vCPUs in use",
            "Each second's, its peak of the last minute, and the average between scrapes, with the emulator and I/O threads, so it may be more than it has vCPUs. A gap is a time without an answer.",
            [
                (own("libvirt_nova_instance_vcpus_in_use"), "last second"),
                (own("libvirt_nova_instance_vcpus_in_use_peak"), "peak of a minute"),
                (rate("libvirt_domain_info_cpu_time_seconds_total"), "average"),
                (of("libvirt_domain_info_virtual_cpus"), "vCPUs"),
            ],
        ),
        12,
        8,
    )
    board.add(
        heatmap(
            "How much of its vCPUs it uses",
            "Polls, one a second, by the part of its vCPUs that was in use: whether it is idle, steady, or all or nothing.",
            f"sum by (le) ({own(f'increase(libvirt_nova_instance_vcpu_utilization_bucket{RATE})')})",
            "percentunit",
        ),
        12,
        8,
    )
    board.add(
        lines("Time of each vCPU", "On a CPU of the host, without what QEMU does besides.", [(rate("libvirt_domain_vcpu_time_seconds_total"), "{{instance}} vCPU {{vcpu}}")], unit="percentunit"),
        8,
        8,
    )
    board.add(
        lines(
            "Steal of each vCPU",
            "Ready to run, and no CPU of the host was free: the host is too full, or a neighbour too loud.",
            [(rate("libvirt_domain_vcpu_delay_seconds_total"), "{{instance}} vCPU {{vcpu}}")],
            unit="percentunit",
            limits=[(0.05, "orange"), (0.2, "red")],
        ),
        8,
        8,
    )
    board.add(
        lines(
            "What takes the time",
            "User is mostly the guest itself, system the kernel's part for it.",
            [(rate("libvirt_domain_cpu_user_seconds_total"), "{{instance}} user"), (rate("libvirt_domain_cpu_system_seconds_total"), "{{instance}} system")],
            stacked=True,
        ),
        8,
        8,
    )


def memory(board):
    board.row("Memory")
    kinds = [("current_balloon", "granted"), ("available", "seen by the guest"), ("usable", "usable"), ("unused", "unused"), ("disk_caches", "caches"), ("rss", "resident on the host")]
    board.add(
        lines(
            "Memory",
            f"Granted is not used: used is what the guest sees less what is usable. {BALLOON} {MONITOR}",
            [(of(f"libvirt_domain_memory_stats_{kind}_bytes"), f"{{{{instance}}}} {name}") for kind, name in kinds],
            unit="bytes",
        ),
        12,
        8,
    )
    board.add(
        lines(
            "Swap",
            f"What the guest reads from and writes to its own swap space. {BALLOON}",
            [(rate("libvirt_domain_memory_stats_swap_in_bytes"), "{{instance}} read"), (rate("libvirt_domain_memory_stats_swap_out_bytes"), "{{instance}} written")],
            unit="Bps",
            limits=[(1048576, "orange")],
        ),
        6,
        8,
    )
    board.add(
        lines(
            "Page faults",
            f"Major ones read the disk: a guest short of memory has many. {BALLOON}",
            [(rate("libvirt_domain_memory_stats_major_fault_total"), "{{instance}} major"), (rate("libvirt_domain_memory_stats_minor_fault_total"), "{{instance}} minor")],
            unit="cps",
        ),
        6,
        8,
    )
    board.add(
        lines(
            "Since the guest told of its memory",
            "Where its balloon is silent for three periods (Nova's mem_stats_period_seconds, 10 s), its memory is absent. It grows while the guest is paused.",
            [(f"time() - {of('libvirt_domain_memory_stats_last_update_timestamp_seconds')}", "{{instance}}")],
            unit="s",
            limits=[(30, "orange")],
        ),
        12,
        6,
    )
    board.add(
        lines(
            "Whether what it told is valid",
            "1 where it told within three periods, 0 where it did not.",
            [(of("libvirt_domain_memory_stats_valid"), "{{instance}}")],
        ),
        12,
        6,
    )


def disks(board):
    board.row("Disks")
    both = (("read", "read"), ("write", "written"))
    for what, title, unit in (("bytes", "Throughput of disks", "Bps"), ("requests", "Requests to disks", "iops")):
        board.add(
            lines(title, MONITOR, [(rate(f"libvirt_domain_block_stats_{operation}_{what}_total"), f"{{{{target_device}}}} {word}") for operation, word in both], unit=unit),
            8,
            8,
        )
    board.add(
        lines(
            "How long a request takes",
            "On average. Absent for an operation that was not asked for.",
            [(latency(operation, OF_IT), f"{{{{target_device}}}} {word}") for operation, word in (("read", "read"), ("write", "write"), ("flush", "flush"))],
            unit="s",
            limits=[(0.02, "orange"), (0.1, "red")],
        ),
        8,
        8,
    )
    by_disk = "max by (instance, target_device)"
    board.add(
        table(
            "Disks",
            f"What they are and how large: the guest's size, where it has written last, and what the image takes. CD-ROMs have no counters. {MONITOR}",
            [
                f"max by (instance, target_device, device, target_bus, driver_type, driver_cache, source_file, source_name, volume_uuid) ({of('libvirt_domain_block_stats_info')})",
                f"{by_disk} ({of('libvirt_domain_block_stats_capacity_bytes')})",
                f"{by_disk} ({of('libvirt_domain_block_stats_allocation_bytes')})",
                f"{by_disk} ({of('libvirt_domain_block_stats_physical_bytes')})",
            ],
            [
                column("target_device", "Disk"),
                column("device", "Kind"),
                column("target_bus", "Bus"),
                column("driver_type", "Format"),
                column("driver_cache", "Cache"),
                column("B", "Size", "bytes"),
                column("C", "Allocation", "bytes"),
                column("D", "On the host", "bytes"),
                column("volume_uuid", "Cinder volume"),
                column("source_name", "Image in Ceph"),
                column("source_file", "File"),
                ON,
            ],
        ),
        24,
        6,
    )


def network(board):
    board.row("Network")
    for what, title, unit, limits in (("bytes", "Throughput of NICs", "Bps", ()), ("packets", "Packets", "pps", ()), ("drops", "Drops", "pps", [(1, "orange")]), ("errors", "Errors", "pps", [(1, "orange")])):
        board.add(
            lines(
                title,
                "In the guest's directions. A NIC that the guest has for itself (SR-IOV) has no counters.",
                [
                    (rate(f"libvirt_domain_interface_stats_receive_{what}_total"), "{{target_device}} received"),
                    (rate(f"libvirt_domain_interface_stats_transmit_{what}_total"), "{{target_device}} transmitted"),
                ],
                unit=unit,
                limits=limits,
            ),
            6,
            8,
        )
    board.add(
        table(
            "NICs",
            "The port is Neutron's.",
            [f"max by (instance, target_device, mac_address, model_type, interface_type, source_bridge, mtu_size, port_uuid) ({of('libvirt_domain_interface_stats_info')})"],
            [
                column("target_device", "NIC"),
                column("mac_address", "MAC"),
                column("model_type", "Model"),
                column("interface_type", "Kind"),
                column("source_bridge", "Bridge"),
                column("mtu_size", "MTU"),
                column("port_uuid", "Neutron port"),
                ON,
            ],
        ),
        24,
        5,
    )


def life(board):
    board.row("Migration and events")
    board.add(
        lines(
            "Memory that a migration has before it",
            "While one runs, on the host that it leaves. It has to fall; where it does not, the guest writes faster than is sent.",
            [(of("libvirt_domain_job_info_memory_remaining_bytes"), "{{instance}} left"), (of("libvirt_domain_job_info_memory_total_bytes"), "{{instance}} in all")],
            unit="bytes",
        ),
        8,
        8,
    )
    board.add(
        lines(
            "What a migration sends and the guest writes",
            "While one runs. The dirty rate is known from the second iteration on.",
            [(of("libvirt_domain_migration_bandwidth_bytes_per_second"), "{{instance}} sent"), (of("libvirt_domain_migration_dirty_rate_bytes_per_second"), "{{instance}} written")],
            unit="Bps",
        ),
        8,
        8,
    )
    board.add(
        lines(
            "Events",
            "Of libvirt, since the exporter listens, as counted on each host.",
            [(of("libvirt_domain_events_total"), "{{instance}} {{event}} {{detail}}")],
        ),
        8,
        8,
    )
