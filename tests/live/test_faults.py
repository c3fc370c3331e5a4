#!/usr/bin/env python3
"""
What comes late, goes away and comes back on the receiving side: the sound does too, within a second
of the cause's end, without a restart; and what is absent costs no wake-up.

As a program: rounds of all faults in random order against receivers that are never restarted.

  test_faults.py [--rounds N] [--seed N] [--most SECONDS]
"""
import argparse
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import net
from common import Failure, Place, Skip, await_, check, say
from hearing import Hearing, Sender, figures
from net import BRIDGE, GUEST, HOST, ip
from scream import Scream, by_bridge, by_memory
from servers import Pulse

RECOVERY = 1.0     # s from a cause's end to sound
SILENCE = 0.25     # s without a byte: the sound has ceased
WATCHED = 2.0      # s for which wake-ups are counted
IDLE_WAKE_UPS = 25 # a second, while a header has to be polled
GROWTH = 512       # KiB of memory that may be more at last than at first
MIB = 1 << 20
RTMGRP_LINK, RTMGRP_IPV4_IFADDR = 1, 0x10


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Ear:
    """Reads what `scream -o raw` writes, and notes when."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.last = 0.0     # time of the latest byte
        self.since = 0.0    # bytes from there on are waited for
        self.first = None   # time of the first one of those
        self.longest = 0.0  # the longest gap since then
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while os.read(self.pipe.fileno(), 1 << 16):
            t = now()
            if self.first is None and t >= self.since:
                self.first = t
            if self.last:
                self.longest = max(self.longest, t - self.last)
            self.last = t

    def listen(self):
        """From now on."""
        self.since, self.longest = now(), 0.0
        self.first = None

    def heard(self, what='sound', seconds=3 * RECOVERY):
        """Seconds from listen() to the first byte; more follow it."""
        first = await_(what, lambda: self.first, seconds, every=0.005)
        await_(what + ' to go on', lambda: self.last > first + SILENCE / 5, 1, every=0.005)
        return first - self.since

    def silent(self):
        begin = now()
        await_('the sound to cease', lambda: now() - max(begin, self.last) > SILENCE, 10)


class Rig:
    """A receiver whose sound is listened to as bytes, and a guest that plays all the time."""

    def __init__(self, place, network, *options, name='scream'):
        self.place, self.network = place, network
        self.scream = Scream(place, '-o', 'raw', *options, name=name, stdout=subprocess.PIPE)
        self.ear = Ear(self.scream.process.stdout)
        self.sender = None
        self.senders = 0
        self.memory = []  # KiB, after each round
        self.name = name

    def play(self, *options, prefix=()):
        """The guest (another one) plays from now on."""
        self.senders += 1
        self.sender = Sender(self.place, '-s', 'noise', '-q', *options,
                             name='%s-send%d' % (self.name, self.senders), prefix=prefix)

    def stop(self, how=signal.SIGTERM):
        if self.sender:
            self.sender.end(how)
            os.unlink(self.sender.sent)
            os.unlink(self.sender.log)
        self.sender = None

    def waits(self, word):
        """It has said that it waits, and for what."""
        await_('scream to wait for "%s"' % word, lambda: self.scream.alive() and
               word in last_line(self.scream.said(), ('waiting: ', 'listening to ')))

    def recovered(self, what):
        seconds = self.ear.heard(what)
        self.scream.alive()
        return seconds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.scream.end()
        self.ear.thread.join(5)
        self.scream.process.stdout.close()


def last_line(text, words):
    lines = [line for line in text.splitlines() if any(w in line for w in words)]
    return lines[-1] if lines else ''


# ---- the network ----

class Bridged(Rig):
    """By multicast over virbr0, or as `options` say."""

    def __init__(self, place, network, *options, **more):
        super().__init__(place, network, *(options or ('-i', BRIDGE)), **more)

    def guest(self):
        self.play('-i', GUEST, prefix=self.network.guests[0].prefix)
        return self

    def begin(self):
        """Sound before the fault."""
        if not self.sender:
            self.guest()
        self.ear.listen()
        self.ear.heard('sound before the fault')


def deleted(rig):
    """libvirt's network is stopped and started: another interface of the same name."""
    rig.network.remove_bridge()
    rig.ear.silent()
    rig.waits('there is no interface')
    rig.network.make_bridge()
    rig.ear.listen()


def deleted_at_once(rig):
    """Likewise, between two looks."""
    rig.network.renew()
    rig.ear.listen()


def down(rig):
    ip('link', 'set', BRIDGE, 'down')
    rig.ear.silent()
    rig.waits('is down')
    ip('link', 'set', BRIDGE, 'up')
    rig.ear.listen()


def address_removed(rig):
    ip('addr', 'del', HOST + '/24', 'dev', BRIDGE)
    rig.waits('no IPv4 address')
    ip('addr', 'add', HOST + '/24', 'dev', BRIDGE)
    rig.ear.listen()
    rig.waits('listening to')


def address_changed(rig):
    for old, new in ((HOST, '192.168.122.9'), ('192.168.122.9', HOST)):
        ip('addr', 'del', old + '/24', 'dev', BRIDGE)
        ip('addr', 'add', new + '/24', 'dev', BRIDGE)
    rig.ear.listen()


def renamed(rig):
    """Another interface takes the name."""
    ip('link', 'set', BRIDGE, 'down')
    ip('link', 'set', BRIDGE, 'name', 'old0')
    rig.ear.silent()
    rig.network.make_bridge()
    rig.ear.listen()
    ip('link', 'del', 'old0')


# ---- shared memory ----

class Shared(Rig):
    """By a file, which the guest's QEMU has made."""

    def __init__(self, place, network, *options, **more):
        self.folder = place.file('guest')
        self.path = os.path.join(self.folder, 'shm')
        super().__init__(place, network, '-m', self.path, *options, **more)

    def make(self, size=2 * MIB):
        """A file of that size."""
        os.makedirs(self.folder, exist_ok=True)
        with open(self.path, 'ab') as f:
            f.truncate(size)

    def guest(self):
        self.play('-m', self.path, '--size', str(max(1, os.path.getsize(self.path) // MIB)))
        return self

    def begin(self):
        if not self.sender:
            self.make()
            self.guest()
        self.ear.listen()
        self.ear.heard('sound before the fault')


def quit_guest(rig):
    """Its QEMU is gone, without a word: the header stays as it is."""
    rig.stop(signal.SIGKILL)


def restart_guest(rig):
    rig.ear.listen()
    rig.guest()


def recreated(rig):
    quit_guest(rig)
    os.unlink(rig.path)
    rig.waits('there is no file')
    rig.make()
    restart_guest(rig)


def emptied_first(rig):
    """The file is gone, and a tmpfiles rule makes an empty one, which QEMU enlarges in steps."""
    quit_guest(rig)
    os.unlink(rig.path)
    rig.make(0)
    rig.waits('empty')
    rig.make(100)
    rig.waits('100 bytes')
    rig.make()
    restart_guest(rig)


def folder_removed(rig):
    quit_guest(rig)
    shutil.rmtree(rig.folder)
    rig.waits('there is no file')
    rig.make()
    restart_guest(rig)


def larger(rig):
    """Another file takes the name, at once."""
    quit_guest(rig)
    with open(rig.path + '.new', 'wb') as f:
        f.truncate(4 * MIB)
    os.rename(rig.path + '.new', rig.path)
    restart_guest(rig)


def grown(rig):
    quit_guest(rig)
    os.truncate(rig.path, 4 * MIB)
    restart_guest(rig)


def truncated(rig):
    quit_guest(rig)
    os.truncate(rig.path, 0)
    rig.waits('empty')
    rig.make()
    restart_guest(rig)


def truncated_at_once(rig):
    """While the guest plays, which dies of it, as QEMU would."""
    os.truncate(rig.path, 0)
    rig.make()
    quit_guest(rig)
    restart_guest(rig)


def reset(rig):
    """A stale, valid header until the next stream begins."""
    quit_guest(rig)
    rig.ear.silent()
    restart_guest(rig)


def window_missed(rig):
    """The stream ends and begins while we do not look."""
    os.kill(rig.scream.pid, signal.SIGSTOP)
    rig.stop()
    rig.guest()
    await_('the new stream', lambda: read_at(rig.path, 0, 4) == b'\x14\x20\x11\x11' and
           1 <= int.from_bytes(read_at(rig.path, 4, 2), 'little') < 10)
    os.kill(rig.scream.pid, signal.SIGCONT)
    rig.ear.listen()


def read_at(path, offset, size):
    with open(path, 'rb') as f:
        f.seek(offset)
        return f.read(size)


BRIDGE_FAULTS = (deleted, deleted_at_once, down, address_removed, address_changed, renamed)
FILE_FAULTS = (recreated, emptied_first, folder_removed, larger, grown, truncated,
               truncated_at_once, reset, window_missed)


def once(kind, fault, most=RECOVERY):
    def test(place, network):
        try:
            with kind(place, network) as rig:
                rig.begin()
                fault(rig)
                seconds = rig.recovered('sound after it')
        finally:
            if kind is Bridged:
                network.renew()
        check(seconds <= most, 'sound after %.2f s' % seconds)
        return 'sound after %.0f ms' % (1000 * seconds)
    return test


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
            rig.begin()
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

def wake_ups(pid):
    """Of all its threads, so far."""
    total = 0
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/status' % (pid, task)) as f:
            total += sum(int(line.split()[1]) for line in f
                         if line.startswith('voluntary_ctxt_switches'))
    return total


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
            time.sleep(1.0)  # of sound before
            fault(scream)
            sender.finish(15)
        time.sleep(0.4)  # all that was sent has been heard
        scream.alive()
        v = hearing.heard()
    return v


def pulse_deleted(place, network):
    def fault(scream):
        network.remove_bridge()
        await_('scream to wait', lambda: 'waiting: ' in scream.said())
        network.make_bridge()
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
    check(v['dropout_frames'] / v['rate'] <= RECOVERY, figures(v))
    return '%s; latency %.1f ms before, %.1f after' % (
        figures(v), first['latency']['median'], last['latency']['median'])


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
        time.sleep(0.4)  # all that was sent has been heard
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


# ---- rounds ----

def resources(pid):
    """(open files, threads, KiB of memory)"""
    with open('/proc/%d/status' % pid) as f:
        memory = [int(line.split()[1]) for line in f if line.startswith('VmRSS')][0]
    return (len(os.listdir('/proc/%d/fd' % pid)), len(os.listdir('/proc/%d/task' % pid)), memory)


def one_round(rig, fault, most):
    """Seconds to sound after it; no file and no thread of it is left behind."""
    rig.begin()
    before = resources(rig.scream.pid)
    fault(rig)
    seconds = rig.recovered('sound after ' + fault.__name__)
    check(seconds <= most, '%s: sound after %.2f s' % (fault.__name__, seconds))
    after = resources(rig.scream.pid)
    check(after[:2] == before[:2], '%s: %d files and %d threads, %d and %d before'
          % (fault.__name__, *after[:2], *before[:2]))
    rig.memory.append(after[2])
    return seconds


def grown_memory(rig):
    """KiB by which its last quarter of rounds has more than the one before. Before that the ring is
    being touched for the first time, which takes some 12 s of sound."""
    quarter = len(rig.memory) // 4
    if quarter == 0:
        return 0
    return max(rig.memory[-quarter:]) - max(rig.memory[-2 * quarter:-quarter])


def rounds(place, network, count, seed, most):
    chance = random.Random(seed)
    took = {}
    with Bridged(place, network, name='bridge') as bridged, \
            Shared(place, network, name='file') as shared:
        choices = [(bridged, f) for f in BRIDGE_FAULTS] + [(shared, f) for f in FILE_FAULTS]
        for n in range(count):
            rig, fault = chance.choice(choices)
            try:
                took.setdefault((rig.name, fault.__name__), []).append(one_round(rig, fault, most))
            except Failure as e:
                raise Failure('round %d: %s' % (n + 1, e)) from None
    for (kind, name), seconds in sorted(took.items()):
        say('%-7s %-18s %3d times, sound after %4.0f ms, %4.0f at worst' % (
            kind, name.replace('_', ' '), len(seconds), 1000 * statistics.median(seconds),
            1000 * max(seconds)))
    for rig in (bridged, shared):
        grown_by = grown_memory(rig)
        say('%-7s memory %d KiB at last, %+d' % (rig.name, rig.memory[-1], grown_by))
        check(grown_by <= GROWTH, '%s: %s KiB of memory' % (rig.name, rig.memory))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('As a program')[0])
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
