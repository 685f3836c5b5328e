/* SPDX-License-Identifier: Apache-2.0
 * From YAML to a snapshot, and the snapshot as text: a line for each listener, virtual host, route, mirror and cluster.
 */
#ifndef UM_TEST_COMPILE_FIXTURE_H
#define UM_TEST_COMPILE_FIXTURE_H

#include "istio/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture {
    struct um_documents documents;
    struct um_arena arena;
    struct um_diag diag;
    struct um_resources resources;
    struct um_compile_options options;
    struct um_snapshot *snapshot;
    struct um_buf text; /* what was printed last */
    int rc;
};

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    um_documents_init(&f->documents, 0);
    um_arena_init(&f->arena, NULL, 0);
    um_diag_init(&f->diag);
    um_buf_init(&f->text, 0);
    f->options.namespace_name = UM_STR("default");
    f->options.has_shadow_host_suffix = true;
}

static inline void fixture_release(struct fixture *f)
{
    um_snapshot_unref(f->snapshot);
    um_buf_release(&f->text);
    um_diag_release(&f->diag);
    um_arena_release(&f->arena);
    um_documents_release(&f->documents);
}

static inline void fixture_load(struct fixture *f, const char *yaml)
{
    assert_int_equal(um_documents_parse(&f->documents, UM_STR("test.yaml"), um_str_from(yaml), &f->diag), 0);
    assert_int_equal(um_istio_decode(&f->documents, f->options.namespace_name, &f->diag, &f->arena, &f->resources), 0);
    f->rc = um_istio_compile(&f->resources, &f->options, &f->diag, &f->snapshot);
    um_diag_sort(&f->diag);
}

/* --endpoint SERVICE[,version=VERSION]=127.0.0.1:PORT */
static inline void fixture_endpoint(struct fixture *f, const char *host, const char *version, uint16_t port)
{
    struct um_given_endpoint *all = um_arena_array(&f->arena, f->options.n_endpoints + 1, sizeof *all);
    struct um_label *label = um_arena_array(&f->arena, 1, sizeof *label);
    if (f->options.n_endpoints)
        memcpy(all, f->options.endpoints, f->options.n_endpoints * sizeof *all);
    struct um_given_endpoint *e = &all[f->options.n_endpoints++];
    *label = (struct um_label){UM_STR("version"), um_str_from(version)};
    *e = (struct um_given_endpoint){.host = um_str_from(host), .labels = label, .n_labels = version != NULL};
    assert_int_equal(um_sockaddr_parse(UM_STR("127.0.0.1"), port, &e->addr), 0);
    f->options.endpoints = all;
}

/* ---- the snapshot as text ----------------------------------------------------------------------- */

static inline void dump_text_match(struct um_buf *out, const struct um_string_match *m)
{
    static const char *const KINDS[] = {"any", "exact:", "prefix:", "regex:", "present"};
    um_buf_addf(out, "%s%.*s%s", KINDS[m->kind], UM_STR_ARG(m->value), m->ignore_case ? "(any case)" : "");
}

static inline void dump_match(struct um_buf *out, const struct um_route_match *m)
{
    static const char *const SUBJECTS[] = {"header", "method", "scheme", "authority", "query"};
    dump_text_match(out, &m->path);
    for (uint32_t i = 0; i < m->n_conditions; i++) {
        const struct um_condition *c = &m->conditions[i];
        um_buf_addf(out, " %s%s", c->is_inverted ? "!" : "", SUBJECTS[c->subject]);
        if (c->name.n)
            um_buf_addf(out, "[%.*s]", UM_STR_ARG(c->name));
        um_buf_add_char(out, '=');
        dump_text_match(out, &c->match);
    }
}

static inline void dump_headers(struct um_buf *out, const char *what, const struct um_header_ops *ops)
{
    static const char SIGNS[] = {[UM_EDIT_SET] = '=', [UM_EDIT_ADD] = '+', [UM_EDIT_REMOVE] = '-'};
    for (uint32_t i = 0; i < ops->n; i++)
        um_buf_addf(out, "%s%c%.*s%s%.*s", i ? " " : what, SIGNS[ops->ops[i].op], UM_STR_ARG(ops->ops[i].name),
                    ops->ops[i].value.n ? ":" : "", UM_STR_ARG(ops->ops[i].value));
}

static inline void dump_forward(struct um_buf *out, const struct um_route *r)
{
    for (uint32_t i = 0; i < r->n_clusters; i++) {
        const struct um_weighted_cluster *w = &r->clusters[i];
        um_buf_addf(out, "      to %.*s%s", UM_STR_ARG(w->cluster_name), w->cluster ? "" : " (unknown)");
        if (r->n_clusters > 1)
            um_buf_addf(out, " %u/%u", w->weight, r->total_weight);
        if (w->host_rewrite.n)
            um_buf_addf(out, " host=%.*s", UM_STR_ARG(w->host_rewrite));
        dump_headers(out, " request ", &w->request_headers);
        dump_headers(out, " response ", &w->response_headers);
        um_buf_add_char(out, '\n');
    }
    for (uint32_t i = 0; i < r->n_mirrors; i++) {
        const struct um_mirror *m = &r->mirrors[i];
        um_buf_addf(out, "      mirror %.*s%s %u/%u", UM_STR_ARG(m->cluster_name), m->cluster ? "" : " (unknown)",
                    m->numerator, m->denominator);
        um_buf_addf(out, "%s%.*s\n", m->policy->name.n ? " policy=" : "", UM_STR_ARG(m->policy->name));
    }
}

static inline void dump_route(struct um_buf *out, const struct um_route *r)
{
    um_buf_addf(out, "    %.*s: ", UM_STR_ARG(r->label.n ? r->label : r->name));
    dump_match(out, &r->match);
    if (r->action == UM_ACTION_REDIRECT)
        um_buf_addf(out, " redirect %u %.*s %.*s%.*s", r->status, UM_STR_ARG(r->redirect_scheme),
                    UM_STR_ARG(r->redirect_authority), UM_STR_ARG(r->redirect_path));
    if (r->action == UM_ACTION_DIRECT_RESPONSE)
        um_buf_addf(out, " answer %u %.*s", r->status, UM_STR_ARG(r->body));
    if (r->timeout_ms)
        um_buf_addf(out, " timeout=%u", (unsigned)r->timeout_ms);
    if (r->has_path_rewrite)
        um_buf_addf(out, " path=%.*s", UM_STR_ARG(r->path_rewrite));
    if (r->host_rewrite.n)
        um_buf_addf(out, " host=%.*s", UM_STR_ARG(r->host_rewrite));
    dump_headers(out, " request ", &r->request_headers);
    dump_headers(out, " response ", &r->response_headers);
    um_buf_add_char(out, '\n');
    dump_forward(out, r);
}

static inline void dump_routes(struct um_buf *out, const struct um_route_config *config)
{
    um_buf_addf(out, "routes %.*s\n", UM_STR_ARG(config->name));
    for (uint32_t i = 0; i < config->n_virtual_hosts; i++) {
        const struct um_virtual_host *v = &config->virtual_hosts[i];
        um_buf_addf(out, "  host %.*s:", UM_STR_ARG(v->name));
        for (uint32_t k = 0; k < v->n_domains; k++)
            um_buf_addf(out, " %.*s", UM_STR_ARG(v->domains[k]));
        um_buf_add_char(out, '\n');
        for (uint32_t k = 0; k < v->n_routes; k++)
            dump_route(out, &v->routes[k]);
    }
}

static inline void dump_cluster(struct um_buf *out, const struct um_cluster *c)
{
    static const char *const DISCOVERIES[] = {"EDS", "STRICT_DNS", "LOGICAL_DNS", "ORIGINAL_DST"};
    char text[UM_SOCKADDR_TEXT_BYTES];
    um_buf_addf(out, "cluster %.*s %s", UM_STR_ARG(c->name), DISCOVERIES[c->discovery]);
    for (uint32_t i = 0; i < c->n_endpoints; i++) {
        um_sockaddr_text(&c->endpoints[i].addr, text);
        um_buf_addf(out, " %s%s", text, c->endpoints[i].is_healthy ? "" : "(not ready)");
        if (c->endpoints[i].weight != 1)
            um_buf_addf(out, "*%u", c->endpoints[i].weight);
    }
    for (uint32_t i = 0; i < c->n_dns_names; i++)
        um_buf_addf(out, " %.*s:%u", UM_STR_ARG(c->dns_names[i].name), c->dns_names[i].port);
    um_buf_add_char(out, '\n');
}

static inline void dump_listeners(struct um_buf *out, const struct um_snapshot *s)
{
    for (uint32_t i = 0; i < s->n_listeners; i++)
        um_buf_addf(out, "listener %.*s port %u routes %.*s: %.*s\n", UM_STR_ARG(s->listeners[i].name),
                    s->listeners[i].port, UM_STR_ARG(s->listeners[i].routes->name), UM_STR_ARG(s->listeners[i].origin));
}

static inline const char *text_of(struct fixture *f)
{
    um_buf_add_char(&f->text, '\0');
    assert_false(f->text.failed);
    return f->text.p;
}

static inline const char *dump_all_routes(struct fixture *f)
{
    assert_non_null(f->snapshot);
    um_buf_clear(&f->text);
    for (uint32_t i = 0; i < f->snapshot->n_route_configs; i++)
        dump_routes(&f->text, &f->snapshot->route_configs[i]);
    return text_of(f);
}

static inline const char *dump_all_clusters(struct fixture *f)
{
    assert_non_null(f->snapshot);
    um_buf_clear(&f->text);
    for (uint32_t i = 0; i < f->snapshot->n_clusters; i++)
        dump_cluster(&f->text, &f->snapshot->clusters[i]);
    return text_of(f);
}

static inline const char *dump_all_listeners(struct fixture *f)
{
    assert_non_null(f->snapshot);
    um_buf_clear(&f->text);
    dump_listeners(&f->text, f->snapshot);
    return text_of(f);
}

static inline const char *dump_diagnostics(struct fixture *f)
{
    um_buf_clear(&f->text);
    um_diag_print_text(&f->diag, &f->text);
    return text_of(f);
}

#endif
