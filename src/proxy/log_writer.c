/* SPDX-License-Identifier: Apache-2.0
 * Buffers travel by a ring of slots, each owned by one side at a time: EMPTY -(submit)-> FULL -(thread)-> EMPTY. Nobody
 * locks. */
#include "proxy/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct um_log_writer {
    pthread_t thread;
    char *path; /* NULL: standard output */
    _Atomic int fd;
    enum um_log_format format;
    sem_t filled;
    _Atomic bool is_ending, wants_reopen;
    _Atomic uint64_t tail, head; /* next ticket to fill, next one to empty */
    struct {
        _Atomic(char *) bytes; /* NULL: empty */
        size_t n;
    } slots[UM_LOG_QUEUE_MAX];
};

static void write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            return; /* a log that cannot be written is lost; the proxy goes on */
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
}

static void reopen(struct um_log_writer *w)
{
    int fd = w->path ? open(w->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd < 0)
        return; /* better the old file than none */
    close(w->fd);
    w->fd = fd;
}

/* everything that is filled, in order */
static void write_filled(struct um_log_writer *w)
{
    for (;;) {
        uint64_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
        size_t at = head % UM_LOG_QUEUE_MAX;
        char *bytes = atomic_load_explicit(&w->slots[at].bytes, memory_order_acquire);
        if (!bytes)
            return;
        write_all(w->fd, bytes, w->slots[at].n);
        free(bytes);
        atomic_store_explicit(&w->slots[at].bytes, NULL, memory_order_relaxed);
        atomic_store_explicit(&w->head, head + 1, memory_order_release);
    }
}

static void *run(void *arg)
{
    struct um_log_writer *w = arg;
    while (!atomic_load(&w->is_ending)) {
        while (sem_wait(&w->filled) && errno == EINTR)
            ;
        if (atomic_exchange(&w->wants_reopen, false))
            reopen(w);
        write_filled(w);
    }
    return NULL;
}

bool um_log_writer_submit(struct um_log_writer *w, char *bytes, size_t n)
{
    uint64_t ticket = atomic_load_explicit(&w->tail, memory_order_relaxed);
    do {
        if (ticket - atomic_load_explicit(&w->head, memory_order_acquire) >= UM_LOG_QUEUE_MAX)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&w->tail, &ticket, ticket + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    w->slots[ticket % UM_LOG_QUEUE_MAX].n = n;
    atomic_store_explicit(&w->slots[ticket % UM_LOG_QUEUE_MAX].bytes, bytes, memory_order_release);
    sem_post(&w->filled);
    return true;
}

enum um_log_format um_log_writer_format(const struct um_log_writer *w)
{
    return w->format;
}

int um_log_writer_new(const char *path, enum um_log_format format, struct um_log_writer **ret_writer)
{
    struct um_log_writer *w = calloc(1, sizeof *w);
    if (!w)
        return UM_ENOMEM;
    w->format = format;
    w->path = path ? strdup(path) : NULL;
    w->fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : dup(STDOUT_FILENO);
    sem_init(&w->filled, 0, 0);
    int err = w->fd < 0 ? errno : pthread_create(&w->thread, NULL, run, w);
    if (err) {
        if (w->fd >= 0)
            close(w->fd);
        free(w->path);
        free(w);
        errno = err;
        return um_err_from_errno(err);
    }
    *ret_writer = w;
    return 0;
}

void um_log_writer_reopen(struct um_log_writer *w)
{
    atomic_store(&w->wants_reopen, true);
    sem_post(&w->filled);
}

void um_log_writer_free(struct um_log_writer *w)
{
    if (!w)
        return;
    atomic_store(&w->is_ending, true);
    sem_post(&w->filled);
    pthread_join(w->thread, NULL);
    write_filled(w); /* what came after its last look */
    for (size_t i = 0; i < UM_LOG_QUEUE_MAX; i++)
        free(w->slots[i].bytes);
    close(w->fd);
    sem_destroy(&w->filled);
    free(w->path);
    free(w);
}
