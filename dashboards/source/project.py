"""Projects: what each uses now, and what each has used, for the bill."""

from grafana import Dashboard, column, lines, stat, table
from instance import projects
from query import ABSENT, BALLOON, BY_NAME, LINE_TO_INSTANCE, LINE_TO_PROJECT, MONITOR, ON, PROJECT, RATE, UUID, to_project

OF_THEM = 'project_id=~"$project"'
INFO = f"libvirt_domain_openstack_info{{{OF_THEM}}}"
OVER = "[$__range]"
# Whoever was there in the time chosen, gone by now or not; a UUID has one project.
WAS_THERE = f"max by (instance, uuid, project_id) (last_over_time({INFO}{OVER}))"
# A project is its id. Should its instances have been made under two names, the table shows one.
NAMES = f"topk by (project_id) (1, max by (project_id, project_name) (last_over_time({INFO}{OVER})))"


def of_projects(vector):
    """What instances have now, by project; one that migrates is counted once."""
    return f"sum by (project_id, project_name) (max by (uuid, project_id, project_name) ({vector} * on (instance, uuid) group_left (project_id, project_name) {INFO}))"


def rates_of_projects(counter):
    """The same of a counter, which counts on both hosts while the instance migrates."""
    per_instance = f"sum by (instance, uuid) (rate({counter}{RATE}))"
    return f"sum by (project_id, project_name) ({per_instance} * on (instance, uuid) group_left (project_id, project_name) {INFO})"


def used(counter):
    """By how much a counter grew in the time chosen."""
    return f"sum by (project_id) (sum by (instance, uuid) (increase({counter}{OVER})) * on (instance, uuid) group_left (project_id) {WAS_THERE})"


def hours(gauge):
    """A gauge by the hours that it was so: its samples, each for the time to the next."""
    by_project = f"sum by (project_id) (max by (uuid, project_id) ({gauge} * on (instance, uuid) group_left (project_id) {INFO}))"
    return f"sum_over_time(({by_project})[$__range:$__interval]) * $__interval_ms / 3.6e6"


def dashboard():
    board = Dashboard(
        PROJECT,
        "libvirt_nova / Project",
        "What projects use and have used, from libvirt_nova alone. A project is its id; its name is what Nova wrote when the instance was made.",
        [projects("By its name; its identity is the id, which Keystone's API takes.")],
        time="now-24h",
        refresh="",
    )
    now(board)
    bill(board)
    course(board)
    instances(board)
    return board.json


def now(board):
    board.row("Now")
    board.add(stat("Projects", "Projects that have an instance, running or not.", [(f"count(group by (project_id) ({INFO}))", "")]), 4, 4)
    board.add(stat("Instances", "Each once, whichever hosts know it, running or not.", [(f"count(group by (uuid) ({INFO}))", "")]), 4, 4)
    board.add(
        stat(
            "vCPUs in use, allocated",
            "Over the last second, of instances that run.",
            [
                (f"sum(libvirt_nova_instance_vcpus_in_use * on (instance, libvirtname) group_left () libvirt_nova_instance_info{{{OF_THEM}}})", "in use"),
                (f"sum(libvirt_nova_instance_vcpu_count * on (instance, libvirtname) group_left () libvirt_nova_instance_info{{{OF_THEM}}})", "allocated"),
            ],
            decimals=1,
        ),
        8,
        4,
    )
    used_now = "(libvirt_domain_memory_stats_available_bytes - libvirt_domain_memory_stats_usable_bytes)"
    board.add(
        stat(
            "Memory granted, used",
            f"Of instances that run. {BALLOON}",
            [
                (f"sum(libvirt_domain_memory_stats_current_balloon_bytes * on (instance, uuid) group_left () {INFO})", "granted"),
                (f"sum({used_now} * on (instance, uuid) group_left () {INFO})", "used"),
            ],
            unit="bytes",
        ),
        8,
        4,
    )


def bill(board):
    board.row("In the time chosen")
    value = table(
        "What each project has used",
        "Over the time chosen above, instances that are gone by now included. vCPU and memory hours are what was granted to instances that ran. "
        "A counter counts from its first scrape on, so an instance that lived shorter than two scrapes is not in it. "
        f"{MONITOR} For months and thousands of instances, take recording rules.",
        [
            f"group by (project_id, project_name) ({NAMES})",
            f"{used('libvirt_domain_info_cpu_time_seconds_total')} / 3600",
            hours("libvirt_domain_vcpu_current"),
            f"{hours('libvirt_domain_memory_stats_current_balloon_bytes')} / 2^30",
            used("libvirt_domain_block_stats_read_bytes_total"),
            used("libvirt_domain_block_stats_write_bytes_total"),
            used("libvirt_domain_interface_stats_receive_bytes_total"),
            used("libvirt_domain_interface_stats_transmit_bytes_total"),
        ],
        [
            column("project_name", "Project", link=to_project()),
            column("B", "CPU hours", decimals=3),
            column("C", "vCPU hours", decimals=3),
            column("D", "Memory GiB hours", decimals=3),
            column("E", "Read", "bytes"),
            column("F", "Written", "bytes"),
            column("G", "Received", "bytes"),
            column("H", "Transmitted", "bytes"),
            column("project_id", "Project id", link=to_project()),
        ],
        sort="CPU hours",
    )
    # The finer the steps, the better an instance that lived shortly is counted: 5 min in a month.
    value["maxDataPoints"] = 8640
    board.add(value, 24, 10)
    per_instance = f"sum by (uuid) (increase(libvirt_domain_info_cpu_time_seconds_total{OVER}) * on (instance, uuid) group_left () {WAS_THERE})"
    name = f"topk by (uuid) (1, max by (uuid, instance_name, project_name) (last_over_time({INFO}{OVER})))"
    board.add(
        table(
            "Who has used most CPU hours",
            "The 20 instances that used most in the time chosen, all hosts that they were on together.",
            [f"topk(20, {per_instance} * on (uuid) group_left (instance_name, project_name) {name}) / 3600"],
            [BY_NAME, column("project_name", "Project"), column("A", "CPU hours", decimals=3), UUID],
            sort="CPU hours",
        ),
        24,
        8,
    )


def course(board):
    board.row("Over time")
    named = "{{project_name}}"
    cpu = rates_of_projects("libvirt_domain_info_cpu_time_seconds_total")
    board.add(lines("vCPUs in use", "On average between scrapes.", [(cpu, named)], stacked=True, links=[LINE_TO_PROJECT]), 12, 8)
    board.add(
        lines(
            "vCPUs in use of those allocated",
            "How much of what it was given a project uses.",
            [(f"{cpu} / {of_projects('libvirt_domain_vcpu_current')}", named)],
            unit="percentunit",
            links=[LINE_TO_PROJECT],
        ),
        12,
        8,
    )
    board.add(
        lines(
            "Memory granted",
            f"To instances that run. {ABSENT}",
            [(of_projects("libvirt_domain_memory_stats_current_balloon_bytes"), named)],
            unit="bytes",
            stacked=True,
            links=[LINE_TO_PROJECT],
        ),
        8,
        8,
    )
    for family, title, words in (("block_stats", "Disks", ("read", "write")), ("interface_stats", "Network", ("receive", "transmit"))):
        both = " + ".join(f"({rates_of_projects(f'libvirt_domain_{family}_{word}_bytes_total')})" for word in words)
        board.add(lines(title, f"Bytes a second, both directions together. {ABSENT}", [(both, named)], unit="Bps", stacked=True, links=[LINE_TO_PROJECT]), 8, 8)


def instances(board):
    board.row("Instances")
    by = "max by (instance, uuid)"
    board.add(
        table(
            "All instances",
            f"All that hosts know, running or not, a line a host. {ABSENT}",
            [
                f"group by (instance, uuid, instance_name, project_name, flavor_name) ({INFO})",
                f"max by (instance, uuid, state) (libvirt_domain_state * on (instance, uuid) group_left () {INFO}) == 1",
                f"{by} (libvirt_domain_info_virtual_cpus * on (instance, uuid) group_left () {INFO})",
                f"sum by (instance, uuid) (rate(libvirt_domain_info_cpu_time_seconds_total{RATE}) * on (instance, uuid) group_left () {INFO})",
                f"{by} (libvirt_domain_info_maximum_memory_bytes * on (instance, uuid) group_left () {INFO})",
                f"{by} (libvirt_domain_memory_stats_used_percent * on (instance, uuid) group_left () {INFO})",
            ],
            [
                BY_NAME,
                column("project_name", "Project"),
                column("flavor_name", "Flavor"),
                ON,
                column("state", "State"),
                column("C", "vCPUs"),
                column("D", "In use", decimals=2),
                column("E", "Memory", "bytes"),
                column("F", "Memory used", "percent", [(90, "orange"), (97, "red")], decimals=0),
                UUID,
            ],
            sort="In use",
        ),
        24,
        10,
    )
    board.add(
        lines(
            "vCPUs in use by instance",
            "The ten that use most at each moment, on average between scrapes.",
            [(f"topk(10, rate(libvirt_domain_info_cpu_time_seconds_total{RATE}) * on (instance, uuid) group_left (instance_name, project_name) {INFO})", "{{instance_name}} ({{project_name}})")],
            links=[LINE_TO_INSTANCE],
        ),
        24,
        8,
    )
