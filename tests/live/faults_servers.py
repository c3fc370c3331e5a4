"""What happens to a sound server, its sinks and our stream there."""
import functools
import signal
import time

from common import await_
from fallible import OTHER
from faults import MIB, Rig, named, while_paused
from servers import SINK


class Served(Rig):
    """By shared memory into a server, whose monitor is listened to."""

    def __init__(self, place, server, *options, name='served'):
        self.path = place.file(name + '-shm')
        with open(self.path, 'wb') as f:
            f.truncate(2 * MIB)
        super().__init__(place, None, '-m', self.path, *options, name=name, server=server)

    def guest(self):
        self.play('-m', self.path)
        return self

    def plays_to(self, sink):
        """A paused output may have no stream."""
        def there():
            found = self.server.of_stream()
            return found[0] == sink if found else not self.sender
        await_('the stream to be on %s' % sink, there, 2, 0.05)


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
    time.sleep(1.5)  # is the fault itself
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
    time.sleep(0.3)  # in which it could go back: nothing must happen, there is no event to wait for
    rig.plays_to(OTHER)
    rig.server.move_stream(SINK)
    rig.hear()


def stream_killed(rig):
    before = rig.server.serial()
    rig.server.kill_stream()
    rig.hear()
    await_('another stream', lambda: rig.server.serial() not in (None, before))


STREAM_FAULTS = (hung, sink_removed, default_changed, moved, stream_killed)


def stream_faults():
    return named(STREAM_FAULTS)


def daemon_faults(kind):
    """(name, fault): each of its daemons killed in each way, and for each what may happen besides."""
    for name in kind.daemons:
        for how in (signal.SIGKILL, signal.SIGTERM):
            for fault in (killed, killed_while_idle):
                yield ('%s %s %s' % (name, fault.__name__.replace('_', ' '), how.name),
                       functools.partial(fault, name=name, how=how))


def paused_faults(kind):
    """(name, fault): what happens while the output is paused; ALSA's plugin has no stream then."""
    yield from named(while_paused(f) for f in STREAM_FAULTS
                     if f is not hung and (kind.output != 'alsa' or f not in (moved, stream_killed)))
    yield from lost_while_paused(kind)


def lost_while_paused(kind):
    """(name, fault): of the server itself."""
    yield from named([while_paused(hung)])
    for name in kind.daemons:
        yield ('%s killed while paused' % name,
               while_paused(functools.partial(killed, name=name, how=signal.SIGKILL)))
