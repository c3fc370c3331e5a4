"""What this machine did to everybody: stalls that no program of ours can be blamed for."""
import os

from common import BUILD, Child

WITNESS = os.path.join(BUILD, 'witness')
STALL = 0.014  # s that a thread may wake late before that explains a dropout: the least slack


class Witness(Child):
    """Runs beside the tests, from enter() on."""

    def __init__(self, place):
        super().__init__(place, 'witness', [WITNESS, '%g' % (1000 * STALL)])

    def stalls(self, since):
        """(when, ms late), from that moment (time.monotonic()) on; when: seconds of that clock."""
        lines = [line.split() for line in self.said().splitlines()]
        return [(float(at), float(ms)) for at, ms in lines if float(at) + float(ms) / 1000 > since]
