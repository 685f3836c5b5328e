/* SPDX-License-Identifier: Apache-2.0
 * YAML by libfyaml's events. Its own tree is not used: resolving aliases there costs seconds and hundreds of megabytes
 * for a bomb, and building it for a hostile file gigabytes; events stop at our limits. */
#include "config/build.h"

#include <libfyaml.h>

static struct um_pos mark_pos(const struct um_build *b, const struct fy_mark *mark)
{
    if (!mark)
        return um_build_pos(b);
    return (struct um_pos){b->file, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* libfyaml's mark of a quoted text stands behind the quote, of an alias behind the `*`, of a block below its `|` */
static struct um_pos scalar_pos(const struct um_build *b, struct fy_token *value)
{
    enum fy_scalar_style style = value ? fy_token_scalar_style(value) : FYSS_PLAIN;
    struct um_pos pos = mark_pos(b, value && style < FYSS_LITERAL ? fy_token_start_mark(value) : NULL);
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
        pos.column--;
    return pos;
}

static struct um_pos alias_pos(const struct um_build *b, struct fy_token *anchor)
{
    struct um_pos pos = mark_pos(b, fy_token_start_mark(anchor));
    pos.column--;
    return pos;
}

static struct um_str token_text(struct fy_token *token)
{
    size_t n = 0;
    const char *p = token ? fy_token_get_text(token, &n) : NULL;
    return (struct um_str){p, p ? n : 0};
}

/* Tags of YAML's own types say nothing that the decoder does not know better, but !!str (and "!") makes text of a
 * number. */
static int check_tag(struct um_build *b, struct fy_token *tag, struct um_pos pos, bool *ret_is_text)
{
    struct um_str text = token_text(tag);
    *ret_is_text = um_str_eq(text, UM_STR("tag:yaml.org,2002:str")) || um_str_eq(text, UM_STR("!"));
    if (!tag || *ret_is_text || um_str_starts(text, UM_STR("tag:yaml.org,2002:")))
        return 0;
    return um_build_fault(b, pos, NULL, "unknown tag `%.*s`", UM_STR_ARG(text));
}

static int on_scalar(struct um_build *b, const struct fy_event_scalar_data *e)
{
    struct um_pos pos = scalar_pos(b, e->value);
    struct um_build_scalar s = {.pos = pos, .text = token_text(e->value), .anchor = token_text(e->anchor)};
    bool is_text;
    int rc = check_tag(b, e->tag, pos, &is_text);
    if (rc)
        return rc;
    s.is_quoted = is_text || (e->value && fy_token_scalar_style(e->value) != FYSS_PLAIN);
    return um_build_scalar(b, &s);
}

static int on_event(struct um_build *b, struct fy_event *e)
{
    struct um_pos pos = mark_pos(b, fy_event_start_mark(e));
    bool ignored;
    int rc;
    switch (e->type) {
    case FYET_SCALAR:
        return on_scalar(b, &e->scalar);
    case FYET_ALIAS:
        return um_build_alias(b, token_text(e->alias.anchor), alias_pos(b, e->alias.anchor));
    case FYET_MAPPING_START:
        rc = check_tag(b, e->mapping_start.tag, pos, &ignored);
        return rc ? rc : um_build_open(b, UM_NODE_MAP, pos, token_text(e->mapping_start.anchor));
    case FYET_SEQUENCE_START:
        rc = check_tag(b, e->sequence_start.tag, pos, &ignored);
        return rc ? rc : um_build_open(b, UM_NODE_SEQ, pos, token_text(e->sequence_start.anchor));
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return um_build_close(b);
    case FYET_DOCUMENT_END:
        return um_build_end_document(b);
    default:
        return 0;
    }
}

/* the first error is the one to tell: later ones follow from it */
static int report(struct um_build *b, struct fy_diag *diag)
{
    void *iterator = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(diag, &iterator);
    if (!e)
        return um_build_fault(b, um_build_pos(b), NULL, "malformed YAML");
    struct um_pos pos = {b->file, (uint32_t)e->line, (uint32_t)e->column};
    return um_build_fault(b, pos, NULL, "malformed YAML: %s", e->msg);
}

static int parse_events(struct um_build *b, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *e;
    bool has_ended = false;
    int rc = 0;
    while (rc == 0 && (e = fy_parser_parse(parser))) {
        has_ended = e->type == FYET_STREAM_END;
        rc = on_event(b, e);
        fy_parser_event_free(parser, e);
    }
    return rc == 0 && !has_ended ? report(b, diag) : rc;
}

int um_yaml_parse(struct um_build *b, struct um_str bytes)
{
    struct fy_diag_cfg diag_config;
    struct fy_parser *parser = NULL;
    int rc = UM_ENOMEM;
    if (bytes.n == 0)
        return 0;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    if (!diag)
        return UM_ENOMEM;
    fy_diag_set_collect_errors(diag, true);
    /* kubectl takes flow collections that are indented less than YAML wants */
    struct fy_parse_cfg config = {.flags = FYPCF_JSON_NONE | FYPCF_SLOPPY_FLOW_INDENTATION, .diag = diag};
    parser = fy_parser_create(&config);
    if (parser && fy_parser_set_string(parser, bytes.p, bytes.n) == 0)
        rc = parse_events(b, parser, diag);
    if (parser)
        fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return rc;
}
