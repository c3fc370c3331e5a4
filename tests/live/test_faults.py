"""
What comes late, goes away and comes back on the receiving side: the sound does too, within a second
of the cause's end, without a restart; and what is absent costs no wake-up.
"""
import os
import signal
import socket
import subprocess
import time

from belongings import wake_ups
from common import Failure, await_, check
from ear import SILENCE, now
from faults import MIB, RECOVERY, once
from faults_file import FILE_FAULTS, Shared, restart_guest
from faults_network import BRIDGE_FAULTS, Bridged
from hearing import Hearing, Sender, figures
from net import BRIDGE, GUEST, HOST, ip
from scream import Scream, by_bridge, by_memory
from servers import Pulse

WATCHED = 2.0      # s for which wake-ups are counted
TAIL = 0.4         # s: all that was sent has been heard by then
IDLE_WAKE_UPS = 25 # a second, while a header has to be polled
RTMGRP_LINK, RTMGRP_IPV4_IFADDR = 1, 0x10


# ---- late starts ----

def late_interface(place, network):
    """Nothing, then a link that is down, then up, then its address."""
    network.remove_bridge()
    try:
        with Bridged(place, network) as rig, \
                Bridged(place, network, '-i', HOST, name='by-address') as by_address, \
                Bridged(place, network, '-p', '4010', name='plain') as plain:
            rigs = (rig, by_address, plain)
            rig.waits('there is no interface')
            by_address.waits('no interface has the address')
            plain.waits('listening to')
            rig.guest()
            ip('link', 'add', BRIDGE, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0')
            rig.waits('is down')
            for guest in network.guests:
                guest.attach()
            for r in rigs:
                r.ear.listen()
            ip('link', 'set', BRIDGE, 'up')
            rig.waits('no IPv4 address')
            ip('addr', 'add', HOST + '/24', 'dev', BRIDGE)
            seconds = [r.recovered('sound') for r in rigs]
            for r in rigs:
                r.waits('listening to')
                lines = [x for x in r.scream.said().splitlines() if 'waiting:' in x]
                check(len(lines) == len(set(lines)), 'said twice: ' + '; '.join(lines))
    finally:
        network.renew()
    check(max(seconds) <= RECOVERY, 'sound after %s s' % seconds)
    return 'by name, address and none: sound after %s ms' % ' '.join(
        '%.0f' % (1000 * s) for s in seconds)


def late_unicast(place, network):
    """No interface, no address, the address, another address and the old one again."""
    network.remove_bridge()
    guest = network.guests[0]
    seconds = []
    try:
        with Bridged(place, network, '-u', '-i', BRIDGE) as rig:
            rig.waits('there is no interface')
            network.make_bridge()
            rig.waits('listening to')
            rig.play('-t', HOST, prefix=guest.prefix)
            rig.ear.listen()
            guest.forget_neighbours()
            seconds.append(rig.recovered('sound'))
            ip('addr', 'del', HOST + '/24', 'dev', BRIDGE)
            rig.waits('no IPv4 address')
            ip('addr', 'add', '192.168.122.9/24', 'dev', BRIDGE)
            rig.waits('listening to')
            rig.ear.silent()
            ip('addr', 'del', '192.168.122.9/24', 'dev', BRIDGE)
            ip('addr', 'add', HOST + '/24', 'dev', BRIDGE)
            rig.ear.listen()
            guest.forget_neighbours()
            seconds.append(rig.recovered('sound'))
    finally:
        network.renew()
    check(max(seconds) <= RECOVERY, 'sound after %s s' % seconds)
    return 'sound after %s ms' % ' '.join('%.0f' % (1000 * s) for s in seconds)


# centiseconds; the bridge filters as if there were a querier, and asks nobody
SNOOPING = ('mcast_snooping', '1', 'mcast_query_interval', '100000', 'mcast_startup_query_count', '0',
            'mcast_query_response_interval', '10', 'mcast_membership_interval', '120')


def forgotten(place, network):
    """A snooping bridge on which nobody queries forgets us every 1.2 s."""
    network.remove_bridge()
    network.make_bridge(*SNOOPING)
    ip('link', 'set', BRIDGE, 'type', 'bridge', 'mcast_querier', '1')
    gaps = []
    try:
        with Bridged(place, network) as rig:
            rig.guest()
            for _ in range(2):
                rig.ear.listen()
                rig.ear.silent()
                await_('sound again', lambda: rig.ear.longest > SILENCE, 5)
                gaps.append(rig.ear.longest)
    finally:
        network.renew()
    text = '%s s without sound' % ' and '.join('%.2f' % g for g in gaps)
    check(max(gaps) <= 2, text)
    return text


def late_file(place, network):
    """No folder, no file, an empty one, too small a one, no magic, then a guest."""
    with Shared(place, network) as rig:
        rig.waits('there is no file')
        os.mkdir(rig.folder)
        for size, word in ((0, 'empty'), (100, '100 bytes'), (2 * MIB, 'listening to')):
            rig.make(size)
            rig.waits(word)
        restart_guest(rig)
        seconds = rig.recovered('sound')
        lines = [x for x in rig.scream.said().splitlines() if 'waiting:' in x]
    check(len(lines) == len(set(lines)) == 3, 'said: ' + '; '.join(lines))
    check(seconds <= RECOVERY, 'sound after %.2f s' % seconds)
    return 'sound after %.0f ms' % (1000 * seconds)


# ---- what waiting costs ----

def quiet(seconds):
    """Waits until the kernel has told no news of interfaces for so long."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as s:
        s.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR))
        s.settimeout(seconds)
        try:
            for _ in range(100):
                s.recv(1 << 16)
        except socket.timeout:
            return
    raise Failure('interfaces change all the time')


def waiting_costs(place, network):
    """No wake-up while the interface or file is absent, some while a header has to be polled."""
    with open(place.file('empty'), 'wb'), open(place.file('small'), 'wb') as small, \
            open(place.file('silent'), 'wb') as silent:
        small.truncate(5000)
        silent.truncate(2 * MIB)
    absent = [('-i', 'nosuch0'), ('-i', '192.168.9.9'), ('-u', '-i', 'nosuch0'),
              ('-m', place.file('missing')), ('-m', place.file('no/such/folder')),
              ('-m', place.file('empty')), ('-m', place.file('small'))]
    silent = [('-m', place.file('silent')), ('-i', BRIDGE)]
    children = []
    try:
        for n, options in enumerate(absent + silent):
            children.append(Scream(place, '-o', 'raw', *options, name='scream%d' % n,
                                   stdout=subprocess.PIPE))
        for child, options in zip(children, absent + silent):
            word = 'waiting: ' if options in absent else 'listening to '
            await_('%s: %s' % (options, word), lambda c=child, w=word: w in c.said())
        quiet(1.2)  # interfaces that were made before this test
        before = [wake_ups(c.pid) for c in children]
        time.sleep(WATCHED)  # is the time that is measured
        counts = [wake_ups(c.pid) - b for c, b in zip(children, before)]
    finally:
        for child in children:
            child.end()
            child.process.stdout.close()
    awake = [(' '.join(o), n) for o, n in zip(absent, counts) if n]
    check(not awake, 'wake-ups in %g s: %s' % (WATCHED, awake))
    rates = [n / WATCHED for n in counts[len(absent):]]
    check(max(rates) <= IDLE_WAKE_UPS, 'wake-ups a second with a silent guest: %s' % rates)
    return '0 while absent; a second with a silent guest: %.1f by memory, %.1f by network' % tuple(
        rates)


# ---- into a real server ----

def in_pulse(place, start, send, fault):
    """The fault in the midst of a sound; how long it was away, and how late it is afterwards."""
    with Pulse(place) as server, \
            Hearing(place, server, log=place.file('send.sent')) as hearing, start(server) as scream:
        with send() as sender:
            await_('sound', lambda: 'playing' in scream.said())
            hearing.goes_on(1.0)  # of sound before
            fault(scream)
            sender.finish(15)
        hearing.goes_on(TAIL)
        scream.alive()
        v = hearing.heard()
    return v


def pulse_deleted(place, network):
    made = []

    def fault(scream):
        network.remove_bridge()
        await_('scream to wait', lambda: 'waiting: ' in scream.said())
        network.make_bridge()
        made.append(now())
    try:
        v = in_pulse(place, lambda server: by_bridge(place, server),
                     lambda: Sender(place, '-i', GUEST, '-s', 'noise', '-d', 3.5,
                                    prefix=network.guests[0].prefix), fault)
    finally:
        network.renew()
    first, last = v['runs'][0], v['runs'][-1]
    end = (last['sent'] + last['frames']) / v['rate']
    check(len(v['runs']) > 1, 'the sound was never away')
    check(end > 3.4, 'heard until %.2f s of 3.5 only' % end)
    start = v['clock']['start'] / 1e9
    begins = [start + run['recorded'] / v['rate'] for run in v['runs']]
    away = min((t for t in begins if t > made[0]), default=begins[-1]) - made[0]
    check(away <= RECOVERY, 'heard %.2f s after the bridge was there; %s' % (away, figures(v)))
    return 'heard %.0f ms after the bridge was there; %s; latency %.1f ms before, %.1f after' % (
        1000 * away, figures(v), first['latency']['median'], last['latency']['median'])


def pulse_file(place, network):
    """The guest's QEMU is killed, its file removed; another one comes."""
    path = place.file('shm')
    with open(path, 'wb') as f:
        f.truncate(2 * MIB)
    with Pulse(place) as server, \
            Hearing(place, server, log=place.file('second.sent')) as hearing, \
            by_memory(place, server, path) as scream:
        with Sender(place, '-m', path, '-s', 'sweep', name='first') as first:
            await_('sound', lambda: 'playing' in scream.said())
            first.end(signal.SIGKILL)
        os.unlink(path)
        await_('scream to wait', lambda: 'waiting: ' in scream.said())
        with open(path, 'wb') as f:
            f.truncate(2 * MIB)
        with Sender(place, '-m', path, '-s', 'noise', '-d', 1.5, name='second') as sender:
            sender.finish(10)
        hearing.goes_on(TAIL)
        scream.alive()
        v = hearing.heard()
    check(v['runs'], 'the second guest was not heard')
    begin, last = v['runs'][0]['sent'] / v['rate'], v['runs'][-1]
    check(begin <= RECOVERY, 'heard from %.2f s on only' % begin)
    check((last['sent'] + last['frames']) / v['rate'] > 1.4, 'not heard to its end')
    return 'the second guest was heard from %.2f s on; %s' % (begin, figures(v))


LATE = (late_interface, late_unicast, late_file, forgotten, waiting_costs)
TESTS = [(f.__name__.replace('_', ' '), f) for f in LATE]
TESTS += [('bridge ' + f.__name__.replace('_', ' '), once(Bridged, f)) for f in BRIDGE_FAULTS]
TESTS += [('file ' + f.__name__.replace('_', ' '), once(Shared, f)) for f in FILE_FAULTS]
TESTS += [('pulse: bridge deleted', pulse_deleted), ('pulse: file', pulse_file)]
