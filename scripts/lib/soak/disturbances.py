"""What happens to guests and libvirtd: chosen by a seed, and undone by whoever did it."""

import random
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A disturbance: how many guests it takes and how long it lasts, and what it does."""

    what: str
    guests: tuple
    seconds: tuple
    do: object


@dataclass(frozen=True)
class Act:
    """A disturbance that was chosen."""

    kind: Kind
    guests: list
    after: float
    lasts: float

    def __str__(self):
        names = "".join(f" {guest.number}" for guest in self.guests)
        return f"+{self.after:.1f} s {self.kind.what}{names} for {self.lasts:.1f} s"


def come(bed, guests, wait):
    bed.up(guests[0])
    wait()
    bed.down(guests[0])


def go(bed, guests, wait):
    bed.down(guests[0])
    wait()
    bed.up(guests[0])


def suspend(bed, guests, wait):
    bed.suspend(guests[0])
    wait()
    bed.resume(guests[0])


def stop(bed, guests, wait):
    for guest in guests:
        bed.stop(guest)
    wait()
    for guest in guests:
        bed.go_on(guest)


def destroy_stopped(bed, guests, wait):
    bed.stop(guests[0])
    wait()
    # libvirtd holds the domain up until it gives QEMU up, which takes it 10 to 15 s.
    bed.down(guests[0])
    bed.up(guests[0])


def rename(bed, guests, wait):
    bed.rename(guests[0], f"renamed <&\"> {guests[0].number}")
    wait()
    bed.rename(guests[0], f"testing-{guests[0].number}")


def outage(how):
    def away(bed, _, wait):
        with bed.outage(how):
            wait()
    return away


COME = Kind("come: guest", (1, 1), (1, 6), come)
ON_LIBVIRTD = [
    Kind("libvirtd stopped and started", (0, 0), (0, 4), outage("stop")),
    Kind("libvirtd killed and started", (0, 0), (0, 4), outage("kill")),
    Kind("libvirtd frozen", (0, 0), (1, 5), outage("freeze")),
]
ON_GUESTS = [
    COME,
    Kind("gone: guest", (1, 1), (0, 5), go),
    Kind("suspended: guest", (1, 1), (1, 6), suspend),
    Kind("QEMU stopped: guest", (1, 1), (1, 9), stop),
    Kind("QEMUs stopped: guests", (2, 4), (2, 7), stop),
    Kind("destroyed while its QEMU is stopped: guest", (1, 1), (0, 4), destroy_stopped),
    Kind("renamed: guest", (1, 1), (0, 4), rename),
]


class Plan:
    """Rounds of disturbances that overlap; one seed, one plan. After a round all is as it was before."""

    def __init__(self, seed, residents, visitors):
        self._random = random.Random(seed)
        self._residents, self._visitors = residents, visitors

    def warm_up(self):
        """Every disturbance once."""
        kinds, daemons = list(ON_GUESTS), list(ON_LIBVIRTD)
        self._random.shuffle(kinds)
        self._random.shuffle(daemons)
        return [self._round([*kinds[at::3], daemon]) for at, daemon in enumerate(daemons)]

    def another(self):
        kinds = self._random.sample(ON_GUESTS, self._random.choice([1, 2, 2, 3]))
        if self._random.random() < 0.5:
            kinds.append(self._random.choice(ON_LIBVIRTD))
        return self._round(kinds)

    def _round(self, kinds):
        """No two of a round meet in a guest."""
        residents = self._random.sample(self._residents, len(self._residents))
        visitors = self._random.sample(self._visitors, len(self._visitors))
        acts = []
        for kind in kinds:
            free = visitors if kind is COME else residents
            guests = [free.pop() for _ in range(self._random.randint(*kind.guests))]
            acts.append(Act(kind, guests, self._random.uniform(0, 3), self._random.uniform(*kind.seconds)))
        return sorted(acts, key=lambda act: act.after)


def play(bed, acts):
    """Lets the acts of a round happen, and returns what went wrong with them."""
    faults = []

    def perform(act):
        time.sleep(act.after)
        try:
            act.kind.do(bed, act.guests, lambda: time.sleep(act.lasts))
        except Exception as error:  # whatever it is, the soak is over
            faults.append(f"{act}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=perform, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults
