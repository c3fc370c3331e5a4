#include "send_script.h"

#include "../src/clock.h"
#include "send_format.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES  256
#define MAX_SECONDS 315360000.0 /* ten years */
#define BLANKS      " \t\r\n"

int send_seconds_parse(const char *text, int64_t *ns)
{
    char *end;
    const double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds > 0 && seconds <= MAX_SECONDS))
        return -EINVAL;
    *ns = llround(seconds * (double)NS_PER_S);
    return *ns > 0 ? 0 : -EINVAL;
}

static const char *parse_words(const char *seconds, const char *what, const char *signal,
                               struct script_step *step)
{
    if (send_seconds_parse(seconds, &step->duration) < 0)
        return "a line begins with seconds over 0";
    if (!what)
        return "after the seconds comes a format or `pause`";
    if (strcmp(what, "pause") == 0) {
        step->pause = true;
        return signal ? "nothing follows `pause`" : NULL;
    }
    if (send_format_parse(what, &step->format) < 0)
        return "a format is " SEND_FORMAT_ALLOWED;
    const int kind = signal ? signal_find(signal) : (int)step->signal;
    if (kind < 0)
        return "there is no signal of that name; --help lists them";
    step->signal = (enum signal_kind)kind;
    return NULL;
}

int script_parse_line(const char *line, enum signal_kind default_signal, struct script_step *step,
                      const char **why)
{
    char buf[LINE_BYTES], *rest = buf, *words[4];
    if (strlen(line) >= sizeof buf) {
        *why = "it is too long";
        return -EINVAL;
    }
    strcpy(buf, line);
    buf[strcspn(buf, "#")] = '\0';
    for (size_t i = 0; i < 4; i++)
        words[i] = strtok_r(i == 0 ? buf : NULL, BLANKS, &rest);
    if (!words[0])
        return 0;
    *step = (struct script_step){.signal = default_signal};
    *why = words[1] && words[2] && words[3] ? "too many words"
                                            : parse_words(words[0], words[1], words[2], step);
    return *why ? -EINVAL : 1;
}

static int append(struct script *script, const struct script_step *step)
{
    struct script_step *more =
        realloc(script->steps, (script->count + 1) * sizeof script->steps[0]);
    if (!more)
        return -ENOMEM;
    script->steps = more;
    script->steps[script->count++] = *step;
    return 0;
}

int script_read(struct script *script, FILE *file, enum signal_kind default_signal, size_t *line,
                const char **why)
{
    char *text = NULL;
    size_t size = 0;
    int err = 0;
    *script = (struct script){0};
    *why = "out of memory";
    for (*line = 1; err >= 0 && getline(&text, &size, file) >= 0; ++*line) {
        struct script_step step;
        err = script_parse_line(text, default_signal, &step, why);
        if (err > 0)
            err = append(script, &step);
        if (err < 0)
            break;
    }
    if (err >= 0 && script->count == 0) {
        err = ferror(file) ? -EIO : -EINVAL;
        *why = ferror(file) ? "it cannot be read" : "it has no step";
    }
    free(text);
    if (err >= 0)
        return 0;
    script_finish(script);
    return err;
}

void script_finish(struct script *script)
{
    free(script->steps);
    *script = (struct script){0};
}
