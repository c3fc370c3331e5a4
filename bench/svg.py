"""A small SVG writer: panels with axes, lines, bars, dots."""
from html import escape
from math import floor, log10

OURS, OTHER, LIMIT, GREY, INK = '#0068b5', '#e06c00', '#b00020', '#d9d9d9', '#222222'
FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'


class Picture:
    def __init__(self, width, height):
        self.parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                      'viewBox="0 0 %d %d" %s>' % (width, height, width, height, FONT),
                      '<rect width="100%" height="100%" fill="#ffffff"/>']

    def text(self, x, y, words, size=11, anchor='start', colour=INK, weight='normal', turn=None):
        turned = ' transform="rotate(%d %.1f %.1f)"' % (turn, x, y) if turn else ''
        self.parts.append('<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" fill="%s" '
                          'font-weight="%s"%s>%s</text>'
                          % (x, y, size, anchor, colour, weight, turned, escape(words)))

    def line(self, x1, y1, x2, y2, colour=GREY, width=1.0, dash=''):
        dashed = ' stroke-dasharray="%s"' % dash if dash else ''
        self.parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" '
                          'stroke-width="%.1f"%s/>' % (x1, y1, x2, y2, colour, width, dashed))

    def path(self, pieces, colour):
        """Polylines; a hole between two of them stays open."""
        d = ' '.join('M' + ' L'.join('%.1f %.1f' % p for p in piece) for piece in pieces if piece)
        self.parts.append('<path d="%s" fill="none" stroke="%s" stroke-width="1.4" '
                          'stroke-linejoin="round" stroke-linecap="round"/>' % (d, colour))

    def rect(self, x, y, w, h, colour):
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'
                          % (x, y, max(0.5, w), h, colour))

    def dot(self, x, y, colour):
        self.parts.append('<circle cx="%.1f" cy="%.1f" r="4" fill="%s" fill-opacity="0.75"/>'
                          % (x, y, colour))

    def legend(self, x, y, entries):
        for colour, words in entries:
            self.rect(x, y - 8, 16, 4, colour)
            self.text(x + 22, y, words, 12)
            x += 50 + 7.2 * len(words)

    def save(self, path):
        with open(path, 'w') as f:
            f.write('\n'.join(self.parts + ['</svg>', '']))


def ticks(most, about=5):
    """Round numbers from 0 on."""
    raw = max(most, 1e-9) / about
    power = 10 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    found, n = [], 0
    while n * step <= most * 1.0001:
        found.append(n * step)
        n += 1
    return found


def number(x):
    return '%g' % round(x, 6)


class Panel:
    """Axes from (0, 0) to (x_most, y_most) in a box of the picture."""

    def __init__(self, picture, box, x_most, y_most):
        self.picture, self.box, self.x_most, self.y_most = picture, box, x_most, y_most

    def x(self, value):
        left, _, width, _ = self.box
        return left + width * value / self.x_most

    def y(self, value):
        _, top, _, height = self.box
        return top + height * (1 - min(1, max(0, value / self.y_most)))

    def x_axis(self, words):
        left, top, width, height = self.box
        for t in ticks(self.x_most, 6):
            self.picture.line(self.x(t), top, self.x(t), top + height)
            self.picture.text(self.x(t), top + height + 14, number(t), 10, 'middle')
        self.picture.text(left + width / 2, top + height + 30, words, 11, 'middle')

    def y_axis(self, words):
        left, top, width, height = self.box
        for t in ticks(self.y_most):
            self.picture.line(left, self.y(t), left + width, self.y(t))
            self.picture.text(left - 6, self.y(t) + 4, number(t), 10, 'end')
        self.picture.text(left - 40, top + height / 2, words, 11, 'middle', turn=-90)

    def frame(self, title):
        left, top, width, height = self.box
        self.picture.line(left, top + height, left + width, top + height, INK)
        self.picture.line(left, top, left, top + height, INK)
        self.picture.text(left, top - 8, title, 12, weight='bold')
