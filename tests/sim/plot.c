#include "plot.h"

#include <math.h>

#define WIDTH    1000.0
#define HEIGHT   640.0
#define LEFT     70.0
#define RIGHT    980.0
#define COLUMNS  910 /* that a trace is drawn in: pixels */
#define TEXT     "#24292f"
#define FAINT    "#d8dee4"
#define MARK     "#cf222e"
#define MOST_TIC 12

/* A panel: what is at its edges. */
struct axis {
    const char *title;
    double top, bottom; /* pixels */
    double least, most; /* at bottom and top */
    double seconds;     /* at the right edge */
};

static double x_of(const struct axis *a, double at)
{
    return LEFT + at / a->seconds * (RIGHT - LEFT);
}

static double y_of(const struct axis *a, double value)
{
    const double in = fmin(fmax(value, a->least), a->most);
    return a->bottom - (in - a->least) / (a->most - a->least) * (a->bottom - a->top);
}

/* 1, 2 or 5 times a power of ten: between so many tics that they can be read. */
static double tic_step(double span, double most)
{
    double step = pow(10, floor(log10(span / most)));
    for (int i = 0; span / step > most; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    return step;
}

static void text(FILE *f, double x, double y, const char *anchor, const char *what)
{
    fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>\n", x, y, anchor, what);
}

static void draw_axis(FILE *f, const struct axis *a)
{
    char label[32];
    const double step = tic_step(a->most - a->least, 6), across = tic_step(a->seconds, MOST_TIC);
    for (double v = ceil(a->least / step) * step; v <= a->most + step / 1e3; v += step) {
        fprintf(f, "<path d='M%.1f %.1fH%.1f' stroke='" FAINT "'/>\n", LEFT, y_of(a, v), RIGHT);
        snprintf(label, sizeof label, "%.6g", fabs(v) < step / 1e3 ? 0 : v);
        text(f, LEFT - 8, y_of(a, v) + 4, "end", label);
    }
    for (double s = 0; s <= a->seconds; s += across) {
        fprintf(f, "<path d='M%.1f %.1fV%.1f' stroke='" FAINT "'/>\n", x_of(a, s), a->top,
                a->bottom);
        snprintf(label, sizeof label, "%.6g", s);
        text(f, x_of(a, s), a->bottom + 18, "middle", label);
    }
    fprintf(f,
            "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='none' stroke='#8c959f'/>\n",
            LEFT, a->top, RIGHT - LEFT, a->bottom - a->top);
    fprintf(f, "<text transform='translate(18 %.1f) rotate(-90)' text-anchor='middle'>%s</text>\n",
            (a->top + a->bottom) / 2, a->title);
}

/* ---- what is drawn ---- */

typedef bool take_fn(const struct point *p, double *low, double *high);

static bool take_latency(const struct point *p, double *low, double *high)
{
    *low = p->low;
    *high = p->high;
    return p->low <= p->high;
}

static bool take_ratio(const struct point *p, double *low, double *high)
{
    *low = *high = p->ratio;
    return true;
}

/* The least and the most in a column; false: nothing is there. */
static bool column(const struct trace *t, const struct axis *a, int i, take_fn *take, double *low,
                   double *high)
{
    const double from = a->seconds * i / COLUMNS, to = a->seconds * (i + 1) / COLUMNS;
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t k = trace_find(t, from); k < t->count && t->points[k].at < to; k++) {
        double l, h;
        if (take(&t->points[k], &l, &h)) {
            *low = fmin(*low, l);
            *high = fmax(*high, h);
        }
    }
    return *low <= *high;
}

static void draw_curve(FILE *f, const struct trace *t, const struct axis *a, take_fn *take,
                       const char *colour)
{
    double low, high;
    fprintf(f, "<path fill='none' stroke='%s' stroke-width='1.5' stroke-linejoin='round' d='",
            colour);
    bool pen = false;
    for (int i = 0; i < COLUMNS; i++) {
        const double x = LEFT + (RIGHT - LEFT) * (i + 0.5) / COLUMNS;
        if (!column(t, a, i, take, &low, &high)) {
            pen = false;
            continue;
        }
        fprintf(f, "%c%.1f %.2fV%.2f", pen ? 'L' : 'M', x, y_of(a, low), y_of(a, high) - 0.2);
        pen = true;
    }
    fputs("'/>\n", f);
}

/* Stripes where something happens, named once for each kind in a row. */
static void draw_happenings(FILE *f, const struct scenario *s, const struct axis *a, bool named)
{
    for (size_t i = 0; i < s->happenings; i++) {
        const struct happening *h = &s->happens[i];
        for (double at = h->at; at < s->seconds; at += h->every) {
            const double x = x_of(a, at), wide = x_of(a, at + happening_seconds(h)) - x;
            fprintf(f,
                    "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='#f2cc60' "
                    "fill-opacity='0.6'/>\n",
                    x, a->top, fmax(wide, 1.5), a->bottom - a->top);
            if (named && at == h->at) {
                char label[64];
                snprintf(label, sizeof label, "%s %g", happening_name(h->kind), h->amount);
                text(f, x + 4, a->top + 14, "start", label);
            }
            if (h->every <= 0)
                break;
        }
    }
}

static void draw_dropouts(FILE *f, const struct trace *t, const struct axis *a)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct point *p = &t->points[i];
        if (p->gaps + p->jumps + p->clicks > 0)
            fprintf(f, "<path d='M%.1f %.1fv-10' stroke='" MARK "' stroke-width='2'/>\n",
                    x_of(a, p->at), a->bottom);
    }
}

/* The range that the panel shows: all but the first moments, and no less than `least` of it. */
static void fit(struct axis *a, const struct trace *t, take_fn *take, double least)
{
    double from = INFINITY, to = -INFINITY, low, high;
    for (size_t i = trace_find(t, fmin(2, a->seconds / 4)); i < t->count; i++)
        if (take(&t->points[i], &low, &high)) {
            from = fmin(from, low);
            to = fmax(to, high);
        }
    if (!(from <= to))
        from = to = 0;
    const double middle = (from + to) / 2, half = fmax((to - from) * 0.56, least / 2);
    a->least = middle - half;
    a->most = middle + half;
}

static void draw_head(FILE *f, const struct scenario *s, const struct verdict *v)
{
    char words[512], line[256];
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' width='%g' height='%g' "
            "font-family='sans-serif' font-size='12' fill='" TEXT "'>\n"
            "<rect width='100%%' height='100%%' fill='white'/>\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    scenario_text(s, words, sizeof words);
    fprintf(f,
            "<text x='%g' y='26' font-size='16' font-weight='bold'>scream, simulated: %s</text>\n",
            LEFT, words);
    snprintf(
        line, sizeof line,
        "latency %.2f ms (5th to 95th percentile %.2f to %.2f), ratio sd %.2f ppm, %u dropouts "
        "beside what happens",
        v->median, v->p5, v->p95, v->ratio_sd, v->dropouts);
    text(f, LEFT, 46, "start", line);
}

void plot(FILE *f, const struct scenario *s, const struct trace *t, const struct verdict *v)
{
    struct axis latency = {
        .title = "latency, guest to ear (ms)", .top = 62, .bottom = 322, .seconds = s->seconds};
    struct axis ratio = {
        .title = "ratio - 1 (ppm)", .top = 362, .bottom = 582, .seconds = s->seconds};
    fit(&latency, t, take_latency, 1);
    fit(&ratio, t, take_ratio, 20);
    draw_head(f, s, v);
    draw_happenings(f, s, &latency, true);
    draw_happenings(f, s, &ratio, false);
    draw_axis(f, &latency);
    draw_axis(f, &ratio);
    draw_curve(f, t, &latency, take_latency, "#0969da");
    draw_curve(f, t, &ratio, take_ratio, "#1a7f37");
    draw_dropouts(f, t, &latency);
    text(f, (LEFT + RIGHT) / 2, 616, "middle", "time (s)");
    fprintf(f, "<path d='M%g 628v-10' stroke='" MARK "' stroke-width='2'/>\n", LEFT);
    text(f, LEFT + 8, 628, "start", "a dropout or a click");
    fprintf(f, "<rect x='%g' y='618' width='10' height='10' fill='#f2cc60' fill-opacity='0.6'/>\n",
            LEFT + 150);
    text(f, LEFT + 166, 628, "start", "something happens");
    fputs("</svg>\n", f);
}
