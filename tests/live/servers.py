"""Private audio servers with a null sink each, as context managers, and their recorders."""
import json
import os
import subprocess

from common import Child, Failure, await_, need, private_env, succeeds

SINK = 'scream_test'
QUANTUM = '1024'  # PipeWire's, frames
# PulseAudio's names of speakers, and PipeWire's
PULSE_NAMES = {'FL': 'front-left', 'FR': 'front-right', 'FC': 'front-center', 'LFE': 'lfe',
               'RL': 'rear-left', 'RR': 'rear-right', 'SL': 'side-left', 'SR': 'side-right',
               'MONO': 'mono'}
STEREO = ('FL', 'FR')
SURROUND_71 = ('FL', 'FR', 'RL', 'RR', 'FC', 'LFE', 'SL', 'SR')  # not the guest's order


class Server:
    """A running server. `output` is what `scream -o` calls it, `env` is for its clients."""

    output = None
    recorded_type = 's16'

    def __init__(self, place, rate=48000, speakers=STEREO, width=16):
        self.place, self.rate, self.speakers, self.width = place, rate, speakers, width
        self.env = private_env(place)
        self.children = []
        self.recorded_type = 's16' if width == 16 else 's32'

    def start(self, name, argv, **more):
        child = Child(self.place, name, argv, env=self.env, **more)
        self.children.append(child)
        return child

    def __enter__(self):
        try:
            self.open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.end()
        self.children = []

    def recorder(self):
        """argv and environment of a program that writes the monitor's raw PCM to its stdout."""
        raise NotImplementedError

    def player(self, wav):
        """The server's own player of a WAV file: the control."""
        raise NotImplementedError

    def ready(self, what, argv):
        await_(what, lambda: self.alive() and succeeds(argv, self.env), 10)

    def alive(self):
        for child in self.children:
            if not child.running():
                raise Failure('%s ended: %s' % (child.name, child.said()[-300:]))
        return True


class Pulse(Server):
    output = 'pulse'

    sink_options = ''  # of the null sink, besides
    modules = ()       # arguments before it

    def prepare(self):
        need('pulseaudio', 'pactl', 'parec', 'pacat')
        self.path = self.place.file('pulse.socket')
        self.env.update(PULSE_RUNTIME_PATH=self.place.file('pulse'),
                        PULSE_SERVER='unix:' + self.path)

    def open(self):
        self.prepare()
        self.run()
        self.drain()

    def drain(self):
        # A null sink renders as far ahead as its least patient client lets it: two seconds, where there
        # is none, and whoever comes waits for their end. Its monitor has them as soon as they are
        # rendered, so that a recording would jump when a client comes. Somebody always listens, who is
        # as impatient as any, and what was rendered before is thrown away.
        argv, env = self.recorder(ms=5)
        self.start('listener', argv, stdout=subprocess.DEVNULL)
        await_('a first listener', lambda: self.alive() and self.recorders(), 5)
        for suspended in '10':
            subprocess.run(['pactl', 'suspend-sink', SINK, suspended], env=env, check=True,
                           timeout=5)

    def run(self):
        """The server itself; it answers then."""
        names = ','.join(PULSE_NAMES[s] for s in self.speakers)
        fmt = {16: 's16le', 32: 's32le'}[self.width]
        self.start('pulseaudio', [
            'pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no',
            # memfd blocks that go from one client to another abort PulseAudio 16:
            # https://gitlab.freedesktop.org/pulseaudio/pulseaudio/issues/824
            '--log-target=stderr', '--disable-shm=yes', '--enable-memfd=no',
            '-L', 'module-native-protocol-unix auth-anonymous=1 socket=' + self.path,
            *self.modules,
            '-L', 'module-null-sink sink_name=%s rate=%d channels=%d channel_map=%s format=%s %s'
            % (SINK, self.rate, len(self.speakers), names, fmt, self.sink_options)])
        self.ready('PulseAudio to answer', ['pactl', 'get-sink-volume', SINK])

    def recorder(self, ms=20):
        names = ','.join(PULSE_NAMES[s] for s in self.speakers)
        return ['parec', '--raw', '-d', SINK + '.monitor', '--format', self.recorded_type + 'le',
                '--rate', self.rate, '--channels', len(self.speakers), '--channel-map', names,
                '--latency-msec', str(ms)], self.env

    def recorders(self):
        out = subprocess.run(['pactl', 'list', 'short', 'source-outputs'], env=self.env,
                             stdout=subprocess.PIPE, check=False).stdout
        return len(out.splitlines())

    def recording(self):
        return self.recorders() > 1

    def player(self, wav):
        return ['paplay', '--latency-msec', '40', wav], self.env


class Alsa(Pulse):
    """ALSA's pulse plugin, onto a private PulseAudio."""
    output = 'alsa'

    def prepare(self):
        super().prepare()
        conf = self.place.file('asound.conf')
        with open(conf, 'w') as f:
            f.write('pcm.!default { type pulse }\n'
                    'ctl.!default { type pulse }\n')
        self.env['ALSA_CONFIG_PATH'] = '/usr/share/alsa/alsa.conf:' + conf


class PipeWire(Server):
    output = 'pipewire'

    def prepare(self):
        need('pipewire', 'wireplumber', 'pw-cli', 'pw-dump', 'pw-cat', 'pw-metadata', 'dbus-daemon')
        bus = 'unix:path=' + self.place.file('bus')
        self.env.update(DBUS_SESSION_BUS_ADDRESS=bus, PIPEWIRE_RUNTIME_DIR=self.place.path)
        # no hardware, and no system bus, in a private server
        self.env['DBUS_SYSTEM_BUS_ADDRESS'] = bus
        self.start('dbus', ['dbus-daemon', '--session', '--nofork', '--address=' + bus])
        await_('the bus', lambda: os.path.exists(self.place.file('bus')))
        # without logind, which containers lack and WirePlumber would not start without
        folder = self.place.file('config/wireplumber/bluetooth.lua.d')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, '80-off.lua'), 'w') as f:
            f.write('bluez_monitor.enabled = false\n'
                    'bluez_monitor.properties["with-logind"] = false\n')

    def open(self):
        self.prepare()
        self.run()

    def run(self):
        """The server itself, with its session manager and its sink; it answers then."""
        self.start('pipewire', ['pipewire'])
        self.ready('PipeWire to answer', ['pw-cli', 'info', '0'])
        self.start('wireplumber', ['wireplumber'])
        await_('the session manager', lambda: self.alive() and self.managed(), 10, 0.05)
        subprocess.run(['pw-cli', 'create-node', 'adapter', '{ %s }' % self.sink_properties()],
                       env=self.env, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=10)
        # whatever the clients wish for: the same in every run, and what a virtual machine has
        subprocess.run(['pw-metadata', '-n', 'settings', '0', 'clock.force-quantum', QUANTUM],
                       env=self.env, check=True, stdout=subprocess.DEVNULL, timeout=10)
        await_('the null sink to be the default', lambda: self.alive() and self.is_default(), 10,
               0.05)

    def sink_properties(self, name=SINK):
        # the node lives on when pw-cli has gone
        return ('factory.name=support.null-audio-sink node.name=%s media.class=Audio/Sink '
                'object.linger=true audio.channels=%d audio.position=[%s] audio.rate=%d '
                'monitor.channel-volumes=false'
                % (name, len(self.speakers), ' '.join(self.speakers), self.rate))

    def dump(self):
        out = subprocess.run(['pw-dump'], env=self.env, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, timeout=10, check=False).stdout
        try:
            return json.loads(out)
        except ValueError:
            return []

    def managed(self):
        return any('WirePlumber' in str(o.get('info', {}).get('props', {}).get('application.name'))
                   for o in self.dump() if o['type'].endswith('Client'))

    def is_default(self):
        for o in self.dump():
            for m in o.get('metadata', []):
                if m['key'] == 'default.audio.sink' and m['value'].get('name') == SINK:
                    return True
        return False

    def recorder(self):
        return ['pw-cat', '--record', '--target', SINK, '--latency', '20ms',
                '-P', '{ stream.capture.sink=true }', '--format', self.recorded_type, '--rate',
                self.rate, '--channels', len(self.speakers), '--channel-map',
                ','.join(self.speakers), '-'], self.env

    def recording(self):
        nodes = {o['id']: o['info']['props'].get('media.class') for o in self.dump()
                 if o['type'].endswith('Node')}
        streams = [i for i, c in nodes.items() if c == 'Stream/Input/Audio']
        links = [o['info'] for o in self.dump() if o['type'].endswith('Link')]
        return any(k['input-node-id'] in streams and k.get('state') == 'active' for k in links)

    def player(self, wav):
        return ['pw-cat', '--playback', '--target', SINK, '--latency', '40ms', wav], self.env


SERVERS = (Pulse, PipeWire, Alsa)
