/*
 * Arrival line and servo together, against simulated clocks: positions only, no sound, so that ten
 * minutes take milliseconds. The figures are the design's gates.
 */
#include "test.h"

#include "arrival.h"
#include "clock.h"
#include "servo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct knobs {
    const char *name;
    uint32_t rate, period;    /* Hz, frames a callback */
    uint32_t packet;          /* frames */
    int64_t tick;             /* ns between the guest's wake-ups */
    double guest_ppm;         /* its clock, by ours */
    double output_ppm;        /* the output's */
    double late_part;         /* of the ticks that are late, */
    int64_t late_most;        /* ns, by up to this */
    int64_t callback_most;    /* ns: so much later than they should callbacks come */
    double step_at, step_ppm; /* s, and how the guest's clock changes then */
    unsigned seed;
};

struct result {
    double ratio_sd;  /* ppm, after the settling time */
    double ratio_off; /* ppm, mean, from what it must be */
    double spread;    /* ms, latency's peak to peak after the settling time */
    double settled;   /* s after a step until the latency is within 0.5 ms for good */
    double excursion; /* ms, furthest from the target after a step */
};

#define SETTLE_S 150
#define SECONDS  600

static double uniform(unsigned *seed)
{
    return (double)rand_r(seed) / RAND_MAX;
}

/* The guest up to time t: whole packets at its ticks. */
struct guest {
    struct arrival arrival;
    double clock; /* frames that its clock has counted */
    double tick;  /* time of the latest, ns */
    uint64_t sent;
};

static void guest_until(struct guest *g, const struct knobs *k, int64_t t, unsigned *seed)
{
    for (;;) {
        const double at = g->tick / NS_PER_S;
        const double ppm = k->guest_ppm + (k->step_at > 0 && at > k->step_at ? k->step_ppm : 0);
        const double next = g->tick + (double)k->tick / (1 + ppm * 1e-6);
        if (next > (double)t)
            break;
        g->tick = next;
        g->clock += (double)k->tick / NS_PER_S * k->rate;
        const bool late = uniform(seed) < k->late_part;
        int64_t when =
            (int64_t)g->tick + (late ? (int64_t)(uniform(seed) * (double)k->late_most) : 0);
        when = when < g->arrival.last ? g->arrival.last : when;
        for (; (double)(g->sent + k->packet) <= g->clock; g->sent += k->packet)
            arrival_add(&g->arrival, when, g->sent + k->packet);
    }
}

struct tally {
    double n, sum, squares, low, high;
};

static void tally_add(struct tally *t, double x)
{
    t->low = t->n == 0 || x < t->low ? x : t->low;
    t->high = t->n == 0 || x > t->high ? x : t->high;
    t->n++;
    t->sum += x;
    t->squares += x * x;
}

static struct result simulate(const struct knobs *k)
{
    struct guest g = {0};
    struct servo servo;
    struct tally ratios = {0}, latencies = {0};
    struct result r = {0};
    unsigned seed = k->seed;
    arrival_init(&g.arrival, k->rate);
    servo_init(&servo);
    const double dt = k->period / (k->rate * (1 + k->output_ppm * 1e-6));
    const double target = k->period + 0.02 * k->rate;
    double position = 0;
    bool playing = false;
    for (double at = 0.005; at < SECONDS; at += dt) {
        const int64_t now = (int64_t)(at * NS_PER_S + uniform(&seed) * (double)k->callback_most);
        guest_until(&g, k, now, &seed);
        const struct arrival_line line = arrival_line(&g.arrival);
        if (at < 0.3)
            continue;
        const double line_now = arrival_line_at(&line, now);
        if (!playing)
            position = line_now - target;
        playing = true;
        const double source = (double)NS_PER_S / k->rate / line.period;
        const double error = (line_now - position - target) / k->rate;
        const double ratio = servo_step(&servo, source, error, dt);
        /* what a listener finds: from the guest's clock to the callback's regular time */
        const double truth = g.clock + (at - g.tick / NS_PER_S) * k->rate;
        const double off = (truth - position - target) / k->rate * 1e3;
        position += ratio * k->period;
        if (at > SETTLE_S && (k->step_at == 0 || at < k->step_at || at > k->step_at + SETTLE_S)) {
            tally_add(&ratios, ratio);
            tally_add(&latencies, off);
        }
        if (k->step_at > 0 && at > k->step_at) {
            const double from = fabs(off - latencies.sum / latencies.n);
            r.excursion = fmax(r.excursion, from);
            if (from > 0.5 && at < k->step_at + SETTLE_S)
                r.settled = at - k->step_at;
        }
    }
    const double mean = ratios.sum / ratios.n;
    r.ratio_sd = 1e6 * sqrt(fmax(0, ratios.squares / ratios.n - mean * mean));
    const double must = (1 + (k->guest_ppm + k->step_ppm) * 1e-6) / (1 + k->output_ppm * 1e-6);
    r.ratio_off = 1e6 * (mean - must);
    r.spread = latencies.high - latencies.low;
    return r;
}

static struct knobs udp(uint32_t rate, uint32_t period)
{
    return (struct knobs){.rate = rate,
                          .period = period,
                          .packet = 288,
                          .tick = 10 * NS_PER_MS,
                          .guest_ppm = 100,
                          .output_ppm = -30,
                          .callback_most = 200 * NS_PER_US,
                          .seed = 1};
}

static void assert_steady(const struct knobs *k, double sd, double spread)
{
    const struct result r = simulate(k);
    if (r.ratio_sd > sd || r.spread > spread || fabs(r.ratio_off) > 3)
        fail_msg("N %u, %u Hz, %+.0f ppm, seed %u: ratio sd %.2f ppm off by %.2f, latency %.2f ms",
                 k->period, k->rate, k->guest_ppm, k->seed, r.ratio_sd, r.ratio_off, r.spread);
}

static void every_period_and_clock(void **state)
{
    (void)state;
    static const uint32_t periods[] = {64, 256, 441, 480, 1024, 2048};
    static const double ppms[] = {0, 30, -30, 100, -100, 500, -500, 1000, -1000};
    for (size_t n = 0; n < sizeof periods / sizeof periods[0]; n++)
        for (size_t p = 0; p < sizeof ppms / sizeof ppms[0]; p++)
            for (unsigned seed = 1; seed <= 2; seed++) {
                struct knobs k = udp(48000, periods[n]);
                k.guest_ppm = ppms[p];
                k.seed = seed;
                assert_steady(&k, 2, 0.5);
            }
}

static void every_rate(void **state)
{
    (void)state;
    static const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    for (size_t i = 0; i < 6; i++) {
        struct knobs k = udp(rates[i], rates[i] / 100);
        assert_steady(&k, 2, 0.5);
        k.packet = rates[i] / 50; /* shared memory: chunks of 20 ms */
        k.tick = 20 * NS_PER_MS;
        k.late_part = 1;
        k.late_most = 500 * NS_PER_US; /* its poll */
        assert_steady(&k, 2, 0.5);
    }
}

static void late_bursts_do_not_disturb(void **state)
{
    (void)state;
    struct knobs k = udp(48000, 480);
    k.late_part = 0.01;
    k.late_most = 24 * NS_PER_MS;
    assert_steady(&k, 2, 0.5);
}

static void a_clock_that_steps_is_followed(void **state)
{
    (void)state;
    struct knobs k = udp(48000, 480);
    k.step_at = 300;
    k.step_ppm = 200;
    const struct result r = simulate(&k);
    if (r.excursion > 1.5 || r.settled > 30)
        fail_msg("%.2f ms off, within 0.5 ms after %.0f s", r.excursion, r.settled);
}

static void the_ratio_never_jumps(void **state)
{
    (void)state;
    struct servo s;
    servo_init(&s);
    double before = s.ratio;
    unsigned seed = 7;
    for (int i = 0; i < 100000; i++) {
        const double error = (uniform(&seed) - 0.5) * 2, dt = 0.001 + uniform(&seed) * 0.04;
        const double ratio = servo_step(&s, 1 + (uniform(&seed) - 0.5) * 0.01, error, dt);
        assert_true(fabs(ratio - before) <= SERVO_SLEW * dt * 1.0001);
        assert_true(fabs(ratio - 1) <= SERVO_CLAMP * 1.0001);
        before = ratio;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_period_and_clock),
        cmocka_unit_test(every_rate),
        cmocka_unit_test(late_bursts_do_not_disturb),
        cmocka_unit_test(a_clock_that_steps_is_followed),
        cmocka_unit_test(the_ratio_never_jumps),
    };
    return cmocka_run_group_tests_name("servo", tests, NULL, NULL);
}
