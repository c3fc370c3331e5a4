#include "check.h"

#include "check_parts.h"
#include "clock.h"
#include "log.h"
#include "receiver.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WATCH_NS (3 * NS_PER_S) /* for packets */

static const char *const endings[] = {
    "All is there.",
    "Something is missing (waiting): scream may be started all the same, and plays when it comes.",
    "Something has to be put right (wrong).",
};

static struct findings_style style_of(int fd)
{
    struct winsize size;
    const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org */
    const char *terminal = getenv("TERM");
    if (!isatty(fd))
        return (struct findings_style){.colour = false};
    const bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return (struct findings_style){
        .colour = !(no_colour && *no_colour) && terminal && terminal[0] != 'd', /* "dumb" */
        .columns = known ? size.ws_col : 80,
    };
}

int check_run(const struct options *options)
{
    const struct receiver_driver *driver = receiver_find(options->receiver_name);
    const struct findings_style style = style_of(STDOUT_FILENO);
    struct findings f = {.count = 0};
    if (!options->verbose)
        log_set_level(LOG_LEVEL_ERROR);
    char unused[64];
    if (options_unused_by_receiver(options, driver, unused, sizeof unused))
        findings_add(&f, FINDING_NOTE, "options", NULL, "the receiver %s has no use for %s",
                     driver->name, unused);
    if (driver->check)
        driver->check(&options->receiver, WATCH_NS, &f);
    check_output(options, &f);
    check_schedule(&f);
    findings_print(&f, &style, stdout);
    puts(endings[findings_exit(&f)]);
    return findings_exit(&f);
}
