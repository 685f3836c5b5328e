/* SPDX-License-Identifier: Apache-2.0 */
#include "config/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    struct um_documents *docs;
    struct um_diag *diag;
    struct um_arena names;
    uint32_t n_files;
    bool has_faults;
};

/* a directory on the way down, to notice a link that leads up again */
struct level {
    const struct level *up;
    dev_t device;
    ino_t inode;
    uint32_t depth;
};

static int fault(struct reader *r, const char *path, const char *hint, const char *format, ...) UM_PRINTF(4, 5);

static int fault(struct reader *r, const char *path, const char *hint, const char *format, ...)
{
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    um_diag_add(r->diag, UM_SEVERITY_ERROR, (struct um_pos){path, 1, 1},
                (struct um_diag_about){.hint = um_str_from(hint)}, "%s", message);
    r->has_faults = true;
    return 0;
}

static int fault_errno(struct reader *r, const char *path)
{
    return fault(r, path, NULL, "cannot be read: %s", strerror(errno));
}

/* one byte more than the limit is enough to know that the file is too large */
static int read_bytes(struct reader *r, int fd, const char *path, struct um_buf *bytes)
{
    enum { STEP = 64 << 10 };
    ssize_t n;
    do {
        char *to = um_buf_reserve(bytes, STEP);
        if (!to)
            return UM_ENOMEM;
        n = read(fd, to, STEP);
        if (n > 0)
            um_buf_grew(bytes, (size_t)n);
    } while ((n > 0 && bytes->n <= UM_DOCUMENT_MAX_BYTES) || (n < 0 && errno == EINTR));
    if (n < 0) {
        fault_errno(r, path);
        return UM_EIO;
    }
    return 0;
}

/* refuses before reading what is known to be too large */
static int check_size(struct reader *r, int fd, const char *path)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        fault_errno(r, path);
        return UM_EIO;
    }
    if (S_ISREG(st.st_mode) && st.st_size > UM_DOCUMENT_MAX_BYTES) {
        fault(r, path, NULL, "the file has %lld bytes, more than %d MiB", (long long)st.st_size,
              UM_DOCUMENT_MAX_BYTES >> 20);
        return UM_ELIMIT;
    }
    return 0;
}

static int parse_fd(struct reader *r, int fd, const char *path, const char *name)
{
    struct um_buf bytes;
    um_buf_init(&bytes, 0);
    int rc = check_size(r, fd, path);
    if (rc == 0)
        rc = read_bytes(r, fd, path, &bytes);
    if (rc == 0)
        rc = um_documents_parse(r->docs, um_str_from(name), um_buf_str(&bytes), r->diag);
    um_buf_release(&bytes);
    if (rc)
        r->has_faults = true;
    return rc == UM_ENOMEM ? rc : 0;
}

static int read_file(struct reader *r, const char *path)
{
    if (r->n_files++ >= UM_READ_MAX_FILES)
        return r->n_files == UM_READ_MAX_FILES + 1 ? fault(r, path, NULL, "more than %d files", UM_READ_MAX_FILES) : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(r, path);
    int rc = parse_fd(r, fd, path, path);
    close(fd);
    return rc;
}

static bool is_wanted(const char *name)
{
    struct um_str s = um_str_from(name);
    return um_str_ends(s, UM_STR(".yaml")) || um_str_ends(s, UM_STR(".yml")) || um_str_ends(s, UM_STR(".json"));
}

static int keep_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool leads_up(const struct level *level)
{
    for (const struct level *up = level->up; up; up = up->up)
        if (up->device == level->device && up->inode == level->inode)
            return true;
    return false;
}

static int read_directory(struct reader *r, const char *path, const struct stat *st, const struct level *up);

static int read_entry(struct reader *r, const char *directory, const char *name, const struct level *level)
{
    struct stat st;
    const char *slash = um_str_ends(um_str_from(directory), UM_STR("/")) ? "" : "/";
    const char *path = um_arena_printf(&r->names, "%s%s%s", directory, slash, name).p;
    if (!path)
        return UM_ENOMEM;
    if (stat(path, &st) != 0)
        return is_wanted(name) ? fault_errno(r, path) : 0;
    if (S_ISDIR(st.st_mode))
        return read_directory(r, path, &st, level);
    return S_ISREG(st.st_mode) && is_wanted(name) ? read_file(r, path) : 0;
}

static int read_directory(struct reader *r, const char *path, const struct stat *st, const struct level *up)
{
    struct level level = {up, st->st_dev, st->st_ino, up ? up->depth + 1 : 1};
    struct dirent **entries;
    int rc = 0;
    if (leads_up(&level))
        return 0;
    if (level.depth > UM_READ_MAX_DEPTH)
        return fault(r, path, NULL, "directories nested more than %d deep", UM_READ_MAX_DEPTH);
    int n = scandir(path, &entries, keep_visible, compare_names);
    if (n < 0)
        return fault_errno(r, path);
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = read_entry(r, path, entries[i]->d_name, &level);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int read_path(struct reader *r, struct um_str given)
{
    struct stat st;
    const char *path = um_arena_str(&r->names, given).p;
    if (!path)
        return UM_ENOMEM;
    if (um_str_eq(given, UM_STR("-")))
        return parse_fd(r, STDIN_FILENO, "<stdin>", "<stdin>");
    if (stat(path, &st) != 0)
        return fault_errno(r, path);
    if (!S_ISDIR(st.st_mode))
        return read_file(r, path);
    uint32_t before = r->n_files;
    int rc = read_directory(r, path, &st, NULL);
    if (rc == 0 && r->n_files == before)
        um_diag_add(r->diag, UM_SEVERITY_WARNING, (struct um_pos){path, 1, 1}, (struct um_diag_about){0},
                    "the directory has no *.yaml, *.yml or *.json");
    return rc;
}

int um_read_all(struct um_documents *docs, const struct um_str *paths, uint32_t n, struct um_diag *diag)
{
    struct reader r = {.docs = docs, .diag = diag};
    int rc = 0;
    um_arena_init(&r.names, NULL, 0);
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = read_path(&r, paths[i]);
    um_arena_release(&r.names);
    return rc == 0 && r.has_faults ? UM_ESYNTAX : rc;
}
