"""What happens to the interface that a guest is heard on."""
from faults import Rig
from net import BRIDGE, GUEST, HOST, ip


class Bridged(Rig):
    """By multicast over virbr0, or as `options` say."""

    def __init__(self, place, network, *options, **more):
        super().__init__(place, network, *(options or ('-i', BRIDGE)), **more)

    def guest(self):
        self.play('-i', GUEST, prefix=self.network.guests[0].prefix)
        return self

    def __exit__(self, *why):
        super().__exit__(*why)
        if why[0]:
            self.network.renew()  # the next test begins with what it should be


def deleted(rig):
    """libvirt's network is stopped and started: another interface of the same name."""
    rig.network.remove_bridge()
    rig.ear.silent()
    rig.waits('there is no interface')
    rig.network.make_bridge()
    rig.ear.listen()


def deleted_at_once(rig):
    """Likewise, between two looks."""
    rig.network.renew()
    rig.ear.listen()


def down(rig):
    ip('link', 'set', BRIDGE, 'down')
    rig.ear.silent()
    rig.waits('is down')
    ip('link', 'set', BRIDGE, 'up')
    rig.ear.listen()


def address_removed(rig):
    ip('addr', 'del', HOST + '/24', 'dev', BRIDGE)
    rig.waits('no IPv4 address')
    ip('addr', 'add', HOST + '/24', 'dev', BRIDGE)
    rig.ear.listen()
    rig.waits('listening to')


def address_changed(rig):
    for old, new in ((HOST, '192.168.122.9'), ('192.168.122.9', HOST)):
        ip('addr', 'del', old + '/24', 'dev', BRIDGE)
        ip('addr', 'add', new + '/24', 'dev', BRIDGE)
    rig.ear.listen()


def renamed(rig):
    """Another interface takes the name."""
    ip('link', 'set', BRIDGE, 'down')
    ip('link', 'set', BRIDGE, 'name', 'old0')
    rig.ear.silent()
    rig.network.make_bridge()
    rig.ear.listen()
    ip('link', 'del', 'old0')


BRIDGE_FAULTS = (deleted, deleted_at_once, down, address_removed, address_changed, renamed)
