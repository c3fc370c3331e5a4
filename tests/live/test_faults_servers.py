"""Sound servers that come late, hang, die and come back, and sinks and streams that go: one scream sees to it."""
import os
import signal
import time
from contextlib import ExitStack

import belongings
from belongings import wake_ups
from common import Place, await_, check
from ear import now
from fallible import OTHER, FallibleAlsa, FalliblePipeWire, FalliblePulse, PulseFace, UsualPulse
from faults import RECOVERY
from faults_servers import Served, daemon_faults, lost_while_paused, stream_faults
from servers import SINK
from test_systemd import Systemd, need_libsystemd

SETTLES = 0.5      # s in which a server that is not there is looked for twice
ABSENT = 1.0       # s without one, for which wake-ups are counted:
REPORTS = 1        # of what is dropped meanwhile, every five seconds
RECEIVING = ('scream-receiver',)
LONG_ABSENT = 11   # s likewise
NEAR = 4.0         # ms by which a latency may differ afterwards: 2, and what a busy machine teaches the player
KINDS = {'pulse': FalliblePulse, 'pipewire': FalliblePipeWire, 'alsa': FallibleAlsa,
         'pipewire-pulse': PulseFace}
# Elsewhere the latency is told only: ALSA's plugin and PipeWire's stand-in start by luck, and on PipeWire a sink
# that goes may teach the player a dropout (+5 ms).
STEADY = (FalliblePulse,)
POLLED = (FallibleAlsa,)  # its plugin does not tell where its server will be
AHEAD = 1500       # ms
SINKLESS = 2.0     # s
LONELY = 10        # s in which an output that nobody listens to is opened once
FED = 1.0          # s from one feeding of the watchdog to the next
HANGS = 2          # of them
LONG = os.environ.get('LIVE_LONG') == '1'


def late(kind, *options):
    def test(place, network):
        server = kind(place)
        server.prepare()
        with Served(place, server, *options) as rig:
            rig.guest()
            rig.says('no sound yet', 0)
            time.sleep(SETTLES)
            before = wake_ups(rig.scream.pid, but=RECEIVING)
            time.sleep(ABSENT)  # is the time that is measured
            awake = wake_ups(rig.scream.pid, but=RECEIVING) - before
            with server:
                rig.hear()
                seconds = rig.recovered('sound')
                said = rig.scream.said().count('no sound yet')
                rig.deafen()
        check(seconds <= RECOVERY, 'sound after %.2f s' % seconds)
        check(said == 1, 'said %d times that there is none' % said)
        check(awake <= REPORTS or kind in POLLED, '%d wake-ups in %g s' % (awake, ABSENT))
        return 'sound after %.0f ms, %d wake-ups before' % (1000 * seconds, awake)
    return test


def one_by_one(kind, faults, *options):
    """Each fault upon one receiver: how long it took, and latency, name and volume as before."""
    def test(place, network):
        told = []
        with kind(place) as server, Served(place, server, *options) as rig:
            server.make_sink(OTHER)
            server.set_default(SINK)
            rig.begin()
            before = rig.latency()
            for name, fault in faults:
                rig.begin()
                fault(rig)
                seconds = rig.recovered('sound after ' + name)
                check(seconds <= RECOVERY, '%s: sound after %.2f s' % (name, seconds))
                if not server.has(OTHER):
                    server.make_sink(OTHER)
                after = rig.latency()
                told.append('%s %.0f ms, latency %+.1f' % (name, 1000 * seconds, after - before))
                check(abs(after - before) <= NEAR or kind not in STEADY, '%s: latency %.1f ms, %.1f before'
                      % (name, after, before))
            rig.deafen()
        return '; '.join(told)
    return test


def long_absent(place, network):
    """Of all kinds at the same time: how rare the tries are in the end does not show."""
    told = []
    with ExitStack() as stack:
        rigs = []
        for name, kind in KINDS.items():
            own = stack.enter_context(Place(name))
            server = stack.enter_context(kind(own))
            rigs.append((name, stack.enter_context(Served(own, server, name=name))))
        for _, rig in rigs:
            rig.begin()
            rig.server.kill(rig.server.daemons[0])
        time.sleep(LONG_ABSENT)  # of tries
        for name, rig in rigs:
            rig.server.revive(rig.server.daemons[0])
            rig.hear()
            seconds = rig.recovered('sound of ' + name)
            check(seconds <= RECOVERY, '%s: sound after %.2f s' % (name, seconds))
            told.append('%s %.0f ms' % (name, 1000 * seconds))
            rig.deafen()
    return '; '.join(told)


def remembered(kind):
    """Its volume, by its name, when the server is started again."""
    def test(place, network):
        with kind(place) as server, Served(place, server) as rig:
            rig.begin()
            server.set_volume(40)
            await_('the volume to be set', lambda: server.of_stream()[1] == '40%')
            await_('the volume to be saved', server.saved, 15)
            server.kill(server.daemons[0], signal.SIGTERM)
            server.revive(server.daemons[0])
            rig.hear()
            rig.recovered('sound')
            found = server.of_stream()
            rig.deafen()
        check(found[1:] == ('40%', 'Scream'), 'it is %s now' % (found,))
        return 'at 40 %, as before'
    return test


def second_best(place, network):
    """A device that auto has taken for want of a server is left in a pause, when there is one."""
    server = UsualPulse(place)
    server.prepare()
    conf = place.file('asound.conf')
    with open(conf, 'w') as f:
        f.write('pcm.!default { type null }\n')
    server.env['ALSA_CONFIG_PATH'] = '/usr/share/alsa/alsa.conf:' + conf
    with Served(place, server, '-o', 'auto') as rig:
        rig.guest()
        await_('the device', lambda: 'on ALSA device' in rig.scream.said(), 6)
        with server:
            time.sleep(1.0)  # of sound, which is not interrupted
            check('on PulseAudio' not in rig.scream.said(), 'the device was left in the midst of a sound')
            rig.stop()
            await_('the server to be preferred', lambda: 'on PulseAudio' in rig.scream.said(), 4)
            rig.guest()
            rig.hear()
            seconds = rig.recovered('sound')
            rig.deafen()
    return 'sound after %.0f ms' % (1000 * seconds)


class LonelyAlsa(FallibleAlsa):
    """Its null sink has rendered up to two seconds ahead for want of a client, and stands still until they are over."""
    sink_options = ''

    def ahead(self):
        """ms by which it is."""
        sink, = [s for s in self.listed('sinks') if s['name'] == SINK]
        return sink['latency']['actual'] / 1000


def lonely(place, network):
    with LonelyAlsa(place) as server, Served(place, server) as rig:
        await_('the sink to be far ahead', lambda: server.ahead() >= AHEAD, 3)
        rig.guest()
        rig.says(': playing ', 0)
        time.sleep(LONELY)  # is the time in which it is not opened again
        said = rig.scream.alive() and rig.scream.said()
        check('has failed' not in said and said.count(': playing ') == 1, 'opened again: ' + said[-300:])
        check(server.stream(), 'there is no stream')
        rig.hear()
        rig.recovered('sound')
        rig.deafen()
    return 'opened once'


class Sinkless(FalliblePipeWire):
    """No card yet."""

    def sink_node(self):
        return ''

    def manage(self):
        self.start('wireplumber', ['wireplumber'])
        await_('the session manager', lambda: self.alive() and self.managed(), 10, 0.05)


def sinkless(*options):
    def test(place, network):
        with Sinkless(place) as server, Served(place, server, *options) as rig:
            rig.guest()
            rig.says(' no sink ', 0)
            time.sleep(SINKLESS)  # of tries, which are rare by then
            said = rig.scream.said()
            check(said.count(' no sink ') == 1 and ': playing ' not in said, 'said: ' + said[-300:])
            begin = now()
            server.make_sink()
            rig.hear()
            rig.ear.since = begin
            seconds = rig.recovered('sound')
            check(rig.scream.said().count(' no sink ') == 1, rig.scream.said()[-300:])
            rig.deafen()
        check(seconds <= RECOVERY, 'sound after %.2f s' % seconds)
        return 'sound after %.0f ms' % (1000 * seconds)
    return test


def hangs(place, network):
    """ALSA's plugin waits half a minute for a server that hangs; the control thread does not, nor does what it leaves
    behind pile up."""
    need_libsystemd()
    with FallibleAlsa(place) as server, Systemd(place, 3 * FED) as systemd:
        server.env.update(systemd.env)
        with Served(place, server) as rig:
            rig.begin()
            before = belongings.files(rig.scream.pid), belongings.threads(rig.scream.pid)
            begin = len(rig.scream.said())
            rig.stop(signal.SIGKILL)
            server.signal(signal.SIGSTOP)
            rig.play('-m', rig.path, '-f', '44100/16/2')
            rig.says('does not open', begin)
            for _ in range(HANGS):
                fed = systemd.hear().fed
                await_('the watchdog to be fed', lambda f=fed: rig.scream.alive() and systemd.hear().fed > f, 2 * FED)
            most = belongings.threads(rig.scream.pid).total()
            server.signal(signal.SIGCONT)
            rig.hear()
            seconds = rig.recovered('sound')
            await_('no thread and no file to be left behind', lambda:
                   (belongings.files(rig.scream.pid), belongings.threads(rig.scream.pid)) == before, 3)
            rig.deafen()
    check(seconds <= RECOVERY, 'sound after %.2f s' % seconds)
    usual = before[1].total()
    check(most <= usual + 4, '%d threads, %d before' % (most, usual))
    return 'sound after %.0f ms, %d threads meanwhile, %d before' % (1000 * seconds, most, usual)


TESTS = [('%s: late' % name, late(kind)) for name, kind in KINDS.items()]
TESTS += [('alsa: hangs', hangs)]
TESTS += [('pipewire: no sink', sinkless()), ('pipewire: no sink of that name', sinkless('-s', SINK))]
TESTS += [('pulse: late, auto', late(UsualPulse, '-o', 'auto'))]
TESTS += [('%s: streams' % name, one_by_one(KINDS[name], stream_faults()))
          for name in ('pulse', 'pipewire')]
TESTS += [('%s: volume' % name, remembered(KINDS[name])) for name in ('pulse', 'pipewire')]
if LONG:
    TESTS += [('%s: long, daemons' % name, one_by_one(kind, list(daemon_faults(kind))))
              for name, kind in KINDS.items()]
    TESTS += [('auto: long, second best', second_best)]
    TESTS += [('alsa: long, lonely', lonely)]
    # at a latency that leaves room for an output to awake; else the first sound is late, and gets there in time
    TESTS += [('%s: long, paused' % name, one_by_one(kind, list(lost_while_paused(kind)), '-t', '100'))
              for name, kind in KINDS.items()]
    TESTS += [('long, absent', long_absent)]
    TESTS += [('pipewire: long, late, auto', late(FalliblePipeWire, '-o', 'auto'))]
    TESTS += [('%s: long, streams' % name, one_by_one(KINDS[name], stream_faults()))
              for name in ('alsa', 'pipewire-pulse')]
