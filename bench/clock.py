"""When a recorded frame was recorded."""
from common import Failure

WINDOW = 1.0  # s; the earliest arrival of each counts
JUMP = 2e-3   # s by which so many windows in a row are off when the recorder lost something
SURE = 3
RECENT = 5
FEW = 10      # windows that are too short a time to measure a rate by


def quantile(values, q):
    v = sorted(values)
    return v[min(len(v) - 1, int(q * len(v)))] if v else None


def median(values):
    return quantile(values, 0.5)


def earliest_of(arrivals, rate, begin, end):
    """(frame, s by which it came after the nominal rate's line): the earliest of each window."""
    found = {}
    for ns, frame in arrivals:
        t = ns / 1e9
        if begin <= t < end:
            window, x = int((t - begin) / WINDOW), t - frame / rate
            if window not in found or x < found[window][1]:
                found[window] = (frame, x)
    return list(found.values())


def stretches_of(points):
    """Cut where the recording jumped: a busy machine's recorder loses whole blocks."""
    parts = [points[:1]]
    for i in range(1, len(points)):
        usual = median([x for _, x in parts[-1][-RECENT:]])
        ahead = [x - usual for _, x in points[i:i + SURE]]
        if len(ahead) == SURE and (min(ahead) > JUMP or max(ahead) < -JUMP):
            parts.append([])
        parts[-1].append(points[i])
    return parts


def bend_of(parts):
    """The median slope between any two points: a window that was late all over does not bend it."""
    slopes = []
    for part in parts:
        few = part[::max(1, len(part) // 200)]
        slopes += [(d - b) / (c - a) for i, (a, b) in enumerate(few) for c, d in few[i + 1:]]
    return median(slopes) if slopes else 0.0


def spread_of(parts, bend):
    """ms, from the 10th to the 90th percentile, about the lines."""
    off = []
    for part in parts:
        x = [x - bend * frame for frame, x in part]
        off += [v - median(x) for v in x]
    return 1e3 * (quantile(off, 0.9) - quantile(off, 0.1))


class Clock:
    """
    A recording's pieces come late, never early. The sink's clock need not be the machine's: PulseAudio's
    null sink rounds its blocks and is some 100 ppm fast. Fitted within [begin, end) alone, as a sink may
    change its blocks when a client comes or goes.
    """

    def __init__(self, arrivals, rate, begin, end):
        points = earliest_of(arrivals, rate, begin, end)
        if len(points) < 3:
            raise Failure('the recording has nothing of the time in question')
        parts = stretches_of(points)
        # of a slope, in ms/min: what the points' spread does to a straight line through them
        length = (points[-1][0] - points[0][0]) / rate
        bend = bend_of(parts)
        self.spread, self.jumps = spread_of(parts, bend), len(parts) - 1
        self.doubt = 60 * self.spread / 2.56 * (12 / len(points)) ** 0.5 / length
        if len(points) < FEW or abs(60e3 * bend * rate) < 3 * self.doubt:
            bend = 0  # no other clock than the machine's can be made out
        self.rate, self.frame_s = rate, 1 / rate + bend
        self.ppm = 1e6 * (1 / (1 + bend * rate) - 1)
        # (first frame, last frame, origin)
        self.lines = [(p[0][0], p[-1][0], quantile([x - bend * f for f, x in p], 0.25)) for p in parts]

    def time(self, frame):
        """None within a jump."""
        for i, (_, last, origin) in enumerate(self.lines):
            if frame <= last or i == self.jumps:
                before = self.lines[i][0] > frame and i > 0
                return None if before else origin + frame * self.frame_s
        return None

    def figures(self):
        return {'ppm': self.ppm, 'spread': self.spread, 'doubt': self.doubt, 'jumps': self.jumps}
