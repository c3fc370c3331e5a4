#!/usr/bin/env python3
"""
Rounds of all faults in random order against receivers that are never restarted: how long until there is
sound again, and that nothing is left behind.

  faults_rounds.py [--rounds N] [--seed N] [--most SECONDS]
"""
import argparse
import contextlib
import os
import random
import statistics
import sys
import time

import net
from common import Failure, Place, Skip, check, say
from faults import GROWTH, RECOVERY, grown_memory, one_round
from faults_file import FILE_FAULTS, Shared
from faults_network import BRIDGE_FAULTS, Bridged
from faults_servers import Served, daemon_faults, stream_faults
from fallible import OTHER, FalliblePipeWire, FalliblePulse
from servers import SINK


@contextlib.contextmanager
def served(place, kind):
    """(rig, its faults), in a place of its own, with a second sink to go to."""
    with Place('faults-' + kind.output) as own, kind(own) as server, \
            Served(own, server, name=kind.output) as rig:
        yield rig, [(name, with_two_sinks(fault)) for name, fault in
                    stream_faults() + list(daemon_faults(kind))]
        rig.deafen()


def with_two_sinks(fault):
    def begin(rig):
        if not rig.server.has(OTHER):
            rig.server.make_sink(OTHER)
            rig.server.set_default(SINK)
        fault(rig)
    return begin


def named(faults):
    return [(f.__name__.replace('_', ' '), f) for f in faults]


def tell(took, rigs):
    for (kind, name), seconds in sorted(took.items()):
        say('%-8s %-42s %3d times, sound after %4.0f ms, %4.0f at worst' % (
            kind, name, len(seconds), 1000 * statistics.median(seconds), 1000 * max(seconds)))
    for rig in rigs:
        grown_by = grown_memory(rig)
        say('%-8s memory %d KiB at last, %+d' % (rig.name, (rig.memory or [0])[-1], grown_by))
        check(grown_by <= GROWTH, '%s: %s KiB of memory' % (rig.name, rig.memory))


def rounds(place, network, count, seed, most):
    chance = random.Random(seed)
    took = {}
    with Bridged(place, network, name='bridge') as bridged, \
            Shared(place, network, name='file') as shared, \
            served(place, FalliblePulse) as pulse, served(place, FalliblePipeWire) as pipewire:
        kinds = [(bridged, named(BRIDGE_FAULTS)), (shared, named(FILE_FAULTS)), pipewire, pulse]
        for n in range(count):
            rig, faults = chance.choice(kinds)
            name, fault = chance.choice(faults)
            try:
                took.setdefault((rig.name, name), []).append(one_round(rig, name, fault, most))
            except Failure as e:
                raise Failure('round %d, %s: %s' % (n + 1, rig.name, e)) from None
        tell(took, [rig for rig, _ in kinds])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('  faults')[0])
    parser.add_argument('--rounds', type=int, default=100)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--most', type=float, default=RECOVERY, metavar='SECONDS')
    args = parser.parse_args()
    if '--seed' not in sys.argv:
        sys.argv += ['--seed', str(args.seed)]
    net.reexecute()
    say('%d rounds, seed %d' % (args.rounds, args.seed))
    try:
        with Place('faults') as place, net.Network(place) as network:
            rounds(place, network, args.rounds, args.seed, args.most)
    except Failure as e:
        sys.exit('FAIL: %s' % e)
    except Skip as e:
        sys.exit('FAIL: %s' % e if os.environ.get('CI') == 'true' else 'skip: %s' % e)


if __name__ == '__main__':
    main()
