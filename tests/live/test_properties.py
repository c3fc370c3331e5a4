"""How servers show the stream, which of them auto takes, and to what of theirs it connects."""
import contextlib
import re
import subprocess

from common import await_, check, output_of
from hearing import Sender
from scream import by_memory
from servers import SINK, PipeWire, Pulse

NAME = 'A guest of its own'
OTHER = 'scream_other'
# what pavucontrol reads, and what qpwgraph does
SHOWN = {'application.name': 'Scream', 'application.id': 'scream',
         'application.icon_name': 'computer', 'media.name': NAME, 'media.role': 'game',
         'media.icon_name': 'computer'}
NODE = {'application.name': 'Scream', 'application.id': 'scream',
        'application.icon-name': 'computer', 'media.name': NAME, 'media.role': 'Game',
        'media.icon-name': 'computer', 'media.type': 'Audio', 'media.category': 'Playback',
        'node.name': NAME, 'node.description': NAME}


class TwoSinks(PipeWire):
    """PipeWire with a second null sink, which is not the default one."""

    def open(self):
        super().open()
        props = ('{ factory.name=support.null-audio-sink node.name=%s media.class=Audio/Sink '
                 'object.linger=true audio.channels=2 audio.position=[FL FR] }' % OTHER)
        subprocess.run(['pw-cli', 'create-node', 'adapter', props], env=self.env, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=10)
        await_('the second sink', lambda: OTHER in self.nodes())

    def dump(self):
        """Not what pw-dump says while things change, which is no JSON."""
        return await_('a dump', super().dump)

    def nodes(self):
        """Of each node, by its name: its properties, and the names of those it is connected to."""
        all_ = self.dump()
        names = {o['id']: o['info']['props'].get('node.name') for o in all_
                 if o['type'].endswith('Node')}
        nodes = {names[o['id']]: (o['info']['props'], set()) for o in all_ if o['id'] in names}
        for link in (o['info'] for o in all_ if o['type'].endswith('Link')):
            if link['output-node-id'] in names:
                nodes[names[link['output-node-id']]][1].add(names.get(link['input-node-id']))
        return nodes

    def connected(self, name):
        """The names of those that the node is connected to; None when there is none of its name."""
        return self.nodes().get(name, (None, None))[1]


@contextlib.contextmanager
def playing(place, server, *options, name='one'):
    """A receiver, whose stream has that name, and a guest of its own that plays."""
    path = place.file(name + '.shm')
    with by_memory(place, server, path, '-n', name, *options, name=name) as scream, \
            Sender(place, '-m', path, '-s', 'noise', '-q', name=name + '-send'):
        yield scream


def says(scream, words):
    await_('"%s" from %s' % (words, scream.name), lambda: scream.alive() and words in scream.said())


def compare(shown, wanted):
    wrong = {k: shown.get(k) for k, v in wanted.items() if shown.get(k) != v}
    check(not wrong, 'shown as %s, not %s' % (wrong, {k: wanted[k] for k in wrong}))


def sink_inputs(server):
    """Of each stream that PulseAudio plays: its text, as pactl shows it."""
    return output_of(['pactl', 'list', 'sink-inputs'], server.env).decode().split('Sink Input #')[1:]


def pulse(place, network):
    """Names, icon, role and map on the sink that -s names; a sink that is not there."""
    with Pulse(place) as server:
        output_of(['pactl', 'load-module', 'module-null-sink', 'sink_name=' + OTHER], server.env)
        with playing(place, server, '-s', OTHER, name=NAME), \
                playing(place, server, '-s', 'nosuch', name='lost') as lost:
            says(lost, "no sink 'nosuch'")
            shown, = await_('the stream', lambda: sink_inputs(server))
        sinks = output_of(['pactl', 'list', 'short', 'sinks'], server.env).decode().split('\n')
    compare(dict(re.findall(r'^\t\t(\S+) = "(.*)"$', shown, re.M)), SHOWN)
    fields = dict(re.findall(r'^\t(\S.*?): (.*)$', shown, re.M))
    check(fields['Channel Map'] == 'front-left,front-right', 'map: ' + fields['Channel Map'])
    index, = [line.split()[0] for line in sinks if OTHER in line]
    check(fields['Sink'] == index, 'on sink %s, not %s' % (fields['Sink'], index))
    return '%d properties, and the sink of -s' % len(SHOWN)


def pipewire(place, network):
    """The same; and one that connects itself to nothing, but can be connected."""
    with TwoSinks(place) as server:
        with playing(place, server, '-c', name='alone') as alone, \
                playing(place, server, '-s', 'nosuch', name='lost') as lost:
            says(alone, 'no sink is connected')
            # what comes later is connected later
            with playing(place, server, '-s', OTHER, name=NAME):
                sinks = await_('a connection', lambda: server.connected(NAME))
                shown = server.nodes()[NAME][0]
            check(sinks == {OTHER}, 'connected to %s' % sinks)
            check(server.connected('alone') == set(), 'connected in spite of -c')
            output_of(['pw-link', 'alone:output_FL', SINK + ':playback_FL'], server.env)
            await_('the connection by hand', lambda: server.connected('alone') == {SINK})
            says(lost, "PipeWire has no sink 'nosuch'")
            check('lost' not in server.nodes(), 'the default sink is played to instead')
    compare(shown, NODE)
    return '%d properties, the sink of -s, and no connection by -c' % len(NODE)


def automatic(place, network):
    """Where both servers answer, PipeWire is played to; then, where only PulseAudio does, that."""
    with Pulse(place) as later:
        with TwoSinks(place) as first:
            first.env = {**later.env, **first.env}
            first.output = 'auto'
            with playing(place, first) as scream:
                says(scream, ' on PipeWire, ')
                check('one' in first.nodes(), 'PipeWire does not show it')
                check(not sink_inputs(later), 'PulseAudio plays it')
        with playing(place, first, name='two') as scream:
            says(scream, " on PulseAudio sink '%s'" % SINK)
    return 'PipeWire before PulseAudio'


TESTS = [(f.__name__, f) for f in (pulse, pipewire, automatic)]
