/* SPDX-License-Identifier: Apache-2.0
 * rules: what a text of a resource must look like, as Istio's and Kubernetes' admission have it. Each is a um_rule_f:
 * NULL if the text is right, else what is wrong with it. Thread: any (pure). */
#ifndef UM_ISTIO_KIND_RULES_H
#define UM_ISTIO_KIND_RULES_H

#include "base/arena.h"

const char *um_rule_not_empty(struct um_str, struct um_arena *);
const char *um_rule_host(struct um_str, struct um_arena *);          /* a name or an IP address, no wildcard */
const char *um_rule_wildcard_host(struct um_str, struct um_arena *); /* `*`, `*.x`, `*-x.y` too */
const char *um_rule_label(struct um_str, struct um_arena *);         /* DNS-1123, upper case too */
const char *um_rule_object_name(struct um_str, struct um_arena *);   /* DNS-1123 subdomain, lower case */
const char *um_rule_ip(struct um_str, struct um_arena *);
const char *um_rule_ip_or_cidr(struct um_str, struct um_arena *);
const char *um_rule_token(struct um_str, struct um_arena *);     /* RFC 9110 section 5.6.2 */
const char *um_rule_authority(struct um_str, struct um_arena *); /* host and maybe port, for a rewrite */
const char *um_rule_regex(struct um_str, struct um_arena *);     /* RE2, at most 1024 bytes, not empty */
const char *um_rule_retry_on(struct um_str, struct um_arena *);
const char *um_rule_gateway_reference(struct um_str, struct um_arena *); /* mesh, NAME, NS/NAME, ./NAME */
const char *um_rule_namespace_scope(struct um_str, struct um_arena *);   /* exportTo: `.`, `*`, `~`, a name */
const char *um_rule_server_host(struct um_str, struct um_arena *);       /* [NS/]HOST of a Gateway */

#endif
