"""
A host with libvirt's bridge and a guest behind it, in network namespaces of our own: no test sends
a packet to a real interface, and none needs root.
"""
import ctypes
import json
import os
import subprocess
import sys

from common import Failure, Skip, await_, output_of

MARK = 'SCREAM_LIVE_NAMESPACE'
BRIDGE, HOST, GUEST = 'virbr0', '192.168.122.1', '192.168.122.2'
SECOND_GUEST = '192.168.122.3'


def ways():
    """How to get namespaces: as an ordinary user, or as a root that may not make user ones."""
    mine, root = ['unshare', '-Urnm'], ['unshare', '-nm']
    return [root, mine] if os.geteuid() == 0 else [mine]


def reexecute():
    """Starts this program again in namespaces of its own; returns only if it is there already."""
    if os.environ.get(MARK) == str(os.getppid()) or os.environ.get(MARK) == 'none':
        return
    for way in ways():
        if subprocess.run(way + ['ip', 'link', 'set', 'lo', 'up'], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            os.environ[MARK] = str(os.getppid())
            os.execvp(way[0], way + [sys.executable] + sys.argv)
    os.environ[MARK] = 'none'


def ip(*args, prefix=()):
    done = subprocess.run([*prefix, 'ip', *args], stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Failure('ip %s: %s' % (' '.join(args), done.stderr.decode().strip()))


def die_with_parent():
    """A namespace's keeper must not outlive a killed test."""
    ctypes.CDLL(None).prctl(1, 15)


class Guest:
    """A namespace behind a veth pair; `prefix` runs a program there."""

    def __init__(self, place, name, address):
        self.name, self.address = name, address
        # it lives until its standard input is closed
        self.keeper = subprocess.Popen(['unshare', '-n', 'sh', '-c', 'echo; exec cat'],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       preexec_fn=die_with_parent)
        self.keeper.stdout.readline()
        self.prefix = ('nsenter', '-t', str(self.keeper.pid), '-n', '--')

    def connect(self):
        outside = 'v-' + self.name
        ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns',
           str(self.keeper.pid))
        self.attach()
        for args in (('link', 'set', 'lo', 'up'), ('addr', 'add', self.address + '/24', 'dev', 'eth0'),
                     ('link', 'set', 'eth0', 'up'), ('route', 'add', 'default', 'via', HOST)):
            ip(*args, prefix=self.prefix)
        await_('the bridge to forward', lambda: forwards(outside), 10)

    def attach(self):
        ip('link', 'set', 'v-' + self.name, 'master', BRIDGE, 'up')

    def forget_neighbours(self):
        """Nothing that is asked for by unicast is given up as absent."""
        ip('neigh', 'flush', 'dev', 'eth0', prefix=self.prefix)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()


def link(name):
    return json.loads(output_of(['ip', '-j', '-d', 'link', 'show', 'dev', name]))[0]


def forwards(port):
    state = link(port).get('linkinfo', {}).get('info_slave_data', {}).get('state')
    return link(port)['operstate'] == 'UP' and state == 'forwarding'


class Network:
    """lo, virbr0 with its address, and two guests."""

    def __init__(self, place):
        self.place = place
        self.guests = []

    def __enter__(self):
        if os.environ.get(MARK) in (None, 'none'):
            raise Skip('no namespaces can be made here (unshare)')
        ip('link', 'set', 'lo', 'up')
        self.make_bridge()
        for name, address in (('one', GUEST), ('two', SECOND_GUEST)):
            guest = Guest(self.place, name, address)
            self.guests.append(guest)
            guest.connect()
        return self

    def make_bridge(self, *options):
        """As libvirt does, and with these options of ip-link(8)."""
        ip('link', 'add', BRIDGE, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0', *options)
        ip('addr', 'add', HOST + '/24', 'dev', BRIDGE)
        for guest in self.guests:
            guest.attach()
        ip('link', 'set', BRIDGE, 'up')

    def remove_bridge(self):
        subprocess.run(['ip', 'link', 'del', BRIDGE], stderr=subprocess.DEVNULL, check=False)

    def renew(self):
        """The bridge as it is at first, whatever a test has made of it."""
        self.remove_bridge()
        self.make_bridge()

    def __exit__(self, *_):
        for guest in self.guests:
            guest.close()
        self.remove_bridge()


def joined(group, interface):
    """True once this host is a member of the group there."""
    for entry in json.loads(output_of(['ip', '-j', 'maddr', 'show', 'dev', interface])):
        for address in entry.get('maddr', []):
            if address.get('address') == group:
                return True
    return False
