"""The units' own sandbox: under the calls that they leave it, scream plays, confines its receiver and reconnects."""
import os
import sys

from common import ROOT, await_, check, need
from fallible import FalliblePipeWire, FalliblePulse
from hearing import Sender
from scream import by_memory

FILTER = os.path.join(ROOT, 'tests/live/unit_filter.py')


def filters(pid):
    """{name of a thread: how many seccomp filters it has}."""
    found = {}
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/status' % (pid, task)) as f:
            lines = dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
        found[lines['Name']] = int(lines.get('Seccomp_filters', '-1'))
    return found


def under(kind, unit):
    def test(place, network):
        need('systemd-analyze')
        path = place.file('shm')
        server = kind(place)
        server.prepare()
        prefix = (sys.executable, FILTER, os.path.join(ROOT, unit))
        with by_memory(place, server, path, prefix=prefix) as scream, \
                Sender(place, '-m', path, '-d', 30):
            await_('it to look for a server', lambda: scream.alive() and 'no sound yet' in scream.said(),
                   20)  # systemd and the compiler are asked first
            with server:
                await_('sound', lambda: scream.alive() and scream.said().count(': playing ') == 1)
                threads = filters(scream.pid)
                server.kill(server.daemons[0])
                server.revive(server.daemons[0])
                await_('sound again', lambda: scream.alive() and scream.said().count(': playing ') == 2)
            said = scream.said()
            check(scream.end() == 0, 'did not end well: ' + said[-300:])
        check('not confined' not in said, 'the receiver is not confined: ' + said[:300])
        check(threads['scream'] == 1 and threads['scream-receiver'] in (2, -1),
              'filters of its threads: %s' % threads)
        return ', '.join('%s %d' % t for t in sorted(threads.items()))
    return test


UNITS = ('scream.service', 'packaging/scream-ivshmem.service', 'packaging/scream@.service')
OWN = {'ExecStart', 'Environment', 'EnvironmentFile'}


def service_of(unit):
    """What its [Service] says, but for what each says in its own way."""
    with open(os.path.join(ROOT, unit)) as f:
        section = f.read().split('[Service]\n')[1].split('\n[')[0]
    lines = [line for line in section.split('\n') if line and not line.startswith('#')]
    return [line for line in lines if line.split('=')[0] not in OWN]


def alike(_place, _network):
    """What two of them are tried with below holds for the third."""
    first = service_of(UNITS[0])
    check(any(line.startswith('SystemCallFilter=') for line in first), 'no filter of calls: %s' % first)
    for unit in UNITS[1:]:
        differs = sorted(set(first) ^ set(service_of(unit)))
        check(not differs, '%s is not like %s: %s' % (unit, UNITS[0], differs))
    return '%d lines' % len(first)


TESTS = [('units: alike but for what they run', alike)]
TESTS += [('%s: %s' % (kind.output, os.path.basename(unit)), under(kind, unit)) for kind, unit in
         ((FalliblePulse, UNITS[0]), (FalliblePipeWire, UNITS[1]))]
