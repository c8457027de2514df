"""The readings of a run, by where and of whom."""

OURS, RAW, DEBIANS, VIRSH = "libvirt_nova", "raw loop", "prometheus-libvirt-exporter", "virsh domstats"
SUBJECTS = (OURS, RAW, DEBIANS, VIRSH)


def places(run):
    """Where it was measured: kind and number of domains."""
    found = {(reading["kind"], reading["domains"]) for reading in run["readings"]}
    return sorted(found)


def of(run, kind, domains, subject):
    """The readings of a subject, in the order of the rounds."""
    found = [reading for reading in run["readings"]
             if (reading["kind"], reading["domains"], reading["subject"]) == (kind, domains, subject)]
    return sorted(found, key=lambda reading: reading["round"])
