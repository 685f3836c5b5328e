/* SPDX-License-Identifier: Apache-2.0 */
#include "app/options.h"

#include "app/flags.h"

#include <getopt.h>
#include <stdio.h>

enum { FLAGS_MAX = 64, LONG_BASE = 256, HINT_EDITS = 3 };

static const struct {
    enum um_command command;
    const char *name, *arguments, *help;
} COMMANDS[] = {
    {UM_COMMAND_RUN, "run", "-f FILE|DIR [FLAG...]", "serve traffic and send copies as the configuration says"},
    {UM_COMMAND_CHECK, "check", "-f FILE|DIR [FLAG...]",
     "read the configuration and print every error and warning; exit 0: none or warnings only, 1: errors"},
    {UM_COMMAND_EXPLAIN, "explain", "-f FILE|DIR [FLAG...] 'METHOD http://host[:port]/path'",
     "say what would become of one request, and why"},
};
enum { N_COMMANDS = sizeof COMMANDS / sizeof COMMANDS[0] };

const char *um_command_name(enum um_command command)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (COMMANDS[i].command == command)
            return COMMANDS[i].name;
    return "";
}

/* ---- errors ------------------------------------------------------------------------------------- */

struct nearest {
    struct um_str word;
    const char *name;
    unsigned edits;
};

static void consider(struct nearest *best, const char *name)
{
    unsigned edits = um_str_distance(best->word, um_str_from(name), HINT_EDITS);
    if (edits >= best->edits || edits >= strlen(name))
        return;
    best->name = name;
    best->edits = edits;
}

/* begins an error line with "umbra COMMAND: " */
static void begin_error(const struct um_options *o, struct um_buf *error)
{
    um_buf_addf(error, o->command ? "umbra %s: " : "umbra: ", um_command_name(o->command));
}

static int end_error(const struct um_options *o, struct um_buf *error)
{
    const char *name = um_command_name(o->command);
    um_buf_addf(error, "\nTry 'umbra %s%s--help'.\n", name, o->command ? " " : "");
    return UM_EINVAL;
}

/* a flag of that name that another command takes, or NULL */
static const struct um_flag *flag_of_others(struct um_str name)
{
    for (size_t i = 0; i < um_n_flags; i++)
        if (um_str_eq(name, um_str_from(um_flags[i].name)))
            return &um_flags[i];
    return NULL;
}

static int unknown_long_flag(const struct um_options *o, struct um_str name, struct um_buf *error)
{
    struct nearest best = {name, NULL, HINT_EDITS + 1};
    const struct um_flag *other = flag_of_others(name);
    begin_error(o, error);
    if (other) {
        um_buf_addf(error, "--%s is not a flag of this command, but of", other->name);
        for (size_t i = 0; i < N_COMMANDS; i++)
            if (other->commands & COMMANDS[i].command)
                um_buf_addf(error, " umbra %s", COMMANDS[i].name);
        return end_error(o, error);
    }
    for (size_t i = 0; i < um_n_flags; i++)
        if (um_flags[i].commands & o->command)
            consider(&best, um_flags[i].name);
    um_buf_addf(error, "there is no flag --%.*s", UM_STR_ARG(name));
    if (best.name)
        um_buf_addf(error, " (did you mean --%s?)", best.name);
    return end_error(o, error);
}

/* getopt said '?'; `word` is the argument before the one it stands at */
static int refused_flag(const struct um_options *o, struct um_str word, struct um_buf *error)
{
    struct um_str name = um_str_skip(word, 2);
    ptrdiff_t equals = um_str_find(name, '=');
    if (equals >= 0)
        name.n = (size_t)equals;
    if (optopt == 0)
        return unknown_long_flag(o, name, error);
    begin_error(o, error);
    if (optopt >= LONG_BASE)
        um_buf_addf(error, "--%s takes no value", um_flags[optopt - LONG_BASE].name);
    else
        um_buf_addf(error, "there is no flag -%c", optopt);
    return end_error(o, error);
}

static void add_flag_name(const struct um_flag *flag, struct um_buf *out)
{
    if (flag->letter)
        um_buf_addf(out, "-%c", flag->letter);
    else
        um_buf_addf(out, "--%s", flag->name);
}

static int missing_value(const struct um_options *o, const struct um_flag *flag, struct um_buf *error)
{
    begin_error(o, error);
    add_flag_name(flag, error);
    um_buf_addf(error, ": a value is missing: expected %s", flag->expects);
    return end_error(o, error);
}

static int set_flag(struct um_options *o, const struct um_flag *flag, const char *value, struct um_buf *error)
{
    int rc = flag->set(o, um_str_from(value));
    if (rc == 0 || rc == UM_ENOMEM)
        return rc;
    begin_error(o, error);
    add_flag_name(flag, error);
    um_buf_addf(error, " '%s': expected %s", value, flag->expects);
    return end_error(o, error);
}

/* ---- parsing ------------------------------------------------------------------------------------ */

struct getopt_tables {
    struct option longs[FLAGS_MAX + 1];
    char letters[2 * FLAGS_MAX + 2];
};

/* getopt's view of the flags that the command takes; a flag without letter answers LONG_BASE + its index */
static void make_tables(enum um_command command, struct getopt_tables *t)
{
    size_t n = 0, l = 0;
    t->letters[l++] = ':'; /* a missing value is told from an unknown flag */
    for (size_t i = 0; i < um_n_flags && n < FLAGS_MAX; i++) {
        const struct um_flag *flag = &um_flags[i];
        if (!(flag->commands & command))
            continue;
        t->longs[n++] =
            (struct option){flag->name, flag->argument ? required_argument : no_argument, NULL, LONG_BASE + (int)i};
        if (flag->letter)
            t->letters[l++] = flag->letter;
        if (flag->letter && flag->argument)
            t->letters[l++] = ':';
    }
    t->longs[n] = (struct option){0};
    t->letters[l] = '\0';
}

static const struct um_flag *flag_of(enum um_command command, int value)
{
    if (value >= LONG_BASE)
        return &um_flags[value - LONG_BASE];
    for (size_t i = 0; i < um_n_flags; i++)
        if (um_flags[i].letter == value && (um_flags[i].commands & command))
            return &um_flags[i];
    return NULL;
}

/* flags of argv[1..]; argv[0] is the command; *ret_first the first argument that is none */
static int parse_flags(struct um_options *o, int argc, char **argv, int *ret_first, struct um_buf *error)
{
    struct getopt_tables tables;
    make_tables(o->command, &tables);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (;;) {
        int value = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
        if (value < 0)
            break;
        if (value == '?')
            return refused_flag(o, um_str_from(argv[optind - 1]), error);
        if (value == ':')
            return missing_value(o, flag_of(o->command, optopt), error);
        int rc = set_flag(o, flag_of(o->command, value), optarg, error);
        if (rc || o->wants_help)
            return rc;
    }
    *ret_first = optind;
    return 0;
}

/* 'GET http://host/path'; explain looks at the two more closely */
static int parse_request(struct um_options *o, const char *text, struct um_buf *error)
{
    struct um_str rest = um_str_trim(um_str_from(text));
    ptrdiff_t space = um_str_find(rest, ' ');
    o->method = (struct um_str){rest.p, space < 0 ? 0 : (size_t)space};
    o->url = um_str_trim(um_str_skip(rest, o->method.n));
    if (o->method.n && o->url.n)
        return 0;
    begin_error(o, error);
    um_buf_addf(error, "'%s': expected 'METHOD http://host[:port]/path'", text);
    return end_error(o, error);
}

static int parse_arguments(struct um_options *o, int n, char **arguments, struct um_buf *error)
{
    int wanted = o->command == UM_COMMAND_EXPLAIN ? 1 : 0;
    if (o->n_files == 0) {
        begin_error(o, error);
        um_buf_add_cstr(error, "no configuration is given: expected -f FILE|DIR");
        return end_error(o, error);
    }
    if (n < wanted) {
        begin_error(o, error);
        um_buf_add_cstr(error, "no request is given: expected 'METHOD http://host[:port]/path'");
        return end_error(o, error);
    }
    if (n > wanted) {
        begin_error(o, error);
        um_buf_addf(error, "unexpected argument '%s' (a file or directory is given with -f)", arguments[wanted]);
        return end_error(o, error);
    }
    return wanted ? parse_request(o, arguments[0], error) : 0;
}

/* the first word: a command, --help or --version */
static int parse_command(struct um_options *o, const char *word, struct um_buf *error)
{
    struct nearest best = {um_str_from(word), NULL, HINT_EDITS + 1};
    o->wants_help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    o->wants_version = strcmp(word, "--version") == 0;
    if (o->wants_help || o->wants_version)
        return 0;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        consider(&best, COMMANDS[i].name);
        if (strcmp(word, COMMANDS[i].name) == 0)
            o->command = COMMANDS[i].command;
    }
    if (o->command)
        return 0;
    um_buf_addf(error, "umbra: '%s' is not a command: expected run, check or explain", word);
    if (best.name)
        um_buf_addf(error, " (did you mean %s?)", best.name);
    return end_error(o, error);
}

static void set_defaults(struct um_options *o)
{
    *o = (struct um_options){
        .compile = {.namespace_name = UM_STR("default"), .has_shadow_host_suffix = true},
        .has_admin = true,
        .access_log = UM_ACCESS_LOG_STDOUT,
        .shadow_memory_bytes = 64 << 20,
        .has_shadow_istio_metrics = true,
        .drain_time_ms = 5000,
        .limits = {.head_bytes = UM_H1_HEAD_BYTES_DEFAULT, .fields = UM_H1_FIELDS_DEFAULT},
        .header_timeout_ms = 10000,
        .idle_timeout_ms = 3600000,
        .log_level = UM_LOG_INFO,
    };
    um_arena_init(&o->arena, NULL, 0);
}

int um_options_parse(struct um_options *o, int argc, char **argv, struct um_buf *ret_error)
{
    int first = 0;
    set_defaults(o);
    int rc = um_sockaddr_parse(UM_STR("127.0.0.1"), 15000, &o->admin);
    if (rc)
        return rc;
    if (argc < 2) {
        um_buf_add_cstr(ret_error, "umbra: no command is given: expected run, check or explain");
        return end_error(o, ret_error);
    }
    rc = parse_command(o, argv[1], ret_error);
    if (rc || !o->command)
        return rc;
    rc = parse_flags(o, argc - 1, argv + 1, &first, ret_error);
    if (rc || o->wants_help)
        return rc;
    return parse_arguments(o, argc - 1 - first, argv + 1 + first, ret_error);
}

void um_options_release(struct um_options *o)
{
    um_arena_release(&o->arena);
}

/* ---- help --------------------------------------------------------------------------------------- */

enum { HELP_INDENT = 8, HELP_WIDTH = 80 };

/* `text` in lines of HELP_WIDTH at most, each behind HELP_INDENT spaces */
static void add_wrapped(const char *text, struct um_buf *out)
{
    struct um_str rest = um_str_from(text), word;
    size_t column = 0;
    while (um_str_split(&rest, ' ', &word)) {
        if (column && column + 1 + word.n > HELP_WIDTH) {
            um_buf_add_char(out, '\n');
            column = 0;
        }
        um_buf_addf(out, "%*s%.*s", column ? 1 : HELP_INDENT, "", UM_STR_ARG(word));
        column = (column ? column + 1 : HELP_INDENT) + word.n;
    }
    um_buf_add_char(out, '\n');
}

static void add_flag_help(const struct um_flag *flag, struct um_buf *out)
{
    um_buf_add_cstr(out, "  ");
    if (flag->letter)
        um_buf_addf(out, "-%c, ", flag->letter);
    um_buf_addf(out, "--%s%s%s\n", flag->name, flag->argument ? " " : "", flag->argument ? flag->argument : "");
    add_wrapped(flag->help, out);
}

static void add_overview(struct um_buf *out)
{
    um_buf_add_cstr(out, "umbra serves HTTP traffic by Istio YAML and sends copies of it to a shadow, out of band.\n\n"
                         "Usage:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        um_buf_addf(out, "  umbra %s %s\n      %s\n", COMMANDS[i].name, COMMANDS[i].arguments, COMMANDS[i].help);
    um_buf_add_cstr(out, "  umbra COMMAND --help\n      the flags of a command\n"
                         "  umbra --version | --help\n\nExit status: 0 success, 1 failure, 2 wrong usage.\n");
}

void um_options_help(enum um_command command, struct um_buf *out)
{
    if (!command)
        add_overview(out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (COMMANDS[i].command == command)
            um_buf_addf(out, "Usage: umbra %s %s\n%s\n\n", COMMANDS[i].name, COMMANDS[i].arguments, COMMANDS[i].help);
    for (size_t i = 0; i < um_n_flags; i++)
        if (um_flags[i].commands & command)
            add_flag_help(&um_flags[i], out);
}
