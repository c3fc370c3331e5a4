"""While nothing is to be heard the output rests; the next sound is heard whole, and no later."""
import os
import subprocess
import time
from contextlib import ExitStack

from common import Child, Place, await_, check
from hearing import Hearing, Sender, figures, judge_file, write_script
from net import GUEST
from scream import by_bridge, by_memory
from servers import SERVERS, Alsa, PipeWire, Pulse

BEEP = 2880        # frames: ten packets
TARGET = 90        # ms: longer than a beep, and more than two late threads in a row use up
SCRIPT = ('0.5 48000/16/2 noise', '2.4 pause', '0.0601 48000/16/2 noise', '3.6 pause',
          '0.0601 48000/16/2 noise', '2.4 pause', '0.5 48000/16/2 noise')
KEPT = 48000 * 4 // 2  # bytes: half a second of a recording
PAUSES = 3
EDGE = 4           # frames at an end that the resampler mixes with what follows
TAIL = 300         # frames in which what ended dies away
TAIL_S = 0.3       # s: all that was sent has been heard by then
SPREAD = 4         # ms between the latencies of the sounds that end a pause
LATER = 7          # ms more than a first sound has, whose output has just been opened
WATCHED = 1.0      # s
RECEIVER = 4       # wake-ups a second of the control thread that the receiver asks for


def switches(scream):
    """{thread's name: times it has waited}"""
    found = {}
    for task in os.listdir('/proc/%d/task' % scream.pid):
        with open('/proc/%d/task/%s/status' % (scream.pid, task)) as f:
            fields = dict(line.split(':', 1) for line in f)
        found[fields['Name'].strip()] = int(fields['voluntary_ctxt_switches'])
    return found


def rests(server):
    """By the server's word the stream takes nothing: it is corked, inactive, or not there."""
    if isinstance(server, PipeWire):
        return [o['info']['state'] for o in server.dump()
                if o.get('info', {}).get('props', {}).get('media.class') == 'Stream/Output/Audio'
                ] in (['idle'], ['suspended'])
    out = subprocess.run(['pactl', 'list', 'sink-inputs'], env=server.env, timeout=5, check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    return out.strip() == '' if isinstance(server, Alsa) else out.count('Corked: yes') == 1


def paused(scream, times, seconds):
    await_('pause %d' % times,
           lambda: scream.alive() and scream.said().count('is paused') == times, seconds)


def sleep(listeners):
    """Nothing of the outputs wakes. How often the control threads did, for the receiver."""
    for x in listeners:
        await_('the server to say so', lambda: rests(x.server), 1)
    before = [switches(x.scream) for x in listeners]
    time.sleep(WATCHED)  # nothing must happen: there is no event to wait for
    after = [switches(x.scream) for x in listeners]
    control = []
    for x, b, a in zip(listeners, before, after):
        woke = {n: k - b.get(n, 0) for n, k in a.items()}
        control.append(woke.pop('scream'))
        check(control[-1] <= RECEIVER * WATCHED, '%s: %d control' % (x.name, control[-1]))
        check(not any(woke.values()), '%s: woken: %s' % (x.name, woke))
    return control


def judge(v):
    sounds = [[r for r in v['runs'] if r['segment'] == n] for n in range(PAUSES + 1)]
    check(all(sounds), 'not all sounds were heard: %s' % v['runs'])
    for runs in sounds[1:]:
        check(len(runs) == 1, 'a sound with a hole: %s' % runs)
        check(runs[0]['sent'] <= EDGE, 'the first %d frames are missing' % runs[0]['sent'])
    for run, in sounds[1:3]:
        check(run['sent'] + run['frames'] >= BEEP - EDGE, 'its end is missing: %s' % run)
    for hole in v['holes']:
        check(hole['kind'] != 'change' or hole['frames'] - hole['silent'] <= TAIL,
              'a pause is not silent: %s' % hole)
    late = [runs[-1]['latency']['median'] for runs in sounds]
    check(max(late[1:]) - min(late[1:]) <= SPREAD, 'latencies: %s' % late)
    check(max(late[1:]) - late[0] <= LATER, 'later after a pause: %s' % late)
    return 'latencies %s ms' % ', '.join('%.1f' % ms for ms in late)


class Listener:
    """A server, a receiver that plays into it, and an ear; in a place of their own."""

    def __init__(self, stack, kind, log):
        self.name = kind.output
        place = stack.enter_context(Place(kind.output))
        self.server = stack.enter_context(kind(place))
        self.hearing = stack.enter_context(Hearing(place, self.server, log=log))
        self.scream = stack.enter_context(by_bridge(place, self.server, '-t', TARGET))

    def judge(self):
        result = judge(self.hearing.heard())
        said = self.scream.said()
        check(said.count('plays again') == PAUSES, 'resumed otherwise: ' + said)
        check('interrupted' not in said, said[-300:])
        return result


def short_sounds(place, network):
    """One guest, heard by all servers at the same time."""
    script = write_script(place.file('script'), SCRIPT)
    log = place.file('send.sent')
    with ExitStack() as stack:
        listeners = [Listener(stack, kind, log) for kind in SERVERS]
        with Sender(place, '-i', GUEST, '--script', script,
                    prefix=network.guests[0].prefix) as sender:
            for x in listeners:
                paused(x.scream, 2, 8)
            woke = sleep(listeners)
            sender.finish(10)
        for x in listeners:
            x.hearing.goes_on(TAIL_S)
        results = ['%s: %s' % (x.name, x.judge()) for x in listeners]
    return '%s; control threads woke %s times in %g s' % ('; '.join(results), woke, WATCHED)


def restart(kind, place, network):
    """The server is made anew in a pause: the next sound is heard."""
    path = place.file('shm')
    with kind(place) as server, by_memory(place, server, path) as scream:
        with Sender(place, '-m', path, '-d', 0.2, name='first'):
            paused(scream, 1, 6)
        server.__exit__(None, None, None)
        server.open()
        await_('an output to be opened',
               lambda: scream.alive() and scream.said().count(': playing 48') == 2, 5)
        with Hearing(place, server, log=place.file('second.sent')) as hearing:
            with Sender(place, '-m', path, '-s', 'noise', '-d', 0.5, name='second') as sender:
                sender.finish(5)
            hearing.goes_on(TAIL_S)
            v = hearing.heard()
    check(v['matched'] > 0.4 * v['rate'], 'heard %.2f s' % (v['matched'] / v['rate']))
    return figures(v)


class Suspending(Pulse):
    """Its sinks are suspended a second after nothing plays; of one every byte is kept, while nobody listens."""

    @property
    def modules(self):
        return ('-L', 'module-pipe-sink sink_name=kept file=%s format=s16le rate=48000 channels=2 '
                'use_system_clock_for_timing=yes' % self.place.file('kept.fifo'),
                '-L', 'module-suspend-on-idle timeout=1')

    def suspended(self):
        out = subprocess.run(['pactl', 'list', 'short', 'sinks'], env=self.env, timeout=5, check=True,
                             stdout=subprocess.PIPE).stdout.decode()
        return any('kept' in line and 'SUSPENDED' in line for line in out.splitlines())


def suspended(place, network):
    """module-suspend-on-idle puts the card to sleep in a pause: the sound that wakes it is heard whole."""
    path, kept = place.file('shm'), place.file('kept.raw')
    with Suspending(place) as server, open(kept, 'wb') as out, \
            Child(place, 'cat', ['cat', place.file('kept.fifo')], stdout=out), \
            by_memory(place, server, path, '-s', 'kept') as scream:
        with Sender(place, '-m', path, '-d', 0.2, name='first'):
            paused(scream, 1, 6)
        await_('the sink to be suspended', server.suspended, 5)
        asleep = os.path.getsize(kept)
        with Sender(place, '-m', path, '-s', 'noise', '-d', '0.0601', name='second') as sender:
            sender.finish(5)
            await_('the sound and what follows', lambda: os.path.getsize(kept) > asleep + KEPT, 6)
        check('interrupted' not in scream.said(), scream.said()[-300:])
    with open(kept, 'rb') as f, open(place.file('second.raw'), 'wb') as out:
        f.seek(asleep)
        out.write(f.read())
    v = judge_file(out.name, '--type', 's16', '--sent', '48000/16/2', '--signal', 'noise', '--resampled')
    check(len(v['runs']) == 1, 'a sound with a hole, or none: %s' % v['runs'])
    run = v['runs'][0]
    check(run['sent'] <= EDGE, 'the first %d frames are missing' % run['sent'])
    check(run['sent'] + run['frames'] >= BEEP - 2 * EDGE, 'its end is missing: %s' % run)
    return 'heard whole'


TESTS = [('short sounds', short_sounds),
         ('pulse: server restarts', lambda place, network: restart(Pulse, place, network)),
         ('pulse: suspended', suspended)]
