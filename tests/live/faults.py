"""
What all fault tests share: a receiver whose sound is listened to while things come, go away and come back,
and what a fault may cost it.
"""
import os
import signal
import subprocess

from common import Child, await_, check
from ear import Ear, now
from hearing import Hearing, Sender
from scream import Scream

RECOVERY = 1.0     # s from a cause's end to sound
LISTENED = 1.0     # s for which a latency is measured
MIB = 1 << 20


class Rig:
    """A receiver and a guest; what it writes is listened to, or what a server that it plays to records."""

    def __init__(self, place, network, *options, name='scream', server=None):
        self.place, self.network, self.name, self.server = place, network, name, server
        self.sender = self.recorder = None
        self.senders = self.measured = 0
        self.played = now()  # since when the guest does
        if server:
            into = () if '-o' in options else ('-o', server.output)
            self.scream = Scream(place, *into, *options, env=server.env, name=name)
            self.ear = Ear(zeros=True)
        else:
            self.scream = Scream(place, '-o', 'raw', *options, name=name, stdout=subprocess.PIPE)
            self.ear = Ear(self.scream.process.stdout)

    def guest(self):
        """Begins to play, as this kind of guest does."""
        raise NotImplementedError

    def play(self, *options, prefix=()):
        """The guest (another one) plays from now on."""
        self.senders += 1
        self.played = now()
        self.sender = Sender(self.place, '-s', 'noise', '-q', *options,
                             name='%s-send%d' % (self.name, self.senders), prefix=prefix)

    def stop(self, how=signal.SIGTERM):
        if self.sender:
            self.sender.end(how)
            os.unlink(self.sender.sent)
            os.unlink(self.sender.log)
        self.sender = None

    def begin(self):
        """Sound before the fault."""
        if not self.sender:
            self.guest()
        self.hear()
        self.ear.begins('sound before the fault')

    def hear(self):
        """From now on; of a server by a recorder that has just begun: the former may have gone with it."""
        if not self.server:
            self.ear.listen()
            return
        begin = now()
        self.deafen()
        self.ear.listen()
        self.ear.since = begin
        argv, env = self.server.recorder()
        self.recorder = Child(self.place, self.name + '-recorder', argv, env=env,
                              stdout=subprocess.PIPE)
        self.ear.attach(self.recorder.process.stdout)

    def deafen(self):
        if self.recorder:
            self.recorder.end()
            self.ear.detach()
            self.recorder.process.stdout.close()
        self.recorder = None

    def pause(self):
        """The guest is silent, and the output is paused for it."""
        begin = len(self.scream.said())
        self.stop()
        self.says('is paused', begin, 5)

    def latency(self):
        """ms, of sound in a server that is not interrupted any more."""
        self.measured += 1
        with Hearing(self.place, self.server, log=self.sender.sent,
                     name='%s-listen%d' % (self.name, self.measured)) as hearing:
            hearing.goes_on(LISTENED)
            v = hearing.heard()
        check(v['latency'], 'no sound of the guest was recognised')
        return max(v['runs'], key=lambda run: run['frames'])['latency']['median']

    def waits(self, word):
        """It has said that it waits, and for what."""
        await_('scream to wait for "%s"' % word, lambda: self.scream.alive() and
               word in last_line(self.scream.said(), ('waiting: ', 'listening to ')))

    def says(self, word, begin, seconds=5.0):
        """In what it has said from that length on."""
        await_('scream to say "%s"' % word, lambda: self.scream.alive() and
               word in self.scream.said()[begin:], seconds)

    def recovered(self, what):
        seconds = self.ear.heard(what)
        self.scream.alive()
        return seconds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.deafen()
        self.stop()
        self.scream.end()
        self.ear.detach()
        if self.scream.process.stdout:
            self.scream.process.stdout.close()


def last_line(text, words):
    lines = [line for line in text.splitlines() if any(w in line for w in words)]
    return lines[-1] if lines else ''


def named(faults):
    """(name, fault) of each of these functions."""
    return [(f.__name__.replace('_', ' '), f) for f in faults]


def while_paused(fault):
    """That, while the guest is silent and the output is paused; then it plays."""
    def faulty(rig):
        rig.pause()
        fault(rig)
        if not rig.sender:
            rig.hear()
            rig.ear.hears()
            rig.ear.listen()
            rig.guest()
    faulty.__name__ = getattr(fault, '__name__', '') + '_while_paused'
    return faulty


def once(kind, fault, most=RECOVERY):
    def test(place, network):
        with kind(place, network) as rig:
            rig.begin()
            fault(rig)
            seconds = rig.recovered('sound after it')
        check(seconds <= most, 'sound after %.2f s' % seconds)
        return 'sound after %.0f ms' % (1000 * seconds)
    return test
