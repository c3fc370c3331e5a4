#include "test.h"

#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The words of a command line, as main() gets them. */
static int parse(struct options *o, char *why, const char *line)
{
    static char words[512];
    char *argv[64] = {NULL};
    int argc = 0;
    strncpy(words, line, sizeof words - 1);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    return options_parse(o, argc, argv, why, 512);
}

static void good(struct options *o, const char *line)
{
    char why[512] = "";
    if (parse(o, why, line) != 0)
        fail_msg("%s: %s", line, why);
}

static void bad(const char *line, const char *names)
{
    struct options o;
    char why[512] = "";
    assert_int_equal(parse(&o, why, line), -EINVAL);
    if (!strstr(why, names))
        fail_msg("'%s' says '%s', which does not name %s", line, why, names);
    assert_null(strchr(why, '\n'));
}

static void defaults(void **state)
{
    (void)state;
    struct options o;
    good(&o, "scream");
    assert_int_equal(o.action, OPTIONS_RUN);
    assert_string_equal(o.receiver_name, "udp");
    assert_string_equal(o.output_name, OPTIONS_AUTO);
    assert_int_equal(o.receiver.port, 4010);
    assert_null(o.receiver.interface);
    assert_int_equal(o.target, 0);
    assert_int_equal(o.bound, 200000000);
    assert_false(o.verbose || o.receiver.unicast || o.output.no_connect);
}

static void receivers_that_are_not_there(void **state)
{
    (void)state;
    bad("scream -P", "not in this version");
    bad("scream -P -m /dev/shm/scream", "-P and -m");
}

static void what_upstream_takes(void **state)
{
    (void)state;
    struct options o;
    good(&o, "scream -o raw -i virbr0");
    assert_string_equal(o.output_name, "raw");
    assert_string_equal(o.receiver.interface, "virbr0");
    good(&o, "scream -u -p 4011 -i 192.168.122.1 -v");
    assert_true(o.receiver.unicast && o.verbose);
    assert_int_equal(o.receiver.port, 4011);
    good(&o, "scream -m /dev/shm/scream -o wav -d x.wav -s sink -n Windows -t 50 -l 300 -c");
    assert_string_equal(o.receiver_name, "ivshmem");
    assert_string_equal(o.receiver.file, "/dev/shm/scream");
    assert_string_equal(o.output.device, "x.wav");
    assert_string_equal(o.output.sink, "sink");
    assert_string_equal(o.output.stream_name, "Windows");
    assert_int_equal(o.target, 50000000);
    assert_int_equal(o.bound, 300000000);
    assert_true(o.output.no_connect);
    good(&o, "scream -g 239.1.2.3");
    assert_string_equal(o.receiver.group, "239.1.2.3");
    good(&o, "scream -h -p nonsense");
    assert_int_equal(o.action, OPTIONS_HELP);
}

static void long_names(void **state)
{
    (void)state;
    struct options o;
    good(&o, "scream --unicast --port 5000 --interface=br0 --output=raw --target auto --limit 100");
    assert_int_equal(o.receiver.port, 5000);
    assert_int_equal(o.bound, 100000000);
    good(&o, "scream --group 239.0.0.1 --name X --sink Y --device Z --no-connect --verbose");
    good(&o, "scream --shm /x");
    assert_false(o.no_sandbox);
    good(&o, "scream --no-sandbox");
    assert_true(o.no_sandbox);
    good(&o, "scream --version");
    assert_int_equal(o.action, OPTIONS_VERSION);
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    bad("scream -p 0", "-p '0': a port is a number from 1 to 65535");
    bad("scream -p 65546", "1 to 65535"); /* upstream cut it to 16 bits */
    bad("scream -p 40x", "40x");
    bad("scream -p", "-p: needs a value, PORT");
    bad("scream --port", "--port: needs a value, PORT");
    bad("scream -g 192.168.1.1", "multicast");
    bad("scream -g group", "multicast");
    bad("scream -i an-interface-name-that-is-long", "interface");
    bad("scream -o mp3", "one of auto");
    bad("scream -o jack", "not in this version");
    bad("scream -t 0", "-t '0'");
    bad("scream -t soon", "soon");
    bad("scream -l 5", "20 to 2000");
    bad("scream -t 300 -l 200", "-t 300");
    bad("scream -u -g 239.1.1.1", "-u and -g");
    bad("scream -P", "-P");
    bad("scream --exact=1", "takes no value");
    bad("scream -q", "-q: no such option");
    bad("scream -vq", "-q: no such option");
    bad("scream --quiet", "--quiet: no such option");
    bad("scream --verbose=1", "takes no value");
    bad("scream virbr0", "virbr0: an argument too many");
}

static void allows(void **state)
{
    (void)state;
    struct options o;
    good(&o, "scream");
    assert_true(allow_admits(&o.receiver.allow, 0xc0a87a32));
    good(&o, "scream --allow 192.168.122.50 --allow 10.1.2.3/8");
    assert_int_equal(o.receiver.allow.count, 2);
    assert_true(allow_admits(&o.receiver.allow, 0xc0a87a32));
    assert_false(allow_admits(&o.receiver.allow, 0xc0a87a33));
    assert_true(allow_admits(&o.receiver.allow, 0x0affffff));
    assert_false(allow_admits(&o.receiver.allow, 0x0b000000));
    good(&o, "scream --allow 1.2.3.4/0");
    assert_true(allow_admits(&o.receiver.allow, 0xffffffff));
    bad("scream --allow", "--allow: needs a value");
    static const char *const wrong[] = {
        "x",           "192.168.122",      "1.2.3.4/",    "1.2.3.4/33", "1.2.3.4/-1",
        "1.2.3.4/+8",  "1.2.3.4/8x",       "1.2.3.4/008", "/8",         "::1",
        "1.2.3.4/8/8", "192.168.122.0255", "guest"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "scream --allow %s", wrong[i]);
        bad(line, "an IPv4 address, or a network");
    }
    char line[1024] = "scream";
    for (int i = 0; i < ALLOW_MOST; i++)
        strcat(line, " --allow 10.0.0.1");
    good(&o, line);
    bad(strcat(line, " --allow 10.0.0.1"), "no more than 16");
    bad("scream -m /dev/shm/scream --allow 10.0.0.1", "exclude each other");
}

static void help_names_every_option(void **state)
{
    (void)state;
    char text[8192] = "";
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    options_help(f);
    fclose(f);
    static const char *const all[] = {"-u,", "-p,", "-i,", "-g,", "--allow",  "-m,",
                                      "-P,", "-o,", "-d,", "-s,", "-n,",      "-t,",
                                      "-l,", "-c,", "-v,", "-h,", "--version"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!strstr(text, all[i]))
            fail_msg("--help lacks %s", all[i]);
}

static void unused_are(const char *output, const char *line, const char *names)
{
    struct options o;
    char unused[64] = "";
    const struct output_driver *d = output_find(output);
    good(&o, line);
    if (d) {
        assert_int_equal(options_unused(&o, d, unused, sizeof unused), names[0] != '\0');
        assert_string_equal(unused, names);
    }
}

/* Whatever an output has no use for, and no default. */
static void what_an_output_does_not_use(void **state)
{
    (void)state;
    const char *all = "scream -c -d x -s y -n z -t 30 -l 100";
    unused_are("pipewire", all, "-d");
    unused_are("pulse", all, "-d, -c");
    unused_are("alsa", all, "-s, -n, -c");
    unused_are("raw", all, "-d, -s, -n, -t, -l, -c");
    unused_are("wav", all, "-s, -n, -t, -l, -c");
    unused_are("raw", "scream -n Scream -t auto -l 200 --exact -v", "");
}

static void what_a_receiver_does_not_use(void **state)
{
    (void)state;
    static const struct {
        const char *line, *names;
    } rows[] = {{"scream -m /x -i virbr0 -u -p 4011", "-u, -p, -i"},
                {"scream -m /x -g 239.1.2.3", "-g"},
                {"scream -m /x -p 4010 -o raw", ""},
                {"scream -i virbr0 -u -p 4011", ""},
                {"scream -g 239.1.2.3", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct options o;
        char unused[64] = "";
        good(&o, rows[i].line);
        const struct receiver_driver *d = receiver_find(o.receiver_name);
        if (!d)
            continue; /* left out of this build */
        assert_int_equal(options_unused_by_receiver(&o, d, unused, sizeof unused),
                         rows[i].names[0] != '\0');
        assert_string_equal(unused, rows[i].names);
    }
}

static void check_takes_the_others(void **state)
{
    (void)state;
    struct options o;
    good(&o, "scream --check -m /dev/shm/scream -o wav");
    assert_int_equal(o.action, OPTIONS_CHECK);
    assert_string_equal(o.receiver_name, "ivshmem");
    assert_string_equal(o.output_name, "wav");
    bad("scream --check -u -g 239.1.1.1", "-u");
    good(&o, "scream --check --version --nonsense");
    assert_int_equal(o.action, OPTIONS_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(receivers_that_are_not_there),
        cmocka_unit_test(what_upstream_takes),
        cmocka_unit_test(long_names),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(allows),
        cmocka_unit_test(what_an_output_does_not_use),
        cmocka_unit_test(what_a_receiver_does_not_use),
        cmocka_unit_test(check_takes_the_others),
        cmocka_unit_test(help_names_every_option),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
