#include "scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct word {
    const char *name;
    size_t offset;
    double usual, least, most;
    const char *help;
};

#define WORD(name, member, ...)                                                                    \
    {                                                                                              \
        name, offsetof(struct scenario, member), __VA_ARGS__                                       \
    }

static const struct word words[] = {
    WORD("n", period, 480, 16, 8192, "frames that the output takes at a time"),
    WORD("rate", rate, 48000, 8000, 192000, "Hz"),
    WORD("width", width, 16, 16, 32, "bits, 16 or 32"),
    WORD("ppm", guest, 0, -2000, 2000, "that the guest's clock is fast"),
    WORD("out", output, 0, -2000, 2000, "ppm that the output's clock is fast"),
    WORD("delay", delay, 5, 0, 100, "ms, the output's own, behind what it takes"),
    WORD("callback", callback, 0.2, 0, 20, "ms that requests are late, at most, untold"),
    WORD("wake", wake, 0.05, 0, 20, "ms that bursts come late, at most, each of them"),
    WORD("jitter", late, 0, 0, 1, "part of the bursts that are late..."),
    WORD("upto", up_to, 24, 0, 1000, "...by so many ms, at most"),
    WORD("loss", loss, 0, 0, 1, "part of the packets that are lost"),
    WORD("spikes", spikes, 0, 0, 600,
         "a minute: threads, each, that wake up 5 to 14 ms late, or now and then 20"),
    WORD("slack", slack, 0, 0, 80, "ms that it has learnt to keep; 0: it has learnt nothing"),
    WORD("keeps", keeps, 0, 0, 1, "1: it never gives back what it keeps"),
    WORD("exact", exact, 0, 0, 1, "1: the receiver's --exact, the clocks are not followed"),
    WORD("t", target, 0, 0, 1000, "ms, the receiver's -t; 0: auto"),
    WORD("l", bound, 200, 1, 2000, "ms, the receiver's -l"),
    WORD("seconds", seconds, 300, 1, 86400, "s, all of it"),
    WORD("settle", settle, 60, 0, 86400, "s at the beginning that are not judged"),
    WORD("resettle", resettle, 1, 0, 86400, "s after each happening that are not judged either"),
    WORD("seed", seed, 1, 0, 4294967295, "of all chance"),
};

#define WORDS (sizeof words / sizeof words[0])

static const struct {
    const char *name, *help;
    double least, most;
} kinds[HAPPENS_KINDS] = {
    [HAPPENS_STALL] = {"stall", "ms that the guest sends nothing, then all of it", 1, 10000},
    [HAPPENS_PAUSE] = {"pause", "ms that the guest plays nothing", 1, 1e6},
    [HAPPENS_STEP] = {"step", "ppm by which the guest's clock changes", -2000, 2000},
    [HAPPENS_FORMAT] = {"format", "Hz at which the guest goes on", 8000, 192000},
    [HAPPENS_FREEZE] = {"freeze", "ms that the output stands still", 1, 10000},
};

static double *value(struct scenario *s, const struct word *w)
{
    return (double *)(void *)((char *)s + w->offset);
}

void scenario_init(struct scenario *s)
{
    *s = (struct scenario){0};
    for (size_t i = 0; i < WORDS; i++)
        *value(s, &words[i]) = words[i].usual;
}

double happening_seconds(const struct happening *h)
{
    return h->kind == HAPPENS_STEP || h->kind == HAPPENS_FORMAT ? 0 : h->amount / 1e3;
}

const char *happening_name(enum happening_kind kind)
{
    return kinds[kind].name;
}

static bool number(const char **text, double least, double most, double *out)
{
    char *end;
    *out = strtod(*text, &end);
    const bool good = end != *text && *out >= least && *out <= most;
    *text = end;
    return good;
}

/* AMOUNT@AT or AMOUNT@AT/EVERY */
static bool take_happening(struct scenario *s, enum happening_kind kind, const char *text)
{
    struct happening h = {.kind = kind};
    if (s->happenings == SCENARIO_HAPPENINGS ||
        !number(&text, kinds[kind].least, kinds[kind].most, &h.amount) || *text++ != '@' ||
        !number(&text, 0, 1e6, &h.at))
        return false;
    if (*text == '/') {
        text++;
        if (!number(&text, 0.1, 1e6, &h.every))
            return false;
    }
    s->happens[s->happenings++] = h;
    return *text == '\0';
}

static bool take_value(struct scenario *s, const char *name, const char *text)
{
    for (int i = 0; i < HAPPENS_KINDS; i++)
        if (strcmp(name, kinds[i].name) == 0)
            return take_happening(s, (enum happening_kind)i, text);
    for (size_t i = 0; i < WORDS; i++)
        if (strcmp(name, words[i].name) == 0)
            return number(&text, words[i].least, words[i].most, value(s, &words[i])) &&
                   *text == '\0';
    return false;
}

static bool take_word(struct scenario *s, char *word)
{
    char *text = strchr(word, '=');
    if (text) {
        *text = '\0';
        const bool good = take_value(s, word, text + 1);
        *text = '=';
        return good;
    }
    if (strcmp(word, "udp") == 0 || strcmp(word, "ivshmem") == 0)
        s->ivshmem = word[0] == 'i';
    else if (strcmp(word, "fill") == 0 || strcmp(word, "queue") == 0)
        s->queued = word[0] == 'q';
    else
        return false;
    return true;
}

bool scenario_take(struct scenario *s, const char *text, char *why, size_t size)
{
    char *copy = strdup(text), *rest = copy, *word;
    bool good = copy != NULL;
    while (good && (word = strsep(&rest, " \t\n")) != NULL) {
        good = *word == '\0' || take_word(s, word);
        if (!good)
            snprintf(why, size, "'%s' is no word of a case; --help lists them", word);
    }
    if (good && s->width != 16 && s->width != 32) {
        snprintf(why, size, "'width=%g': 16 or 32", s->width);
        good = false;
    }
    free(copy);
    return good;
}

void scenario_text(const struct scenario *s, char *buf, size_t size)
{
    struct scenario copy = *s;
    FILE *f = fmemopen(buf, size, "w");
    if (!f)
        return;
    fprintf(f, "%s%s", s->ivshmem ? "ivshmem" : "udp", s->queued ? " queue" : "");
    for (size_t i = 0; i < WORDS; i++)
        if (*value(&copy, &words[i]) != words[i].usual || i == 0)
            fprintf(f, " %s=%.10g", words[i].name, *value(&copy, &words[i]));
    for (size_t i = 0; i < s->happenings; i++) {
        const struct happening *h = &s->happens[i];
        fprintf(f, " %s=%.10g@%.10g", kinds[h->kind].name, h->amount, h->at);
        if (h->every > 0)
            fprintf(f, "/%.10g", h->every);
    }
    fclose(f);
    buf[size - 1] = '\0';
}

void scenario_help(FILE *f)
{
    fputs(
        "  udp | ivshmem          how the guest sends: packets or chunks of 20 ms; udp\n"
        "  fill | queue           how the output takes: periods, or a queue ahead of time; fill\n",
        f);
    for (size_t i = 0; i < WORDS; i++)
        fprintf(f, "  %s=%-*g %s\n", words[i].name, 22 - (int)strlen(words[i].name) - 1,
                words[i].usual, words[i].help);
    for (int i = 0; i < HAPPENS_KINDS; i++)
        fprintf(f, "  %s=%-*s %s\n", kinds[i].name, 22 - (int)strlen(kinds[i].name) - 1,
                "X@AT[/EVERY]", kinds[i].help);
}
