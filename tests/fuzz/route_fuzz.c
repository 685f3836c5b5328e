/* SPDX-License-Identifier: Apache-2.0
 * Route tables and requests. The input is read as a stream of small numbers and texts: routes with their conditions,
 * then a request. The index gives what the plain scan gives; what is found and drawn keeps to its own rules. */
#include "fuzz.h"
#include "route/route.h"

enum { ROUTES = 24, CONDITIONS = 3, FIELDS = 12, TEXT_BYTES = 7 };

struct input {
    const uint8_t *p;
    size_t n;
};

struct table {
    struct um_route routes[ROUTES];
    struct um_condition conditions[ROUTES][CONDITIONS];
    struct um_regex *regexes[ROUTES * (CONDITIONS + 1)];
    uint32_t n_routes, n_regexes;
};

struct request {
    struct um_head head;
    struct um_field fields[FIELDS];
    struct um_edit edit[4];
    struct um_edits edits;
    struct um_route_request request;
};

static uint32_t take_below(struct input *in, uint32_t n)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++ % n;
}

static struct um_str take_text(struct input *in)
{
    size_t n = take_below(in, TEXT_BYTES + 1);
    if (n > in->n)
        n = in->n;
    struct um_str text = {(const char *)in->p, n};
    in->p += n;
    in->n -= n;
    return text;
}

/* a header's name; a request's may be in upper case */
static struct um_str take_name(struct input *in, bool is_request)
{
    static const struct um_str NAMES[] = {UM_STR_INIT("x-a"),  UM_STR_INIT("x-b"),   UM_STR_INIT("cookie"),
                                          UM_STR_INIT("host"), UM_STR_INIT(":path"), UM_STR_INIT("a"),
                                          UM_STR_INIT("X-A"),  UM_STR_INIT("Cookie")};
    return NAMES[take_below(in, is_request ? 8 : 6)];
}

static struct um_string_match take_match(struct table *t, struct input *in)
{
    struct um_string_match m = {.kind = (enum um_match_kind)take_below(in, 5), .value = take_text(in)};
    if (m.kind == UM_MATCH_REGEX && um_regex_new(m.value, false, &m.regex, NULL) != 0)
        m.kind = UM_MATCH_EXACT;
    if (m.regex)
        t->regexes[t->n_regexes++] = m.regex;
    return m;
}

static struct um_condition take_condition(struct table *t, struct input *in)
{
    struct um_condition c = {.subject = (enum um_match_subject)take_below(in, 5),
                             .is_inverted = take_below(in, 4) == 0};
    c.name = c.subject == UM_SUBJECT_HEADER ? take_name(in, false) : take_text(in);
    c.id = um_field_id_of(c.name);
    c.match = take_match(t, in);
    return c;
}

static void take_table(struct table *t, struct input *in)
{
    t->n_regexes = 0;
    t->n_routes = take_below(in, ROUTES + 1);
    for (uint32_t i = 0; i < t->n_routes; i++) {
        struct um_route *r = &t->routes[i];
        *r = (struct um_route){.match.conditions = t->conditions[i],
                               .match.n_conditions = take_below(in, CONDITIONS + 1)};
        r->match.path = take_match(t, in);
        r->match.path.ignore_case = take_below(in, 3) == 0;
        for (uint32_t c = 0; c < r->match.n_conditions; c++)
            t->conditions[i][c] = take_condition(t, in);
    }
}

static void take_request(struct request *q, struct input *in)
{
    *q = (struct request){.head = {.method_name = take_text(in), .fields = q->fields}};
    q->request = (struct um_route_request){
        .head = &q->head, .path = take_text(in), .authority = take_text(in), .scheme = UM_STR("http")};
    q->head.n_fields = take_below(in, FIELDS + 1);
    for (uint32_t i = 0; i < q->head.n_fields; i++) {
        struct um_str name = take_name(in, true), value = take_text(in);
        q->fields[i] = (struct um_field){
            name.p, value.p, (uint32_t)name.n, (uint32_t)value.n, (uint16_t)um_field_id_of(name), 0, 0};
    }
    um_head_index(&q->head);
    q->edits = (struct um_edits){.edits = q->edit, .n_edits = take_below(in, 5)};
    for (uint32_t i = 0; i < q->edits.n_edits; i++) {
        struct um_str name = take_name(in, true);
        q->edit[i] = (struct um_edit){(enum um_edit_op)take_below(in, 3), um_field_id_of(name), name, take_text(in)};
    }
    q->request.edits = take_below(in, 2) ? &q->edits : NULL;
}

static void check_match(const struct um_virtual_host *vh, const struct um_route_request *request)
{
    const struct um_route *found = um_route_match(vh, request);
    struct um_arena a;
    struct um_str path;
    UM_FUZZ_CHECK(found == um_route_match_linear(vh, request));
    UM_FUZZ_CHECK(!found || um_route_matches(found, request));
    if (!found)
        return;
    struct um_route rewriting = *found;
    rewriting.has_path_rewrite = true;
    rewriting.path_rewrite = UM_STR("/r");
    um_arena_init(&a, NULL, 0);
    UM_FUZZ_CHECK(um_route_rewrite_path(&rewriting, request->path, &a, &path) == 0);
    UM_FUZZ_CHECK(um_str_eq(path, request->path) || um_str_starts(path, UM_STR("/r")));
    um_arena_release(&a);
}

/* what is copied at a percentage is copied at every larger one */
static void check_sample(const struct request *q, struct um_str name, uint32_t kind)
{
    struct um_shadow_policy policy = {.sampling_key = (enum um_sampling_key)kind, .sampling_name = name};
    struct um_mirror mirror = {.cluster_name = UM_STR("shadow"), .denominator = 100, .policy = &policy};
    struct um_sample_request request = {.head = &q->head, .path = q->request.path, .source_ip = q->request.authority};
    bool was_copied = false;
    for (mirror.numerator = 0; mirror.numerator <= 100; mirror.numerator++) {
        bool is_copied = um_route_sample(&mirror, &request, 123456);
        UM_FUZZ_CHECK(!was_copied || is_copied);
        was_copied = is_copied;
    }
    UM_FUZZ_CHECK(was_copied);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct table t;
    static struct request q;
    struct input in = {data, n};
    struct um_str domains[] = {take_text(&in), UM_STR("*.a"), UM_STR("*")};
    take_table(&t, &in);
    take_request(&q, &in);
    struct um_virtual_host vh = {.domains = domains, .n_domains = 3, .routes = t.routes, .n_routes = t.n_routes};
    struct um_route_config config = {.virtual_hosts = &vh, .n_virtual_hosts = 1, .is_gateway = n % 2};
    struct um_snapshot *s = um_snapshot_new();
    UM_FUZZ_CHECK(s);
    s->route_configs = &config;
    s->n_route_configs = 1;
    UM_FUZZ_CHECK(um_route_index_build(s) == 0);
    const struct um_virtual_host *found = um_route_virtual_host(&config, q.request.authority);
    UM_FUZZ_CHECK(found == &vh || q.request.authority.n == 0 || q.request.authority.p[0] == ':');
    check_match(&vh, &q.request);
    check_sample(&q, take_name(&in, true), take_below(&in, 5));
    um_snapshot_unref(s);
    for (uint32_t i = 0; i < t.n_regexes; i++)
        um_regex_free(t.regexes[i]);
    return 0;
}
