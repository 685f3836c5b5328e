/* SPDX-License-Identifier: Apache-2.0
 * explain: what would become of one request, and why: listener, virtual host, the routes tried, destinations, mirrors.
 * Asked of a snapshot alone: no sockets, and no random draw but what a sampling key decides.
 * Owner: the arena given. Thread: any (pure). */
#ifndef UM_APP_EXPLAIN_H
#define UM_APP_EXPLAIN_H

#include "app/options.h"
#include "base/buf.h"
#include "http/h1_parse.h"
#include "model/snapshot.h"

struct um_explain_request {
    struct um_str method, url; /* as given */
    uint16_t port;             /* the URL's, else 80 */
    struct um_head head;       /* as umbra would parse it */
    enum um_h1_fault fault;    /* why it would not */
};

/* METHOD and http://host[:port]/path, and header fields; a Host among them replaces the URL's. UM_EINVAL with
 * `ret_error`: it is no such URL; UM_ENOMEM. The result lives in the arena and in what was given. */
int um_explain_parse(struct um_arena *, struct um_str method, struct um_str url, const struct um_named_value *headers,
                     uint32_t n_headers, struct um_explain_request *ret_request,
                     struct um_buf *ret_error) UM_MUST_CHECK;

/* format: text or json; the snapshot's indexes are built (um_route_index_build). UM_ENOMEM */
int um_explain_print(const struct um_snapshot *, const struct um_explain_request *, enum um_format,
                     struct um_buf *ret_text) UM_MUST_CHECK;

#endif
