"""A stop takes less than 200 ms, whatever the program is doing and whatever hangs."""
import os
import signal

from common import await_, check
from hearing import Sender
from scream import Scream, by_memory
from servers import SERVERS

STOP = 0.2      # s from the signal to the process's end
PAUSE = 4       # s within which an output is paused after the last sound


def timed_end(scream, how):
    code, took = scream.end_timed(how)
    check(code == 0, 'ended with %s: %s' % (code, scream.said()[-200:]))
    check(took < STOP, 'took %.0f ms: %s' % (1000 * took, scream.said()[-200:]))
    return took


def in_library(scream):
    """It has a thread that is not of its own making."""
    ours = ('scream', 'scream-ending', 'scream-receiver')
    folder = '/proc/%d/task' % scream.pid
    names = []
    for task in os.listdir(folder):
        try:
            with open('%s/%s/comm' % (folder, task)) as f:
                names.append(f.read().strip())
        except OSError:
            pass  # it has ended
    return [n for n in names if n not in ours]


class Frozen:
    """The servers of a test stand still."""

    def __init__(self, server):
        self.children = server.children

    def send(self, how):
        for child in self.children:
            os.kill(child.pid, how)

    def __enter__(self):
        self.send(signal.SIGSTOP)

    def __exit__(self, *_):
        self.send(signal.SIGCONT)


def playing(place, server, path, name):
    scream = by_memory(place, server, path, name=name)
    sender = Sender(place, '-m', path, '-d', 20, name=name + '-send')
    try:
        await_('sound', lambda: scream.alive() and 'playing 48' in scream.said())
    except BaseException:
        sender.end()
        scream.end()
        raise
    scream.sender = sender  # the caller's to end
    return scream


def while_playing(place, server, path):
    with playing(place, server, path, 'plays') as scream, scream.sender:
        return timed_end(scream, signal.SIGINT)


def while_paused(place, server, path):
    with playing(place, server, path, 'rests') as scream:
        scream.sender.end()
        await_('the pause', lambda: scream.alive() and 'is paused' in scream.said(), PAUSE)
        return timed_end(scream, signal.SIGTERM)


def hung_while_playing(place, server, path):
    with playing(place, server, path, 'hung') as scream, scream.sender, Frozen(server):
        return timed_end(scream, signal.SIGTERM)


def hung_in_open(place, server, path):
    with by_memory(place, server, path, name='opens') as scream, Frozen(server):
        await_('it to wait', lambda: scream.alive() and 'waiting' in scream.said())
        with Sender(place, '-m', path, '-d', 5, name='opens-send'):
            await_('an output to be opened', lambda: scream.alive() and in_library(scream), 5, 0.005)
            return timed_end(scream, signal.SIGTERM)


def hung_and_left(place, server, path):
    """What opens the device hangs, and the control thread has gone on without it."""
    with by_memory(place, server, path, name='left') as scream, Frozen(server), \
            Sender(place, '-m', path, '-d', 5, name='left-send'):
        await_('an attempt to be left', lambda: scream.alive() and 'does not open' in scream.said())
        return timed_end(scream, signal.SIGTERM)


def ends(kind, place, network):
    took = []
    cases = (while_playing, while_paused, hung_while_playing, hung_in_open)
    if kind.output == 'alsa':
        cases += (hung_and_left,)
    with kind(place) as server:
        for case in cases:
            path = place.file(case.__name__)
            took.append('%s %.0f ms' % (case.__name__.replace('_', ' '),
                                        1000 * case(place, server, path)))
    return ', '.join(took)


def waiting(place, network):
    """For a receiver; for a server that is not there."""
    path = place.file('shm')
    env = {**os.environ, 'PULSE_SERVER': 'unix:' + place.file('nobody')}
    with Scream(place, '-o', 'pulse', '-m', path, env=env) as scream:
        await_('it to wait', lambda: scream.alive() and 'waiting' in scream.said())
        first = timed_end(scream, signal.SIGTERM)
    with Scream(place, '-o', 'pulse', '-m', path, env=env, name='other') as scream, \
            Sender(place, '-m', path, '-d', 5):
        await_('it to wait', lambda: scream.alive() and 'no sound yet' in scream.said())
        return 'took %.0f and %.0f ms' % (1000 * first,
                                          1000 * timed_end(scream, signal.SIGTERM))


TESTS = [('%s: ends at once' % k.output, lambda place, network, k=k: ends(k, place, network))
         for k in SERVERS] + [('ends while it waits', waiting)]
