/* SPDX-License-Identifier: Apache-2.0
 * url: Istio's BASE path normalisation, query parameters, host and port of an authority. Thread: any (pure).
 * Sources: RFC 3986 section 6; MeshConfig.pathNormalization BASE; what istiod with Envoy 1.40 was seen to do:
 * `/a/../b`, `/a/%2e%2e/b` and `/a\..\b` become `/b`, `%61` becomes `a`; `%2F`, `//`, `%c3` and bad escapes stay. What
 * no URI may hold (`"<>^`{|}` and bytes from 0x80 on) is escaped. The result is a fixed point. */
#ifndef UM_HTTP_URL_H
#define UM_HTTP_URL_H

#include "base/arena.h"
#include "base/str.h"

/* Normalises path-and-query (the query is left alone). Without anything to change *ret_path is `path` itself and
 * nothing is allocated. UM_ESYNTAX: a `#`, a `%00`, or not beginning with '/' (but "*" passes); UM_ENOMEM. */
int um_url_normalise(struct um_str path, struct um_arena *, struct um_str *ret_path) UM_MUST_CHECK;

/* path without and query of a path-and-query; query without '?' */
void um_url_split(struct um_str path_and_query, struct um_str *ret_path, struct um_str *ret_query);

/* first value of a query parameter, not decoded; `&` separates; "k" and "k=" give an empty value; false if absent */
bool um_url_query_param(struct um_str query, struct um_str name, struct um_str *ret_value);

/* "host:80", "[::1]:80", "host" -> host (brackets kept) and port text (empty if none); a bare IPv6 address is a host */
void um_url_split_authority(struct um_str authority, struct um_str *ret_host, struct um_str *ret_port);

/* C10: `-shadow` before the port: a -> a-shadow, a:80 -> a-shadow:80, [::1]:80 -> [::1]-shadow:80, empty stays empty */
struct um_str um_url_shadow_authority(struct um_str authority, struct um_arena *);

#endif
