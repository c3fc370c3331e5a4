#include "check.h"
#include "log.h"
#include "options.h"
#include "plain.h"
#include "session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_USAGE 2

/* A descriptor of ours must not become standard output: sound or log lines would go into it. */
static void open_standard_files(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd >= 0)
        close(fd);
}

int main(int argc, char *argv[])
{
    open_standard_files();
    struct options options;
    char why[512];
    if (options_parse(&options, argc, argv, why, sizeof why) < 0) {
        plain_text(why);
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
    if (options.action == OPTIONS_CHECK)
        return check_run(&options);
    if (options.verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    return session_run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
