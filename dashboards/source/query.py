"""PromQL that all three dashboards need: who is who, and the columns that say so."""

from grafana import column, link

HOST, INSTANCE, PROJECT = "libvirt-nova-host", "libvirt-nova-instance", "libvirt-nova-project"

# A host is Prometheus' own label for what it scrapes.
ON_HOST = 'instance=~"$host"'
RATE = "[$__rate_interval]"

HOSTS = "label_values(libvirt_up, instance)"

ABSENT = "What libvirt did not say is absent, never 0."
MONITOR = "A guest whose QEMU does not answer is absent here until it does."
BALLOON = "Absent for a guest without a balloon driver, or with a silent one."


def total(vector):
    """Of the domain, whichever its vCPUs, disks or NICs; `job` and libvirt's name are left out."""
    return f"sum by (instance, uuid) ({vector})"


def named(vector, matchers=ON_HOST):
    """With the names of instance and project; of Nova's domains alone. `vector` has `instance` and `uuid`."""
    return f"{vector} * on (instance, uuid) group_left (instance_name, project_name) libvirt_domain_openstack_info{{{matchers}}}"


def named_or_not(vector, *labels):
    """The same of every domain, for a table: nobody who is in trouble is left out for want of a name."""
    kept = ", ".join(("instance", "uuid", "domain", "instance_name", "project_name", *labels))
    return f"max by ({kept}) ({named(f'({vector})')} or on (instance, uuid) ({vector}))"


def with_uuid(vector, matchers=ON_HOST):
    """A family that has Nova's words for labels, with the UUID and the project's id."""
    return f"{vector} * on (instance, libvirtname) group_left (uuid, project_id) libvirt_nova_instance_info{{{matchers}}}"


def latency(operation, matchers=ON_HOST):
    """How long a request takes; of disks that have requests, for without there is no such time."""
    time = f"rate(libvirt_domain_block_stats_{operation}_time_seconds_total{{{matchers}}}{RATE})"
    requests = f"rate(libvirt_domain_block_stats_{operation}_requests_total{{{matchers}}}{RATE})"
    return f"{time} / ({requests} > 0)"


def to_host(field="instance"):
    return link("The host", HOST, host=f"${{__data.fields.{field}}}")


def to_instance(field="uuid"):
    return link("The instance", INSTANCE, uuid=f"${{__data.fields.{field}}}")


def to_project(field="project_id"):
    return link("The project", PROJECT, project=f"${{__data.fields.{field}}}")


# What a line in a graph leads to.
LINE_TO_INSTANCE = link("The instance", INSTANCE, uuid="${__field.labels.uuid}")
LINE_TO_HOST = link("The host", HOST, host="${__field.labels.instance}")
LINE_TO_PROJECT = link("The project", PROJECT, project="${__field.labels.project_id}")

# Columns that tables share.
BY_NAME = column("instance_name", "Instance", link=to_instance())
OF_PROJECT = column("project_name", "Project")
ON = column("instance", "Host", link=to_host())
UUID = column("uuid", "UUID", link=to_instance())
DOMAIN = column("domain", "Domain")

# What a line of an instance is called.
NAME = "{{instance_name}} ({{project_name}})"
