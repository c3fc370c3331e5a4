"""
One receiver in rounds of faults: what each of them costs it in time, latency, files, threads and memory,
beside what it had at first.
"""
import math

import belongings
from common import Failure, Place, await_, check, say
from ear import now
from fallible import OTHER, FallibleAlsa, FalliblePipeWire, FalliblePulse, PulseFace
from faults import RECOVERY, named, while_paused
from faults_file import FILE_FAULTS, Shared
from faults_network import BRIDGE_FAULTS, Bridged
from faults_servers import Served, daemon_faults, paused_faults, stream_faults
from net import BRIDGE
from servers import SINK

# The automatic target learns from each time that a busy machine is late; what is asked for is kept.
TARGET = ('-t', '100')
NEAR = 2.0    # ms by which a latency may differ from that before,
LUCK = 6.0    # or of ALSA's plugin, whose starts differ by 4; of PipeWire's stand-in, which may be a quantum or two
              # later and says nothing of it, it is only told
SETTLE = 30.0 # so many s after a fault at most: a server may tell its delay wrongly for three; and a sound that was
              # late for the end of a pause is heard whole, or ALSA's plugin has taken up to 30 ms more than it told
              # of when its stream was moved, which is more in store, given back by 1 ms a second
STARTED = 4.0 # s for which a sound has played before a fault: in the first three it holds what it has, not what it
              # should
# One heap, no larger than what is in it: what is left behind cannot hide there, and what is not makes no steps.
ONE_HEAP = {'MALLOC_ARENA_MAX': '1', 'MALLOC_TOP_PAD_': '0', 'MALLOC_TRIM_THRESHOLD_': '0'}
# KiB that may be more. What happens for the first time touches what libraries keep for the next time (PipeWire's:
# 340), what has happened before has nothing to add. A player that is left behind has 200.
FIRST_GROWTH, GROWTH = 512, 192
PLUGIN_GROWTH = 576  # ALSA's pulse plugin: 36 KiB at each loss of its server, until it is 512 after 15 of them,
                     # and no more in 24 others


class Unsteady(Failure):
    """Of the latency, or of memory: sound that nobody takes piles up there."""


def steady(condition, text):
    if not condition:
        raise Unsteady(text)


class Subject:
    def __init__(self, rig, faults, near=NEAR, growth=GROWTH):
        self.rig, self.name, self.faults, self.near = rig, rig.name, faults, near
        self.growth = growth
        self.files = self.threads = None  # in its first sound, or fewer that it has had since
        self.first = self.latency = None  # ms: of its first sound, and of the latest one
        self.soon = []                    # ms by which it differed at once after each fault
        self.memory = 0                   # KiB, after the latest fault
        self.grown = 0                    # KiB, by faults that had happened before
        self.took = {}                    # name of a fault: [s to sound]

    def stock(self):
        pid = self.rig.scream.pid
        return belongings.files(pid), belongings.threads(pid)

    def begin(self):
        self.rig.begin()
        await_('a sound that has started', lambda: now() - self.rig.played > STARTED, STARTED + 1)
        if self.files is None:
            self.files, self.threads = self.stock()
        if self.latency is None:
            self.latency = self.rig.latency()
        if self.first is None:
            self.first = self.latency

    def settle(self):
        """Waits until the latency is what it was before, or the time for that is over."""
        end = now() + SETTLE
        before, self.latency = self.latency, self.rig.latency()
        self.soon.append(self.latency - before)
        while abs(self.latency - before) > self.near and now() < end:
            self.latency = self.rig.latency()
        return self.latency - before

    def weigh(self, name):
        """What it has come to have in memory by that fault."""
        before, self.memory = self.memory, belongings.memory(self.rig.scream.pid)
        if name not in self.took:
            steady(not before or self.memory - before <= FIRST_GROWTH, 'memory: %d KiB, %d before'
                   % (self.memory, before))
            return
        self.grown += self.memory - before
        steady(self.grown <= self.growth, 'memory: %d KiB, %d before, %+d by faults that had happened before'
               % (self.memory, before, self.grown))

    def round(self, name, fault):
        self.begin()
        fault(self.rig)
        seconds = self.rig.recovered('sound after it')
        files, threads = self.stock()
        off = self.settle()
        more = (files - self.files) + (threads - self.threads)
        check(not more, 'it has %s more' % dict(more))
        self.files, self.threads = files, threads
        check(seconds <= RECOVERY, 'sound after %.2f s' % seconds)
        self.weigh(name)
        self.took.setdefault(name, []).append(seconds)
        steady(abs(off) <= self.near, 'the latency is off by %+.1f ms, and by %+.1f at last'
               % (self.soon[-1], off))

    def excuse(self):
        """The machine has stalled: what it holds has suffered, and comes back as slowly as pitch allows."""
        self.rig.stop()
        self.latency, self.grown = None, 0

    def tell(self):
        if self.soon and self.latency:
            say('%-14s latency %.1f ms at first, %.1f at last, %+.1f to %+.1f at once after a fault; '
                'memory %d KiB, %+d by repeated faults'
                % (self.name, self.first, self.latency, min(self.soon), max(self.soon),
                   self.memory, self.grown))

    def ends_as_it_began(self):
        off = self.latency - self.first if self.latency else 0
        check(abs(off) <= self.near, '%s: the latency has moved by %+.1f ms' % (self.name, off))


def with_two_sinks(fault):
    def begin(rig):
        if not rig.server.has(OTHER):
            rig.server.make_sink(OTHER)
            rig.server.set_default(SINK)
        fault(rig)
    return begin


def subjects(stack, network):
    """All receivers, each with a server and in a place of its own; they play all the time."""
    def place(name):
        return stack.enter_context(Place('faults-' + name))

    def server(name, kind):
        s = stack.enter_context(kind(place(name + '-server')))
        s.env.update(ONE_HEAP)
        return s

    for name, kind, options, faults in (('bridge', Bridged, ('-i', BRIDGE), BRIDGE_FAULTS),
                                        ('file', Shared, (), FILE_FAULTS)):
        rig = stack.enter_context(kind(place(name), network, *options, *TARGET, name=name,
                                       server=server(name, FalliblePulse)))
        yield Subject(rig, named(faults) + named(map(while_paused, faults)))
    for name, kind, near in (('pulse', FalliblePulse, NEAR), ('pipewire', FalliblePipeWire, NEAR),
                             ('alsa', FallibleAlsa, LUCK), ('pipewire-pulse', PulseFace, math.inf)):
        rig = stack.enter_context(Served(place(name), server(name, kind), *TARGET, name=name))
        faults = [*stream_faults(), *daemon_faults(kind), *paused_faults(kind)]
        yield Subject(rig, [(n, with_two_sinks(f)) for n, f in faults], near,
                      PLUGIN_GROWTH if kind is FallibleAlsa else GROWTH)
