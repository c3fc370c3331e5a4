"""
A guest and a network that mean harm: nothing breaks, nothing spins, and who plays honestly is heard.

HOSTILE_SECONDS=600   how long each of them goes on; without it, two seconds, and none of the floods
"""
import functools
import os
import time

import belongings
from common import BUILD, Child, Failure, await_, check
from ear import now
from faults import MIB
from faults_file import Shared
from hearing import Hearing, figures
from net import GUEST
from scream import GROUP, by_bridge
from servers import Pulse
from test_play import compare, guest, stalls, whole

SECONDS = float(os.environ.get('HOSTILE_SECONDS', '2'))
RATE = 100000    # packets a second
TAIL = 0.4       # s: all that was sent has been heard by then
CALM = 5         # s without a flood: where the latency lies
CONTROL = 50     # s of the server's own player under the flood, at most: of a longer run it has fewer dropouts
# of a processor, while a guest scribbles; a sanitizer takes as much again
CPU = 0.15 if 'ASAN_OPTIONS' in os.environ else 0.05
RECOVERY = 1.0   # s until an honest guest is heard
GROWTH = 2048    # KiB of memory
LATER = 2.0      # ms: latency beside that of a run without a flood
SPARE = 18.0  # ms that are kept against lateness at first, and given back where there is none
KEPT = 150.0  # s: not sooner than that
FLOOD, SCRIBBLE = os.path.join(BUILD, 'flood'), os.path.join(BUILD, 'scribble')
KINDS = ('noise', 'header', 'index', 'formats', 'ring')
CPU_CLOCK = 2    # the kernel's number of a process's clock is made of its complement and this


def cpu(pid):
    """Seconds of a processor, of all its threads, those that have ended too."""
    return time.clock_gettime(~pid << 3 | CPU_CLOCK)


def confined(pid):
    """Names of the threads that have a system call filter more than the others."""
    filters = {}
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/status' % (pid, task)) as f:
            fields = dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
        if 'Seccomp_filters' not in fields:
            return None  # a kernel older than 5.9
        filters[fields['Name']] = int(fields['Seccomp_filters'])
    return [name for name, n in filters.items() if n > min(filters.values())]


def remake(rig, kind):
    """What else an owner may do to its file."""
    if kind == 'cut':
        os.truncate(rig.path, 30)
    elif kind == 'empty':
        os.truncate(rig.path, 0)
    elif kind == 'grow':
        os.truncate(rig.path, 8 * MIB)
    elif kind == 'replace':
        os.unlink(rig.path)
        rig.make()
    os.truncate(rig.path, 2 * MIB)


def memory(place, network):
    """Headers and samples at full speed, one kind after the other; the file cut, grown and replaced."""
    shares, each = [], SECONDS / len(KINDS)
    with Shared(place, network) as rig:
        rig.make()
        rig.scream.holds(rig.path)
        await_('the receiver thread, and no other, to be confined', lambda: confined(
            rig.scream.pid) in (None, ['scream-receiver']))
        files = belongings.files(rig.scream.pid).total()  # all that it needs is open by then
        for kind in KINDS:
            begin, used = now(), cpu(rig.scream.pid)
            with Child(place, 'scribble', [SCRIBBLE, rig.path, int(SECONDS) + 2, kind]):
                time.sleep(each / 2)  # of it alone: what it costs is measured
                for change in ('cut', 'empty', 'grow', 'replace'):
                    remake(rig, change)
                    time.sleep(each / 8)  # likewise
            rig.scream.alive()
            shares.append((cpu(rig.scream.pid) - used) / (now() - begin))
        text = ', '.join('%s %.1f' % (k, 100 * s) for k, s in zip(KINDS, shares)) + ' % of a processor'
        check(sum(shares) / len(shares) <= CPU, text)  # a kind alone is too short to be judged
        rig.ear.listen()
        rig.guest()
        seconds = rig.recovered('the honest guest')
        after = belongings.files(rig.scream.pid).total()
        check(after <= files + 1, 'open files: %d, then %d' % (files, after))
        check(seconds <= RECOVERY, 'the honest guest was heard after %.2f s' % seconds)
    return '%s; an honest guest is heard after %.2f s' % (text, seconds)


STATES = (None, 0, 100)  # bytes of the file: none, or sizes that say different things
STORM = 2.0              # s
LINES = 12               # in a storm and after it, of a state that changes some thousand times


def renames(place, network):
    """Whoever may write into the folder makes the file come and go at speed: a few lines, and the last is true."""
    with Shared(place, network) as rig:
        os.makedirs(rig.folder)
        parts = []
        for size in STATES[1:]:
            parts.append(os.path.join(rig.folder, str(size)))
            with open(parts[-1], 'wb') as f:
                f.truncate(size)
        rig.waits('there is no file')
        begin, end, used, n = len(rig.scream.said()), now() + STORM, cpu(rig.scream.pid), 0
        while now() < end:
            for part in parts:
                os.rename(part, rig.path)
                os.rename(rig.path, part)
                n += 2
        used = (cpu(rig.scream.pid) - used) / STORM
        rig.make(100)
        rig.waits('100 bytes')
        rig.make()
        rig.waits('listening to')
        lines = rig.scream.said()[begin:].splitlines()
        text = '%d lines of %d renames, %.1f %% of a processor' % (len(lines), n, 100 * used)
        check(len(lines) <= LINES, '%s: %s' % (text, '; '.join(lines[-3:])))
    return text


def flooding(place, network, name, kind, seconds):
    """From the second guest's place; its own processes give way to all others."""
    two = network.guests[1]
    return Child(place, 'flood' + name, [FLOOD, '-n', RATE, '-d', seconds, '-k', kind, GROUP, 4010,
                                         two.address], prefix=(*two.prefix, 'chrt', '-i', '0'))


def play(place, network, server, name, seconds, *options, flood=None):
    """An honest guest's sound, and beside it, when there is one, a flood: the verdict and what it cost."""
    with Hearing(place, server, log=place.file('send.sent'), name='listen' + name) as hearing, \
            by_bridge(place, server, *options, name='scream' + name) as scream, \
            guest(place, network, '-s', 'noise', '-d', seconds + 1, '--log-bursts') as sender:
        await_('sound', lambda: 'playing' in scream.said())
        files, memory = belongings.files(scream.pid), belongings.memory(scream.pid)
        used, begin = cpu(scream.pid), now()
        if flood:
            with flooding(place, network, name, flood, seconds) as child:
                child.wait(seconds + 10)
        sender.finish(seconds + 10)
        hearing.goes_on(TAIL)
        scream.alive()
        used = (cpu(scream.pid) - used) / (now() - begin)
        more = belongings.difference(belongings.files(scream.pid), files)
        check(not more, 'open files: ' + more)
        grown = belongings.memory(scream.pid) - memory
        check(grown < GROWTH, 'memory: %+d KiB' % grown)
        return hearing.heard(), used


def dropped(place, name):
    """What the receiver has told of."""
    with open(place.file('scream%s.log' % name)) as f:
        return [line.strip() for line in f if 'kernel' in line or 'dropped' in line]


def stalled(place, v):
    """Somebody was held up: the guest, or whoever ran on this machine, which teaches a receiver to hold more in store."""
    return stalls(place.file('send.sent')) or place.witness.stalls(v['clock']['start'] / 1e9)


def flooded(kind, options, place, network):
    """A hundred thousand packets a second from everywhere change nothing of what is heard."""
    with Pulse(place) as server:
        calm, _ = play(place, network, server, 'calm', CALM)
        os.unlink(place.file('send.sent'))
        v, used = play(place, network, server, 'beside', SECONDS, *options, flood=kind)
        try:
            whole(v, SECONDS + 1)
            with flooding(place, network, 'control', kind, CONTROL + 20):
                more = compare(place, server, v, min(SECONDS + 1, CONTROL))
        except Failure as e:
            raise Failure('%s; %s' % (e, dropped(place, 'beside'))) from None
        later = v['latency']['median'] - calm['latency']['median']
        with open(place.file('floodbeside.log')) as f:
            rate = int(f.read().split()[0]) / SECONDS
        text = '%d dropouts, %+.2f ms, %.0f a second, %.0f %% of a processor%s' % (
            v['dropouts'], later, rate, 100 * used, more)
        sooner = SPARE if SECONDS > KEPT else LATER
        check(-sooner < later < LATER or stalled(place, v), '%s; %s' % (text, figures(v)))
    return text


TESTS = [('memory', memory), ('renames', renames)]
if 'HOSTILE_SECONDS' in os.environ:
    TESTS += [('floods of ' + label, functools.partial(flooded, kind, options)) for label, kind, options in (
        ('noise', 'noise', ()), ('formats', 'formats', ()), ('both', 'mixed', ()),
        ('formats, allowed', 'formats', ('--allow', GUEST)))]
