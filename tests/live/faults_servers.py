"""What happens to a sound server, its sinks and our stream there."""
import functools
import os
import signal
import subprocess
import time

from common import Child, await_, check
from fallible import OTHER
from faults import MIB, Ear, Rig, now
from hearing import Hearing
from scream import Scream
from servers import SINK

LISTENED = 1.0  # s for which a latency is measured


class Served(Rig):
    """By shared memory into a server, whose monitor is listened to."""

    def __init__(self, place, server, *options, name='served'):
        self.server = server
        self.path = place.file(name + '-shm')
        with open(self.path, 'wb') as f:
            f.truncate(2 * MIB)
        self.become(place, name, Scream(place, *(options or ('-o', server.output)), '-m', self.path,
                                        env=server.env, name=name))
        self.ear = Ear(zeros=True)
        self.recorder = None
        self.heard_so_far = 0

    def guest(self):
        self.play('-m', self.path)
        return self

    def begin(self):
        """Sound before the fault."""
        if not self.sender:
            self.guest()
        self.hear()
        self.ear.heard('sound before the fault')

    def hear(self):
        """From now on, by a recorder that has just begun: the former may have gone with its server."""
        begin = now()
        self.deafen()
        self.ear.since, self.ear.first = begin, None
        argv, env = self.server.recorder()
        self.recorder = Child(self.place, 'recorder', argv, env=env, stdout=subprocess.PIPE)
        self.ear.attach(self.recorder.process.stdout)

    def deafen(self):
        if self.recorder:
            self.recorder.end()
            self.ear.detach()
            self.recorder.process.stdout.close()
        self.recorder = None

    def latency(self):
        """ms, of sound that is not interrupted any more."""
        self.heard_so_far += 1
        with Hearing(self.place, self.server, log=self.sender.sent,
                     name='%s-listen%d' % (self.name, self.heard_so_far)) as hearing:
            time.sleep(LISTENED)  # is what is judged
            v = hearing.heard()
        check(v['latency'], 'no sound of the guest was recognised')
        return max(v['runs'], key=lambda run: run['frames'])['latency']['median']

    def says(self, word, begin):
        """In what it has said from that length on."""
        await_('scream to say "%s"' % word, lambda: self.scream.alive() and
               word in self.scream.said()[begin:])

    def plays_to(self, sink):
        await_('the stream to be on %s' % sink, lambda: (self.server.of_stream() or [None])[0] == sink,
               2, 0.05)

    def __exit__(self, *why):
        self.deafen()
        super().__exit__(*why)


def killed(rig, name, how):
    rig.server.kill(name, how)
    rig.server.revive(name)
    rig.hear()


def killed_while_idle(rig, name, how):
    """Without a packet: the guest is silent until the server is back."""
    rig.stop(signal.SIGKILL)
    begin = len(rig.scream.said())
    rig.server.kill(name, how)
    rig.server.revive(name)
    rig.says('playing ', begin)
    rig.hear()
    rig.guest()


def hung(rig):
    rig.server.signal(signal.SIGSTOP)
    time.sleep(1.5)  # of hanging
    rig.server.signal(signal.SIGCONT)
    rig.hear()


def sink_removed(rig):
    rig.server.remove_sink()
    rig.plays_to(OTHER)
    rig.server.make_sink()
    rig.server.set_default(SINK)
    rig.hear()


def default_changed(rig):
    """The stream follows, there and back."""
    rig.server.set_default(OTHER)
    rig.plays_to(OTHER)
    rig.server.set_default(SINK)
    rig.hear()


def moved(rig):
    """By the user, who moves it back; it stayed where it was put."""
    rig.server.move_stream(OTHER)
    rig.plays_to(OTHER)
    time.sleep(0.3)  # in which it could go back
    rig.plays_to(OTHER)
    rig.server.move_stream(SINK)
    rig.hear()


def stream_killed(rig):
    before = rig.server.serial()
    rig.server.kill_stream()
    rig.hear()
    await_('another stream', lambda: rig.server.serial() not in (None, before))


def daemon_faults(kind):
    """(name, fault): each of its daemons killed in each way, and for each what may happen besides."""
    for name in kind.daemons:
        for how in (signal.SIGKILL, signal.SIGTERM):
            for fault in (killed, killed_while_idle):
                yield ('%s %s %s' % (name, fault.__name__.replace('_', ' '), how.name),
                       functools.partial(fault, name=name, how=how))


def stream_faults():
    return [(f.__name__.replace('_', ' '), f)
            for f in (hung, sink_removed, default_changed, moved, stream_killed)]
