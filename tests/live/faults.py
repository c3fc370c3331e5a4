"""
What all fault tests share: a receiver whose sound is listened to while things come, go away and come back,
and what a fault may cost it.
"""
import os
import signal
import subprocess
import threading
import time

from common import await_, check
from hearing import Sender
from scream import Scream

RECOVERY = 1.0     # s from a cause's end to sound
SILENCE = 0.25     # s without sound: it has ceased
GROWTH = 512       # KiB of memory that may be more at last than at first
MIB = 1 << 20


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Ear:
    """Reads what `scream -o raw` writes, or a recorder, and notes when; zeros: they are no sound."""

    def __init__(self, pipe=None, zeros=False):
        self.zeros = zeros
        self.last = 0.0     # time of the latest byte
        self.since = 0.0    # bytes from there on are waited for
        self.first = None   # time of the first one of those
        self.longest = 0.0  # the longest gap since then
        self.thread = None
        if pipe:
            self.attach(pipe)

    def attach(self, pipe):
        """From this one from now on; the former one has ended."""
        self.detach()
        self.thread = threading.Thread(target=self.run, args=(pipe,), daemon=True)
        self.thread.start()

    def detach(self):
        if self.thread:
            self.thread.join(5)

    def run(self, pipe):
        while data := os.read(pipe.fileno(), 1 << 16):
            if self.zeros and not data.strip(b'\0'):
                continue
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
        self.network = network
        self.become(place, name, Scream(place, '-o', 'raw', *options, name=name,
                                        stdout=subprocess.PIPE))
        self.ear = Ear(self.scream.process.stdout)

    def become(self, place, name, scream):
        self.place, self.name, self.scream = place, name, scream
        self.sender = None
        self.senders = 0
        self.memory = []  # KiB, after each round

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
        self.ear.detach()
        if self.scream.process.stdout:
            self.scream.process.stdout.close()


def last_line(text, words):
    lines = [line for line in text.splitlines() if any(w in line for w in words)]
    return lines[-1] if lines else ''


# ---- faults one by one, and in rounds ----

def once(kind, fault, most=RECOVERY):
    def test(place, network):
        with kind(place, network) as rig:
            rig.begin()
            fault(rig)
            seconds = rig.recovered('sound after it')
        check(seconds <= most, 'sound after %.2f s' % seconds)
        return 'sound after %.0f ms' % (1000 * seconds)
    return test


def resources(pid):
    """(open files, threads, KiB of memory)"""
    with open('/proc/%d/status' % pid) as f:
        memory = [int(line.split()[1]) for line in f if line.startswith('VmRSS')][0]
    return (len(os.listdir('/proc/%d/fd' % pid)), len(os.listdir('/proc/%d/task' % pid)), memory)


def wake_ups(pid, but=()):
    """Of all its threads so far, but those of these names."""
    total = 0
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/status' % (pid, task)) as f:
            status = dict(line.split(':', 1) for line in f)
        if status['Name'].strip() not in but:
            total += int(status['voluntary_ctxt_switches'])
    return total


def one_round(rig, name, fault, most):
    """Seconds to sound after it; no file and no thread of it is left behind."""
    rig.begin()
    before = resources(rig.scream.pid)
    fault(rig)
    seconds = rig.recovered('sound after ' + name)
    check(seconds <= most, '%s: sound after %.2f s' % (name, seconds))
    after = resources(rig.scream.pid)
    check(after[:2] == before[:2], '%s: %d files and %d threads, %d and %d before'
          % (name, *after[:2], *before[:2]))
    rig.memory.append(after[2])
    return seconds


def grown_memory(rig):
    """KiB by which its last quarter of rounds has more than the one before. Before that the ring is
    being touched for the first time, which takes some 12 s of sound."""
    quarter = len(rig.memory) // 4
    if quarter == 0:
        return 0
    return max(rig.memory[-quarter:]) - max(rig.memory[-2 * quarter:-quarter])
