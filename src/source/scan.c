/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scan.h"

#include "config/read.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKS = 40 /* as the kernel's */, MAX_ENTRIES = 4 * UM_READ_MAX_FILES };

struct scan {
    um_scan_directory_f *on_directory;
    void *ctx;
    uint64_t sum;       /* of a hash per file, so that the order of a directory does not matter */
    uint32_t n_entries; /* looked at; bounds links that lead up again */
    char path[PATH_MAX];
};

/* ---- symbolic links -------------------------------------------------------------------------------- */

/* takes the first component off a path; false if there is none left or it is too long */
static bool take_component(char *path, char component[NAME_MAX + 1])
{
    size_t start = strspn(path, "/"), n = strcspn(path + start, "/");
    if (n == 0 || n > NAME_MAX)
        return false;
    memcpy(component, path + start, n);
    component[n] = '\0';
    memmove(path, path + start + n, strlen(path + start + n) + 1);
    return true;
}

static bool has_component(const char *path)
{
    return path[strspn(path, "/")] != '\0';
}

/* puts a link's target before the rest of the way */
static bool prepend(char rest[PATH_MAX], const char *target)
{
    char joined[PATH_MAX];
    int n = snprintf(joined, sizeof joined, "%s/%s", target, rest);
    if (n < 0 || (size_t)n >= sizeof joined)
        return false;
    memcpy(rest, joined, (size_t)n + 1);
    return true;
}

/* Goes a path as the kernel does. The entries that decide where it leads: each link, the last component, and the first
 * one that does not exist. */
static void follow(struct scan *s, const char *path)
{
    char at[PATH_MAX], next[PATH_MAX], rest[PATH_MAX], target[PATH_MAX], component[NAME_MAX + 1];
    snprintf(at, sizeof at, "%s", path[0] == '/' ? "/" : ".");
    snprintf(rest, sizeof rest, "%s", path);
    for (int links = 0; links < MAX_LINKS && take_component(rest, component);) {
        if (snprintf(next, sizeof next, "%s/%s", at, component) >= (int)sizeof next)
            return;
        ssize_t n = readlink(next, target, sizeof target - 1);
        bool is_missing = n < 0 && errno != EINVAL;
        s->on_directory(s->ctx, at, n >= 0 || is_missing || !has_component(rest));
        if (is_missing)
            return;
        if (n < 0) {
            memcpy(at, next, sizeof at);
            continue;
        }
        target[n] = '\0';
        links++;
        if (!prepend(rest, target))
            return;
        if (target[0] == '/')
            snprintf(at, sizeof at, "/");
    }
}

/* ---- files ----------------------------------------------------------------------------------------- */

static bool is_wanted(struct um_str path)
{
    return um_str_ends(path, UM_STR(".yaml")) || um_str_ends(path, UM_STR(".yml")) ||
           um_str_ends(path, UM_STR(".json"));
}

static void add_file(struct scan *s, const struct stat *st)
{
    const uint64_t facts[] = {
        um_str_hash(um_str_from(s->path)),
        st->st_dev,
        st->st_ino,
        (uint64_t)st->st_size,
        (uint64_t)st->st_mtim.tv_sec,
        (uint64_t)st->st_mtim.tv_nsec,
        (uint64_t)st->st_ctim.tv_sec,
        (uint64_t)st->st_ctim.tv_nsec,
    };
    s->sum += um_str_hash((struct um_str){(const char *)facts, sizeof facts});
}

static void scan_directory(struct scan *s, int depth);

static void scan_entry(struct scan *s, int depth)
{
    struct stat st;
    if (depth > UM_READ_MAX_DEPTH || s->n_entries++ >= MAX_ENTRIES || stat(s->path, &st) != 0)
        return;
    if (S_ISDIR(st.st_mode))
        scan_directory(s, depth);
    else if (S_ISREG(st.st_mode) && (depth == 0 || is_wanted(um_str_from(s->path))))
        add_file(s, &st);
}

static void scan_directory(struct scan *s, int depth)
{
    s->on_directory(s->ctx, s->path, true);
    DIR *directory = opendir(s->path);
    size_t length = strlen(s->path);
    if (!directory)
        return;
    for (const struct dirent *e; (e = readdir(directory));) {
        int n = snprintf(s->path + length, sizeof s->path - length, "/%s", e->d_name);
        if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof s->path - length)
            continue;
        if (e->d_type == DT_LNK || e->d_type == DT_UNKNOWN)
            follow(s, s->path);
        scan_entry(s, depth + 1);
    }
    s->path[length] = '\0';
    closedir(directory);
}

uint64_t um_scan_files(const struct um_str *paths, uint32_t n, um_scan_directory_f *on_directory, void *ctx)
{
    struct scan s = {.on_directory = on_directory, .ctx = ctx};
    struct stat st;
    for (uint32_t i = 0; i < n; i++) {
        if (um_str_eq(paths[i], UM_STR("-")) || paths[i].n >= sizeof s.path)
            continue;
        memcpy(s.path, paths[i].p, paths[i].n);
        s.path[paths[i].n] = '\0';
        if (stat(s.path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            continue; /* a pipe, as of `-f <(command)`: it can be read only once */
        follow(&s, s.path);
        scan_entry(&s, 0);
    }
    return s.sum;
}
