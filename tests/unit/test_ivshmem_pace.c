/* When a guest's ring is looked at, and how often. */
#include "test.h"

#include "../../receivers/ivshmem_header.h"
#include "../../receivers/ivshmem_pace.h"
#include "../sim/dice.h"
#include "clock.h"

struct paced {
    double looks_a_second, late_ms; /* from there to found: mean */
    double worst_ms;
    double noise_ms; /* of what is told to be their arrival */
};

/*
 * 60 s of a guest whose chunks come up to jitter late, off by ppm; and a machine whose timers are
 * up to slack late.
 */
static struct paced pace_run(int64_t jitter, int64_t ppm, int64_t slack)
{
    struct dice dice = {1};
    struct shm_pace p;
    struct paced out = {0};
    const int64_t period = SHM_CHUNK_NS + SHM_CHUNK_NS * ppm / 1000000;
    int64_t begin = 7 * NS_PER_MS + 123, next = begin, now = 0, late = 0;
    int looks = 0, found = 0;
    double least = 1e9, most = -1e9;
    shm_pace_init(&p, 0);
    for (int64_t i = 1; now < 70 * NS_PER_S;) {
        const bool there = next <= now;
        const bool counts = now > 10 * NS_PER_S;
        looks += counts;
        if (there && counts) {
            late += now - next;
            out.worst_ms = (double)(now - next) / 1e6 > out.worst_ms ? (double)(now - next) / 1e6
                                                                     : out.worst_ms;
            found++;
        }
        for (; next <= now; i++)
            next = begin + i * period + (jitter ? (int64_t)dice_below(&dice, (uint32_t)jitter) : 0);
        const int64_t look = there ? shm_pace_found(&p, now, 1) : shm_pace_missed(&p, now);
        if (there && counts) {
            const double told = (double)(p.arrival - begin - (i - 2) * period) / 1e6;
            least = told < least ? told : least;
            most = told > most ? told : most;
        }
        now = look + dice_below(&dice, (uint32_t)slack);
    }
    out.noise_ms = most - least;
    out.looks_a_second = looks / 60.0;
    out.late_ms = (double)late / found / 1e6;
    return out;
}

static void one_look_a_chunk_is_enough(void **state)
{
    (void)state;
    static const struct {
        int64_t jitter, ppm, slack;
        double looks;
    } cases[] = {{0, 0, 100000, 53},         {0, 200, 100000, 53},      {0, -200, 100000, 53},
                 {0, 1000, 100000, 53},      {1000000, 0, 100000, 53},  {2000000, 50, 100000, 53},
                 {5000000, -50, 100000, 55}, {10000000, 0, 100000, 58}, {0, 0, 3000000, 55},
                 {2000000, 0, 10000000, 55}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct paced p = pace_run(cases[i].jitter, cases[i].ppm, cases[i].slack);
        print_message("jitter %2d ms %4d ppm: %.1f looks/s, found %.2f ms late, worst %.2f; "
                      "arrivals told within %.2f\n",
                      (int)(cases[i].jitter / NS_PER_MS), (int)cases[i].ppm, p.looks_a_second,
                      p.late_ms, p.worst_ms, p.noise_ms);
        if (cases[i].jitter == 0 && cases[i].slack <= 100000)
            assert_true(p.noise_ms <= 0.2);
        assert_true(p.looks_a_second <= cases[i].looks);
        assert_true(p.worst_ms < (double)(cases[i].jitter + cases[i].slack) / 1e6 + 1.0);
    }
}

/* However late the looks themselves are: a thread that did not get to run must not spin afterwards. */
static void no_look_is_due_at_once(void **state)
{
    (void)state;
    for (int64_t late = 0; late < 2 * NS_PER_S; late += 7 * NS_PER_MS)
        for (int locked = 0; locked < 2; locked++) {
            struct shm_pace p;
            int64_t now = 0;
            shm_pace_init(&p, now);
            for (int i = 0; locked && i < 200; i++)
                now = i % 20 < 10 ? shm_pace_found(&p, now, 1) : shm_pace_missed(&p, now);
            now += late;
            int looks = 0;
            for (const int64_t end = now + NS_PER_S; now < end; looks++) {
                const int64_t next = shm_pace_missed(&p, now);
                assert_true(next > now);
                now = next;
            }
            assert_in_range(looks, 1, 150);
        }
}

static void waiting_costs_little(void **state)
{
    (void)state;
    struct shm_pace p;
    shm_pace_init(&p, 0);
    int64_t now = 0;
    int looks = 0;
    for (; !shm_pace_is_idle(&p); looks++)
        now = shm_pace_missed(&p, now);
    assert_in_range(looks, 10, 120);
    assert_true(now < NS_PER_S / 4);
    assert_int_equal(shm_pace_missed(&p, now), now + SHM_IDLE_NS);
    /* A guest that begins a stream at each look does not keep us busy. */
    for (looks = 0; now < 60 * NS_PER_S; looks++) {
        shm_pace_begin(&p, now);
        now = looks % 2 ? shm_pace_found(&p, now, 1) : shm_pace_missed(&p, now);
    }
    assert_true(looks < 60 * 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_look_a_chunk_is_enough),
        cmocka_unit_test(no_look_is_due_at_once),
        cmocka_unit_test(waiting_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
