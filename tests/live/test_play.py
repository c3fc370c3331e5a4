"""What a guest plays comes out of a real server: whole, in place, at the same latency each time."""
import os

from common import Failure, check
from fallible import PulseFace
from hearing import Hearing, Sender, figures, rendered, write_script
from net import GUEST
from scream import by_bridge, by_memory
from servers import SERVERS, SURROUND_71
from witness import STALL

STARTS = int(os.environ.get('LIVE_STARTS', '3'))
SECONDS = float(os.environ.get('LIVE_MINUTES', '0.06')) * 60
STEP = 0.36        # s of each of many formats
TAIL = 0.4         # s: all that was sent has been heard by then
CONTROLLED = 60    # s: so long a run has a control, whatever was heard
START_SPREAD = 5   # ms between the latencies of several starts
LATE_START = 1.0   # s of a sound that its start may cost
CUT_END = 0.1      # s at its end that do not fill a packet, or are faded


def guest(place, network, *options, name='send'):
    """A sender in the guest's namespace, by multicast."""
    return Sender(place, '-i', GUEST, *options, name=name, prefix=network.guests[0].prefix)


def control(place, server, seconds):
    """Dropouts of the server's own player through the same sink: this machine's share."""
    wav = rendered(place.file('control.wav'), seconds)
    argv, env = server.player(wav)
    with Hearing(place, server, name='control') as hearing:
        with server.start('control-player', argv) as player:
            player.wait(seconds + 15)
        return hearing.heard()


def whole(v, seconds):
    """What was sent for so long was heard but for its very start and end, in its channels."""
    rate = v['rate']
    check(v['runs'], 'nothing of what was sent was heard; level %s dBFS' % v['level'])
    first, last = v['runs'][0], v['runs'][-1]
    check(first['sent'] < LATE_START * rate, 'heard from %.2f s on only' % (first['sent'] / rate))
    end = (last['sent'] + last['frames']) / rate
    check(end > seconds - CUT_END, 'heard until %.2f s of %.2f only' % (end, seconds))
    check(not v['misplaced'], 'channels: %s' % v['misplaced'])


def stalls(log):
    """(time, ms) where the sender woke much later than its rule is: this machine's doing."""
    with open(log) as f:
        at = [int(line.split()[1][2:]) / 1e9 for line in f if line.startswith('burst ')]
    steps = [b - a for a, b in zip(at, at[1:])]
    usual = sorted(steps)[len(steps) // 2] if steps else 0
    return [(b, 1000 * (s - usual)) for b, s in zip(at[1:], steps) if s > usual + STALL]


def excused(hole, v, stalls):
    """Whether a dropout was heard where somebody had been kept from running."""
    at = v['clock']['start'] / 1e9 + hole['recorded'] / v['rate']
    unsure = 0.02 + v['clock']['late'] / 1000  # s by which the recorder's own stall moves it
    return any(-unsure < at - end < 0.15 for end, _ in stalls)


def compare(place, server, v, seconds):
    """No more dropouts than the server's own player has in the same run."""
    if v['dropouts'] == 0 and seconds < CONTROLLED:
        return ''
    sender = stalls(place.file('send.sent'))
    machine = [(at + ms / 1000, ms) for at, ms in place.witness.stalls(v['clock']['start'] / 1e9)]
    ours = [h for h in v['holes'] if not excused(h, v, sender + machine)]
    said = ''.join('; the %s stalled %d times, %.0f ms at most' % (
        who, len(late), max(ms for _, ms in late)) for who, late in (
            ('sender', sender), ('machine', machine)) if late)
    if not ours and seconds < CONTROLLED:
        return said
    c = control(place, server, seconds)
    check(len(ours) <= c['dropouts'], '%s; the control had %d%s; %s'
          % (figures(v), c['dropouts'], said, ours[:8]))
    return '; the control had %d%s' % (c['dropouts'], said)


def steady(place, server, start, send):
    with Hearing(place, server, log=place.file('send.sent')) as hearing, start() as scream:
        with send() as sender:
            sender.finish(SECONDS + 10)
        hearing.goes_on(TAIL)
        scream.alive()
        v = hearing.heard()
    whole(v, SECONDS)
    return figures(v) + compare(place, server, v, SECONDS)


def bridge(kind, place, network):
    with kind(place) as server:
        return steady(place, server, lambda: by_bridge(place, server),
                      lambda: guest(place, network, '-s', 'noise', '-d', SECONDS, '--log-bursts'))


def memory(kind, place, network):
    path = place.file('shm')
    with kind(place) as server:
        return steady(place, server, lambda: by_memory(place, server, path),
                      lambda: Sender(place, '-m', path, '-s', 'noise', '-d', SECONDS, '--log-bursts'))


# The guest's order of each format, by the server's names of speakers.
LAYOUTS = {'48000/16/8/0x63f': ('FL', 'FR', 'FC', 'LFE', 'RL', 'RR', 'SL', 'SR'),
           '48000/16/6/0x3f': ('FL', 'FR', 'FC', 'LFE', 'RL', 'RR')}


def surround(kind, place, network):
    """5.1 and 7.1 on eight speakers in another order; what 5.1 lacks is the server's to fill."""
    with kind(place, speakers=SURROUND_71) as server:
        for n, (sent, order) in enumerate(LAYOUTS.items()):
            mapping = ','.join(str(order.index(s)) if s in order else 'x' for s in SURROUND_71)
            name = 'send%d' % n
            log = place.file(name + '.sent')
            with Hearing(place, server, log=log, mapping=mapping, name='listen%d' % n) as hearing, \
                    by_bridge(place, server, name='scream%d' % n):
                with guest(place, network, '-f', sent, '-s', 'noise', '-d', 1.5,
                           name=name) as sender:
                    sender.finish(10)
                hearing.goes_on(TAIL)
                v = hearing.heard()
            try:
                whole(v, 1.5)
            except Failure as e:
                raise Failure('%s: %s' % (sent, e)) from None
    return '7.1 and 5.1 in place'


CHANGES = ['48000/16/2', '44100/16/2', '48000/24/2', '96000/16/2', '48000/32/2', '48000/16/6/0x3f',
           '192000/32/8/0x63f', '48000/16/2', '88200/24/2', '48000/16/1']


def change(kind, place, start, send):
    """Twenty formats in a row, sound after each."""
    formats = CHANGES * 2
    script = write_script(place.file('script'), ['%g %s noise' % (STEP, f) for f in formats])
    with kind(place) as server:
        with Hearing(place, server, log=place.file('send.sent')) as hearing, start(server) as scream:
            with send('--script', script) as sender:
                sender.finish(30)
            hearing.goes_on(TAIL)
            scream.alive()
            v = hearing.heard()
    check(len(v['segments']) == len(formats), 'the log has %d formats' % len(v['segments']))
    silent = ['%d (%s)' % (i + 1, f) for i, f in enumerate(formats) if v['segments'][i]['sound'] < 0.1]
    check(not silent, 'no sound after format change: ' + ', '.join(silent))
    least = min(s['sound'] for s in v['segments'])
    return '%d formats, sound in each for %.2f s of %g at least, %.2f s matched' % (
        len(formats), least, STEP, v['matched'] / v['rate'])


def changes(kind, place, network):
    return change(kind, place, lambda server: by_bridge(place, server),
                  lambda *options: guest(place, network, *options))


def memory_changes(kind, place, network):
    path = place.file('shm')
    return change(kind, place, lambda server: by_memory(place, server, path),
                  lambda *options: Sender(place, '-m', path, *options))


def restart(kind, place, network):
    """A sound that is over before the output is open, then another one in the same format."""
    path = place.file('shm')
    with kind(place) as server:
        with Hearing(place, server, log=place.file('send.sent')) as hearing, \
                by_memory(place, server, path) as scream:
            with Sender(place, '-m', path, '-s', 'noise', '-d', '0.06', name='short') as sender:
                sender.finish(10)
            with Sender(place, '-m', path, '-s', 'noise', '-d', '2') as sender:
                sender.finish(10)
            hearing.goes_on(TAIL)
            scream.alive()
            v = hearing.heard()
    whole(v, 2)
    return figures(v)


def starts(kind, place, network):
    """The latency of each start: no luck in it."""
    late = []
    with kind(place) as server:
        for n in range(STARTS):
            name = 'send%d' % n
            with Hearing(place, server, log=place.file(name + '.sent'),
                         name='listen%d' % n) as hearing, \
                    by_bridge(place, server, name='scream%d' % n):
                with guest(place, network, '-s', 'noise', '-d', 1.5, name=name) as sender:
                    sender.finish(10)
                hearing.goes_on(TAIL)
                v = hearing.heard()
            whole(v, 1.5)
            longest = max(v['runs'], key=lambda run: run['frames'])  # a stall may come at the end
            late.append(longest['latency']['median'])
    text = 'latencies ' + ' '.join('%.1f' % x for x in late) + ' ms'
    check(max(late) - min(late) <= START_SPREAD, text)
    return text


def every_server(*functions):
    for kind in SERVERS:
        for function in functions:
            yield ('%s: %s' % (kind.output, function.__name__),
                   lambda place, network, k=kind, f=function: f(k, place, network))


TESTS = list(every_server(bridge, memory, surround, changes, memory_changes, restart, starts))
# -o pulse on PipeWire, which plays by rules of its own there
TESTS.append(('pipewire-pulse: bridge', lambda place, network: bridge(PulseFace, place, network)))
if os.environ.get('LIVE_LONG') == '1':
    TESTS.append(('pipewire-pulse: long, changes', lambda place, network: changes(PulseFace, place, network)))
