#!/usr/bin/env python3
"""
Rounds of all faults in random order against receivers that are never restarted: how long until there is
sound again, at which latency, and that nothing is left behind.

  faults_rounds.py [--rounds N] [--seed N]

The same seed gives the same faults in the same order; without one each run has its own.
"""
import argparse
import contextlib
import os
import random
import secrets
import statistics
import sys
import time

import net
from common import Failure, Place, Skip, say
from faults_subject import Unsteady, subjects
from witness import Witness

ATTEMPTS = 3  # at a round that fails while the machine stalls,
CALM = 2.0    # when it has not for so many s,
PATIENCE = 10 # if that comes in this time


def figures(seconds):
    return 'sound after %4.0f ms, %4.0f at worst' % (1000 * statistics.median(seconds),
                                                     1000 * max(seconds))


def tell(found):
    took = {(x.name, name): seconds for x in found for name, seconds in x.took.items()}
    for (kind, name), seconds in sorted(took.items()):
        say('%-14s %-42s %3d times, %s' % (kind, name, len(seconds), figures(seconds)))
    for x in found:
        x.tell()
    every = [s for seconds in took.values() for s in seconds]
    if every:
        say('%-14s %-42s %3d times, %s' % ('all', '', len(every), figures(every)))


def wait_for_calm(witness):
    end = time.monotonic() + PATIENCE
    while witness.stalls(time.monotonic() - CALM) and time.monotonic() < end:
        time.sleep(CALM / 4)  # nothing must happen: there is no event to wait for


def one_round(x, name, fault, witness):
    """Why it has failed, '' if it has not. While others keep the machine that says nothing of us, and neither
    latency nor memory can be kept."""
    for n in reversed(range(ATTEMPTS)):
        begin = time.monotonic()
        try:
            x.round(name, fault)
            return ''
        except Failure as e:
            x.rig.scream.alive()
            why, forgiven = '%s; %s: %s' % (x.name, name, e), isinstance(e, Unsteady)
        stalls = witness.stalls(begin)
        if not stalls:
            return why
        why += '; the machine stalled %s' % ', '.join('%.0f ms' % ms for _, ms in stalls[:8])
        if n == 0 and not forgiven:
            return why
        say(('again: ' if n > 0 else 'not judged: ') + why)
        x.excuse()
        wait_for_calm(witness)
    return ''


def rounds(network, witness, count, seed):
    chance = random.Random(seed)
    failed, begin = 0, time.monotonic()
    with contextlib.ExitStack() as stack:
        found = list(subjects(stack, network))
        try:
            for n in range(count):
                x = chance.choice(found)
                why = one_round(x, *chance.choice(x.faults), witness)
                if why:
                    failed += 1
                    say('FAIL: round %d, %s' % (n + 1, why))
        finally:
            tell(found)
        if failed:
            raise Failure('%d of %d rounds' % (failed, count))
        if not witness.stalls(begin):
            for x in found:
                x.ends_as_it_began()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('  faults')[0])
    parser.add_argument('--rounds', type=int, default=100)
    parser.add_argument('--seed', type=int)
    args = parser.parse_args()
    if args.seed is None:
        args.seed = secrets.randbelow(1 << 31)
        sys.argv += ['--seed', str(args.seed)]
    net.reexecute()
    begin = time.monotonic()
    text = '%d rounds, seed %d' % (args.rounds, args.seed)
    say(text)
    try:
        with Place('faults') as place, net.Network(place) as network, Witness(place) as witness:
            rounds(network, witness, args.rounds, args.seed)
    except Failure as e:
        sys.exit('FAIL: %s; %s' % (e, text))
    except Skip as e:
        sys.exit('FAIL: %s' % e if os.environ.get('CI') == 'true' else 'skip: %s' % e)
    say('%s: ok in %.0f s' % (text, time.monotonic() - begin))


if __name__ == '__main__':
    main()
