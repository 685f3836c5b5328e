/* SPDX-License-Identifier: Apache-2.0
 * decode_meta: metadata of a resource. Internal to istio/. Thread: control. */
#ifndef UM_ISTIO_DECODE_META_H
#define UM_ISTIO_DECODE_META_H

#include "istio/decode.h"

/* Sets name, namespace and resource path from whatever is there: every complaint names the resource. */
void um_decode_names(struct um_decoder *, struct um_str kind, struct um_str default_namespace, struct um_meta *meta);
/* Reads metadata of the resource at meta->place into *meta, whose names are set. */
void um_decode_meta(struct um_decoder *, struct um_meta *meta);

#endif
