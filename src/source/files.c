/* SPDX-License-Identifier: Apache-2.0
 *
 *   inotify: an event -> moving: looked at every 100 ms, until a turn without events or 1 s -> scan -> told if it differs
 *   polling: a scan every second; one that differs from the last is moving in the same way
 */
#include "source/files.h"

#include "source/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    SELF_EVENTS = IN_DELETE_SELF | IN_MOVE_SELF,
    /* a file that is written is looked at once it is closed */
    ENTRY_EVENTS = SELF_EVENTS | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB,
};

struct files {
    struct um_source source;
    struct um_loop *loop;
    struct um_source_sink sink;
    const struct um_str *paths;
    uint32_t n_paths;
    struct um_watch watch; /* inotify; fd -1: polling */
    struct um_timer timer;
    uint64_t moving_since_ns; /* 0: quiet */
    uint64_t seen, told;      /* sums of um_scan_files */
    bool is_polling;
};

static struct files *of_source(struct um_source *s)
{
    return UM_CONTAINER(s, struct files, source);
}

static void give_up_inotify(struct files *f)
{
    um_loop_unwatch_close(f->loop, &f->watch);
    f->is_polling = true;
    um_loop_timer(f->loop, &f->timer, UM_SOURCE_POLL_MS);
    f->sink.on_state(f->sink.ctx, "files cannot be watched (inotify's limits: fs.inotify.max_user_watches and "
                                  "max_user_instances), they are looked at every second instead");
}

static void on_directory(void *ctx, const char *path, bool has_entries)
{
    struct files *f = ctx;
    uint32_t events = (has_entries ? ENTRY_EVENTS : SELF_EVENTS) | IN_ONLYDIR | IN_MASK_ADD;
    if (f->is_polling || inotify_add_watch(f->watch.fd, path, events) >= 0)
        return;
    bool is_gone = errno == ENOENT || errno == ENOTDIR;
    if (!is_gone && has_entries)
        give_up_inotify(f);
}

static void on_event(struct um_watch *, uint32_t);

/* fresh watches with every scan: none is left for what is no longer on the way, and what happened before the scan is
 * in its sum */
static void renew_watch(struct files *f)
{
    um_loop_unwatch_close(f->loop, &f->watch);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0 && um_loop_watch_level(f->loop, &f->watch, fd, EPOLLIN, on_event) == 0)
        return;
    if (fd >= 0)
        close(fd);
    give_up_inotify(f);
}

/* true if something differs from the last look */
static bool look(struct files *f)
{
    uint64_t before = f->seen;
    if (!f->is_polling)
        renew_watch(f);
    f->seen = um_scan_files(f->paths, f->n_paths, on_directory, f);
    return f->seen != before;
}

/* true if there were events */
static bool drain(struct files *f)
{
    char events[4096];
    bool had_some = false;
    while (read(f->watch.fd, events, sizeof events) > 0)
        had_some = true;
    return had_some;
}

static bool is_still_moving(struct files *f)
{
    bool has_moved = f->is_polling ? look(f) : drain(f);
    if (has_moved && !f->moving_since_ns)
        f->moving_since_ns = f->loop->now_ns;
    return has_moved && f->loop->now_ns - f->moving_since_ns < UM_SOURCE_UNQUIET_MAX_MS * UM_NS_PER_MS;
}

static void tell(struct files *f)
{
    f->told = f->seen;
    f->sink.on_changed(f->sink.ctx);
}

static void on_timer(struct um_timer *t)
{
    struct files *f = UM_CONTAINER(t, struct files, timer);
    if (is_still_moving(f)) {
        um_loop_timer(f->loop, t, UM_SOURCE_QUIET_MS);
        return;
    }
    f->moving_since_ns = 0;
    if (!f->is_polling)
        look(f);
    if (f->is_polling)
        um_loop_timer(f->loop, t, UM_SOURCE_POLL_MS);
    if (f->seen != f->told)
        tell(f);
}

/* from here on the timer looks for events: a busy directory wakes the loop ten times a second at most */
static void on_event(struct um_watch *w, uint32_t events)
{
    struct files *f = UM_CONTAINER(w, struct files, watch);
    drain(f);
    f->moving_since_ns = f->loop->now_ns;
    um_loop_timer(f->loop, &f->timer, UM_SOURCE_QUIET_MS);
    int rc = um_loop_rewatch_level(f->loop, w, 0);
    (void)rc; /* a failure only wakes the loop more often */
}

static int files_start(struct um_source *s, const struct um_source_sink *sink)
{
    struct files *f = of_source(s);
    f->sink = *sink;
    look(f);
    f->told = f->seen;
    return 0;
}

static void files_kick(struct um_source *s)
{
    struct files *f = of_source(s);
    look(f);
    tell(f);
}

static void files_free(struct um_source *s)
{
    struct files *f = of_source(s);
    um_timer_stop(&f->timer);
    um_loop_unwatch_close(f->loop, &f->watch);
    free(f);
}

static const struct um_source_ops FILES_OPS = {files_start, files_kick, files_free};

int um_source_files_new(struct um_loop *loop, const struct um_str *paths, uint32_t n, struct um_source **ret_source)
{
    struct files *f = calloc(1, sizeof *f);
    if (!f)
        return UM_ENOMEM;
    *f = (struct files){.source.ops = &FILES_OPS, .loop = loop, .paths = paths, .n_paths = n, .watch.fd = -1};
    um_timer_init(&f->timer, on_timer);
    *ret_source = &f->source;
    return 0;
}
