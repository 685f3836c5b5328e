/* SPDX-License-Identifier: Apache-2.0
 * options: what the command line says. One table (flags.def) holds every flag: name, argument, which commands take it,
 * what a value must look like, help; parsing, --help, the error texts and the tests of man page and completions follow
 * it. Slices point into argv, arrays into `arena`. Owner: main. Thread: written once before any other starts. */
#ifndef UM_APP_OPTIONS_H
#define UM_APP_OPTIONS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "http/h1_parse.h"
#include "istio/compile_options.h"
#include "proxy/access_log.h"

/* bits, so that a flag can name the commands that take it */
enum um_command { UM_COMMAND_RUN = 1, UM_COMMAND_CHECK = 2, UM_COMMAND_EXPLAIN = 4 };

enum um_format { UM_FORMAT_TEXT, UM_FORMAT_JSON, UM_FORMAT_GITHUB };
enum um_access_log_to { UM_ACCESS_LOG_OFF, UM_ACCESS_LOG_STDOUT, UM_ACCESS_LOG_FILE };

struct um_named_value {
    struct um_str name, value;
};

struct um_options {
    enum um_command command; /* 0: none, with --version or --help */
    bool wants_help, wants_version;

    /* what the configuration means */
    struct um_str *files; /* as given; "-" is standard input */
    uint32_t n_files;
    struct um_compile_options compile;

    /* run */
    uint32_t workers; /* 0: one per core */
    bool has_admin;
    struct um_sockaddr admin;
    enum um_access_log_to access_log;
    struct um_str access_log_file;
    enum um_log_format access_log_format;
    uint64_t shadow_memory_bytes;  /* C19 */
    bool has_shadow_istio_metrics; /* C26 */
    uint64_t drain_time_ms;
    struct um_h1_limits limits;
    uint64_t header_timeout_ms, idle_timeout_ms; /* 0: none */
    enum um_log_level log_level;

    /* check, explain */
    enum um_format format;

    /* explain: the request asked about */
    struct um_str method, url;
    struct um_named_value *headers;
    uint32_t n_headers;

    struct um_arena arena;
};

/* Reads the command line; permutes argv. UM_EINVAL: a usage error, and `ret_error` holds the lines to print; UM_ENOMEM.
 * To be released in any case. */
int um_options_parse(struct um_options *, int argc, char **argv, struct um_buf *ret_error) UM_MUST_CHECK;
void um_options_release(struct um_options *);

/* the text of `umbra COMMAND --help`; command 0: of `umbra --help` */
void um_options_help(enum um_command, struct um_buf *);
const char *um_command_name(enum um_command);

#endif
