#include "log.h"
#include "options.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

#define EXIT_USAGE 2

int main(int argc, char *argv[])
{
    struct options options;
    char why[512];
    if (options_parse(&options, argc, argv, why, sizeof why) < 0) {
        fprintf(stderr, "scream: %s\n", why);
        return EXIT_USAGE;
    }
    if (options.action == OPTIONS_HELP) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (options.action == OPTIONS_VERSION) {
        puts("scream " SCREAM_VERSION);
        return EXIT_SUCCESS;
    }
    if (options.verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    return session_run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
