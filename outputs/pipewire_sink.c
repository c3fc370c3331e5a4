#include "pipewire_sink.h"

#include <errno.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* its methods are macros in GNU C */

struct search {
    const char *target;
    bool found;
};

static bool has(const struct spa_dict *props, const char *key, const char *value)
{
    const char *is = spa_dict_lookup(props, key);
    return is && strcmp(is, value) == 0;
}

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
                      uint32_t version, const struct spa_dict *props)
{
    (void)id, (void)permissions, (void)version;
    struct search *s = data;
    if (strcmp(type, PW_TYPE_INTERFACE_Node) != 0 || !props)
        return;
    if (s->target)
        s->found |=
            has(props, PW_KEY_NODE_NAME, s->target) || has(props, PW_KEY_OBJECT_SERIAL, s->target);
    else
        s->found |= has(props, PW_KEY_MEDIA_CLASS, "Audio/Sink") ||
                    has(props, PW_KEY_MEDIA_CLASS, "Audio/Duplex");
}

static const struct pw_registry_events registry_events = {
    PW_VERSION_REGISTRY_EVENTS,
    .global = on_global,
};

int pipewire_find_sink(struct pipewire_link *l, const char *target, int64_t timeout)
{
    struct search search = {.target = target};
    struct spa_hook listener = {0};
    struct pw_registry *registry = pw_core_get_registry(l->core, PW_VERSION_REGISTRY, 0);
    if (!registry)
        return -errno;
    pw_registry_add_listener(registry, &listener, &registry_events, &search);
    const int err = pipewire_link_sync(l, timeout);
    spa_hook_remove(&listener);
    pw_proxy_destroy((struct pw_proxy *)registry);
    return err < 0 ? err : search.found ? 0 : -ENODEV;
}
