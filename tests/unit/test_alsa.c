#include "test.h"

#ifdef HAVE_ALSA
#include "../../outputs/alsa_chmap.h"
#include "../../outputs/alsa_standstill.h"
#include "alsa_device.h"
#include "clock.h"
#include "fed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct output_driver alsa_driver;
static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

/* ---- alsa-lib's own plugins, in a configuration of ours ---- */

static const char configuration[] =
    "pcm.nothing { type null }\n"
    "pcm.floats { type lfloat slave { pcm { type null } format S16_LE } }\n"
    "pcm.recorded { type file slave.pcm { type null } file \"recorded.raw\" format raw }\n"
    "pcm.converted { type plug slave { pcm recorded rate 48000 channels 2 format S32_LE } }\n";

static int configure(void **state)
{
    char *folder = strdup("/tmp/scream-test-alsa-XXXXXX");
    *state = folder;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    FILE *file = fopen("asound.conf", "w");
    if (!file)
        return -1;
    fputs(configuration, file);
    fclose(file);
    return setenv("ALSA_CONFIG_PATH", "asound.conf", 1);
}

static int tidy(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    free(*state);
    snd_config_update_free_global();
    return chdir("/") < 0 || system(command) != 0;
}

/* ---- a guest in real time ---- */

/* Sends packets when they are due, until ms have passed or *reached >= enough. */
static bool play(struct fed *f, int ms, const atomic_ulong *reached, unsigned long enough)
{
    const int64_t begin = clock_now();
    const uint64_t from = f->sent;
    for (int64_t passed = 0; passed < ms * NS_PER_MS; passed = clock_now() - begin) {
        if (reached && atomic_load(reached) >= enough)
            return true;
        while (f->sent - from < pcm_bytes_of(&f->format, passed))
            fed_send(f, SCREAM_PAYLOAD);
        poll(NULL, 0, 2); /* the guest's own pace */
    }
    return !reached;
}

static int64_t cpu_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void stop_is_quick(struct fed *f)
{
    const int64_t before = clock_now();
    alsa_driver.stop(f->out);
    assert_true(clock_now() - before < 400 * NS_PER_MS);
}

/* ---- channel maps ---- */

static snd_pcm_chmap_t *told(unsigned channels, const unsigned *pos)
{
    snd_pcm_chmap_t *map = calloc(1, sizeof *map + channels * sizeof *pos);
    map->channels = channels;
    memcpy(map->pos, pos, channels * sizeof *pos);
    return map;
}

static void read_is(unsigned channels, const unsigned *pos, uint16_t mask, const char *expected)
{
    snd_pcm_chmap_t *theirs = pos ? told(channels, pos) : NULL;
    struct chmap source, map;
    char text[64];
    chmap_from_mask(&source, mask, (uint8_t)channels);
    alsa_chmap_read(&map, theirs, (uint8_t)channels, &source);
    chmap_text(&map, text, sizeof text);
    assert_string_equal(text, expected);
    free(theirs);
}

static void what_a_device_tells_is_read(void **state)
{
    (void)state;
    const unsigned windows[] = {SND_CHMAP_FL,  SND_CHMAP_FR, SND_CHMAP_FC,
                                SND_CHMAP_LFE, SND_CHMAP_SL, SND_CHMAP_SR};
    const unsigned unknown[] = {SND_CHMAP_UNKNOWN, SND_CHMAP_NA, SND_CHMAP_UNKNOWN, SND_CHMAP_NA};
    const unsigned doubled[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_FL, SND_CHMAP_FR};
    const unsigned wide[] = {SND_CHMAP_FLW, SND_CHMAP_FRW, SND_CHMAP_FL,
                             SND_CHMAP_FR | SND_CHMAP_PHASE_INVERSE};
    read_is(1, NULL, 0, "MONO");
    read_is(2, NULL, 0, "FL FR");
    read_is(4, NULL, 0, "FL FR BL BR");
    read_is(6, NULL, 0, "FL FR BL BR FC LFE");
    read_is(8, NULL, 0, "FL FR BL BR FC LFE SL SR");
    read_is(6, windows, 0, "FL FR FC LFE SL SR");
    read_is(4, unknown, 0, "FL FR BL BR");
    read_is(4, doubled, 0x33, "FL FR TBL TFR");
    read_is(4, wide, 0x33, "TBL TFR FL FR");
    read_is(4, wide, 0x8003, "TFR TFC FL FR"); /* TBL is sound here, and stays off them */
}

static unsigned chosen(uint16_t mask, uint8_t channels, uint32_t accepts)
{
    struct chmap source;
    struct alsa_layout layout;
    chmap_from_mask(&source, mask, channels);
    alsa_chmap_choose(&layout, accepts, NULL, &source);
    return layout.channels;
}

static void each_channel_gets_a_speaker_where_it_can(void **state)
{
    (void)state;
    const uint32_t any = 0x1fe, pair = 1 << 2;
    assert_int_equal(chosen(0x003, 2, any), 2);
    assert_int_equal(chosen(0x004, 1, any), 1);
    assert_int_equal(chosen(0x004, 1, pair), 2);
    assert_int_equal(chosen(0x03f, 6, any), 6);
    assert_int_equal(chosen(0x60f, 6, any), 6); /* side speakers on rear ones */
    assert_int_equal(chosen(0x033, 4, any), 4);
    assert_int_equal(chosen(0x00f, 4, any), 6); /* FL FR FC LFE */
    assert_int_equal(chosen(0x007, 3, any), 5); /* 3 has no convention */
    assert_int_equal(chosen(0x63f, 8, any), 8);
    assert_int_equal(chosen(0x63f, 8, pair), 2);
    assert_int_equal(chosen(0x63f, 8, pair | 1 << 6), 6);
    assert_int_equal(chosen(0x003, 2, 1 << 8), 8);
    assert_int_equal(chosen(0x007, 3, 1 << 3), 3); /* there is nothing else */
    assert_int_equal(chosen(0x003, 2, 0), 0);
}

static void an_offered_map_is_preferred(void **state)
{
    (void)state;
    const unsigned rear[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_FLC, SND_CHMAP_FRC};
    const unsigned quad[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_RL, SND_CHMAP_RR};
    snd_pcm_chmap_query_t *offers[3] = {0};
    for (int i = 0; i < 2; i++) {
        offers[i] = calloc(1, sizeof **offers + 4 * sizeof(unsigned));
        offers[i]->map.channels = 4;
        memcpy(offers[i]->map.pos, i ? quad : rear, sizeof quad);
    }
    struct chmap source;
    struct alsa_layout layout;
    chmap_from_mask(&source, 0x33, 4);
    alsa_chmap_choose(&layout, 0x1fe, offers, &source);
    assert_int_equal(layout.channels, 4);
    assert_ptr_equal(layout.ask, &offers[1]->map);
    chmap_from_mask(&source, 3, 2); /* a plug that would take two, before a device that has four */
    alsa_chmap_choose(&layout, 0x1fe, offers, &source);
    assert_int_equal(layout.channels, 4);
    free(offers[0]);
    free(offers[1]);
}

/* ---- whether a device has hung ---- */

#define RATE   48000
#define BUFFER (RATE / 10)

/* A device that is looked at every 5 ms. */
struct looked {
    struct alsa_standstill s;
    int64_t now, taken; /* ns, frames */
    int hung;           /* so many times */
};

static void look(struct looked *l, int64_t later, int64_t takes)
{
    l->now += later;
    l->taken += takes;
    l->hung += alsa_standstill_hung(&l->s, l->now, l->taken, BUFFER, RATE);
}

static void stands_still(struct looked *l, int ms)
{
    for (int i = 0; i < ms / 5; i++)
        look(l, 5 * NS_PER_MS, 0);
}

static void runs(struct looked *l, int ms)
{
    for (int i = 0; i < ms / 5; i++)
        look(l, 5 * NS_PER_MS, RATE / 200);
}

static void begins(struct looked *l)
{
    l->taken = 0;
    alsa_standstill_begin(&l->s);
    look(l, 5 * NS_PER_MS, 0);
}

static void what_stood_still_for_long_has_hung(void **state)
{
    (void)state;
    for (int ms = 400; ms <= 600; ms += 200) { /* 500: 100 of them, its buffer */
        struct looked l = {.now = 7 * NS_PER_S};
        begins(&l);
        runs(&l, 1000);
        stands_still(&l, ms);
        assert_int_equal(l.hung, 0);
        runs(&l, 1000);
        assert_int_equal(l.hung, ms > 500);
        l.taken = 0;
        begins(&l); /* without a memory of it */
        runs(&l, 100);
        stands_still(&l, ms);
        runs(&l, 100);
        assert_int_equal(l.hung, 2 * (ms > 500));
    }
}

static void what_ran_dry_in_a_long_standstill_has_hung(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    runs(&l, 1000);
    stands_still(&l, 1495);
    look(&l, 5 * NS_PER_MS, BUFFER); /* all that it had */
    assert_int_equal(l.hung, 1);
}

static void what_is_ahead_at_first_is_waited_for(void **state)
{
    (void)state;
    for (int ms = 2000; ms <= 2600; ms += 600) {
        struct looked l = {.now = 7 * NS_PER_S};
        for (int begun = 0; begun < 2; begun++) {
            begins(&l);
            stands_still(&l, ms);
            runs(&l, 100);
            assert_int_equal(l.hung, (begun + 1) * (ms > 2500));
        }
        stands_still(&l, 600);
        runs(&l, 100);
        assert_int_equal(l.hung, 1 + 2 * (ms > 2500));
    }
}

static void gulps_are_borne_and_a_hang_is_not(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    for (int gulps = 0; gulps < 5; gulps++) {
        stands_still(&l, 1995);
        look(&l, 5 * NS_PER_MS, 2 * RATE);
    }
    assert_int_equal(l.hung, 0);
    stands_still(&l, 1995);
    look(&l, 5 * NS_PER_MS,
         RATE); /* less than it owed, but it is known to stand still for so long */
    assert_int_equal(l.hung, 0);
    stands_still(&l, 3100);
    look(&l, 5 * NS_PER_MS, RATE);
    assert_int_equal(l.hung, 1);
}

/* It was we who stood still: the device may have run dry meanwhile, and that is no gulp. */
static void what_was_not_looked_at_is_no_gulp(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    runs(&l, 1000);
    look(&l, 2 * NS_PER_S, 2 * RATE);
    assert_int_equal(l.hung, 1);
    runs(&l, 1000);
    stands_still(&l, 600);
    runs(&l, 100);
    assert_int_equal(l.hung, 2);
}

static void it_is_as_exact_after_a_year(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    runs(&l, 100);
    l.now += 365 * 86400 * NS_PER_S;
    l.taken += (int64_t)365 * 86400 * RATE;
    l.s.moved = l.s.seen = l.now;
    l.s.taken = l.taken;
    runs(&l, 100);
    assert_int_equal(l.hung, 0);
    stands_still(&l, 600);
    runs(&l, 100);
    assert_int_equal(l.hung, 1);
}

/* ---- plugins ---- */

static void a_device_without_a_clock_is_paced(void **state)
{
    (void)state;
    struct fed f;
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, "nothing"), 0);
    const int64_t cpu = cpu_time(), begin = clock_now();
    assert_int_equal(alsa_driver.start(f.out), 0);
    play(&f, 600, NULL, 0);
    const int64_t passed = clock_now() - begin;
    stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    const uint64_t frames = count_read(&f.stream.counters.frames);
    assert_true(frames > 48000 * 3 / 10);
    assert_true((int64_t)frames <= 48000 * passed / NS_PER_S + 2 * 960);
    assert_true(cpu_time() - cpu < passed * 6 / 10); /* a spinning feeder takes all of it */
    fed_close(&f);
}

static void no_such_device_fails_at_once(void **state)
{
    (void)state;
    struct fed f;
    const int64_t before = clock_now();
    assert_true(alsa_driver.probe(&(struct output_config){0}) < 0); /* no `default` here */
    assert_true(fed_open(&f, &alsa_driver, &stereo, "nonesuch") < 0);
    assert_true(clock_now() - before < NS_PER_S);
    assert_non_null(strstr(f.why, "'nonesuch'"));
    fed_close(&f);
    assert_int_equal(alsa_driver.probe(&(struct output_config){.device = "nothing"}), 0);
}

static void floats_are_taken_where_there_is_nothing_else(void **state)
{
    (void)state;
    struct fed f;
    char text[160];
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, "floats"), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "F32"));
    fed_close(&f);
}

/* What the file plugin wrote: its first sound, from the end of the fade-in that need not be. */
static uint8_t *recording(size_t *size)
{
    struct stat st;
    const int fd = open("recorded.raw", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    *size = (size_t)st.st_size;
    uint8_t *all = malloc(*size + 1);
    assert_int_equal(read(fd, all, *size), *size);
    close(fd);
    unlink("recorded.raw");
    return all;
}

/* Each recorded channel c is the source's channel order[c], bit by bit. */
static void recorded_is(const struct pcm_format *format, const uint8_t *order)
{
    struct fed f;
    assert_int_equal(fed_open(&f, &alsa_driver, format, "recorded"), 0);
    assert_int_equal(alsa_driver.start(f.out), 0);
    play(&f, 500, NULL, 0);
    stop_is_quick(&f);
    assert_int_equal(count_read(&f.stream.counters.underruns), 0);
    fed_close(&f);

    size_t size, at = 0;
    uint8_t *all = recording(&size);
    const uint32_t sample = format->width / 8, frame = pcm_frame_bytes(format);
    while (at < size && all[at] == 0)
        at++;
    at = at / frame * frame;
    assert_true(size - at > format->rate / 10 * frame);
    uint64_t first = 0; /* the player may begin a little into the stream */
    for (bool same = false; !same; first += same ? 0 : frame) {
        assert_true(first < format->rate * frame);
        same = true;
        for (uint32_t i = 0; i < 4 * frame && same; i++)
            same = all[at + i] == fed_byte(first + i / frame * frame +
                                           order[i % frame / sample] * sample + i % sample);
    }
    for (size_t i = 0; i < (size_t)format->rate / 10 * frame; i++)
        assert_int_equal(all[at + i], fed_byte(first + i / frame * frame +
                                               order[i % frame / sample] * sample + i % sample));
    free(all);
}

static void sound_arrives_bit_by_bit_on_its_speaker(void **state)
{
    (void)state;
    const struct pcm_format packed = {.rate = 44100, .width = 24, .channels = 2, .mask = 3};
    const struct pcm_format surround = {.rate = 48000, .width = 16, .channels = 6, .mask = 0x3f};
    const struct pcm_format wide = {.rate = 96000, .width = 24, .channels = 8, .mask = 0x63f};
    recorded_is(&stereo, (const uint8_t[]){0, 1});
    recorded_is(&packed, (const uint8_t[]){0, 1});
    recorded_is(&surround, (const uint8_t[]){0, 1, 4, 5, 2, 3});
    recorded_is(&wide, (const uint8_t[]){0, 1, 4, 5, 2, 3, 6, 7});
}

static void a_plug_plays_every_format(void **state)
{
    (void)state;
    const uint32_t rates[] = {44100, 48000, 192000};
    for (size_t r = 0; r < 3; r++)
        for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
            for (uint8_t channels = 1; channels <= 8; channels++) {
                const struct pcm_format format = {
                    .rate = rates[r], .width = width, .channels = channels};
                struct fed f;
                assert_int_equal(fed_open(&f, &alsa_driver, &format, "converted"), 0);
                assert_int_equal(alsa_driver.start(f.out), 0);
                stop_is_quick(&f);
                assert_int_equal(atomic_load(&f.out->failure), 0);
                fed_close(&f);
            }
    unlink("recorded.raw");
}

/* ---- the simulated device ---- */

static void simulate(struct fed *f, struct sim *s)
{
    sim_use(s);
    assert_int_equal(fed_open(f, &alsa_driver, &stereo, SIM_NAME), 0);
    assert_int_equal(alsa_driver.start(f->out), 0);
    assert_true(play(f, 5000, &s->heard, 4800));
}

static void the_buffer_has_room_for_more_than_the_target(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    char text[160];
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "48 kHz S16 FL FR, period 5.0 ms, buffer 140.0 ms"));
    fed_close(&f);
}

static void what_a_device_refuses_is_named(void **state)
{
    (void)state;
    struct sim s = {.rate = 44100};
    struct fed f;
    sim_use(&s);
    assert_true(fed_open(&f, &alsa_driver, &stereo, SIM_NAME) < 0);
    assert_non_null(strstr(f.why, "48000 Hz"));
    assert_non_null(strstr(f.why, "plug"));
    fed_close(&f);
    s = (struct sim){.open_error = -EBUSY};
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), -EBUSY);
    assert_non_null(strstr(f.why, "another program"));
    fed_close(&f);
    s.open_error = 0; /* the other one has let go of it */
    simulate(&f, &s);
    stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

static void what_it_lacks_is_converted(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 6, .mask = 0x3f};
    struct sim s = {.channels = 2, .s16_only = true};
    struct fed f;
    char text[160];
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &format, SIM_NAME), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "S16 FL FR,"));
    assert_int_equal(alsa_driver.start(f.out), 0);
    assert_true(play(&f, 5000, &s.heard, 4800));
    stop_is_quick(&f);
    fed_close(&f);
}

static void its_own_map_is_used(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 4, .mask = 0x33};
    const unsigned map[] = {SND_CHMAP_RR, SND_CHMAP_RL, SND_CHMAP_FR, SND_CHMAP_FL};
    struct sim s = {.channels = 4, .chmap = map};
    struct fed f;
    char text[160];
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &format, SIM_NAME), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "BR BL FR FL"));
    fed_close(&f);
}

/* A plugin whose buffer is mapped refuses to be written to. */
static void its_buffer_is_mapped_where_it_can_be(void **state)
{
    (void)state;
    for (int mmap = 0; mmap < 2; mmap++) {
        struct sim s = {.mmap = mmap};
        struct fed f;
        char text[160];
        simulate(&f, &s);
        alsa_driver.describe(f.out, text, sizeof text);
        assert_non_null(strstr(text, mmap ? ", mmap," : ", read/write,"));
        stop_is_quick(&f);
        assert_int_equal(atomic_load(&f.out->failure), 0);
        fed_close(&f);
    }
}

static void it_goes_on_after_running_dry(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    char text[160];
    simulate(&f, &s);
    for (int i = 0; i < 30; i++) { /* more than may come in a row */
        atomic_store(&s.dry, 1);
        assert_true(play(&f, 5000, &s.heard, atomic_load(&s.heard) + 2400));
        assert_int_equal(atomic_load(&s.dry), 0);
    }
    assert_true(atomic_load(&s.prepares) >= 31);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_null(strstr(text, " 0 xruns"));
    stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

static void it_does_not_try_for_ever(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    simulate(&f, &s);
    atomic_store(&s.dry, 1000000);
    assert_true(fed_fails(&f, 5000));
    assert_int_equal(atomic_load(&f.out->failure), -EIO);
    stop_is_quick(&f);
    fed_close(&f);
}

/* Hardware that goes on by itself, that cannot, and what only says that it does. */
static void it_wakes_with_the_machine(void **state)
{
    (void)state;
    const struct {
        int resume_error;
        bool wakes;
    } kinds[] = {{0, true}, {-ENOSYS, false}, {0, false}};
    for (size_t i = 0; i < 3; i++) {
        struct sim s = {.resume_error = kinds[i].resume_error, .wakes = kinds[i].wakes};
        struct fed f;
        simulate(&f, &s);
        for (int nights = 1; nights <= 3; nights++) {
            const int prepares = atomic_load(&s.prepares);
            atomic_store(&s.resume_fails, 2);
            atomic_store(&s.asleep, 1);
            assert_true(play(&f, 5000, &s.heard, atomic_load(&s.heard) + 9600));
            assert_int_equal(atomic_load(&s.resumes), 3 * nights);
            assert_int_equal(atomic_load(&s.prepares), prepares + !s.wakes);
        }
        stop_is_quick(&f);
        assert_int_equal(atomic_load(&f.out->failure), 0);
        fed_close(&f);
    }
}

static void a_device_that_goes_is_reported_and_plays_when_it_comes_back(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    simulate(&f, &s);
    atomic_store(&s.gone, true);
    assert_true(fed_fails(&f, 5000));
    assert_int_equal(atomic_load(&f.out->failure), -ENODEV);
    stop_is_quick(&f);
    fed_close(&f);
    assert_int_equal(atomic_load(&s.closed), 1);

    struct lookout lookout;
    lookout_init(&lookout);
    lookout_begin(&lookout);
    s.open_error = -ENODEV;
    sim_use(&s);
    assert_int_equal(
        alsa_driver.probe(&(struct output_config){.device = SIM_NAME, .lookout = &lookout}),
        -ENODEV);
    assert_string_equal(lookout.places[0].path, "/dev/snd/"); /* where it will be seen to come */
    lookout_clear(&lookout);

    s.open_error = 0;
    atomic_store(&s.gone, false);
    atomic_store(&s.heard, 0);
    simulate(&f, &s);
    stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

static void a_device_that_stalls_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    simulate(&f, &s);
    atomic_store(&s.stalled, true);
    play(&f, 100, NULL, 0);
    stop_is_quick(&f);
    fed_close(&f);
}

static void a_device_that_stood_still_is_opened_anew(void **state)
{
    (void)state;
    for (int ms = 200; ms <= 600; ms += 400) {
        struct sim s = {0};
        struct fed f;
        simulate(&f, &s);
        atomic_store(&s.stalled, true);
        play(&f, ms, NULL, 0);
        assert_int_equal(atomic_load(&f.out->failure), 0);
        atomic_store(&s.stalled, false);
        play(&f, 100, NULL, 0);
        assert_int_equal(atomic_load(&f.out->failure), ms < 400 ? 0 : -ETIMEDOUT);
        stop_is_quick(&f);
        fed_close(&f);
    }
}

static void a_device_that_is_ahead_at_first_is_waited_for(void **state)
{
    (void)state;
    struct sim s = {.stalled = true};
    struct fed f;
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), 0);
    assert_int_equal(alsa_driver.start(f.out), 0);
    play(&f, 1000, NULL, 0);
    const unsigned long filled = atomic_load(&s.taken);
    assert_true(filled > 4800);
    atomic_store(&s.stalled, false);
    assert_true(play(&f, 5000, &s.taken, filled + 4800));
    stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

/* ---- a device that hangs while it is opened ---- */

static bool becomes(const atomic_int *count, int n)
{
    for (int i = 0; i < 2000 && atomic_load(count) != n; i++)
        poll(NULL, 0, 1);
    return atomic_load(count) == n;
}

static int opens_again(struct fed *f, int64_t most)
{
    const int64_t before = clock_now();
    const int err =
        alsa_driver.open(&f->out, &f->config, &f->format, f->player, f->why, sizeof f->why);
    assert_true(clock_now() - before < most);
    return err;
}

/* One attempt at a time, and its late success is not lost. */
static void a_device_that_hangs_is_waited_for_elsewhere(void **state)
{
    (void)state;
    struct output_pending pending = {0};
    struct sim s = {.hangs = true};
    struct fed f;
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), -ETIMEDOUT); /* a lost one */
    assert_non_null(strstr(f.why, "hangs"));
    f.config.pending = &pending;
    assert_int_equal(opens_again(&f, 950 * NS_PER_MS), -ETIMEDOUT);
    assert_int_equal(opens_again(&f, 50 * NS_PER_MS), -ETIMEDOUT);
    assert_int_equal(alsa_driver.probe(&f.config), -ETIMEDOUT); /* another errand waits, too */
    assert_int_equal(atomic_load(&s.opens), 2);
    atomic_store(&s.hangs, false);
    assert_true(becomes(&s.closed, 1)); /* the lost one is let go of */
    assert_true(becomes(&s.opened, 2));
    assert_int_equal(opens_again(&f, 500 * NS_PER_MS), 0);
    assert_null(pending.attempt);
    assert_int_equal(atomic_load(&s.opens), 2);
    f.out->driver = &alsa_driver;
    assert_int_equal(alsa_driver.start(f.out), 0);
    assert_true(play(&f, 5000, &s.heard, 4800));
    stop_is_quick(&f);
    fed_close(&f);
    assert_int_equal(atomic_load(&s.closed), 2);
}

/* Whether it comes to something before or after it is given up. */
static void what_nobody_waits_for_is_closed(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct output_pending pending = {0};
        struct sim s = {.hangs = true};
        struct output_config config = {.device = SIM_NAME, .pending = &pending};
        sim_use(&s);
        assert_int_equal(alsa_driver.probe(&config), -ETIMEDOUT);
        assert_non_null(pending.attempt);
        if (late)
            pending.abandon(pending.attempt);
        atomic_store(&s.hangs, false);
        assert_true(becomes(&s.opened, 1));
        if (!late)
            pending.abandon(pending.attempt);
        assert_true(becomes(&s.closed, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_device_tells_is_read),
        cmocka_unit_test(each_channel_gets_a_speaker_where_it_can),
        cmocka_unit_test(an_offered_map_is_preferred),
        cmocka_unit_test(what_stood_still_for_long_has_hung),
        cmocka_unit_test(what_ran_dry_in_a_long_standstill_has_hung),
        cmocka_unit_test(what_is_ahead_at_first_is_waited_for),
        cmocka_unit_test(gulps_are_borne_and_a_hang_is_not),
        cmocka_unit_test(what_was_not_looked_at_is_no_gulp),
        cmocka_unit_test(it_is_as_exact_after_a_year),
        cmocka_unit_test(a_device_without_a_clock_is_paced),
        cmocka_unit_test(no_such_device_fails_at_once),
        cmocka_unit_test(floats_are_taken_where_there_is_nothing_else),
        cmocka_unit_test(sound_arrives_bit_by_bit_on_its_speaker),
        cmocka_unit_test(a_plug_plays_every_format),
        cmocka_unit_test(the_buffer_has_room_for_more_than_the_target),
        cmocka_unit_test(what_a_device_refuses_is_named),
        cmocka_unit_test(what_it_lacks_is_converted),
        cmocka_unit_test(its_own_map_is_used),
        cmocka_unit_test(its_buffer_is_mapped_where_it_can_be),
        cmocka_unit_test(it_goes_on_after_running_dry),
        cmocka_unit_test(it_does_not_try_for_ever),
        cmocka_unit_test(it_wakes_with_the_machine),
        cmocka_unit_test(a_device_that_goes_is_reported_and_plays_when_it_comes_back),
        cmocka_unit_test(a_device_that_stalls_does_not_hold_up_the_end),
        cmocka_unit_test(a_device_that_stood_still_is_opened_anew),
        cmocka_unit_test(a_device_that_is_ahead_at_first_is_waited_for),
        cmocka_unit_test(a_device_that_hangs_is_waited_for_elsewhere),
        cmocka_unit_test(what_nobody_waits_for_is_closed),
    };
    return cmocka_run_group_tests_name("alsa", tests, configure, tidy);
}
#else
int main(void)
{
    return 0;
}
#endif
