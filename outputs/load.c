/*
 * Outputs that are loaded at run time. For each module of this build a driver stands in of which no more than
 * name, summary, flags and uses is known; its first probe() or open() loads NAME.so, copies the module's driver
 * over it, and passes the call on. Modules stay until the process ends: what they have begun may go on
 * behind an output's back (struct output_pending).
 *
 * A module lies in outputs/ beside the program, as make leaves it, or in ../lib/scream from there, as
 * make install leaves it. Looked for wherever the program itself was started from, never in an environment
 * variable's place: who can write there could replace the program too.
 */
#include "../src/log.h"
#include "drivers.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLACES 2
static const char *const places[PLACES] = {"outputs",
                                           OUTPUT_MODULES}; /* from the program's folder */

/* Where this program lies: what stands before the last slash. */
static int own_folder(char *folder, size_t size)
{
    const ssize_t n = readlink("/proc/self/exe", folder, size - 1);
    if (n < 0)
        return -errno;
    folder[n] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return -ENOENT;
    *slash = '\0';
    return 0;
}

/* The one beside the program, or else the installed one; -errno, and `path` is where that should be. */
static int find(char *path, size_t size, const char *name)
{
    char folder[PATH_MAX];
    int err = own_folder(folder, sizeof folder);
    if (err < 0)
        snprintf(folder, sizeof folder, "/proc/self/exe");
    for (int i = 0; i < PLACES; i++) {
        snprintf(path, size, "%s/%s/%s.so", folder, places[i], name);
        if (access(path, R_OK) == 0)
            return 0;
        err = -errno;
    }
    return err;
}

/* What the module at `path` has of that name; NULL: it is another build's. */
static const struct output_driver *driver_in(void *module, const char *name)
{
    char symbol[32];
    snprintf(symbol, sizeof symbol, "%s_driver", name);
    const char *abi = dlsym(module, "output_abi");
    return abi && strcmp(abi, OUTPUT_ABI) == 0 ? dlsym(module, symbol) : NULL;
}

/* Makes `driver` what its module has. 0, or -errno and why not. Control thread. */
static int load(struct output_driver *driver, char *why, size_t size)
{
    char path[PATH_MAX + 64];
    const int err = find(path, sizeof path, driver->name);
    if (err < 0) {
        snprintf(why, size, "%s: %s: %s; install scream again, with its modules", driver->name,
                 path, strerror(-err));
        return err;
    }
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        snprintf(why, size, "%s: %s; install that library, or choose another output", driver->name,
                 dlerror());
        return -ELIBACC;
    }
    const struct output_driver *real = driver_in(module, driver->name);
    if (!real) {
        dlclose(module);
        snprintf(why, size, "%s: %s is of another build than this program; start scream again",
                 driver->name, path);
        return -ELIBBAD;
    }
    *driver = *real;
    log_debug("%s: loaded %s", driver->name, path);
    return 0;
}

#define STAND_IN(NAME, ABOUT)                                                                      \
    static int NAME##_probe(const struct output_config *config)                                    \
    {                                                                                              \
        char why[PATH_MAX + 256];                                                                  \
        const int err = load(&NAME##_driver, why, sizeof why);                                     \
        if (err < 0)                                                                               \
            log_debug("%s", why);                                                                  \
        return err < 0 ? err : NAME##_driver.probe(config);                                        \
    }                                                                                              \
    static int NAME##_open(struct output **out, const struct output_config *config,                \
                           const struct pcm_format *source, struct player *player, char *why,      \
                           size_t size)                                                            \
    {                                                                                              \
        const int err = load(&NAME##_driver, why, size);                                           \
        return err < 0 ? err : NAME##_driver.open(out, config, source, player, why, size);         \
    }                                                                                              \
    struct output_driver NAME##_driver = {ABOUT, .probe = NAME##_probe, .open = NAME##_open};

#ifdef HAVE_PIPEWIRE
STAND_IN(pipewire, ABOUT_PIPEWIRE)
#endif
#ifdef HAVE_PULSE
STAND_IN(pulse, ABOUT_PULSE)
#endif
#ifdef HAVE_ALSA
STAND_IN(alsa, ABOUT_ALSA)
#endif
