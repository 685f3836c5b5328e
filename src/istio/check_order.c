/* SPDX-License-Identifier: Apache-2.0
 * Rules that an earlier one of the same VirtualService leaves nothing for. */
#include "istio/check.h"
#include "istio/kind_match.h"

enum { COMPARED_PATH_MAX = 256 };

struct order {
    struct um_compile *c;
    struct um_map same;  /* all that a match says, as text -> struct um_http_match */
    struct um_map paths; /* prefixes that are matched without any other condition -> struct um_http_match */
};

static void add_text(struct um_buf *out, char what, const struct um_text_match *m)
{
    if (m)
        um_buf_addf(out, "%c%zu:%.*s=%d%zu:%.*s", what, m->place.key.n, UM_STR_ARG(m->place.key), (int)m->kind,
                    m->text.n, UM_STR_ARG(m->text));
}

static void add_texts(struct um_buf *out, char what, const struct um_text_match *m, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        add_text(out, what, &m[i]);
}

/* two matches with the same text match the same requests */
static struct um_str text_of(struct um_compile *c, const struct um_http_match *m)
{
    struct um_buf out;
    um_buf_init(&out, 0);
    add_text(&out, m->ignore_uri_case ? 'U' : 'u', m->uri);
    add_text(&out, 's', m->scheme);
    add_text(&out, 'm', m->method);
    add_text(&out, 'a', m->authority);
    add_texts(&out, 'h', m->headers, m->n_headers);
    add_texts(&out, 'w', m->without_headers, m->n_without_headers);
    add_texts(&out, 'q', m->query_params, m->n_query_params);
    um_buf_addf(&out, "p%u n%.*s", m->port.value, UM_STR_ARG(m->source_namespace));
    for (uint32_t i = 0; i < m->source_labels.n; i++)
        um_buf_addf(&out, " l%.*s=%.*s", UM_STR_ARG(m->source_labels.items[i].key),
                    UM_STR_ARG(m->source_labels.items[i].value));
    for (uint32_t i = 0; i < m->gateways.n; i++)
        um_buf_addf(&out, " g%.*s", UM_STR_ARG(m->gateways.items[i]));
    struct um_str text = um_compile_made(c, um_arena_str(&c->scratch, um_buf_str(&out)));
    um_buf_release(&out);
    return text;
}

static bool has_plain_path(const struct um_http_match *m)
{
    return m->uri && !m->ignore_uri_case && (m->uri->kind == UM_TEXT_PREFIX || m->uri->kind == UM_TEXT_EXACT);
}

static bool is_path_alone(const struct um_http_match *m)
{
    return m->uri && !m->scheme && !m->method && !m->authority && !m->n_headers && !m->n_without_headers &&
           !m->n_query_params && !m->port.is_set && !m->source_labels.n && !m->gateways.n && !m->source_namespace.n;
}

/* an earlier match by path alone that has all of this one's */
static const struct um_http_match *find_wider(const struct order *o, const struct um_http_match *m)
{
    if (!has_plain_path(m))
        return NULL;
    size_t max = m->uri->text.n < COMPARED_PATH_MAX ? m->uri->text.n : COMPARED_PATH_MAX;
    for (size_t n = 0; n <= max; n++) {
        const struct um_http_match *wider = um_map_get(&o->paths, (struct um_str){m->uri->text.p, n});
        if (wider)
            return wider;
    }
    return NULL;
}

static void say(struct um_compile *c, const struct um_http_match *m, const struct um_http_match *earlier,
                const char *what)
{
    if (m->place.up == earlier->place.up)
        um_complain(c->diag, UM_SEVERITY_WARNING, &m->place, NULL, NULL, "is never reached: match[%d] %s",
                    (int)earlier->place.index, what);
    else
        um_complain(c->diag, UM_SEVERITY_WARNING, &m->place, NULL, NULL, "is never reached: http[%d].match[%d] %s",
                    (int)earlier->place.up->index, (int)earlier->place.index, what);
}

static void check_match(struct order *o, struct um_http_match *m)
{
    struct um_str text = text_of(o->c, m);
    if (!text.p)
        return;
    const struct um_http_match *same = um_map_get(&o->same, text), *wider = find_wider(o, m);
    if (same)
        say(o->c, m, same, "says the same");
    else if (wider)
        say(o->c, m, wider, "has all of these paths");
    else
        um_compile_put(o->c, &o->same, text, m);
    if (!same && !wider && has_plain_path(m) && m->uri->kind == UM_TEXT_PREFIX && is_path_alone(m))
        um_compile_put(o->c, &o->paths, m->uri->text, m);
}

void um_check_order(struct um_compile *c, const struct um_virtual_service *vs)
{
    struct order o = {.c = c};
    um_map_init(&o.same);
    um_map_init(&o.paths);
    for (uint32_t i = 0; i < vs->n_http; i++) {
        for (uint32_t k = 0; !um_compile_has_failed(c) && k < vs->http[i].n_match; k++)
            check_match(&o, &vs->http[i].match[k]);
        if (um_http_route_is_catch_all(&vs->http[i])) /* decoding says so of what follows */
            break;
    }
    um_map_release(&o.same);
    um_map_release(&o.paths);
}
