"""The plots: latency over time of both receivers, and how they compare."""
from judge import quantile
from svg import LIMIT, OTHER, OURS, Panel, Picture

COLUMNS, WIDE, HIGH = 2, 380, 170
MARGIN_X, MARGIN_Y, HEAD = 70, 70, 80
GAP_S = 0.5  # a longer stretch without a point is a hole
COLOURS = {'ours': OURS, 'other': OTHER}
TITLES = {'steady': 'steady', 'ppm+500': 'guest +500 ppm', 'ppm-500': 'guest \u2212500 ppm',
          'jitter': 'jitter of 30 ms', 'stalls': 'stalls of 250 ms every 5 s', 'loss': '1 % loss'}
SERVERS = {'pulse': 'PulseAudio', 'pipewire': 'PipeWire'}
WAYS = {'udp': 'UDP', 'ivshmem': 'IVSHMEM'}


def title_of(case):
    kind, _, way = case.rpartition('-')
    return '%s, %s' % (TITLES.get(kind, kind), WAYS[way])


def pieces(series):
    """The series, cut where nothing was heard."""
    found, last = [], None
    for t, x in series:
        if last is None or t - last > GAP_S:
            found.append([])
        found[-1].append((t, x))
        last = t
    return found


def panel_of(picture, box, case, lines):
    """lines: who -> series."""
    values = [x for s in lines.values() for _, x in s]
    length = max(t for s in lines.values() for t, _ in s)
    panel = Panel(picture, box, length, max(1.0, 1.15 * quantile(values, 0.99)))
    panel.x_axis('s since the stream began')
    panel.y_axis('latency, ms')
    for who, series in lines.items():
        cut = pieces([(t, x) for t, x in series if 0 <= t])
        picture.path([[(panel.x(t), panel.y(x)) for t, x in p] for p in cut], COLOURS[who])
    panel.frame(title_of(case))


def latency_plot(path, results, server, names):
    """True if there was something to draw."""
    shown = {}
    for (s, case, n, who), f in results.items():
        kind = case.rpartition('-')[0]
        if s == server and kind in TITLES and n == 0 and who in COLOURS and f.get('series'):
            shown.setdefault(case, {})[who] = f['series']
    if not shown:
        return False
    order = sorted(shown, key=lambda c: (list(TITLES).index(c.rpartition('-')[0]), c[-3:] != 'udp'))
    rows = -(-len(order) // COLUMNS)
    picture = Picture(COLUMNS * (WIDE + MARGIN_X) + 30, HEAD + rows * (HIGH + MARGIN_Y))
    picture.text(20, 26, 'Latency over time, into %s' % SERVERS[server], 16, weight='bold')
    picture.legend(20, 48, [(COLOURS[w], names[w]) for w in COLOURS
                            if any(w in v for v in shown.values())])
    for i, case in enumerate(order):
        row, column = divmod(i, COLUMNS)
        panel_of(picture, (MARGIN_X + column * (WIDE + MARGIN_X), HEAD + row * (HIGH + MARGIN_Y),
                           WIDE, HIGH), case, shown[case])
    picture.save(path)
    return True


# ---- how they compare ----

BAR, LABEL, RATIOS_WIDE, RATIO_MOST = 22, 330, 420, 1.25


def bars(picture, top, rows, names):
    """rows: (label, outcome). The height used."""
    height = BAR * len(rows)
    panel = Panel(picture, (LABEL, top, RATIOS_WIDE, height), RATIO_MOST, 1)
    panel.x_axis('%s \u00f7 %s' % (names['ours'], names['other']))
    for i, (label, o) in enumerate(rows):
        y = top + i * BAR
        picture.text(LABEL - 8, y + 15, label, 11, 'end')
        end = panel.x(min(o.ratio, RATIO_MOST))
        picture.rect(LABEL, y + 4, end - LABEL, BAR - 8, OURS)
        picture.text(LABEL + RATIOS_WIDE + 10, y + 15, '%.2f' % o.ratio, 11)
        limit = panel.x(min(o.limit.limit, RATIO_MOST))
        picture.line(limit, y + 1, limit, y + BAR - 1, LIMIT, 2.5)
    one = panel.x(1)
    picture.line(one, top, one, top + height, OTHER, 1.5, '4 3')
    panel.frame('Ratios; a bar must end before its red mark')
    return height + MARGIN_Y


def starts_strip(picture, top, rows, names):
    """rows: (label, who, values)."""
    height = BAR * len(rows)
    most = 1.1 * max(max(v) for _, _, v in rows)
    panel = Panel(picture, (LABEL, top, RATIOS_WIDE, height), most, 1)
    panel.x_axis('median latency of each start, ms')
    for i, (label, who, values) in enumerate(rows):
        y = top + i * BAR + BAR / 2
        picture.text(LABEL - 8, y + 4, '%s, %s' % (label, names[who]), 11, 'end')
        for x in values:
            picture.dot(panel.x(x), y, COLOURS[who])
    panel.frame('Starts, UDP')
    return height + MARGIN_Y


def start_rows(results):
    rows = {}
    for (server, case, _, who), f in results.items():
        if case == 'starts-udp' and who in COLOURS and f.get('latency'):
            rows.setdefault((server, who), []).append(f['latency']['median'])
    return [(SERVERS[s], who, rows[s, who]) for s in SERVERS for who in COLOURS if (s, who) in rows]


def compare_plot(path, results, outcomes, names):
    """outcomes: server -> its outcomes. True if there was something to draw."""
    ratios = [('%s: %s' % (SERVERS[s], o.limit.name), o) for s in outcomes for o in outcomes[s]
              if o.limit.ratio and o.ratio is not None]
    starts = start_rows(results)
    if not ratios and not starts:
        return False
    height = 70 + sum(BAR * len(rows) + MARGIN_Y for rows in (ratios, starts) if rows)
    picture, top = Picture(LABEL + RATIOS_WIDE + 50, height), 70
    picture.text(20, 28, 'How they compare', 16, weight='bold')
    if ratios:
        top += bars(picture, top, ratios, names)
    if starts:
        starts_strip(picture, top, starts, names)
    picture.save(path)
    return True
