#include "../../src/clock.h"
#include "../../tools/send_options.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Parses a command line of words; what it complains about goes to `said`. */
static int parse(const char *line, struct send_options *o, char *said, size_t size)
{
    static char buf[512]; /* the options keep pointers into it */
    char *argv[64] = {buf}, *rest;
    int argc = 1;
    snprintf(buf, sizeof buf, "scream-send %s", line);
    strtok_r(buf, " ", &rest);
    while ((argv[argc] = strtok_r(NULL, " ", &rest)))
        argc++;
    memset(said, 0, size);
    FILE *complaints = fmemopen(said, size, "w");
    assert_non_null(complaints);
    const int err = send_options_parse(o, argc, argv, complaints);
    fclose(complaints);
    return err;
}

static void defaults_are_the_drivers(void **state)
{
    (void)state;
    struct send_options o;
    char said[512];
    assert_int_equal(parse("", &o, said, sizeof said), 0);
    assert_string_equal(inet_ntoa(o.to), "239.255.77.77");
    assert_int_equal(o.port, 4010);
    assert_int_equal(o.source_port, 0);
    assert_int_equal(o.format.rate, 48000);
    assert_int_equal(o.format.width, 16);
    assert_int_equal(o.format.channels, 2);
    assert_int_equal(o.format.mask, 3);
    assert_int_equal(o.burst, 10 * NS_PER_MS);
    assert_true(o.duration == INT64_MAX && o.packets == UINT64_MAX);
    assert_int_equal(o.stall.every, 0);
    assert_null(o.shm);
    assert_string_equal(said, "");
}

static void every_option_reaches_its_field(void **state)
{
    (void)state;
    struct send_options o;
    char said[512];
    assert_int_equal(parse("-t 127.0.0.1 -p 5000 -i 127.0.0.2 --source-port 4010 --ttl 4 "
                           "-f 96000/24/6/60f -s walk -d 2.5 --packets 9 --ppm -120.5 --speed 8 "
                           "--burst 20 --jitter 3.5 --stall 250/5000 --loss 2.5 --seed 0x10 "
                           "-l out.log --log-bursts -q",
                           &o, said, sizeof said),
                     0);
    assert_string_equal(inet_ntoa(o.to), "127.0.0.1");
    assert_int_equal(o.port, 5000);
    assert_string_equal(o.interface, "127.0.0.2");
    assert_int_equal(o.source_port, 4010);
    assert_int_equal(o.ttl, 4);
    assert_int_equal(o.format.mask, 0x60f);
    assert_int_equal(o.signal, SIGNAL_WALK);
    assert_int_equal(o.duration, 2500 * NS_PER_MS);
    assert_int_equal(o.packets, 9);
    assert_true(o.ppm > -120.6 && o.ppm < -120.4);
    assert_true(o.speed > 7.9 && o.speed < 8.1);
    assert_int_equal(o.burst, 20 * NS_PER_MS);
    assert_int_equal(o.jitter, 3500 * NS_PER_US);
    assert_int_equal(o.stall.length, 250 * NS_PER_MS);
    assert_int_equal(o.stall.every, 5 * NS_PER_S);
    assert_true(o.loss > 2.4 && o.loss < 2.6);
    assert_int_equal(o.seed, 16);
    assert_string_equal(o.log, "out.log");
    assert_true(o.log_bursts && o.quiet);

    assert_int_equal(
        parse("--shm file --size 8 --linger 0 --script steps --repeat", &o, said, sizeof said), 0);
    assert_string_equal(o.shm, "file");
    assert_int_equal(o.shm_mib, 8);
    assert_int_equal(o.linger, 0);
    assert_string_equal(o.script, "steps");
    assert_true(o.repeat);
    assert_int_equal(parse("--stdin", &o, said, sizeof said), 0);
    assert_true(o.from_stdin);
    assert_int_equal(parse("-w a.wav", &o, said, sizeof said), 0);
    assert_string_equal(o.wav, "a.wav");
}

/* One line that names the option, the value and what is allowed. */
static void wrong_values_are_named(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"to", "host"},
        {"port", "0"},
        {"port", "65536"},
        {"port", "40x"},
        {"port", "-1"},
        {"port", "010x"},
        {"source-port", "1e9"},
        {"ttl", "256"},
        {"size", "0"},
        {"size", "3"},
        {"size", "128"},
        {"format", "48000"},
        {"signal", "cosine"},
        {"wav", "-"},
        {"duration", "0"},
        {"duration", "nan"},
        {"packets", "0"},
        {"ppm", "1e9"},
        {"ppm", "nan"},
        {"speed", "0"},
        {"burst", "0"},
        {"burst", "60001"},
        {"jitter", "-1"},
        {"stall", "250"},
        {"stall", "500/500"},
        {"stall", "/"},
        {"loss", "101"},
        {"loss", "-1"},
        {"seed", "-1"},
        {"linger", "x"},
        {"seed", "99999999999999999999999"},
        {"stall", "000000000000000000000000000000000000000000000000000000250/5000"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct send_options o;
        char line[128], said[512];
        snprintf(line, sizeof line, "--%s %s", wrong[i][0], wrong[i][1]);
        assert_int_equal(parse(line, &o, said, sizeof said), -EINVAL);
        snprintf(line, sizeof line, "scream-send: --%s: '%s' is not allowed: ", wrong[i][0],
                 wrong[i][1]);
        assert_memory_equal(said, line, strlen(line));
        assert_true(strlen(said) > strlen(line) + 3);
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    }
}

static void what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"--wav a --stdin",
                                        "--script a --wav b",
                                        "--wav a -f 48000/16/2",
                                        "--script a -f 48000/16/2",
                                        "--wav a -s sine",
                                        "--stdin -s sine",
                                        "--repeat",
                                        "--shm a --loss 1",
                                        "--shm a -i lo",
                                        "--shm a -t 127.0.0.1",
                                        "-t 127.0.0.1 -i lo",
                                        "sine",
                                        "--nonsense",
                                        "-p",
                                        "-z",
                                        "--wav"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct send_options o;
        char said[512];
        assert_int_equal(parse(wrong[i], &o, said, sizeof said), -EINVAL);
        assert_memory_equal(said, "scream-send: ", 13);
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    }
}

static void help_names_all_and_ends_the_parsing(void **state)
{
    (void)state;
    struct send_options o;
    char said[512], *help = NULL;
    size_t size;
    assert_int_equal(parse("--help --nonsense", &o, said, sizeof said), 0);
    assert_true(o.help);
    assert_int_equal(parse("--version", &o, said, sizeof said), 0);
    assert_true(o.version);
    FILE *out = open_memstream(&help, &size);
    assert_non_null(out);
    send_options_help(out);
    fclose(out);
    assert_non_null(strstr(help, "-t, --to ADDR"));
    assert_non_null(strstr(help, "--stall MS/EVERY"));
    for (int kind = 0; kind < SIGNAL_KINDS; kind++)
        assert_non_null(strstr(help, signal_name((enum signal_kind)kind)));
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    free(help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_drivers),
        cmocka_unit_test(every_option_reaches_its_field),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(help_names_all_and_ends_the_parsing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
