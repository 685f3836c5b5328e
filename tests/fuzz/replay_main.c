/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target on files, and on the files of directories, without libFuzzer: `TARGET_replay FILE|DIR...`.
 * Exit 1 if nothing was run. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static void run_file(const char *path)
{
    /* of just the file's size, for the address sanitizer to guard */
    static uint8_t room[FILE_BYTES_MAX];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(room, 1, sizeof room, f) : 0;
    uint8_t *data = malloc(n ? n : 1);
    if (!f || !data || ferror(f)) {
        perror(path);
        exit(1);
    }
    fclose(f);
    memcpy(data, room, n);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
}

/* the number of files that were run */
static unsigned run(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;
    if (!dir && errno == ENOTDIR) {
        run_file(path);
        return 1;
    }
    if (!dir) {
        perror(path);
        exit(1);
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        char file[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        n += run(file);
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = 0;
    for (int i = 1; i < argc; i++)
        n += run(argv[i]);
    printf("%u inputs\n", n);
    return n ? 0 : 1;
}
