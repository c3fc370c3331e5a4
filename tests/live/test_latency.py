"""-t MS is the latency that is held, and -l MS the most that any stall leaves."""
from common import check
from hearing import Hearing, Sender, figures
from net import GUEST
from scream import by_bridge
from servers import PipeWire, Pulse

TARGETS = (80, 120)   # ms
EXACT = 2             # ms: between what is asked for and what is heard
APART = 1             # ms: between two targets, where all that the recorder adds is the same
# A null sink's monitor has what is rendered before it is "heard": by as much as PulseAudio's renders at
# a time for its most impatient client.
EARLY = {'pulse': 5, 'pipewire': 0}  # ms
SECONDS = 0.8
LIMIT = 110           # ms
STALL = 500           # ms
EVERY = 1600          # ms: the first stall begins then, the second is not reached
TAIL = 0.25           # s after the sound: the latency, and the recorder's share


def played(place, network, server, name, options, send, seconds):
    """The verdict of one sound, heard by a receiver of its own."""
    with Hearing(place, server, log=place.file('send%s.sent' % name),
                 name='listen' + name) as hearing, \
            by_bridge(place, server, *options, name='scream' + name) as scream:
        with Sender(place, '-i', GUEST, '-s', 'noise', '-d', seconds, *send, name='send' + name,
                    prefix=network.guests[0].prefix) as sender:
            sender.finish(seconds + 10)
        hearing.goes_on(TAIL)
        scream.alive()
        return hearing.heard()


def target(kind, place, network):
    late, early = [], EARLY[kind.output]
    with kind(place) as server:
        for ms in TARGETS:
            v = played(place, network, server, str(ms), ('-t', ms), (), SECONDS)
            check(v['latency'], '-t %d: nothing was heard' % ms)
            late.append(v['runs'][-1]['latency']['median'])
    text = '-t %d is %.2f ms, -t %d is %.2f ms' % (TARGETS[0], late[0], TARGETS[1], late[1])
    for ms, heard in zip(TARGETS, late):
        check(-EXACT - early < heard - ms < EXACT, text)
    check(abs(late[1] - late[0] - (TARGETS[1] - TARGETS[0])) < APART, text)
    return text


def limit(place, network):
    """What a stall leaves is no more than that a second later, though the target is just below it."""
    seconds = 2 * EVERY / 1000 - 0.02
    with PipeWire(place) as server:
        v = played(place, network, server, '', ('-t', LIMIT - 10, '-l', LIMIT),
                   ('--stall', '%d/%d' % (STALL, EVERY)), seconds)
    check(v['latency'], 'nothing was heard')
    last = v['runs'][-1]
    text = '%s; then %.1f to %.1f ms' % (figures(v), last['latency']['least'],
                                         last['latency']['most'])
    check(last['sent'] > EVERY / 1000 * v['rate'], 'the stall was not heard: ' + text)
    check((last['sent'] + last['frames']) / v['rate'] > seconds - 0.08, 'it ended early: ' + text)
    check(last['latency']['most'] < LIMIT + 1, text)
    check(last['latency']['least'] > LIMIT - 10 - EXACT, text)
    return text


TESTS = [('%s: target' % k.output, lambda place, network, k=k: target(k, place, network))
         for k in (Pulse, PipeWire)] + [('pipewire: limit', limit)]
