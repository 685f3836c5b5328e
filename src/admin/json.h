/* SPDX-License-Identifier: Apache-2.0
 * json: trees of jansson that are built without a check after each step: what could not be made (no memory) is NULL,
 * whatever a NULL is put into becomes NULL, and the builder looks once, at the end. Members keep their order.
 * Owner: as jansson's references say. Thread: any. */
#ifndef UM_ADMIN_JSON_H
#define UM_ADMIN_JSON_H

#include "base/buf.h"
#include "model/endpoint.h"

#include <jansson.h>

/* invalid UTF-8 becomes U+FFFD */
json_t *um_json_str(struct um_str);
json_t *um_json_u64(uint64_t);
/* protobuf's JSON: 64-bit integers as strings, durations as "1.500s", times as RFC 3339 */
json_t *um_json_u64_text(uint64_t);
json_t *um_json_duration(uint64_t ms);
json_t *um_json_time(uint64_t wall_ns);
/* Envoy's core.v3.Address */
json_t *um_json_address(const struct um_sockaddr *);

/* take the value over, on failure too; *object and *array become NULL then */
void um_json_set(json_t **object, const char *key, json_t *value);
void um_json_set_named(json_t **object, struct um_str key, json_t *value);
void um_json_append(json_t **array, json_t *value);
/* the same, but a value that is an empty array or object is left out, as protobuf's JSON does */
void um_json_set_filled(json_t **object, const char *key, json_t *value);

/* as Envoy prints: one space per level, a line break at the end. Takes the tree over. UM_ENOMEM. */
int um_json_print(struct um_buf *, json_t *tree) UM_MUST_CHECK;

#endif
