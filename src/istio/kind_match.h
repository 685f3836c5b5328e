/* SPDX-License-Identifier: Apache-2.0
 * match: tables of http[].match[], and which rule leaves nothing for those after it. Internal to istio/. Thread:
 * control. */
#ifndef UM_ISTIO_KIND_MATCH_H
#define UM_ISTIO_KIND_MATCH_H

#include "istio/decode.h"

extern const struct um_table um_text_match_table, um_http_match_table;

/* whether every request that comes to the rule matches it, whatever the proxy */
bool um_http_route_is_catch_all(const struct um_http_route *);

#endif
