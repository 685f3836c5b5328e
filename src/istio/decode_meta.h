/* SPDX-License-Identifier: Apache-2.0
 * decode_meta: metadata of a resource. Internal to istio/. Thread: control. */
#ifndef UM_ISTIO_DECODE_META_H
#define UM_ISTIO_DECODE_META_H

#include "istio/decode.h"

/* Reads metadata of the resource at meta->place into *meta; kind_name is for the resource's path. */
void um_decode_meta(struct um_decoder *, const char *kind_name, struct um_str default_namespace, struct um_meta *meta);

#endif
