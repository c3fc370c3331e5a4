/*
 * The design's gates over guests, outputs and what happens to them, simulated with the real stream and
 * player. Every pair of values of any two columns comes together in some case; each case has a chance of
 * its own. A case that fails is told in the words that `make simulate CASE=` takes.
 *
 * Where the receiver does not reach a gate yet, `shortfalls` says so: by how much at most, and why. It is to
 * become empty.
 *
 * MATRIX_SEED=N: other cases, other chance.
 */
#include "test.h"

#include "../sim/verdict.h"
#include "../sim/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ ||                                 \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHARE 16 /* one of so many cases: sanitizers are slow */
#else
#define SHARE 1
#endif

#define SETTLE_S 150
#define END_S    200

enum column { TRANSPORT, OUTPUT, PERIOD, RATE, PPM, WHAT, COLUMNS };

/* "10ms": the rate's hundredth */
static const char *const values[COLUMNS][10] = {
    [TRANSPORT] = {"udp", "ivshmem"},
    [OUTPUT] = {"fill", "queue"},
    [PERIOD] = {"10ms", "n=64", "n=240", "n=480", "n=1024", "n=2048"},
    [RATE] = {"48000", "44100", "96000", "192000"},
    [PPM] = {"0", "30", "-30", "100", "-100", "500", "-500", "1000", "-1000"},
    [WHAT] = {"steady", "jitter", "loss", "stall", "step", "pause", "format"},
};

static const char *const happens[] = {
    "",
    "jitter=0.01",
    "loss=0.001",
    "stall=250@165",
    "step=200@165",
    "pause=3000@165",
    "format=%s@30",
};

enum what { STEADY, JITTER, LOSS, STALL, STEP, PAUSE, FORMAT, FLOOR };

struct row {
    unsigned at[COLUMNS];
};

static unsigned count_of(int column)
{
    unsigned n = 0;
    while (n < 10 && values[column][n])
        n++;
    return n;
}

/* ---- rows that bring every pair together ---- */

typedef bool pairs[COLUMNS][10][COLUMNS][10];

static unsigned mark(pairs seen, const struct row *r, bool set)
{
    unsigned fresh = 0;
    for (int a = 0; a < COLUMNS; a++)
        for (int b = a + 1; b < COLUMNS; b++) {
            bool *const pair = &seen[a][r->at[a]][b][r->at[b]];
            fresh += !*pair;
            *pair |= set;
        }
    return fresh;
}

/* Of some rows by chance the one that brings most new pairs; false: none does. */
static bool next_row(pairs seen, struct dice *dice, struct row *best)
{
    unsigned most = 0;
    for (int tries = 0; tries < 400; tries++) {
        struct row r;
        for (int c = 0; c < COLUMNS; c++)
            r.at[c] = (unsigned)(dice_roll(dice) % count_of(c));
        const unsigned fresh = mark(seen, &r, false);
        if (fresh > most) {
            most = fresh;
            *best = r;
        }
    }
    mark(seen, best, true);
    return most > 0;
}

/* ---- gates ---- */

static const struct shortfall {
    enum what what;
    const char *gate;
    double most; /* no worse than that, all the same */
    const char *why;
} shortfalls[] = {
    {LOSS, "ratio sd", 200, "packets of less than 2.5 ms go unseen, and are steered for"},
    {LOSS, "latency spread", 25, "a chunk's loss is seen after a second"},
    {JITTER, "ratio sd", 40, "the target moves, with 50 or 300 ppm"},
    {JITTER, "latency spread", 8, "it still learns how late bursts come"},
    {JITTER, "dropouts", 1, "it learns by dropouts"},
    {JITTER, "clicks", 1, "it learns by dropouts"},
    {STEADY, "ratio sd", 10, "not known yet"},
    {FORMAT, "ratio sd", 3, "not known yet"},
    {STEP, "latency spread", 4.5, "the target gives way, and comes back at 0.05 ms/s"},
    {PAUSE, "ratio sd", 15,
     "where IVSHMEM's chunks lie is known to 0.8 ms at first, and steered for"},
    {FLOOR, "beside period and output", 43, "slack for late threads, before it is known how late"},
};

/* What a case has missed. */
struct report {
    enum what what;
    char text[400];
    size_t used;
    unsigned failed, short_of; /* gates: missed, and missed as is known */
};

static const struct shortfall *known(enum what what, const char *name, double value)
{
    for (size_t i = 0; i < sizeof shortfalls / sizeof shortfalls[0]; i++) {
        const struct shortfall *s = &shortfalls[i];
        if (s->what == what && strcmp(s->gate, name) == 0 && value <= s->most)
            return s;
    }
    return NULL;
}

static void gate(struct report *r, const char *name, double value, double most, const char *unit)
{
    if (value <= most)
        return;
    const struct shortfall *short_of = known(r->what, name, value);
    const int n = snprintf(r->text + r->used, sizeof r->text - r->used,
                           "\n    %s %.3f%s, not %g%s%s", name, value, unit, most,
                           short_of ? ", as is known: " : "", short_of ? short_of->why : "");
    r->used += n > 0 ? (size_t)n : 0;
    r->used = r->used < sizeof r->text ? r->used : sizeof r->text - 1;
    *(short_of ? &r->short_of : &r->failed) += 1;
}

static void judge(struct report *r, const struct verdict *v, enum what what)
{
    const double spread = v->high - v->low;
    *r = (struct report){.what = what};
    if (what == LOSS) { /* what is lost cannot be heard; the rate must not know */
        gate(r, "ratio sd", v->ratio_sd, 2, " ppm");
        gate(r, "latency spread", v->p95 - v->p5, 5, " ms");
        return;
    }
    gate(r, "dropouts", v->dropouts, 0, "");
    gate(r, "clicks", v->clicks, 0, "");
    if (what == STEP) {
        gate(r, "latency spread", spread, 2.9, " ms");
        return;
    }
    gate(r, "ratio sd", v->ratio_sd, 2, " ppm");
    gate(r, "latency spread", spread, 0.5, " ms");
    gate(r, "recovery", v->recovery, 1, " s");
    gate(r, "latency moved", v->moved, 5, " ms");
    if (what == STALL) {
        gate(r, "dropouts of the stall", v->excused, 1, "");
        gate(r, "clicks of the stall", v->rough, 0, "");
    }
}

static void describe(char *words, size_t size, const struct row *r, unsigned seed)
{
    char what[64];
    const char *rate = values[RATE][r->at[RATE]], *period = values[PERIOD][r->at[PERIOD]];
    char ten[16];
    snprintf(ten, sizeof ten, "n=%d", atoi(rate) / 100);
    snprintf(what, sizeof what, r->at[WHAT] == FORMAT ? "format=%s@30" : "%s",
             r->at[WHAT] == FORMAT ? values[RATE][(r->at[RATE] + 1) % 4] : happens[r->at[WHAT]]);
    snprintf(words, size,
             "%s %s %s rate=%s ppm=%s out=-30 settle=%d resettle=20 seconds=%d seed=%u %s",
             values[TRANSPORT][r->at[TRANSPORT]], values[OUTPUT][r->at[OUTPUT]],
             r->at[PERIOD] == 0 ? ten : period, rate, values[PPM][r->at[PPM]], SETTLE_S, END_S,
             seed, what);
}

static void simulate(struct verdict *v, const char *words)
{
    struct scenario s;
    struct trace t = {0};
    char why[128];
    struct world *w = malloc(sizeof *w);
    scenario_init(&s);
    if (!w || !scenario_take(&s, words, why, sizeof why))
        fail_msg("%s: %s", words, why);
    world_open(w, &s, &t);
    world_run(w, s.seconds);
    world_close(w);
    verdict_of(v, &s, &t);
    trace_finish(&t);
    free(w);
}

struct tally {
    unsigned cases, run, failed, short_of;
};

static void count(struct tally *t, const char *words, const struct report *r)
{
    t->run++;
    t->failed += r->failed > 0;
    t->short_of += r->failed == 0 && r->short_of > 0;
    if (r->used > 0)
        print_message("%s %s%s\n", r->failed ? "FAILED" : "short ", words, r->text);
}

static void every_pair(void **state)
{
    (void)state;
    static pairs seen;
    struct row r = {0};
    const char *const other = getenv("MATRIX_SEED");
    const unsigned seed = other ? (unsigned)strtoul(other, NULL, 10) : 0;
    struct dice dice = {seed + 1};
    struct tally t = {0};
    for (; next_row(seen, &dice, &r); t.cases++) {
        char words[256];
        struct verdict v;
        struct report report;
        if (t.cases % SHARE != 0)
            continue;
        describe(words, sizeof words, &r, 1000 * seed + t.cases + 1);
        simulate(&v, words);
        judge(&report, &v, (enum what)r.at[WHAT]);
        count(&t, words, &report);
    }
    print_message("matrix: %u of %u cases run%s: %u reach every gate, %u fall short as is known, "
                  "%u failed\n",
                  t.run, t.cases, SHARE > 1 ? " under a sanitizer" : "",
                  t.run - t.short_of - t.failed, t.short_of, t.failed);
    assert_int_equal(t.failed, 0);
}

/* Latency at defaults beside the output's period and delay. */
static void the_floor(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        double most; /* ms */
    } cases[] = {{"udp n=480", 15.4},     {"udp n=1024", 15.4},     {"udp queue n=480", 15.4},
                 {"ivshmem n=480", 21.6}, {"ivshmem n=1024", 21.6}, {"ivshmem queue n=480", 21.6}};
    struct tally t = {0};
    for (size_t i = 0; i<sizeof cases / sizeof cases[0]; i += SHARE> 1 ? 3 : 1) {
        char words[128];
        struct verdict v;
        struct report r = {.what = FLOOR};
        snprintf(words, sizeof words, "%s ppm=100 out=-30 settle=%d seconds=%d", cases[i].words,
                 SETTLE_S, END_S);
        simulate(&v, words);
        gate(&r, "beside period and output", v.latency_less, cases[i].most, " ms");
        gate(&r, "p95 - p5", v.p95 - v.p5, 0.5, " ms");
        count(&t, words, &r);
        print_message("floor: %s: N + %.2f ms, p95 - p5 %.3f ms\n", cases[i].words, v.latency_less,
                      v.p95 - v.p5);
    }
    assert_int_equal(t.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair),
        cmocka_unit_test(the_floor),
    };
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
