/* SPDX-License-Identifier: Apache-2.0
 * The index against the plain scan, and both against a matcher that was written to be obvious, on random tables and
 * requests over alphabets so small that everything collides. */
#include "kit.h"

#include "base/buf.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_ROUTES = 60, MAX_CONDITIONS = 3, N_TABLES = 1500, REQUESTS_PER_TABLE = 30 };

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

static const char *const PATHS[] = {"/",    "/a",    "/b",     "/A",    "/a/",     "/a/b",   "/ab", "/a/b/c", "/a/B",
                                    "/b/a", "/b/a/", "/a/b/a", "/ab/a", "/longer", "/longe", "*",   "/aa",    "/aaa"};
static const char *const PATTERNS[] = {".*",      "/a.*", "/a/[ab]",       "/(a|b)/b",
                                       "/a(/b)*", "/a?b", "/longe(r|s).*", "/a/b.+"};
static const char *const NAMES[] = {"x-a", "x-b", "x-ab", "cookie", "user-agent", "host", ":path"};
static const char *const VALUES[] = {"", "1", "2", "12", "host.example:80", "/a"};
static const char *const VALUE_PATTERNS[] = {".*", "1.*", "[12]", "(1|2)2?"};
static const char *const PARAMS[] = {"k", "j", "kk", ""};
static const char *const METHODS[] = {"GET", "POST", "BREW"};
static const char *const AUTHORITIES[] = {"host.example:80", "HOST.example:80", "other"};
static const char *const SCHEMES[] = {"http", "https"};
static const char *const QUERIES[] = {"",         "?",        "?k",  "?k=",       "?k=1",
                                      "?k=1&k=2", "?k=2&k=1", "?=1", "?j=1&k=12", "?kk=1&j=2&&k=2"};

#define PICK(rand, array) um_str_from((array)[um_rand_below((rand), COUNT(array))])

struct table {
    struct um_route routes[MAX_ROUTES];
    struct um_condition conditions[MAX_ROUTES][MAX_CONDITIONS];
    struct um_regex *regexes[MAX_ROUTES * (MAX_CONDITIONS + 1)];
    uint32_t n_routes, n_regexes;
};

/* ---- making them -------------------------------------------------------------------------------- */

static struct um_string_match random_match(struct table *t, struct um_rand *r, struct um_str text,
                                           struct um_str pattern)
{
    static const enum um_match_kind KINDS[] = {UM_MATCH_EXACT, UM_MATCH_EXACT, UM_MATCH_PREFIX, UM_MATCH_REGEX,
                                               UM_MATCH_PRESENT};
    struct um_string_match m = {.kind = KINDS[um_rand_below(r, COUNT(KINDS))], .value = text};
    if (m.kind == UM_MATCH_REGEX) {
        m.value = pattern;
        m.regex = t->regexes[t->n_regexes++] = kit_regex(pattern);
    }
    return m;
}

static struct um_condition random_condition(struct table *t, struct um_rand *r)
{
    static const enum um_match_subject SUBJECTS[] = {UM_SUBJECT_HEADER, UM_SUBJECT_HEADER,    UM_SUBJECT_METHOD,
                                                     UM_SUBJECT_SCHEME, UM_SUBJECT_AUTHORITY, UM_SUBJECT_QUERY};
    struct um_condition c = {.subject = SUBJECTS[um_rand_below(r, COUNT(SUBJECTS))]};
    struct um_str text = PICK(r, VALUES);
    if (c.subject == UM_SUBJECT_HEADER) {
        c.name = PICK(r, NAMES);
        c.id = um_field_id_of(c.name);
        c.is_inverted = um_rand_below(r, 4) == 0;
    } else if (c.subject == UM_SUBJECT_METHOD) {
        text = PICK(r, METHODS);
    } else if (c.subject == UM_SUBJECT_SCHEME) {
        text = PICK(r, SCHEMES);
    } else if (c.subject == UM_SUBJECT_AUTHORITY) {
        text = PICK(r, AUTHORITIES);
    } else {
        c.name = PICK(r, PARAMS);
    }
    c.match = random_match(t, r, text, PICK(r, VALUE_PATTERNS));
    return c;
}

static void random_route(struct table *t, uint32_t i, struct um_rand *r)
{
    struct um_route *route = &t->routes[i];
    *route = (struct um_route){.match.conditions = t->conditions[i],
                               .match.n_conditions = um_rand_below(r, MAX_CONDITIONS + 1)};
    route->match.path = random_match(t, r, PICK(r, PATHS), PICK(r, PATTERNS));
    if (route->match.path.kind == UM_MATCH_PRESENT)
        route->match.path.kind = UM_MATCH_ANY;
    if (route->match.path.kind != UM_MATCH_REGEX)
        route->match.path.ignore_case = um_rand_below(r, 4) == 0;
    /* few routes without a condition, or all the others stand in their shade */
    if (route->match.path.kind == UM_MATCH_ANY && route->match.n_conditions == 0 && um_rand_below(r, 10))
        route->match.n_conditions = 1;
    for (uint32_t c = 0; c < route->match.n_conditions; c++)
        t->conditions[i][c] = random_condition(t, r);
}

static void random_table(struct table *t, struct um_rand *r)
{
    t->n_regexes = 0;
    t->n_routes = um_rand_below(r, MAX_ROUTES + 1);
    for (uint32_t i = 0; i < t->n_routes; i++)
        random_route(t, i, r);
}

struct random_request {
    struct kit_request kit;
    struct um_edits edits;
    struct um_edit edit[4];
    char path[64];
};

static void random_request(struct random_request *q, struct um_rand *r)
{
    int n = snprintf(q->path, sizeof q->path, "%s%s", PATHS[um_rand_below(r, COUNT(PATHS))],
                     QUERIES[um_rand_below(r, COUNT(QUERIES))]);
    kit_request_init(&q->kit, PICK(r, METHODS), (struct um_str){q->path, (size_t)n});
    q->kit.request.scheme = PICK(r, SCHEMES);
    q->kit.request.authority = PICK(r, AUTHORITIES);
    for (uint32_t i = um_rand_below(r, 6); i > 0; i--) {
        static const char *const SENT[] = {"X-A", "x-a", "x-b", "X-Ab", "Cookie", "user-agent", "x-c"};
        kit_add_field(&q->kit, PICK(r, SENT), PICK(r, VALUES));
    }
    um_edits_init(&q->edits);
    q->edits.edits = q->edit;
    q->edits.n_edits = um_rand_below(r, 5);
    for (uint32_t i = 0; i < q->edits.n_edits; i++) {
        struct um_str name = um_str_from(NAMES[um_rand_below(r, 5)]);
        q->edit[i] =
            (struct um_edit){(enum um_edit_op)um_rand_below(r, 3), um_field_id_of(name), name, PICK(r, VALUES)};
    }
    q->kit.request.edits = um_rand_below(r, 3) ? NULL : &q->edits;
}

/* ---- the obvious matcher: C strings, POSIX regular expressions, lists built in full ------------------- */

struct text {
    char p[96];
};

static struct text text_of(struct um_str s)
{
    struct text t;
    assert_true(s.n < sizeof t.p);
    snprintf(t.p, sizeof t.p, "%.*s", UM_STR_ARG(s));
    return t;
}

static bool slow_regex(const char *pattern, const char *text)
{
    char whole[128];
    regex_t re;
    snprintf(whole, sizeof whole, "^(%s)$", pattern);
    assert_int_equal(regcomp(&re, whole, REG_EXTENDED | REG_NOSUB), 0);
    bool hit = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return hit;
}

static bool slow_text(const struct um_string_match *m, const char *text)
{
    struct text want = text_of(m->value);
    size_t n = strlen(want.p);
    if (m->kind == UM_MATCH_EXACT)
        return m->ignore_case ? strcasecmp(text, want.p) == 0 : strcmp(text, want.p) == 0;
    if (m->kind == UM_MATCH_PREFIX)
        return m->ignore_case ? strncasecmp(text, want.p, n) == 0 : strncmp(text, want.p, n) == 0;
    return m->kind != UM_MATCH_REGEX || slow_regex(want.p, text);
}

struct line {
    struct text name, value;
};

struct line_list {
    struct line lines[16];
    int n;
};

static void slow_remove(struct line_list *list, const char *name)
{
    int kept = 0;
    for (int i = 0; i < list->n; i++)
        if (strcasecmp(list->lines[i].name.p, name) != 0)
            list->lines[kept++] = list->lines[i];
    list->n = kept;
}

static void slow_add(struct line_list *list, struct um_str name, struct um_str value)
{
    list->lines[list->n++] = (struct line){text_of(name), text_of(value)};
}

static struct line_list slow_lines(const struct um_route_request *r)
{
    struct line_list list = {.n = 0};
    for (uint32_t i = 0; i < r->head->n_fields; i++)
        slow_add(&list, um_field_name(&r->head->fields[i]), um_field_value(&r->head->fields[i]));
    for (uint32_t i = 0; r->edits && i < r->edits->n_edits; i++) {
        const struct um_edit *e = &r->edits->edits[i];
        if (e->op != UM_EDIT_ADD)
            slow_remove(&list, text_of(e->name).p);
        if (e->op != UM_EDIT_REMOVE)
            slow_add(&list, e->name, e->value);
    }
    slow_remove(&list, "host");
    slow_add(&list, UM_STR("host"), r->authority);
    slow_add(&list, UM_STR(":path"), r->path);
    return list;
}

static struct line_list slow_params(const struct um_route_request *r)
{
    struct line_list list = {.n = 0};
    struct text all = text_of(r->path);
    char *query = strchr(all.p, '?'), *rest = query ? query + 1 : NULL, *item;
    while (rest && *rest && (item = strsep(&rest, "&"))) {
        char *value = strchr(item, '=');
        if (value)
            *value++ = '\0';
        bool is_first = true;
        for (int i = 0; i < list.n; i++)
            is_first &= strcmp(list.lines[i].name.p, item) != 0;
        if (is_first)
            slow_add(&list, um_str_from(item), um_str_from(value ? value : ""));
    }
    return list;
}

static bool slow_list(const struct um_condition *c, const struct line_list *list)
{
    bool is_there = false, hit = false;
    for (int i = 0; i < list->n; i++)
        if (strcasecmp(list->lines[i].name.p, text_of(c->name).p) == 0) {
            is_there = true;
            hit |= slow_text(&c->match, list->lines[i].value.p);
        }
    if (!c->is_inverted)
        return hit;
    return is_there || c->match.kind == UM_MATCH_PRESENT ? !hit : !slow_text(&c->match, "");
}

static bool slow_condition(const struct um_condition *c, const struct um_route_request *r)
{
    struct line_list list;
    switch (c->subject) {
    case UM_SUBJECT_METHOD:
        return slow_text(&c->match, text_of(r->head->method_name).p);
    case UM_SUBJECT_SCHEME:
        return slow_text(&c->match, text_of(r->scheme).p);
    case UM_SUBJECT_AUTHORITY:
        return slow_text(&c->match, text_of(r->authority).p);
    case UM_SUBJECT_QUERY:
        list = slow_params(r);
        return slow_list(c, &list);
    default:
        list = slow_lines(r);
        return slow_list(c, &list);
    }
}

static const struct um_route *slow_match(const struct table *t, const struct um_route_request *r)
{
    struct text path = text_of(r->path);
    path.p[strcspn(path.p, "?")] = '\0';
    for (uint32_t i = 0; i < t->n_routes; i++) {
        const struct um_route_match *m = &t->routes[i].match;
        bool hit = slow_text(&m->path, path.p);
        for (uint32_t c = 0; hit && c < m->n_conditions; c++)
            hit = slow_condition(&m->conditions[c], r);
        if (hit)
            return &t->routes[i];
    }
    return NULL;
}

/* ---- tests -------------------------------------------------------------------------------------- */

static uint32_t check_requests(const struct table *t, const struct um_virtual_host *vh, struct um_rand *r)
{
    uint32_t hits = 0;
    for (int i = 0; i < REQUESTS_PER_TABLE; i++) {
        struct random_request q;
        random_request(&q, r);
        const struct um_route *want = slow_match(t, &q.kit.request);
        assert_ptr_equal(um_route_match_linear(vh, &q.kit.request), want);
        assert_ptr_equal(um_route_match(vh, &q.kit.request), want);
        for (uint32_t k = 0; k < t->n_routes; k++)
            if (&t->routes[k] == want)
                assert_true(um_route_matches(want, &q.kit.request));
        hits += want != NULL;
    }
    return hits;
}

static void index_scan_and_obvious_matcher_agree(void **state)
{
    static struct table t;
    struct um_rand r;
    uint32_t hits = 0;
    um_rand_init_seed(&r, 42);
    for (int i = 0; i < N_TABLES; i++) {
        random_table(&t, &r);
        struct um_snapshot *s = kit_snapshot(t.routes, t.n_routes);
        hits += check_requests(&t, kit_host(s), &r);
        um_snapshot_unref(s);
        for (uint32_t k = 0; k < t.n_regexes; k++)
            um_regex_free(t.regexes[k]);
    }
    /* the tables are neither all-matching nor never-matching */
    assert_in_range(hits, N_TABLES * REQUESTS_PER_TABLE / 4, N_TABLES * REQUESTS_PER_TABLE - 1000);
}

/* n routes, each for a path, header, parameter, method or authority of its own; then one for all the rest */
static void own_route(struct um_route *route, struct um_condition *c, uint32_t i, struct um_arena *a)
{
    struct um_str own = um_arena_printf(a, "%u", i);
    *route = (struct um_route){.match.conditions = c, .match.n_conditions = 1};
    *c = (struct um_condition){.match = {.kind = UM_MATCH_EXACT, .value = own}};
    switch (i % 6) {
    case 0:
        route->match.n_conditions = 0;
        route->match.path = (struct um_string_match){.kind = UM_MATCH_EXACT, .value = um_arena_printf(a, "/e/%u", i)};
        return;
    case 1:
        route->match.n_conditions = 0;
        route->match.path = (struct um_string_match){.kind = UM_MATCH_PREFIX, .value = um_arena_printf(a, "/p/%u/", i)};
        return;
    case 2:
        c->subject = UM_SUBJECT_HEADER;
        c->name = UM_STR("x-own");
        return;
    case 3:
        c->subject = UM_SUBJECT_QUERY;
        c->name = UM_STR("own");
        return;
    case 4:
        c->subject = UM_SUBJECT_METHOD;
        return;
    default:
        c->subject = UM_SUBJECT_AUTHORITY;
    }
}

static void request_for(struct kit_request *k, uint32_t i, struct um_arena *a)
{
    struct um_str own = um_arena_printf(a, "%u", i);
    kit_request_init(k, i % 6 == 4 ? own : UM_STR("GET"), UM_STR("/"));
    if (i % 6 == 0)
        k->request.path = um_arena_printf(a, "/e/%u?x", i);
    else if (i % 6 == 1)
        k->request.path = um_arena_printf(a, "/p/%u/and/more", i);
    else if (i % 6 == 2)
        kit_add_field(k, UM_STR("X-Own"), own);
    else if (i % 6 == 3)
        k->request.path = um_arena_printf(a, "/?a=b&own=%u", i);
    else if (i % 6 == 5)
        k->request.authority = own;
}

static void each_of_many_routes_is_found(void **state)
{
    enum { N = 6000 };
    struct um_arena a;
    struct kit_request k;
    um_arena_init(&a, NULL, 0);
    struct um_route *routes = um_arena_array(&a, N + 1, sizeof *routes);
    struct um_condition *conditions = um_arena_array(&a, N, sizeof *conditions);
    for (uint32_t i = 0; i < N; i++)
        own_route(&routes[i], &conditions[i], i, &a);
    routes[N] = (struct um_route){.match.path.kind = UM_MATCH_PREFIX, .match.path.value = UM_STR("/")};
    struct um_snapshot *s = kit_snapshot(routes, N + 1);
    for (uint32_t i = 0; i < N; i++) {
        request_for(&k, i, &a);
        assert_ptr_equal(um_route_match(kit_host(s), &k.request), &routes[i]);
    }
    kit_request_init(&k, UM_STR("GET"), UM_STR("/p/1"));
    assert_ptr_equal(um_route_match(kit_host(s), &k.request), &routes[N]);
    um_snapshot_unref(s);
    um_arena_release(&a);
}

/* A request that repeats what is filed more often than the index is willing to follow gets the same answer. */
static void a_thousand_parameters_change_nothing(void **state)
{
    enum { N = 200 };
    struct um_arena a;
    struct um_buf query;
    struct um_route routes[N];
    struct um_condition conditions[N][2];
    um_arena_init(&a, NULL, 0);
    um_buf_init(&query, 0);
    um_buf_add_cstr(&query, "/?");
    for (uint32_t i = 0; i < N; i++) {
        struct um_str name = um_arena_printf(&a, "n%u", i);
        conditions[i][0] = (struct um_condition){
            .subject = UM_SUBJECT_QUERY, .name = name, .match.kind = UM_MATCH_EXACT, .match.value = UM_STR("1")};
        conditions[i][1] = (struct um_condition){.subject = UM_SUBJECT_SCHEME,
                                                 .match.kind = UM_MATCH_EXACT,
                                                 .match.value = i == 150 ? UM_STR("http") : UM_STR("none")};
        routes[i] = (struct um_route){.match.conditions = conditions[i], .match.n_conditions = 2};
    }
    for (uint32_t i = 0; i < 5 * N; i++)
        um_buf_addf(&query, "n%u=1&", i % N);
    struct um_snapshot *s = kit_snapshot(routes, N);
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), um_buf_str(&query));
    assert_ptr_equal(um_route_match(kit_host(s), &k.request), &routes[150]);
    assert_ptr_equal(um_route_match_linear(kit_host(s), &k.request), &routes[150]);
    um_snapshot_unref(s);
    um_buf_release(&query);
    um_arena_release(&a);
}

static void want_of_memory_is_an_error(void **state)
{
    struct um_condition conditions[3] = {
        {.subject = UM_SUBJECT_METHOD, .match = {.kind = UM_MATCH_EXACT, .value = UM_STR("GET")}}};
    struct um_route routes[4] = {{.match.path = {.kind = UM_MATCH_PREFIX, .value = UM_STR("/a")}},
                                 {.match.path = {.kind = UM_MATCH_EXACT, .value = UM_STR("/B"), .ignore_case = true}},
                                 {.match.conditions = conditions, .match.n_conditions = 1}};
    struct um_str domain = UM_STR("*");
    int rc = UM_ENOMEM;
    for (size_t limit = 16; rc; limit += 16) {
        struct um_snapshot *s = um_snapshot_new();
        struct um_virtual_host vh = {.domains = &domain, .n_domains = 1, .routes = routes, .n_routes = 4};
        struct um_route_config config = {.virtual_hosts = &vh, .n_virtual_hosts = 1};
        s->arena.limit_bytes = limit;
        s->route_configs = &config;
        s->n_route_configs = 1;
        rc = um_route_index_build(s);
        assert_true(rc == 0 || rc == UM_ENOMEM);
        um_snapshot_unref(s);
    }
}

static void no_routes_match_nothing(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    struct um_snapshot *s = kit_snapshot(NULL, 0);
    assert_null(um_route_match(kit_host(s), &k.request));
    assert_null(um_route_match_linear(kit_host(s), &k.request));
    um_snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_scan_and_obvious_matcher_agree),
        cmocka_unit_test(each_of_many_routes_is_found),
        cmocka_unit_test(a_thousand_parameters_change_nothing),
        cmocka_unit_test(want_of_memory_is_an_error),
        cmocka_unit_test(no_routes_match_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
