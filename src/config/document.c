/* SPDX-License-Identifier: Apache-2.0 */
#include "config/document.h"

#include "config/build.h"
#include "config/scalar.h"
#include "config/text.h"

void um_documents_init(struct um_documents *docs, size_t limit_bytes)
{
    *docs = (struct um_documents){0};
    um_arena_init(&docs->arena, NULL, limit_bytes);
}

void um_documents_release(struct um_documents *docs)
{
    um_arena_release(&docs->arena);
    *docs = (struct um_documents){0};
}

const struct um_entry *um_node_find(const struct um_node *map, struct um_str key)
{
    if (!map || map->kind != UM_NODE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (um_str_eq(map->entries[i].key, key))
            return &map->entries[i];
    return NULL;
}

struct um_node *um_node_get(const struct um_node *map, const char *key)
{
    const struct um_entry *entry = um_node_find(map, um_str_from(key));
    return entry ? entry->value : NULL;
}

bool um_node_is_null(const struct um_node *node)
{
    return node->kind == UM_NODE_SCALAR && um_scalar_type(node) == UM_SCALAR_NULL;
}

const char *um_node_what(const struct um_node *node)
{
    static const char *const SCALARS[] = {
        [UM_SCALAR_TEXT] = "text",    [UM_SCALAR_NULL] = "null",      [UM_SCALAR_BOOL] = "a boolean",
        [UM_SCALAR_INT] = "a number", [UM_SCALAR_FLOAT] = "a number",
    };
    switch (node->kind) {
    case UM_NODE_MAP:
        return "a mapping";
    case UM_NODE_SEQ:
        return "a list";
    case UM_NODE_SCALAR:
        break;
    }
    return SCALARS[um_scalar_type(node)];
}

/* JSON by its name, or by its looks if it is well-formed; all else is YAML, flow mappings included */
static bool is_json(struct um_str name, struct um_str bytes)
{
    if (um_str_ends(name, UM_STR(".json")))
        return true;
    size_t i = 0;
    while (i < bytes.n && strchr(" \t\n", bytes.p[i]))
        i++;
    return i < bytes.n && (bytes.p[i] == '{' || bytes.p[i] == '[') && um_json_is_valid(bytes);
}

static int parse_text(struct um_build *build, struct um_str name, struct um_str bytes)
{
    if (is_json(name, bytes))
        return um_json_parse(build, bytes);
    int rc = um_text_check_lines(build->file, bytes, build->diag);
    return rc ? rc : um_yaml_parse(build, bytes);
}

static int add_to_total(struct um_documents *docs, struct um_pos pos, size_t n, struct um_diag *diag)
{
    if (n > UM_DOCUMENT_MAX_TOTAL_BYTES - docs->total_bytes) {
        um_diag_add(diag, UM_SEVERITY_ERROR, pos, (struct um_diag_about){0},
                    "all files together are larger than %d MiB", UM_DOCUMENT_MAX_TOTAL_BYTES >> 20);
        return UM_ELIMIT;
    }
    docs->total_bytes += n;
    return 0;
}

int um_documents_parse(struct um_documents *docs, struct um_str name, struct um_str bytes, struct um_diag *diag)
{
    struct um_build build = {.docs = docs, .diag = diag, .file = um_arena_str(&docs->arena, name).p};
    struct um_buf owned;
    if (!build.file)
        return UM_ENOMEM;
    um_buf_init(&owned, 0);
    int rc = um_text_clean(build.file, &bytes, &owned, diag);
    if (rc == 0)
        rc = add_to_total(docs, (struct um_pos){build.file, 1, 1}, bytes.n, diag);
    if (rc == 0)
        rc = parse_text(&build, name, bytes);
    if (rc == 0 && build.has_faults)
        rc = UM_ESYNTAX;
    um_build_release(&build);
    um_buf_release(&owned);
    return rc;
}
