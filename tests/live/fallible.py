"""Servers that can be killed, hung and started again, and whose sinks come and go."""
import json
import os
import signal
import socket
import subprocess

from common import await_, check, need, succeeds
from servers import SINK, Alsa, PipeWire, Pulse, Server

OTHER = 'other_test'  # a second sink


class Fallible(Server):
    daemons = ()  # names of the children that are the server, in the order of their start

    def child(self, name):
        return next(c for c in self.children if c.name == name)

    def kill(self, name, how=signal.SIGKILL):
        """With what depends on it."""
        at = self.daemons.index(name)
        self.child(name).end(how)
        for dependent in self.daemons[at + 1:]:
            self.child(dependent).end(how)
        self.children = [c for c in self.children if c.running()]

    def revive(self, name):
        """And what depends on it; it answers then."""
        self.run()

    def signal(self, how):
        for name in self.daemons:
            self.child(name).process.send_signal(how)

    def tool(self, *argv):
        done = subprocess.run(argv, env=self.env, stdin=subprocess.DEVNULL, timeout=10, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(done.returncode == 0, '%s: %s' % (' '.join(argv), done.stderr.decode().strip()))
        return done.stdout.decode()


class FalliblePulse(Fallible, Pulse):
    """As distributions set it up: volumes are remembered, and there is always a sink."""
    daemons = ('pulseaudio',)
    sink_options = 'norewinds=1'  # it renders 50 ms ahead for whoever comes, instead of two seconds

    @property
    def modules(self):
        return ('-L', 'module-stream-restore', '-L', 'module-always-sink',
                '-L', 'module-cli-protocol-unix socket=' + self.place.file('cli'))

    def drain(self):
        pass

    def recording(self):
        return self.recorders() > 0

    def remove_sink(self):
        for line in self.tool('pactl', 'list', 'short', 'modules').splitlines():
            if 'sink_name=%s ' % SINK in line:
                self.tool('pactl', 'unload-module', line.split()[0])

    def make_sink(self, name=SINK):
        self.tool('pactl', 'load-module', 'module-null-sink', 'sink_name=' + name, 'rate=48000',
                  'channels=2', 'norewinds=1')

    def set_default(self, name):
        self.tool('pactl', 'set-default-sink', name)

    def stream(self):
        """Its index as a text, or None."""
        lines = self.tool('pactl', 'list', 'short', 'sink-inputs').split()
        return lines[0] if lines else None

    def serial(self):
        """Of our stream: none is given twice."""
        return self.stream()

    def of_stream(self):
        """(name of its sink, volume in percent, name)."""
        sinks = {s['index']: s['name'] for s in self.listed('sinks')}
        for s in self.listed('sink-inputs'):
            volume = list(s['volume'].values())[0]['value_percent']
            return sinks.get(s['sink']), volume, s['properties']['media.name']
        return None

    def has(self, name):
        return any(s['name'] == name for s in self.listed('sinks'))

    def saved(self):
        """The volume of our stream, on disk."""
        folder = self.place.file('config/pulse')
        return any('stream-volumes' in f for f in os.listdir(folder))

    def listed(self, what):
        return json.loads(self.tool('pactl', '--format=json', 'list', what))

    def kill_stream(self):
        """As pavucontrol does; pactl cannot."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.place.file('cli'))
            s.sendall(b'kill-sink-input %s\n' % self.stream().encode())
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass

    def move_stream(self, sink):
        self.tool('pactl', 'move-sink-input', self.stream(), sink)

    def set_volume(self, percent):
        self.tool('pactl', 'set-sink-input-volume', self.stream(), '%d%%' % percent)


class UsualPulse(FalliblePulse):
    """Where every client looks for it, by itself."""

    def prepare(self):
        super().prepare()
        for name in ('PULSE_SERVER', 'PULSE_RUNTIME_PATH'):
            del self.env[name]
        self.path = self.place.file('pulse/native')


class FallibleAlsa(FalliblePulse, Alsa):
    pass


# The sink and the quantum are there as soon as it answers, as a card's are.
PIPEWIRE_CONF = """
context.properties = {
    default.clock.quantum = 1024
    default.clock.min-quantum = 1024
    default.clock.max-quantum = 1024
}
context.objects = [ %s ]
"""


class FalliblePipeWire(Fallible, PipeWire):
    daemons = ('pipewire', 'wireplumber')

    def prepare(self):
        super().prepare()
        folder = self.place.file('config/pipewire/pipewire.conf.d')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, 'sink.conf'), 'w') as f:
            f.write(PIPEWIRE_CONF % self.sink_node())

    def sink_node(self):
        return '{ factory = adapter args = { %s } }' % self.sink_properties()

    def run(self):
        self.start('pipewire', ['pipewire'])
        self.ready('PipeWire to answer', ['pw-cli', 'info', '0'])
        self.manage()

    def kill(self, name, how=signal.SIGKILL):
        super().kill(name, how)
        if name == 'wireplumber':
            for sink in (OTHER, SINK):  # cards' sinks are its own, and go with it
                self.remove_sink(sink)

    def revive(self, name):
        if name == 'pipewire':
            self.run()
        else:
            self.manage()

    def manage(self):
        self.start('wireplumber', ['wireplumber'])
        if not self.node('node.name', SINK):
            self.make_sink()
        await_('the null sink to be the default', lambda: self.alive() and self.is_default(), 10,
               0.05)

    def make_sink(self, name=SINK):
        self.tool('pw-cli', 'create-node', 'adapter', '{ %s }' % self.sink_properties(name))

    def node(self, key, value):
        """Its id as a text, or None."""
        for o in self.dump():
            if o['type'].endswith('Node') and o['info']['props'].get(key) == value:
                return str(o['id'])
        return None

    def has(self, name):
        return self.node('node.name', name) is not None

    def saved(self):
        """The volume of our stream, on disk."""
        path = self.place.file('state/wireplumber/restore-stream')
        return os.path.exists(path) and 'media.role:Game' in open(path).read()

    def remove_sink(self, name=SINK):
        node = self.node('node.name', name)
        if node:
            self.tool('pw-cli', 'destroy', node)

    def set_default(self, name):
        self.tool('pw-metadata', '0', 'default.configured.audio.sink', '{ "name": "%s" }' % name,
                  'Spa:String:JSON')

    def stream(self):
        return self.node('media.class', 'Stream/Output/Audio')

    def of_stream(self):
        """(name of its sink, volume in percent, name)."""
        dump = self.dump()
        nodes = {o['id']: o['info'] for o in dump if o['type'].endswith('Node')}
        for i, info in nodes.items():
            if info['props'].get('media.class') != 'Stream/Output/Audio':
                continue
            sinks = [o['info']['input-node-id'] for o in dump if o['type'].endswith('Link') and
                     o['info']['output-node-id'] == i]
            volumes = [p['channelVolumes'] for p in info['params']['Props'] if 'channelVolumes' in p]
            sink = nodes[sinks[0]]['props']['node.name'] if sinks and sinks[0] in nodes else None
            return (sink, '%.0f%%' % (100 * volumes[0][0] ** (1 / 3)) if volumes and volumes[0] else None,
                    info['props']['media.name'])
        return None

    def serial(self):
        """Of our stream: unlike ids, none is given twice."""
        for o in self.dump():
            props = o.get('info', {}).get('props', {}) if o['type'].endswith('Node') else {}
            if props.get('media.class') == 'Stream/Output/Audio':
                return props['object.serial']
        return None

    def kill_stream(self):
        self.tool('pw-cli', 'destroy', self.stream())

    def move_stream(self, sink):
        self.tool('pw-metadata', self.stream(), 'target.object', sink)

    def set_volume(self, percent):
        volume = (percent / 100) ** 3
        self.tool('pw-cli', 'set-param', self.stream(), 'Props',
                  '{ channelVolumes: [ %f, %f ] }' % (volume, volume))


class PulseFace(FalliblePipeWire):
    """PipeWire's stand-in for PulseAudio."""
    output = 'pulse'
    daemons = ('pipewire', 'wireplumber', 'pipewire-pulse')

    def prepare(self):
        need('pipewire-pulse', 'pactl')
        super().prepare()
        self.env.update(PULSE_RUNTIME_PATH=self.place.file('pulse'),
                        PULSE_SERVER='unix:' + self.place.file('pulse/native'))

    def revive(self, name):
        if name == 'pipewire-pulse':
            self.face()
        else:
            super().revive(name)

    def manage(self):
        super().manage()
        self.face()

    def face(self):
        self.start('pipewire-pulse', ['pipewire-pulse'])
        await_('pipewire-pulse to answer', lambda: self.alive() and
               succeeds(['pactl', 'info'], self.env), 10)
