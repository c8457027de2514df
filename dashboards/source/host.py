"""Compute hosts: what is wrong, who uses how much, and whether the host is to blame."""

from grafana import Dashboard, column, lines, stat, table, variable
from query import (
    ABSENT, BALLOON, BY_NAME, DOMAIN, HOST, HOSTS, LINE_TO_HOST, LINE_TO_INSTANCE, MONITOR, NAME, OF_PROJECT, ON, ON_HOST, RATE, UUID,
    latency, named, named_or_not, to_host, to_instance, total, with_uuid,
)

# Somebody asks QEMU something at all times, and it takes a moment to answer.
STUCK = f'libvirt_domain_control_state_seconds{{{ON_HOST}}} > 5 and on (instance, uuid) libvirt_domain_control_state{{{ON_HOST},state="occupied"}} == 1'
# On the destination of a migration a guest is paused all the way, and that is well.
STANDS = f'libvirt_domain_state_reason{{{ON_HOST},state=~"paused|crashed|pmsuspended",reason!~"migration|starting_up|postcopy"}} == 1'
IN_USE = f"sum by (instance, uuid, novaname, novaproject) ({with_uuid(f'libvirt_nova_instance_vcpus_in_use{{{ON_HOST}}}')})"
BUSIEST = f"topk(50, {IN_USE})"
STEAL = f"avg by (instance, uuid) (rate(libvirt_domain_vcpu_delay_seconds_total{{{ON_HOST}}}{RATE}))"


def dashboard():
    board = Dashboard(
        HOST,
        "libvirt_nova / Host",
        "Compute hosts and the instances on them, from libvirt_nova alone.",
        [variable("host", "Host", "What Prometheus scrapes: the exporter of a compute host.", HOSTS, several=True)],
    )
    now(board)
    cpu(board)
    memory(board)
    disks(board)
    network(board)
    migrations(board)
    events(board)
    pools(board)
    exporter(board)
    return board.json


def now(board):
    board.row("Now")
    answering = f"libvirt_up{{{ON_HOST}}}"
    gone = f"up{{{ON_HOST}}} and on (instance, job) present_over_time(libvirt_up{{{ON_HOST}}}[1d])"
    board.add(stat("Hosts that answer", "Hosts whose libvirtd answers. Absent where no exporter is scraped.", [(f"sum({answering})", "")]), 3, 4)
    board.add(
        stat(
            "Hosts that do not answer",
            "Exporters that were there within a day and cannot be scraped now, and exporters whose libvirtd does not answer: nothing is known of their guests.",
            [(f"sum(1 - ({gone}))", "exporter"), (f"sum(1 - {answering})", "libvirtd")],
            limits=[(1, "red")],
        ),
        4,
        4,
    )
    board.add(stat("Guests that run", f"{ABSENT} A host whose libvirtd does not answer counts no guests.", [(f'sum(libvirt_domain_state{{{ON_HOST},state="running"}})', "")]), 3, 4)
    board.add(
        stat(
            "Guests that do not answer",
            "QEMU or libvirt did not answer in time for them. Absent where libvirtd itself does not answer.",
            [(f"sum(libvirt_domain_timed_out{{{ON_HOST}}})", "")],
            limits=[(1, "red")],
        ),
        4,
        4,
    )
    board.add(
        stat(
            "vCPUs in use, allocated, physical",
            "In use over the last second, not over the last scrape interval. Allocated is what all guests that run may use.",
            [
                (f"sum(libvirt_nova_instance_vcpus_in_use{{{ON_HOST}}})", "in use"),
                (f"sum(libvirt_nova_instance_vcpu_count{{{ON_HOST}}})", "allocated"),
                (f"sum(libvirt_node_cpus{{{ON_HOST}}})", "physical"),
            ],
            decimals=1,
        ),
        5,
        4,
    )
    board.add(
        stat(
            "Memory granted, free, physical",
            "Granted is what guests may use, not what they use. Free is what the host has left, its caches not counted.",
            [
                (f"sum(libvirt_domain_memory_stats_current_balloon_bytes{{{ON_HOST}}})", "granted"),
                (f"sum(libvirt_node_memory_free_bytes{{{ON_HOST}}})", "free"),
                (f"sum(libvirt_node_memory_bytes{{{ON_HOST}}})", "physical"),
            ],
            unit="bytes",
        ),
        5,
        4,
    )
    board.add(hosts(), 24, 7)
    board.add(
        table(
            "Guests whose QEMU does not answer",
            "Empty is well. For how long QEMU has not answered the question that hangs in it, from 5 s on; its memory and disks are absent meanwhile, CPU, NICs and state are not.",
            [named_or_not(STUCK)],
            [BY_NAME, OF_PROJECT, ON, column("A", "For", "s", [(30, "orange"), (120, "red")]), DOMAIN, UUID],
            sort="For",
        ),
        12,
        7,
    )
    board.add(
        table(
            "Guests that stand still",
            "Empty is well. Paused, crashed or suspended, and why: ioerror is a disk that failed or is full, user is somebody's command. Arriving migrations are left out.",
            [named_or_not(STANDS, "state", "reason")],
            [BY_NAME, OF_PROJECT, ON, column("state", "State"), column("reason", "Reason"), DOMAIN, UUID],
        ),
        12,
        7,
    )
    board.add(busiest(), 24, 10)


def hosts():
    by_host = "sum by (instance)"
    return table(
        "Hosts",
        f"A line a host. {ABSENT} Steal is the share of their time that its vCPUs wait for a CPU of the host, on average.",
        [
            f"max by (instance) (libvirt_up{{{ON_HOST}}})",
            f'{by_host} (libvirt_domain_state{{{ON_HOST},state="running"}})',
            f"{by_host} (libvirt_nova_instance_vcpus_in_use{{{ON_HOST}}})",
            f"{by_host} (libvirt_nova_instance_vcpu_count{{{ON_HOST}}})",
            f"{by_host} (libvirt_node_cpus{{{ON_HOST}}})",
            f"avg by (instance) (rate(libvirt_domain_vcpu_delay_seconds_total{{{ON_HOST}}}{RATE}))",
            f"{by_host} (libvirt_node_memory_free_bytes{{{ON_HOST}}})",
            f"{by_host} (libvirt_domain_timed_out{{{ON_HOST}}})",
            f'count by (instance) (libvirt_domain_job_info_operation{{{ON_HOST},operation=~"migration.*"}})',
            f"max by (instance) (time() - libvirt_nova_exporter_last_poll_timestamp_seconds{{{ON_HOST}}})",
        ],
        [
            column("instance", "Host", link=to_host()),
            column("A", "libvirtd", mappings=[up_or_down()], limits=[]),
            column("B", "Guests"),
            column("C", "vCPUs in use", decimals=1),
            column("D", "Allocated"),
            column("E", "Physical"),
            column("F", "Steal", "percentunit", [(0.05, "orange"), (0.2, "red")], decimals=1),
            column("G", "Memory free", "bytes"),
            column("H", "Not answering", limits=[(1, "red")]),
            column("I", "Migrations away"),
            column("J", "Polled ago", "s", [(10, "orange"), (60, "red")], decimals=1),
        ],
        sort="vCPUs in use",
    )


def up_or_down():
    return {"type": "value", "options": {"0": {"text": "down", "color": "red", "index": 0}, "1": {"text": "up", "color": "green", "index": 1}}}


def busiest():
    of_busiest = f"and on (instance, uuid) {BUSIEST}"
    by = "sum by (instance, uuid)"
    return table(
        "Who uses how many vCPUs right now",
        f"The 50 that use most. In use over the last second; the peak is the highest second of the last minute, which a scrape would miss. {MONITOR} {BALLOON}",
        [
            BUSIEST,
            f"{by} ({with_uuid(f'libvirt_nova_instance_vcpus_in_use_peak{{{ON_HOST}}}')}) {of_busiest}",
            f"{by} ({with_uuid(f'libvirt_nova_instance_vcpu_count{{{ON_HOST}}}')}) {of_busiest}",
            f"{STEAL} {of_busiest}",
            f"{by} (libvirt_domain_memory_stats_used_percent{{{ON_HOST}}}) {of_busiest}",
        ],
        [
            column("novaname", "Instance", link=to_instance()),
            column("novaproject", "Project"),
            ON,
            column("A", "vCPUs in use", decimals=2),
            column("B", "Peak", decimals=2),
            column("C", "vCPUs"),
            column("D", "Steal", "percentunit", [(0.05, "orange"), (0.2, "red")], decimals=1),
            column("E", "Memory used", "percent", [(90, "orange"), (97, "red")], decimals=0),
            UUID,
        ],
        sort="vCPUs in use",
    )


def cpu(board):
    board.row("CPU")
    by_host = "sum by (instance)"
    board.add(
        lines(
            "CPUs of the host that guests use",
            "vCPUs in use by CPUs of the host. Absent while libvirtd does not answer.",
            [(f"{by_host} (libvirt_nova_instance_vcpus_in_use{{{ON_HOST}}}) / on (instance) sum by (instance) (libvirt_node_cpus{{{ON_HOST}}})", "{{instance}}")],
            unit="percentunit",
            limits=[(0.8, "orange"), (0.95, "red")],
            links=[LINE_TO_HOST],
        ),
        8,
        8,
    )
    board.add(
        lines(
            "Overcommit of vCPUs",
            "vCPUs allocated to guests that run, by CPUs of the host. Nova's cpu_allocation_ratio is its limit.",
            [(f"{by_host} (libvirt_nova_instance_vcpu_count{{{ON_HOST}}}) / on (instance) sum by (instance) (libvirt_node_cpus{{{ON_HOST}}})", "{{instance}}")],
            links=[LINE_TO_HOST],
        ),
        8,
        8,
    )
    board.add(
        lines(
            "Steal: who waits for a CPU of the host",
            "Share of their time that the vCPUs of a guest were ready to run and had no CPU; the ten worst. Needs no setting; kernels without CONFIG_SCHED_INFO do not tell it.",
            [(f"topk(10, {named(STEAL)})", NAME)],
            unit="percentunit",
            limits=[(0.05, "orange"), (0.2, "red")],
            links=[LINE_TO_INSTANCE],
        ),
        8,
        8,
    )
    board.add(
        lines(
            "vCPUs in use by instance",
            "The ten that use most at each moment. A guest that has just started has no number before its second poll.",
            [(f"topk(10, {with_uuid(f'libvirt_nova_instance_vcpus_in_use{{{ON_HOST}}}')})", "{{novaname}} ({{novaproject}})")],
            links=[LINE_TO_INSTANCE],
        ),
        12,
        8,
    )
    board.add(
        lines(
            "Peak of the last minute by instance",
            "The highest second of the last 60: bursts that a rate over a scrape interval hides; the ten highest.",
            [(f"topk(10, {with_uuid(f'libvirt_nova_instance_vcpus_in_use_peak{{{ON_HOST}}}')})", "{{novaname}} ({{novaproject}})")],
            links=[LINE_TO_INSTANCE],
        ),
        12,
        8,
    )


def memory(board):
    board.row("Memory")
    board.add(
        lines(
            "Memory of the hosts",
            f"Granted is what guests may use; resident is what their QEMUs have of it, huge pages not counted. {MONITOR}",
            [
                (f"sum(libvirt_node_memory_bytes{{{ON_HOST}}})", "physical"),
                (f"sum(libvirt_node_memory_free_bytes{{{ON_HOST}}})", "free"),
                (f"sum(libvirt_domain_memory_stats_current_balloon_bytes{{{ON_HOST}}})", "granted"),
                (f"sum(libvirt_domain_memory_stats_rss_bytes{{{ON_HOST}}})", "resident"),
            ],
            unit="bytes",
        ),
        8,
        8,
    )
    board.add(
        lines(
            "Guests with the least memory left",
            f"Share of its memory that a guest uses, caches not counted; the ten highest. {BALLOON}",
            [(f"topk(10, {named(f'libvirt_domain_memory_stats_used_percent{{{ON_HOST}}}')})", NAME)],
            unit="percent",
            limits=[(90, "orange"), (97, "red")],
            links=[LINE_TO_INSTANCE],
        ),
        8,
        8,
    )
    swapped = f"rate(libvirt_domain_memory_stats_swap_in_bytes{{{ON_HOST}}}{RATE}) + rate(libvirt_domain_memory_stats_swap_out_bytes{{{ON_HOST}}}{RATE})"
    board.add(
        lines(
            "Guests that swap",
            f"Bytes that guests read from and write to their own swap space; the ten highest. {BALLOON}",
            [(f"topk(10, {named(f'({swapped})')})", NAME)],
            unit="Bps",
            limits=[(1048576, "orange")],
            links=[LINE_TO_INSTANCE],
        ),
        8,
        8,
    )


def disks(board):
    board.row("Disks")
    for operation, title in (("read", "Slow reads"), ("write", "Slow writes")):
        board.add(
            lines(
                title,
                f"How long a request takes on average; the ten slowest disks. Absent for a disk without requests. {MONITOR}",
                [(f"topk(10, {named(f'({latency(operation)})')})", "{{instance_name}} {{target_device}}")],
                unit="s",
                limits=[(0.02, "orange"), (0.1, "red")],
                links=[LINE_TO_INSTANCE],
            ),
            8,
            8,
        )
    flushes = f"({latency('flush')})"
    board.add(
        lines(
            "Slow flushes",
            "How long a flush takes on average; the ten slowest disks. Absent for a disk without flushes.",
            [(f"topk(10, {named(flushes)})", "{{instance_name}} {{target_device}}")],
            unit="s",
            limits=[(0.05, "orange"), (0.5, "red")],
            links=[LINE_TO_INSTANCE],
        ),
        8,
        8,
    )
    for unit, what, title in (("Bps", "bytes", "Throughput of disks"), ("iops", "requests", "Requests to disks")):
        board.add(
            lines(
                title,
                f"Of all guests of a host, CD-ROMs not counted. {MONITOR}",
                [
                    (f"sum by (instance) (rate(libvirt_domain_block_stats_read_{what}_total{{{ON_HOST}}}{RATE}))", "{{instance}} read"),
                    (f"sum by (instance) (rate(libvirt_domain_block_stats_write_{what}_total{{{ON_HOST}}}{RATE}))", "{{instance}} written"),
                ],
                unit=unit,
                links=[LINE_TO_HOST],
            ),
            12,
            8,
        )


def network(board):
    board.row("Network")
    board.add(
        lines(
            "Throughput of NICs",
            "Of all guests of a host, in the guests' directions. NICs that guests have for themselves (SR-IOV) have no counters.",
            [
                (f"sum by (instance) (rate(libvirt_domain_interface_stats_receive_bytes_total{{{ON_HOST}}}{RATE}))", "{{instance}} received"),
                (f"sum by (instance) (rate(libvirt_domain_interface_stats_transmit_bytes_total{{{ON_HOST}}}{RATE}))", "{{instance}} transmitted"),
            ],
            unit="Bps",
            links=[LINE_TO_HOST],
        ),
        8,
        8,
    )
    for what, title, why in (
        ("drops", "Packets dropped", "Drops towards a guest are often a queue that it empties too slowly."),
        ("errors", "Packets with errors", "0 is what it should be."),
    ):
        both = f"rate(libvirt_domain_interface_stats_receive_{what}_total{{{ON_HOST}}}{RATE}) + rate(libvirt_domain_interface_stats_transmit_{what}_total{{{ON_HOST}}}{RATE})"
        board.add(
            lines(
                title,
                f"Both directions of a guest; the ten highest. {why}",
                [(f"topk(10, {named(total(both))})", NAME)],
                unit="pps",
                limits=[(1, "orange")],
                links=[LINE_TO_INSTANCE],
            ),
            8,
            8,
        )


def migrations(board):
    board.row("Migrations and other jobs")
    job = "libvirt_domain_job_info"
    migration = "libvirt_domain_migration"
    board.add(
        table(
            "Jobs that run",
            "Empty is well. Migrations away from the host, backups, snapshots. One whose guest writes faster than is sent does not end by itself.",
            [
                named(total(f"{job}_time_elapsed_seconds{{{ON_HOST}}}")),
                f"max by (instance, uuid, operation) ({job}_operation{{{ON_HOST}}})",
                total(f"{job}_memory_remaining_bytes{{{ON_HOST}}}"),
                total(f"{migration}_bandwidth_bytes_per_second{{{ON_HOST}}}"),
                total(f"{migration}_dirty_rate_bytes_per_second{{{ON_HOST}}}"),
                total(f"{migration}_iteration{{{ON_HOST}}}"),
                total(f"{migration}_expected_downtime_seconds{{{ON_HOST}}}"),
            ],
            [
                BY_NAME,
                OF_PROJECT,
                ON,
                column("operation", "Operation"),
                column("A", "For", "s", [(600, "orange"), (3600, "red")]),
                column("C", "Memory left", "bytes"),
                column("D", "Sent", "Bps"),
                column("E", "Written by the guest", "Bps"),
                column("F", "Iteration"),
                column("G", "Downtime expected", "s"),
                UUID,
            ],
            sort="For",
        ),
        12,
        7,
    )
    board.add(
        table(
            "Migrations that are over",
            "The last one of each instance away from the host, for ten minutes after the domain has gone. One that was aborted is none.",
            [
                f"sum by (instance, uuid, domain) ({migration}_last_duration_seconds{{{ON_HOST}}})",
                total(f"{migration}_last_downtime_seconds{{{ON_HOST}}}"),
                total(f"{migration}_last_memory_bytes{{{ON_HOST}}}"),
                total(f"{migration}_last_iterations{{{ON_HOST}}}"),
                f"sum by (instance, uuid) (time() - {migration}_last_timestamp_seconds{{{ON_HOST}}})",
            ],
            [
                DOMAIN,
                ON,
                column("A", "Took", "s"),
                column("B", "Downtime", "s", [(1, "orange"), (5, "red")]),
                column("C", "Sent", "bytes"),
                column("D", "Iterations"),
                column("E", "Ago", "s"),
                UUID,
            ],
        ),
        12,
        7,
    )


def events(board):
    board.row("Events")
    board.add(
        lines(
            "What happened",
            "Events of libvirt since the exporter listens. An event that a domain has for the first time is not in it, but for the four below.",
            [(f"sum by (event, detail) (increase(libvirt_domain_events_total{{{ON_HOST}}}{RATE})) > 0", "{{event}} {{detail}}")],
            bars=True,
            stacked=True,
        ),
        12,
        8,
    )
    alarming = 'event=~"crashed|io-error|stopped",detail=~"panicked|pause|crashed|failed"'
    board.add(
        lines(
            "What nobody wants to happen",
            "Panics of guests, pauses for an I/O error, crashes of QEMU, starts that failed. These begin at 0, so the first one is seen.",
            [(f"sum by (event, detail) (increase(libvirt_domain_events_total{{{ON_HOST},{alarming}}}{RATE}))", "{{event}} {{detail}}")],
            bars=True,
            limits=[(1, "red")],
        ),
        12,
        8,
    )


def pools(board):
    board.row("Storage pools", collapsed=True)
    board.add(
        table(
            "Storage pools",
            "As libvirt saw them at their last refresh. Empty where none is defined; Nova needs none. One that does not run has its state alone.",
            [
                f"max by (instance, storage_pool) (libvirt_storage_pool_state{{{ON_HOST}}})",
                f"sum by (instance, storage_pool) (libvirt_storage_pool_capacity_bytes{{{ON_HOST}}})",
                f"sum by (instance, storage_pool) (libvirt_storage_pool_allocation_bytes{{{ON_HOST}}})",
                f"sum by (instance, storage_pool) (libvirt_storage_pool_available_bytes{{{ON_HOST}}})",
            ],
            [
                ON,
                column("storage_pool", "Pool"),
                column("A", "State", mappings=[pool_states()]),
                column("B", "Capacity", "bytes"),
                column("C", "Allocation", "bytes"),
                column("D", "Available", "bytes"),
            ],
        ),
        24,
        7,
    )


def pool_states():
    states = ["inactive", "building", "running", "degraded", "inaccessible"]
    return {"type": "value", "options": {str(number): {"text": state, "index": number} for number, state in enumerate(states)}}


def exporter(board):
    board.row("The exporter", collapsed=True)
    own = "libvirt_nova_exporter"
    of_host = [LINE_TO_HOST]
    board.add(lines("How long a collection takes", "The last one, whoever asked for it.", [(f"{own}_collection_duration_seconds{{{ON_HOST}}}", "{{instance}}")], unit="s", links=of_host), 8, 7)
    board.add(
        lines(
            "Since libvirtd answered a poll",
            "CPU times are polled each second. It grows where libvirtd hangs.",
            [(f"time() - {own}_last_poll_timestamp_seconds{{{ON_HOST}}}", "{{instance}}")],
            unit="s",
            limits=[(10, "orange"), (60, "red")],
            links=of_host,
        ),
        8,
        7,
    )
    board.add(
        lines(
            "Calls that hang in libvirtd",
            "Each holds one of libvirtd's workers, 20 by default. A stuck guest costs one.",
            [(f"{own}_rpc_abandoned{{{ON_HOST}}}", "{{instance}}")],
            limits=[(4, "orange"), (12, "red")],
            links=of_host,
        ),
        8,
        7,
    )
    board.add(
        lines(
            "Calls that failed",
            "By libvirt's error number, or abandoned, disconnected, malformed. Absent until one has failed.",
            [(f"sum by (procedure, code) (rate({own}_rpc_errors_total{{{ON_HOST}}}{RATE}))", "{{procedure}} {{code}}")],
            unit="cps",
        ),
        8,
        7,
    )
    board.add(
        lines(
            "How long libvirtd takes to answer",
            "All but the slowest hundredth of each procedure's calls.",
            [(f"histogram_quantile(0.99, sum by (procedure, le) (rate({own}_rpc_duration_seconds_bucket{{{ON_HOST}}}{RATE})))", "{{procedure}}")],
            unit="s",
        ),
        8,
        7,
    )
    board.add(
        lines(
            "Domains that were not asked",
            "In the last collection, and why: held by libvirtd itself, too many calls hang, or its time was over.",
            [(f"sum by (instance, reason) ({own}_domains_skipped{{{ON_HOST}}})", "{{instance}} {{reason}}")],
            limits=[(1, "orange")],
            links=of_host,
        ),
        8,
        7,
    )
    board.add(
        table(
            "Exporters",
            "Which builds run where, and what they take.",
            [
                f"max by (instance, version, revision) ({own}_build_info{{{ON_HOST}}})",
                f"max by (instance) (time() - process_start_time_seconds{{{ON_HOST}}})",
                f"max by (instance) (process_resident_memory_bytes{{{ON_HOST}}})",
                f"max by (instance) (rate(process_cpu_seconds_total{{{ON_HOST}}}{RATE}))",
                f"max by (instance) ({own}_reconnects_total{{{ON_HOST}}})",
                f"max by (instance) (scrape_samples_scraped{{{ON_HOST}}})",
            ],
            [
                ON,
                column("version", "Version"),
                column("revision", "Revision"),
                column("B", "Runs since", "s"),
                column("C", "Memory", "bytes"),
                column("D", "CPU", "percentunit", decimals=2),
                column("E", "Connections made anew"),
                column("F", "Samples a scrape"),
            ],
        ),
        24,
        7,
    )
