/* The table of outputs as it is linked: what auto may take, in which order, and what is said of the rest. */
#include "test.h"

#include "options.h"
#include "output.h"

#include <string.h>

/* The server with the least latency first, a card that is then taken from others last. */
static const char *const automatic[] = {
#ifdef HAVE_PIPEWIRE
    "pipewire",
#endif
#ifdef HAVE_PULSE
    "pulse",
#endif
#ifdef HAVE_ALSA
    "alsa",
#endif
    NULL,
};

static void auto_asks_servers_before_devices(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct output_driver *const *d = output_table; *d; d++) {
        if (!((*d)->flags & OUTPUT_AUTOMATIC))
            continue;
        assert_non_null(automatic[n]);
        assert_string_equal((*d)->name, automatic[n++]);
        assert_int_equal(((*d)->flags & OUTPUT_DEVICE) != 0, strcmp((*d)->name, "alsa") == 0);
    }
    assert_null(automatic[n]);
}

/* What would write files or bytes where nobody asked for them is taken by its name only. */
static void files_are_only_written_when_named(void **state)
{
    (void)state;
    static const char *const named[] = {"raw", "wav"};
    for (size_t i = 0; i < 2; i++) {
        const struct output_driver *d = output_find(named[i]);
        if (d)
            assert_int_equal(d->flags & OUTPUT_AUTOMATIC, 0);
    }
    assert_null(output_find(OPTIONS_AUTO));
}

/* Every output that there is, or that upstream has, is either built in or said to be absent. */
static void what_is_absent_names_its_remedy(void **state)
{
    (void)state;
    static const struct output_absent known[] = {
        {"pipewire", "install libpipewire-0.3-dev"},
        {"pulse", "install libpulse-dev"},
        {"alsa", "install libasound2-dev"},
        {"raw", "add raw to OUTPUTS="},
        {"wav", "add wav to OUTPUTS="},
        {"jack", NULL},
        {"sndio", NULL},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct output_absent *a = output_absent;
        while (a->name && strcmp(a->name, known[i].name) != 0)
            a++;
        assert_int_equal(a->name == NULL, output_find(known[i].name) != NULL);
        if (a->name && known[i].remedy)
            assert_string_equal(a->remedy, known[i].remedy);
        else if (a->name)
            assert_null(a->remedy);
    }
}

static void absent_outputs_are_refused_with_what_there_is(void **state)
{
    (void)state;
    char have[128] = OPTIONS_AUTO, want[512], why[512];
    for (const struct output_driver *const *d = output_table; *d; d++)
        strcat(strcat(have, ", "), (*d)->name);
    for (const struct output_absent *a = output_absent; a->name; a++) {
        struct options o;
        char *argv[] = {"scream", "-o", (char *)a->name, NULL};
        if (a->remedy)
            snprintf(want, sizeof want,
                     "-o '%s': left out of this build, which has %s; %s and run make again",
                     a->name, have, a->remedy);
        else
            snprintf(want, sizeof want, "-o '%s': not in this version, which has %s", a->name,
                     have);
        assert_true(options_parse(&o, 3, argv, why, sizeof why) < 0);
        assert_string_equal(why, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_asks_servers_before_devices),
        cmocka_unit_test(files_are_only_written_when_named),
        cmocka_unit_test(what_is_absent_names_its_remedy),
        cmocka_unit_test(absent_outputs_are_refused_with_what_there_is),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
